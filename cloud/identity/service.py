"""Signing in and out, and finding who a token belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloud.clock import session_token
from cloud.context import Principal
from cloud.db import Database
from cloud.identity import store
from cloud.identity.role import ROLES
from cloud.identity.store import User
from cloud.limiter import FailureLimiter
from cloud.passwords import hash_password, is_password
from shared.kernel.canonical import sha256
from shared.kernel.clock import Clock
from shared.kernel.errors import MissingError, RefusedError

SESSION_MS = 12 * 3_600_000
FAILURES_PER_USER = 10
FAILURES_PER_ADDRESS = 50
WINDOW_MS = 5 * 60_000
PASSWORD_LENGTH_MIN = 8
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; the token is told once and stored only as a hash."""

    principal: Principal
    token: str
    expires_at_ms: int


class Identity:
    """Users and their sessions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._by_user = FailureLimiter(failures_max=FAILURES_PER_USER, window_ms=WINDOW_MS)
        self._by_address = FailureLimiter(failures_max=FAILURES_PER_ADDRESS, window_ms=WINDOW_MS)

    def sign_in(self, *, name: str, password: str, address: str) -> SignedIn:
        """Check a password and open a session.

        Raises RefusedError `session.too_many_tries` or `session.wrong_password` (the same for an
        unknown user).
        """
        now = self._clock.mono_ms()
        wait_ms = max(self._by_user.wait_ms(name, now), self._by_address.wait_ms(address, now))
        if wait_ms > 0:
            raise RefusedError("session.too_many_tries", wait_s=-(-wait_ms // 1000))
        with self._database.begin() as connection:
            user = store.find_user(connection, name)
        if not is_password(None if user is None else user.password_hash, password) or user is None:
            self._by_user.failed(name, now)
            self._by_address.failed(address, now)
            raise RefusedError("session.wrong_password")
        self._by_user.succeeded(name)
        return self._open(user)

    def find(self, token: str) -> Principal | None:
        """The person of a valid session token."""
        with self._database.begin() as connection:
            user = store.user_of_session(connection, _hash(token), self._clock.now_ms())
        return None if user is None else _principal(user)

    def sign_out(self, token: str) -> None:
        """End a session; an unknown token is nothing to complain about."""
        with self._database.begin() as connection:
            store.close_session(connection, _hash(token))

    def _open(self, user: User) -> SignedIn:
        now = self._clock.now_ms()
        token = session_token()
        with self._database.begin() as connection:
            store.drop_expired(connection, now)
            store.open_session(
                connection,
                token_hash=_hash(token),
                user_name=user.name,
                expires_at_ms=now + SESSION_MS,
            )
        return SignedIn(_principal(user), token, now + SESSION_MS)


def put_user(database: Database, *, name: str, display_name: str, role: str, password: str) -> None:
    """Add a user or replace one.

    Raises RefusedError `user.name`, `user.role` or `user.password_short`.
    """
    if _USER_NAME.fullmatch(name) is None:
        raise RefusedError("user.name", name=name[:40])
    if role not in ROLES:
        raise RefusedError("user.role", role=role[:40], roles=", ".join(ROLES))
    if len(password) < PASSWORD_LENGTH_MIN:
        raise RefusedError("user.password_short", length=PASSWORD_LENGTH_MIN)
    user = User(name, display_name or name, role, hash_password(password))
    with database.begin() as connection:
        store.put_user(connection, user)


def users(database: Database) -> list[User]:
    """Everybody, by name."""
    with database.begin() as connection:
        return store.users(connection)


def principal_of(database: Database, name: str) -> Principal:
    """A person of the console with what they may do; MissingError `user.unknown`."""
    with database.begin() as connection:
        user = store.find_user(connection, name)
    if user is None:
        raise MissingError("user.unknown", name=name[:40])
    return _principal(user)


def _principal(user: User) -> Principal:
    return Principal(user.name, user.display_name, user.role, ROLES.get(user.role, frozenset()))


def _hash(token: str) -> bytes:
    return sha256(token.encode())
