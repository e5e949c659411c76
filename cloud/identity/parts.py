"""What the identity room works with, and who asks it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud import audit
from cloud.db import Database
from cloud.mail import Mailer
from cloud.passwords import is_password
from cloud.secret import Sealer
from cloud.settings import Settings
from shared.kernel.canonical import sha256
from shared.kernel.clock import Clock
from shared.kernel.errors import UnavailableError

CHECKS_AT_ONCE = 4
"""A password's hash takes 64 MiB while it is computed."""
CHECK_WAIT_S = 5.0

_checks = threading.BoundedSemaphore(CHECKS_AT_ONCE)


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from, and whose it is: the session's user and token, "" for none."""

    address: str
    agent: str = ""
    user: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of this room; cheap to hand on."""

    database: Database
    clock: Clock
    settings: Settings
    sealer: Sealer
    mailer: Mailer

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""
        return self.clock.now_ms()

    def idle_since_ms(self) -> int:
        """A session that was not used since then has ended."""
        return self.clock.now_ms() - self.settings.session_idle_min * 60_000

    def note(
        self,
        connection: Connection,
        caller: Caller,
        what: str,
        *,
        subject: str = "",
        **facts: Any,  # noqa: ANN401 - whatever canonical JSON can say
    ) -> None:
        """Write into the audit log, as the last statement of this transaction.

        `outcome` and, for a caller without a user, `who` may be among the facts.
        """
        outcome = str(facts.pop("outcome", audit.DONE))
        who = str(facts.pop("who", "")) or caller.user
        event = audit.Event(
            at_ms=self.now_ms(),
            who=who,
            what=what,
            object=subject,
            outcome=outcome,
            address=caller.address,
            facts=facts,
        )
        audit.append(connection, event)


def hash_of(token: str) -> bytes:
    """How a token of 256 random bits is kept: it needs no salt."""
    return sha256(token.encode())


def is_right(password_hash: str | None, password: str) -> bool:
    """Check a password, a few at a time; UnavailableError `session.busy` when too many wait."""
    if not _checks.acquire(timeout=CHECK_WAIT_S):
        raise UnavailableError("session.busy")
    try:
        return is_password(password_hash, password)
    finally:
        _checks.release()
