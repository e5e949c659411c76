"""SQL of sessions and of tries to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from cloud.db import lock_for_transaction

HOUR_MS = 3_600_000
TRY_LOCK = 7_461_020
KEPT_MS = 24 * 3_600_000
"""How long a failed try is remembered: the longest window of any limit."""
SEEN_EVERY_MS = 60_000
"""How exact the last use of a session is: not every request writes."""

_OPEN = text("""
    INSERT INTO app_session (token_hash, user_name, opened_at_ms, seen_at_ms, confirmed_at_ms,
                             expires_at_ms, how, address, agent)
    VALUES (:token_hash, :user, :at_ms, :at_ms, :at_ms, :expires_at_ms, :how, :address, :agent)""")
_FIND = text("""
    SELECT u.name, u.display_name, u.role, u.totp_sealed IS NOT NULL AS has_totp,
           s.how, s.seen_at_ms, s.confirmed_at_ms, r.role IS NOT NULL AS is_stored,
           r.label, r.permissions, r.is_scoped, r.needs_totp,
           array(SELECT DISTINCT store_id FROM store_group_member m
                 WHERE m.group_id = ANY(u.store_groups)) AS stores
    FROM app_session s JOIN app_user u ON u.name = s.user_name
    LEFT JOIN app_role r ON r.role = u.role
    WHERE s.token_hash = :token_hash AND s.expires_at_ms > :at_ms AND u.state = 'active'
      AND (s.how = 'machine' OR s.seen_at_ms > :idle_since_ms)""")
_SEEN = text("UPDATE app_session SET seen_at_ms = :at_ms WHERE token_hash = :token_hash")
_CONFIRM = text("""
    UPDATE app_session SET confirmed_at_ms = :at_ms, seen_at_ms = :at_ms
    WHERE token_hash = :token_hash""")
_CLOSE = text("DELETE FROM app_session WHERE token_hash = :token_hash")
_DROP = text("""
    DELETE FROM app_session
    WHERE expires_at_ms <= :at_ms OR (how <> 'machine' AND seen_at_ms <= :idle_since_ms)""")
_OF_USER = text("""
    SELECT encode(substring(token_hash FOR 8), 'hex') AS session, token_hash = :own AS is_own,
           opened_at_ms, seen_at_ms, expires_at_ms, how, address, agent
    FROM app_session WHERE user_name = :user AND expires_at_ms > :at_ms
      AND (how = 'machine' OR seen_at_ms > :idle_since_ms)
    ORDER BY seen_at_ms DESC""")
_CLOSE_ONE = text("""
    DELETE FROM app_session
    WHERE user_name = :user AND encode(substring(token_hash FOR 8), 'hex') = :session""")
_CLOSE_ALL = text("DELETE FROM app_session WHERE user_name = :user AND token_hash <> :but")
_CLOSE_ROLE = text("""
    DELETE FROM app_session s USING app_user u
    WHERE u.name = s.user_name AND u.role = :role AND s.how <> 'machine'""")
_TRIES = text("SELECT count(*), min(at_ms) FROM sign_in_try WHERE key = :key AND at_ms > :since_ms")
_ADD_TRY = text("INSERT INTO sign_in_try (key, at_ms) VALUES (:key, :at_ms) RETURNING id")
_FORGET = text("DELETE FROM sign_in_try WHERE key = ANY(:keys) OR id = ANY(:tries)")
_DROP_TRIES = text("DELETE FROM sign_in_try WHERE at_ms <= :since_ms")
_NEWEST = text("""
    SELECT user_name, max(seen_at_ms) FROM app_session GROUP BY user_name""")


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session to open; `how` is password, totp, oidc or machine."""

    token_hash: bytes
    user: str
    at_ms: int
    expires_at_ms: int
    how: str
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many tries in so long."""

    tries: int
    window_ms: int


USER_LIMITS = (Limit(10, 5 * 60_000), Limit(60, 24 * HOUR_MS))
"""Ten wrong tries make a user wait five minutes, sixty a day."""
ADDRESS_LIMIT = Limit(50, 5 * 60_000)


def open_session(connection: Connection, session: NewSession) -> None:
    """Add a session."""
    values = {name: getattr(session, name) for name in NewSession.__slots__}
    connection.execute(_OPEN, values)


def find_session(
    connection: Connection, token_hash: bytes, at_ms: int, idle_since_ms: int
) -> dict[str, object] | None:
    """A session with its user, role and stores; None when it has ended, or the user may not."""
    asked = {"token_hash": token_hash, "at_ms": at_ms, "idle_since_ms": idle_since_ms}
    row = connection.execute(_FIND, asked).mappings().one_or_none()
    return None if row is None else dict(row)


def note_use(connection: Connection, row: dict[str, object], token_hash: bytes, at_ms: int) -> None:
    """The person uses the session that was found: it goes on from now."""
    if at_ms - int(str(row["seen_at_ms"])) >= SEEN_EVERY_MS:
        connection.execute(_SEEN, {"at_ms": at_ms, "token_hash": token_hash})


def confirm(connection: Connection, token_hash: bytes, at_ms: int) -> None:
    """Note that the person has just proved again who they are."""
    connection.execute(_CONFIRM, {"token_hash": token_hash, "at_ms": at_ms})


def close(connection: Connection, token_hash: bytes) -> None:
    """Forget a session."""
    connection.execute(_CLOSE, {"token_hash": token_hash})


def close_one(connection: Connection, user: str, session: str) -> bool:
    """Forget the session of that user with that short name; False when there is none."""
    return connection.execute(_CLOSE_ONE, {"user": user, "session": session}).rowcount > 0


def close_all(connection: Connection, user: str, but: bytes = b"") -> int:
    """Forget a user's sessions, one of them left out; answers how many."""
    return int(connection.execute(_CLOSE_ALL, {"user": user, "but": but}).rowcount)


