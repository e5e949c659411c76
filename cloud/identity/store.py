"""SQL of users, their second factors and the links sent to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

ACTIVE, INVITED, DISABLED = "active", "invited", "disabled"


@dataclass(frozen=True, slots=True)
class User:
    """A person, or a machine, who may sign in to the console."""

    name: str
    display_name: str
    role: str
    password_hash: str | None
    mail: str = ""
    state: str = ACTIVE
    is_machine: bool = False
    store_groups: tuple[str, ...] = ()
    totp_sealed: bytes | None = None
    totp_step: int = 0
    language: str = "zh-CN"
    """In which they are written to."""


_COLUMNS = (
    "u.name, u.display_name, u.role, u.password_hash, u.mail, u.state, u.is_machine,"
    " u.store_groups, u.totp_sealed, u.totp_step, u.language"
)
_FIND = text(f"SELECT {_COLUMNS} FROM app_user u WHERE u.name = :name")  # noqa: S608 - constants
_ALL = text(f"SELECT {_COLUMNS} FROM app_user u ORDER BY u.name")  # noqa: S608 - constants
_BY_MAIL = text(
    f"SELECT {_COLUMNS} FROM app_user u WHERE lower(u.mail) = lower(:mail)"  # noqa: S608 - constants
)
_BY_SUBJECT = text(
    f"SELECT {_COLUMNS} FROM app_user u WHERE u.oidc_subject = :subject"  # noqa: S608 - constants
)
_PUT = text("""
    INSERT INTO app_user (name, display_name, role, password_hash, mail, state, is_machine,
                          store_groups, language)
    VALUES (:name, :display_name, :role, :password_hash, :mail, :state, :is_machine, :store_groups,
            :language)
    ON CONFLICT (name) DO UPDATE SET display_name = excluded.display_name, role = excluded.role,
        password_hash = excluded.password_hash, mail = excluded.mail, state = excluded.state,
        is_machine = excluded.is_machine, store_groups = excluded.store_groups,
        language = excluded.language""")
_PASSWORD = text("""
    UPDATE app_user SET password_hash = :hash,
        state = CASE state WHEN 'invited' THEN 'active' ELSE state END
    WHERE name = :name""")
_OFFER = text("UPDATE app_user SET totp_offered = :sealed WHERE name = :name")
_OFFERED = text("SELECT totp_offered FROM app_user WHERE name = :name")
_ENROL = text("""
    UPDATE app_user SET totp_sealed = totp_offered, totp_offered = NULL, totp_step = :step
    WHERE name = :name AND totp_offered IS NOT NULL""")
_DROP_TOTP = text("""
    UPDATE app_user SET totp_sealed = NULL, totp_offered = NULL, totp_step = 0
    WHERE name = :name""")
_USE_STEP = text("""
    UPDATE app_user SET totp_step = :step WHERE name = :name AND totp_step < :step""")
_ADD_CODE = text("INSERT INTO app_recovery_code (user_name, code_hash) VALUES (:name, :hash)")
_USE_CODE = text("DELETE FROM app_recovery_code WHERE user_name = :name AND code_hash = :hash")
_CODES = text("SELECT count(*) FROM app_recovery_code WHERE user_name = :name")
_DROP_CODES = text("DELETE FROM app_recovery_code WHERE user_name = :name")
_ADD_TICKET = text("""
    INSERT INTO app_ticket (token_hash, user_name, kind, expires_at_ms)
    VALUES (:hash, :name, :kind, :expires_at_ms)""")
_USE_TICKET = text("""
    DELETE FROM app_ticket WHERE token_hash = :hash AND expires_at_ms > :at_ms
    RETURNING user_name, kind""")
_DROP_TICKETS = text("DELETE FROM app_ticket WHERE user_name = :name OR expires_at_ms <= :at_ms")
_LINK_SUBJECT = text("""
    UPDATE app_user SET oidc_subject = :subject,
        state = CASE state WHEN 'invited' THEN 'active' ELSE state END
    WHERE name = :name AND oidc_subject IS NULL""")
_UNLINK_SUBJECT = text("""
    UPDATE app_user SET oidc_subject = NULL WHERE name = :name AND oidc_subject IS NOT NULL""")
_GROUPS = text("SELECT group_id FROM store_group WHERE group_id = ANY(:groups)")


def find_user(connection: Connection, name: str) -> User | None:
    """The user with that name."""
    return _user(connection.execute(_FIND, {"name": name}).one_or_none())


def find_by_mail(connection: Connection, mail: str) -> User | None:
    """The user with that mail address, in whatever case."""
    return _user(connection.execute(_BY_MAIL, {"mail": mail}).one_or_none())


def find_by_subject(connection: Connection, subject: str) -> User | None:
    """The user whom a sign-in service knows by that name."""
    return _user(connection.execute(_BY_SUBJECT, {"subject": subject}).one_or_none())


def users(connection: Connection) -> list[User]:
    """Everybody, by name."""
    return [found for row in connection.execute(_ALL) if (found := _user(row)) is not None]


def put_user(connection: Connection, user: User) -> None:
    """Add a user, or replace the one of that name; its second factor stays."""
    values = {
        "name": user.name,
        "display_name": user.display_name,
        "role": user.role,
        "password_hash": user.password_hash,
        "mail": user.mail,
        "state": user.state,
        "is_machine": user.is_machine,
        "store_groups": list(user.store_groups),
        "language": user.language,
    }
    connection.execute(_PUT, values)


def set_password(connection: Connection, name: str, password_hash: str) -> None:
    """Give a user a password; who was invited may sign in from now on."""
    connection.execute(_PASSWORD, {"name": name, "hash": password_hash})


def link_subject(connection: Connection, name: str, subject: str) -> bool:
    """Remember by what name a sign-in service knows a user; False when it knew another."""
    values = {"name": name, "subject": subject}
    return connection.execute(_LINK_SUBJECT, values).rowcount == 1


def unlink_subject(connection: Connection, name: str) -> bool:
    """Forget by what name a sign-in service knows a user; False when it knew none."""
    return connection.execute(_UNLINK_SUBJECT, {"name": name}).rowcount == 1


def unknown_groups(connection: Connection, groups: Iterable[str]) -> list[str]:
    """Those of the names that are no store group."""
    asked = list(groups)
    known = set(connection.execute(_GROUPS, {"groups": asked}).scalars())
    return [group for group in asked if group not in known]


def offer_totp(connection: Connection, name: str, sealed: bytes) -> None:
    """Keep a secret that counts only once it has been shown to work."""
    connection.execute(_OFFER, {"name": name, "sealed": sealed})


def offered_totp(connection: Connection, name: str) -> bytes | None:
    """The secret that waits for its first code."""
    found: bytes | None = connection.execute(_OFFERED, {"name": name}).scalar_one_or_none()
    return found


def enrol_totp(connection: Connection, name: str, step: int) -> None:
    """The secret that was offered counts from now on, for codes after this step."""
    connection.execute(_ENROL, {"name": name, "step": step})


def drop_totp(connection: Connection, name: str) -> None:
    """Forget a user's second factor and recovery codes."""
    connection.execute(_DROP_TOTP, {"name": name})
    connection.execute(_DROP_CODES, {"name": name})


