"""Who may sign in, as what: users, machines, and the guard that somebody always can."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace

from sqlalchemy import Connection

from cloud import audit
from cloud.access import USER_WRITE
from cloud.clock import session_token
from cloud.context import Principal
from cloud.db import Database, lock_for_transaction
from cloud.identity import session_store, store
from cloud.identity.letters import INVITE, RESET, Ticket, new_ticket, post_letter
from cloud.identity.parts import Caller, Parts, hash_of
from cloud.identity.policy import require_good
from cloud.identity.role import ADMIN
from cloud.identity.role_store import holders, roles, roles_with
from cloud.identity.session_store import NewSession
from cloud.identity.store import ACTIVE, DISABLED, INVITED, User
from cloud.passwords import hash_password
from shared.kernel.clock import Clock
from shared.kernel.errors import ForbiddenError, MissingError, RefusedError

PEOPLE_LOCK = 7_461_021
"""Who changes users or roles does so alone: two at once could take each other's last administrator
away."""
DAY_MS = 86_400_000
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_MAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}")


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is said of a user; `mail` "" for none, `language` "" leaves the one there is."""

    display_name: str
    mail: str
    role: str
    store_groups: tuple[str, ...] = ()
    is_active: bool = True
    language: str = ""


def put_user(database: Database, *, name: str, display_name: str, role: str, password: str) -> None:
    """Add a user with a password or replace one, from the command line.

    Raises RefusedError `user.name`, `user.role`, `user.last_admin` or what `require_good` does.
    """
    _require_name(name)
    require_good(password, name, display_name)
    hashed = hash_password(password)
    with database.begin() as connection:
        lock_for_transaction(connection, PEOPLE_LOCK)
        _require_role(connection, role)
        old = store.find_user(connection, name)
        user = User(name, display_name or name, role, hashed)
        if old is not None:
            user = replace(
                user, mail=old.mail, store_groups=old.store_groups, language=old.language
            )
            _require_somebody_else(connection, old, role)
        store.put_user(connection, user)
        session_store.close_all(connection, name)


@dataclass(frozen=True, slots=True)
class Machine:
    """A program that may sign in, good for so many days."""

    name: str
    role: str
    days: int


def put_machine(database: Database, clock: Clock, machine: Machine, *, by: str) -> str:
    """A bearer token for a program; an older one of that name ends.

    Raises RefusedError `user.name`, `user.role` or `user.is_person`.
    """
    _require_name(machine.name)
    name, role, days = machine.name, machine.role, machine.days
    now, token = clock.now_ms(), session_token()
    session = NewSession(hash_of(token), name, now, now + days * DAY_MS, "machine", "", "")
    with database.begin() as connection:
        _require_role(connection, role)
        old = store.find_user(connection, name)
        if old is not None and not old.is_machine:
            raise RefusedError("user.is_person", name=name)
        store.put_user(connection, User(name, name, role, None, is_machine=True))
        session_store.close_all(connection, name)
        session_store.open_session(connection, session)
        facts = {"role": role, "days": days}
        audit.append(connection, audit.Event(now, by, "user.token_made", name, facts=facts))
    return token


def users(database: Database) -> list[User]:
    """Everybody, by name."""
    with database.begin() as connection:
        return store.users(connection)


def invite(parts: Parts, actor: Principal, caller: Caller, name: str, asked: UserChange) -> str:
    """Add a user without a password and send the link to set one; answers the link if it was not.

    Raises RefusedError `user.name`, `user.exists`, `user.mail`, `user.mail_taken`, `user.role` or
    `user.group`; ForbiddenError `role.beyond_own`.
    """
    _require_name(name)
    user = User(name, asked.display_name or name, asked.role, None, asked.mail, INVITED)
    language = asked.language or user.language
    user = replace(user, store_groups=asked.store_groups, language=language)
    with parts.database.begin() as connection:
        lock_for_transaction(connection, PEOPLE_LOCK)
        if store.find_user(connection, name) is not None:
            raise RefusedError("user.exists", name=name)
        _require_change(connection, actor, user)
        store.put_user(connection, user)
        ticket = new_ticket(parts, connection, name, INVITE)
        parts.note(connection, caller, "user.invited", subject=name, after=_facts(user))
    return _sent_or_told(parts, user, ticket)


def change(parts: Parts, actor: Principal, caller: Caller, name: str, asked: UserChange) -> None:
    """Change a user; when role, groups or state are others, their sessions end.

    With another mail address the links that were sent to the old one are good no more, and the
    sign-in service's person of the old one is nobody here.

    Raises as `invite` does, MissingError `user.unknown` and RefusedError `user.last_admin`.
    """
    with parts.database.begin() as connection:
        lock_for_transaction(connection, PEOPLE_LOCK)
        old = _find(connection, name)
        state = DISABLED if not asked.is_active else _lively(old)
        new = replace(
            old,
            display_name=asked.display_name or name,
            mail=asked.mail,
            role=asked.role,
            store_groups=asked.store_groups,
            state=state,
            language=asked.language or old.language,
        )
        _require_change(connection, actor, new, old)
        _require_somebody_else(connection, old, new.role, is_active=new.state == ACTIVE)
        store.put_user(connection, new)
        if (old.role, old.store_groups, old.state) != (new.role, new.store_groups, new.state):
            session_store.close_all(connection, name)
            store.drop_tickets(connection, name, parts.now_ms())
        if old.mail.lower() != new.mail.lower():
            _forget_mailbox(connection, name, parts.now_ms())
        facts = {"before": _facts(old), "after": _facts(new)}
        parts.note(connection, caller, "user.changed", subject=name, **facts)


