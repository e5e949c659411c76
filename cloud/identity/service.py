"""Signing in and out, and finding who a token belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from cloud import audit
from cloud.clock import session_token
from cloud.context import Principal
from cloud.db import Database
from cloud.identity import session_store, store
from cloud.identity.factor import check_second_factor
from cloud.identity.oidc import SignInService
from cloud.identity.parts import Caller, Parts, hash_of, is_right
from cloud.identity.role import ADMIN, BUILT_IN, Role, changed
from cloud.identity.role_store import roles
from cloud.identity.session_store import ADDRESS_LIMIT, HOUR_MS, USER_LIMITS, NewSession
from cloud.identity.store import ACTIVE, User
from shared.kernel.errors import MissingError, RefusedError, RetailError

AGENT_MAX = 200
NOBODY_KNOWN = "?"
"""Stands in the log for a name that nobody has: it may be a password typed in the wrong place."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a person signs in with; `code` is of the app or a recovery code, "" for none."""

    user: str
    password: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; the token is told once and stored only as a hash."""

    principal: Principal
    token: str
    expires_at_ms: int


class Identity:
    """Users and their sessions."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.service = SignInService()

    def sign_in(self, given: Given, caller: Caller) -> SignedIn:
        """Check what is given and open a session, ending the one that the caller had.

        Raises RefusedError `session.too_many_tries`, `session.wrong_password` (the same for an
        unknown user), `session.code_required` or `session.wrong_code`.
        """
        user, how = self._checked(given, caller)
        return self.open(user, caller, how)

    def find(self, token: str, *, is_used: bool = True) -> Principal | None:
        """The person of a valid session token; see `People`."""
        parts = self.parts
        with parts.database.begin() as connection:
            row = session_store.find_session(
                connection, hash_of(token), parts.now_ms(), parts.idle_since_ms()
            )
            if row is not None and is_used:
                session_store.note_use(connection, row, hash_of(token), parts.now_ms())
        return None if row is None else _principal_of_row(row, parts.settings.require_totp)

    def close(self) -> None:
        """End the mail thread."""
        self.parts.mailer.stop()

    def confirm(self, given: Given, caller: Caller) -> None:
        """The person of this session proves again who they are; raises as `sign_in` does."""
        user, _ = self._checked(given, caller)
        parts = self.parts
        with parts.database.begin() as connection:
            session_store.confirm(connection, hash_of(caller.token), parts.now_ms())
            parts.note(connection, caller, "session.confirmed", subject=user.name)

    def sign_out(self, caller: Caller) -> None:
        """End a session; an unknown token is nothing to complain about."""
        with self.parts.database.begin() as connection:
            session_store.close(connection, hash_of(caller.token))
            self.parts.note(connection, caller, "session.closed", subject=caller.user)

    def open(self, user: User, caller: Caller, how: str) -> SignedIn:
        """Open a session for a person who has proved who they are."""
        parts, now, token = self.parts, self.parts.now_ms(), session_token()
        expires_at_ms = now + parts.settings.session_hours * HOUR_MS
        session = NewSession(
            token_hash=hash_of(token),
            user=user.name,
            at_ms=now,
            expires_at_ms=expires_at_ms,
            how=how,
            address=caller.address,
            agent=caller.agent[:AGENT_MAX],
        )
        with parts.database.begin() as connection:
            session_store.drop_ended(connection, now, parts.idle_since_ms())
            if caller.token:
                session_store.close(connection, hash_of(caller.token))
            session_store.open_session(connection, session)
            parts.note(
                connection, caller, "session.opened", subject=user.name, who=user.name, how=how
            )
        principal = self.find(token)
        if principal is None:  # shut out between the check and now
            raise RefusedError("session.wrong_password")
        return SignedIn(principal, token, expires_at_ms)

    def _checked(self, given: Given, caller: Caller) -> tuple[User, str]:
        keys, tries = self._begin_try(given.user, caller.address)
        parts = self.parts
        with parts.database.begin() as connection:
            user = store.find_user(connection, given.user)
        known = None if user is None or user.state != ACTIVE else user.password_hash
        if not is_right(known, given.password) or user is None:
            raise self._failed(given.user if user else NOBODY_KNOWN, caller)
        try:
            with parts.database.begin() as connection:
                how = check_second_factor(parts, connection, user, given.code)
                session_store.forget_tries(connection, keys[:1], tries)
        except RefusedError as error:
            if error.code != "session.code_required":
                raise self._failed(user.name, caller, error) from None
            # Neither held against the person, nor does it forget what is.
            with parts.database.begin() as connection:
                session_store.forget_tries(connection, (), tries)
            raise
        return user, how

    def _begin_try(self, name: str, address: str) -> tuple[list[str], list[int]]:
        user_key, address_key = f"user:{name}", f"address:{address}"
        limits = [(user_key, limit) for limit in USER_LIMITS] + [(address_key, ADDRESS_LIMIT)]
        with self.parts.database.begin() as connection:
            tries, wait_ms = session_store.begin_try(connection, limits, self.parts.now_ms())
        if wait_ms > 0:
            raise RefusedError("session.too_many_tries", wait_s=-(-wait_ms // 1000))
        return [user_key, address_key], tries

    def _failed(self, name: str, caller: Caller, error: RetailError | None = None) -> RetailError:
        refused = error or RefusedError("session.wrong_password")
        with self.parts.database.begin() as connection:
            self.parts.note(
                connection,
                caller,
                "session.refused",
                subject=name,
                outcome=audit.REFUSED,
                because=refused.code,
            )
        return refused


def principal_of(database: Database, name: str) -> Principal:
    """A person of the console with what they may do; MissingError `user.unknown`."""
    with database.begin() as connection:
        user = store.find_user(connection, name)
        role = None if user is None else roles(connection).get(user.role)
    if user is None or user.state != ACTIVE:
        raise MissingError("user.unknown", name=name[:40])
    permissions = frozenset[str]() if role is None else role.permissions
    return Principal(user.name, user.display_name, user.role, permissions)


def _principal_of_row(row: dict[str, object], require_totp: bool) -> Principal:  # noqa: FBT001
    name = str(row["role"])
    role = BUILT_IN.get(name)
    if row["is_stored"] and name != ADMIN:
        role = changed(
            Role(
                role=name,
                label=str(row["label"]),
                permissions=frozenset(row["permissions"]),  # type: ignore[call-overload]
                is_scoped=bool(row["is_scoped"]),
                needs_totp=bool(row["needs_totp"]),
            )
        )
    if role is None:
        role = Role(name, "", frozenset(), is_scoped=True, needs_totp=False)
    stores = frozenset(row["stores"]) if role.is_scoped else None  # type: ignore[call-overload]
    must_enrol = (
        require_totp and role.needs_totp and not row["has_totp"] and row["how"] == "password"
    )
    return Principal(
        name=str(row["name"]),
        display_name=str(row["display_name"]),
        role=name,
        permissions=frozenset() if must_enrol else role.permissions,
        stores=stores,
        confirmed_at_ms=int(str(row["confirmed_at_ms"])),
        must_enrol=must_enrol,
        how=str(row["how"]),
    )