def close_of_role(connection: Connection, role: str) -> None:
    """Forget the sessions of the people of a role: what they may do has changed."""
    connection.execute(_CLOSE_ROLE, {"role": role})


def drop_ended(connection: Connection, at_ms: int, idle_since_ms: int) -> None:
    """Forget the sessions whose time is over."""
    connection.execute(_DROP, {"at_ms": at_ms, "idle_since_ms": idle_since_ms})


def sessions_of(
    connection: Connection, user: str, own: bytes, at_ms: int, idle_since_ms: int
) -> list[dict[str, object]]:
    """A user's sessions, the last used first."""
    asked = {"user": user, "own": own, "at_ms": at_ms, "idle_since_ms": idle_since_ms}
    return [dict(row) for row in connection.execute(_OF_USER, asked).mappings()]


def last_seen(connection: Connection) -> dict[str, int]:
    """When each user with a session was seen last, in UTC milliseconds."""
    return {row[0]: int(row[1]) for row in connection.execute(_NEWEST)}


def begin_try(
    connection: Connection, limits: Sequence[tuple[str, Limit]], at_ms: int
) -> tuple[list[int], int]:
    """Count a try under each key, unless a limit is reached: (the counted tries, wait in ms).

    A try counts from before it is checked, so that many at once are no way around a limit.
    """
    lock_for_transaction(connection, TRY_LOCK)
    connection.execute(_DROP_TRIES, {"since_ms": at_ms - KEPT_MS})
    for key, limit in limits:
        asked = {"key": key, "since_ms": at_ms - limit.window_ms}
        count, first_ms = connection.execute(_TRIES, asked).one()
        if count >= limit.tries:
            return [], max(int(first_ms) + limit.window_ms - at_ms, 1)
    keys = dict.fromkeys(key for key, _ in limits)
    added = [connection.execute(_ADD_TRY, {"key": key, "at_ms": at_ms}) for key in keys]
    return [int(row.scalar_one()) for row in added], 0


def forget_tries(connection: Connection, keys: Sequence[str], tries: Sequence[int]) -> None:
    """Nothing is held against these keys any more, and these tries were none."""
    connection.execute(_FORGET, {"keys": list(keys), "tries": list(tries)})