def use_step(connection: Connection, name: str, step: int) -> bool:
    """Use up a code; False when it, or a later one, was used already."""
    return connection.execute(_USE_STEP, {"name": name, "step": step}).rowcount == 1


def put_codes(connection: Connection, name: str, hashes: Iterable[bytes]) -> None:
    """Replace a user's recovery codes."""
    connection.execute(_DROP_CODES, {"name": name})
    connection.execute(_ADD_CODE, [{"name": name, "hash": each} for each in hashes])


def use_code(connection: Connection, name: str, code_hash: bytes) -> bool:
    """Use up a recovery code; False when there is no such."""
    return connection.execute(_USE_CODE, {"name": name, "hash": code_hash}).rowcount == 1


def codes_left(connection: Connection, name: str) -> int:
    """How many recovery codes a user has."""
    return int(connection.execute(_CODES, {"name": name}).scalar_one())


def add_ticket(
    connection: Connection, *, token_hash: bytes, name: str, kind: str, expires_at_ms: int
) -> None:
    """Keep a link that was sent, by its hash."""
    values = {"hash": token_hash, "name": name, "kind": kind, "expires_at_ms": expires_at_ms}
    connection.execute(_ADD_TICKET, values)


def use_ticket(connection: Connection, token_hash: bytes, at_ms: int) -> tuple[str, str] | None:
    """Use up a link: (user, kind), or None for an unknown, used or expired one."""
    row = connection.execute(_USE_TICKET, {"hash": token_hash, "at_ms": at_ms}).one_or_none()
    return None if row is None else (row[0], row[1])


def drop_tickets(connection: Connection, name: str, at_ms: int) -> None:
    """Forget a user's links, and those whose time is over."""
    connection.execute(_DROP_TICKETS, {"name": name, "at_ms": at_ms})


def _user(row: object) -> User | None:
    if row is None:
        return None
    values = list(row)  # type: ignore[call-overload]
    values[7] = tuple(values[7])
    return User(*values)
