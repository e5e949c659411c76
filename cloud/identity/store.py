"""SQL of users and sessions."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in to the console."""

    name: str
    display_name: str
    role: str
    password_hash: str


_COLUMNS = "u.name, u.display_name, u.role, u.password_hash"
_FIND = text(f"SELECT {_COLUMNS} FROM app_user u WHERE u.name = :name")  # noqa: S608 - constants
_ALL = text(f"SELECT {_COLUMNS} FROM app_user u ORDER BY u.name")  # noqa: S608 - constants
_OF_SESSION = text(
    f"SELECT {_COLUMNS} FROM app_session s JOIN app_user u ON u.name = s.user_name"  # noqa: S608 - constants
    " WHERE s.token_hash = :token_hash AND s.expires_at_ms > :at_ms"
)
_ADD = text(
    "INSERT INTO app_user (name, display_name, role, password_hash)"
    " VALUES (:name, :display_name, :role, :password_hash)"
    " ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name,"
    " role = excluded.role, password_hash = excluded.password_hash"
)
_OPEN = text(
    "INSERT INTO app_session (token_hash, user_name, expires_at_ms)"
    " VALUES (:token_hash, :user_name, :expires_at_ms)"
)


def find_user(connection: Connection, name: str) -> User | None:
    """The user with that name."""
    row = connection.execute(_FIND, {"name": name}).one_or_none()
    return None if row is None else User(*row)


def users(connection: Connection) -> list[User]:
    """Everybody, by name."""
    return [User(*row) for row in connection.execute(_ALL)]


def put_user(connection: Connection, user: User) -> None:
    """Add a user, or replace the one of that name and end its sessions."""
    connection.execute(
        _ADD,
        {
            "name": user.name,
            "display_name": user.display_name,
            "role": user.role,
            "password_hash": user.password_hash,
        },
    )
    connection.execute(text("DELETE FROM app_session WHERE user_name = :name"), {"name": user.name})


def open_session(
    connection: Connection, *, token_hash: bytes, user_name: str, expires_at_ms: int
) -> None:
    """Add a session."""
    connection.execute(
        _OPEN,
        {"token_hash": token_hash, "user_name": user_name, "expires_at_ms": expires_at_ms},
    )


def user_of_session(connection: Connection, token_hash: bytes, at_ms: int) -> User | None:
    """The user of a session that has not expired."""
    found = connection.execute(_OF_SESSION, {"token_hash": token_hash, "at_ms": at_ms})
    row = found.one_or_none()
    return None if row is None else User(*row)


def close_session(connection: Connection, token_hash: bytes) -> None:
    """Forget a session."""
    statement = text("DELETE FROM app_session WHERE token_hash = :token_hash")
    connection.execute(statement, {"token_hash": token_hash})


def drop_expired(connection: Connection, at_ms: int) -> None:
    """Forget the sessions whose time is over."""
    statement = text("DELETE FROM app_session WHERE expires_at_ms <= :at_ms")
    connection.execute(statement, {"at_ms": at_ms})
