"""Links to set a password: who forgot theirs, and who was invited."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.clock import session_token
from cloud.identity import session_store, store
from cloud.identity.parts import Caller, Parts, hash_of
from cloud.identity.policy import require_good
from cloud.identity.session_store import Limit
from cloud.identity.store import DISABLED, User
from cloud.mail import Letter
from cloud.passwords import hash_password
from cloud.texts import texts_of
from shared.kernel.errors import RefusedError

RESET, INVITE = "reset", "invite"
LIFE_MS = {RESET: 30 * 60_000, INVITE: 72 * 3_600_000}
PER_USER = Limit(3, 3_600_000)
PER_ADDRESS = Limit(20, 3_600_000)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A link that is good once; what is kept of it is a hash."""

    link: str
    kind: str


def new_ticket(parts: Parts, connection: Connection, name: str, kind: str) -> Ticket:
    """Make a link for a user; the ones they had are good no more."""
    token, now = session_token(), parts.now_ms()
    store.drop_tickets(connection, name, now)
    store.add_ticket(
        connection,
        token_hash=hash_of(token),
        name=name,
        kind=kind,
        expires_at_ms=now + LIFE_MS[kind],
    )
    # Behind the # so that no server's log and no other page ever gets it.
    return Ticket(f"{parts.settings.url()}/reset#{token}", kind)


def admit_reset(parts: Parts, caller: Caller) -> None:
    """Let an address ask for so many links; RefusedError `session.too_many_tries`."""
    limits = [(f"reset-from:{caller.address}", PER_ADDRESS)]
    with parts.database.begin() as connection:
        _, wait_ms = session_store.begin_try(connection, limits, parts.now_ms())
    if wait_ms > 0:
        raise RefusedError("session.too_many_tries", wait_s=-(-wait_ms // 1000))


def send_reset(parts: Parts, caller: Caller, name: str, language: str) -> None:
    """Send a link to a user who forgot the password, if there is one and not too often.

    Runs after the answer: how long it takes tells nobody whether there is such a user.
    """
    now = parts.now_ms()
    with parts.database.begin() as connection:
        user = store.find_user(connection, name)
        limits = [(f"reset:{name}", PER_USER)]
        _, wait_ms = session_store.begin_try(connection, limits, now)
        if wait_ms > 0 or user is None or user.state == DISABLED or not user.mail:
            return
        ticket = new_ticket(parts, connection, name, RESET)
        parts.note(connection, caller, "password.reset_asked", subject=name)
    post_letter(parts, user, ticket, language)


def finish(parts: Parts, caller: Caller, token: str, password: str) -> None:
    """Set the password of the user who got this link; their sessions end.

    The second factor stays: a stolen mailbox alone lets nobody in. Raises RefusedError
    `user.link` or what `require_good` does; the link stays good then.
    """
    now = parts.now_ms()
    with parts.database.begin() as connection:
        found = store.use_ticket(connection, hash_of(token), now)
        user = None if found is None else store.find_user(connection, found[0])
        if found is None or user is None or user.state == DISABLED:
            raise RefusedError("user.link")
        require_good(password, user.name, user.display_name, user.mail)
        store.set_password(connection, user.name, hash_password(password))
        store.drop_tickets(connection, user.name, now)
        session_store.close_all(connection, user.name)
        session_store.forget_tries(connection, [f"user:{user.name}"], ())
        parts.note(connection, caller, "password.set_by_link", subject=user.name, kind=found[1])


def post_letter(parts: Parts, user: User, ticket: Ticket, language: str) -> bool:
    """Hand the link to the mail server's thread; False when there is none."""
    texts = texts_of(language)

    def text(part: str) -> str:
        said = texts[f"mail.{ticket.kind}.{part}"]
        values = {"name": user.display_name, "user": user.name, "link": ticket.link}
        for name, value in values.items():
            said = said.replace(f"{{{name}}}", value)
        return said

    subject = " ".join(text("subject").split())
    return parts.mailer.post(Letter(user.mail, subject, text("body")))