def send_link(parts: Parts, actor: Principal, caller: Caller, name: str) -> str:
    """Send a user a link to set a password; answers the link when no mail can be sent.

    Raises MissingError `user.unknown`, ForbiddenError `role.beyond_own`, RefusedError
    `user.is_machine` or `user.disabled`.
    """
    with parts.database.begin() as connection:
        user = _find(connection, name)
        _require_within(connection, actor, user.role)
        if user.is_machine:
            raise RefusedError("user.is_machine", name=name)
        if user.state == DISABLED:
            raise RefusedError("user.disabled", name=name)
        kind = INVITE if user.state == INVITED else RESET
        ticket = new_ticket(parts, connection, name, kind)
        parts.note(connection, caller, "user.link_sent", subject=name, kind=kind)
    return _sent_or_told(parts, user, ticket)


def drop_factor(parts: Parts, actor: Principal, caller: Caller, name: str) -> None:
    """Forget a user's second factor, after a lost telephone; their sessions end.

    Raises MissingError `user.unknown`, ForbiddenError `role.beyond_own`.
    """
    with parts.database.begin() as connection:
        user = _find(connection, name)
        _require_within(connection, actor, user.role)
        store.drop_totp(connection, name)
        session_store.close_all(connection, name)
        parts.note(connection, caller, "totp.dropped", subject=name)


def end_sessions(parts: Parts, actor: Principal, caller: Caller, name: str) -> None:
    """End all of a user's sessions; raises as `drop_factor` does."""
    with parts.database.begin() as connection:
        user = _find(connection, name)
        _require_within(connection, actor, user.role)
        session_store.close_all(connection, name)
        parts.note(connection, caller, "session.all_ended", subject=name)


def drop_factor_by_hand(database: Database, clock: Clock, *, name: str, by: str) -> None:
    """The same from the command line, by whoever has the database; MissingError `user.unknown`."""
    with database.begin() as connection:
        _find(connection, name)
        store.drop_totp(connection, name)
        session_store.close_all(connection, name)
        audit.append(connection, audit.Event(clock.now_ms(), by, "totp.dropped", name))


def require_administrators(connection: Connection) -> None:
    """Raise RefusedError `user.last_admin` when nobody may care for users any more."""
    if holders(connection, roles_with(connection, USER_WRITE)) == 0:
        raise RefusedError("user.last_admin")


def _require_somebody_else(
    connection: Connection, old: User, role: str, *, is_active: bool = True
) -> None:
    """Whoever may care for users stays one, unless there is another; so does an administrator.

    Nobody else can make an administrator: others give no more than they have.
    """
    for able in ([ADMIN], roles_with(connection, USER_WRITE)):
        is_one = old.role in able and old.state == ACTIVE and not old.is_machine
        stays_one = role in able and is_active
        if is_one and not stays_one and holders(connection, able, but=old.name) == 0:
            raise RefusedError("user.last_admin")


def _require_change(
    connection: Connection, actor: Principal, user: User, old: User | None = None
) -> None:
    _require_role(connection, user.role)
    _require_within(connection, actor, user.role)
    if old is not None:
        _require_within(connection, actor, old.role)
    if user.mail:
        if _MAIL.fullmatch(user.mail) is None:
            raise RefusedError("user.mail", mail=user.mail[:80])
        taken = store.find_by_mail(connection, user.mail)
        if taken is not None and taken.name != user.name:
            raise RefusedError("user.mail_taken", name=taken.name)
    unknown = store.unknown_groups(connection, user.store_groups)
    if unknown:
        raise RefusedError("user.group", group=unknown[0][:40])


def _require_within(connection: Connection, actor: Principal, role: str) -> None:
    """Nobody makes, changes or takes over a user who may do more than they may themselves."""
    found = roles(connection).get(role)
    if found is not None and not found.permissions <= actor.permissions:
        raise ForbiddenError("role.beyond_own", role=role)


def _require_name(name: str) -> None:
    if _USER_NAME.fullmatch(name) is None:
        raise RefusedError("user.name", name=name[:40])


def _require_role(connection: Connection, role: str) -> None:
    known = roles(connection)
    if role not in known:
        raise RefusedError("user.role", role=role[:40], roles=", ".join(known))


def _find(connection: Connection, name: str) -> User:
    user = store.find_user(connection, name)
    if user is None:
        raise MissingError("user.unknown", name=name[:40])
    return user


def _forget_mailbox(connection: Connection, name: str, at_ms: int) -> None:
    """An account that was handed on, or whose mailbox was taken, must not stay its old owner's."""
    store.drop_tickets(connection, name, at_ms)
    if store.unlink_subject(connection, name):
        session_store.close_all(connection, name)


def _lively(old: User) -> str:
    """What a user is who is not disabled: without a password or a machine's token, invited."""
    if old.state != DISABLED:
        return old.state
    return ACTIVE if old.password_hash is not None or old.is_machine else INVITED


def _sent_or_told(parts: Parts, user: User, ticket: Ticket) -> str:
    return "" if user.mail and post_letter(parts, user, ticket, user.language) else ticket.link


def _facts(user: User) -> dict[str, object]:
    told = asdict(user)
    kept = ("display_name", "role", "mail", "state", "store_groups", "language")
    return {name: told[name] for name in kept}
