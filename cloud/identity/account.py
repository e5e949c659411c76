"""What a person does with their own account: password, second factor, sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from cloud.identity import session_store, store
from cloud.identity.factor import new_codes, new_secret
from cloud.identity.parts import Caller, Parts, hash_of, is_right
from cloud.identity.policy import require_good
from cloud.identity.role_store import roles
from cloud.identity.session_store import USER_LIMITS
from cloud.identity.store import User
from cloud.identity.totp import enrolment_url, secret_text, step_of
from cloud.passwords import hash_password
from shared.kernel.errors import ForbiddenError, MissingError, RefusedError


@dataclass(frozen=True, slots=True)
class Offer:
    """A second factor to set up: for an app that scans, and for one that does not."""

    url: str
    secret: str


def account(parts: Parts, caller: Caller) -> dict[str, Any]:
    """The person's own account with its sessions."""
    with parts.database.begin() as connection:
        user = own(connection, caller)
        needs_totp = _needs_totp(parts, connection, user)
        rows = session_store.sessions_of(
            connection, user.name, hash_of(caller.token), parts.now_ms(), parts.idle_since_ms()
        )
        left = store.codes_left(connection, user.name)
    return {
        "user": user.name,
        "name": user.display_name,
        "role": user.role,
        "mail": user.mail,
        "has_password": user.password_hash is not None,
        "has_totp": user.totp_sealed is not None,
        "needs_totp": needs_totp,
        "recovery_codes_left": left,
        "sessions": rows,
    }


def change_password(parts: Parts, caller: Caller, old: str, new: str) -> None:
    """Give oneself a new password; every other session of this person ends.

    Raises RefusedError `user.password_wrong`, `session.too_many_tries` (whoever found an open
    session must not guess here either) or what `require_good` does.
    """
    limits = [(f"user:{caller.user}", limit) for limit in USER_LIMITS]
    with parts.database.begin() as connection:
        user = own(connection, caller)
        tries, wait_ms = session_store.begin_try(connection, limits, parts.now_ms())
    if wait_ms > 0:
        raise RefusedError("session.too_many_tries", wait_s=-(-wait_ms // 1000))
    if not is_right(user.password_hash, old):
        raise RefusedError("user.password_wrong")
    with parts.database.begin() as connection:
        session_store.forget_tries(connection, (), tries)
    require_good(new, user.name, user.display_name, user.mail)
    with parts.database.begin() as connection:
        store.set_password(connection, user.name, hash_password(new))
        session_store.close_all(connection, user.name, but=hash_of(caller.token))
        store.drop_tickets(connection, user.name, parts.now_ms())
        parts.note(connection, caller, "password.changed", subject=user.name)


def offer_totp(parts: Parts, caller: Caller) -> Offer:
    """Make a secret; it counts only once `enrol_totp` has seen a code of it."""
    secret = new_secret()
    with parts.database.begin() as connection:
        user = own(connection, caller)
        store.offer_totp(connection, user.name, parts.sealer.seal(secret, user.name))
    place = urlsplit(parts.settings.url()).hostname or ""
    return Offer(enrolment_url(secret, user.name, place), secret_text(secret))


def enrol_totp(parts: Parts, caller: Caller, code: str) -> list[str]:
    """The offered secret counts from now on; answers ten recovery codes, told once.

    Raises RefusedError `totp.none_offered` or `totp.wrong_code`.
    """
    with parts.database.begin() as connection:
        user = own(connection, caller)
        offered = store.offered_totp(connection, user.name)
        if offered is None:
            raise RefusedError("totp.none_offered")
        secret = parts.sealer.open(offered, user.name)
        step = step_of(secret, code, parts.now_ms(), after_step=0)
        if step is None:
            raise RefusedError("totp.wrong_code")
        store.enrol_totp(connection, user.name, step)
        codes = new_codes(connection, user.name)
        session_store.close_all(connection, user.name, but=hash_of(caller.token))
        parts.note(connection, caller, "totp.enrolled", subject=user.name)
    return codes


def renew_codes(parts: Parts, caller: Caller) -> list[str]:
    """New recovery codes, told once; the old ones are good no more. RefusedError `totp.none`."""
    with parts.database.begin() as connection:
        user = own(connection, caller)
        if user.totp_sealed is None:
            raise RefusedError("totp.none")
        codes = new_codes(connection, user.name)
        parts.note(connection, caller, "totp.codes_renewed", subject=user.name)
    return codes


def drop_totp(parts: Parts, caller: Caller) -> None:
    """Do without a second factor; ForbiddenError `totp.needed` where the role needs one."""
    with parts.database.begin() as connection:
        user = own(connection, caller)
        if _needs_totp(parts, connection, user):
            raise ForbiddenError("totp.needed")
        store.drop_totp(connection, user.name)
        parts.note(connection, caller, "totp.dropped", subject=user.name)


def end_session(parts: Parts, caller: Caller, session: str) -> None:
    """End one of one's own sessions; MissingError `session.unknown`."""
    with parts.database.begin() as connection:
        if not session_store.close_one(connection, caller.user, session):
            raise MissingError("session.unknown")
        parts.note(connection, caller, "session.ended", subject=caller.user)


def end_other_sessions(parts: Parts, caller: Caller) -> None:
    """End all of one's own sessions but this."""
    with parts.database.begin() as connection:
        session_store.close_all(connection, caller.user, but=hash_of(caller.token))
        parts.note(connection, caller, "session.all_ended", subject=caller.user)


def own(connection: Connection, caller: Caller) -> User:
    """The signed-in person's own row; MissingError `user.unknown` if it has just gone."""
    user = store.find_user(connection, caller.user)
    if user is None:
        raise MissingError("user.unknown", name=caller.user[:40])
    return user


def _needs_totp(parts: Parts, connection: Connection, user: User) -> bool:
    role = roles(connection).get(user.role)
    return parts.settings.require_totp and role is not None and role.needs_totp
