"""Tells alerts to one address outside: signed, several at once, again until it is heard.

The body is JSON {v, sent_at_ms, alerts: [...]}. The header X-Tillbox-Signature is
"t=<sent_at_ms>,v1=<hex>", HMAC-SHA256 with the shared secret over "<sent_at_ms>." and the body.
What was not taken within a day is given up: the console has it all the same.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import structlog
from sqlalchemy import Connection
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from cloud.db import Database
from cloud.fleet import alert_store
from cloud.fleet.alert import Alert
from shared.kernel.clock import Clock
from shared.kernel.errors import UnavailableError

SIGNATURE_HEADER = "X-Tillbox-Signature"
BATCH_MAX, BATCHES_MAX = 50, 20
GIVEN_UP_MS = 86_400_000
LATER_MS, LATER_MS_MAX = 15_000, 900_000
TRIES, PAUSE_S_MAX = 3, 2.0
_TIMEOUT_S = 10.0
_log = structlog.get_logger("cloud.fleet")

Post = Callable[[str, bytes, dict[str, str]], int]
"""Address, body and headers; the HTTP status. Raises UnavailableError without an answer."""


class Outlet(Protocol):
    """Where news go."""

    def note(self, connection: Connection, news: Iterable[Alert], now_ms: int) -> None:
        """Have them told once this transaction commits."""
        ...

    def deliver(self) -> int:
        """Tell what is due; how many were taken."""
        ...


class NoOutlet:
    """Nobody outside wants to hear."""

    def note(self, connection: Connection, news: Iterable[Alert], now_ms: int) -> None:
        """Forget it."""

    def deliver(self) -> int:
        """Nothing."""
        return 0


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address. `secret` is shared with who listens there."""

    database: Database
    clock: Clock
    url: str
    secret: str = field(repr=False)
    post: Post

    def note(self, connection: Connection, news: Iterable[Alert], now_ms: int) -> None:
        """See Outlet."""
        alert_store.add_notices(connection, map(body_of, news), now_ms)

    def deliver(self) -> int:
        """See Outlet. Batches in turn, until nothing is due or one was not taken."""
        taken = 0
        for _ in range(BATCHES_MAX):
            with self.database.begin() as connection:
                now_ms = self.clock.now_ms()
                due = alert_store.due_notices(connection, now_ms, BATCH_MAX)
                ids = [each.id for each in due]
                error = self._told([each.body for each in due], now_ms) if due else "nothing"
                if not error:
                    alert_store.notices_done(connection, ids)
                    taken += len(due)
                    continue
                fresh = [each for each in due if now_ms - each.made_at_ms < GIVEN_UP_MS]
                old = {each.id for each in due} - {each.id for each in fresh}
                alert_store.notices_done(connection, list(old))
                tries = max((each.tries for each in fresh), default=0)
                later_ms = now_ms + min(LATER_MS << min(tries, 8), LATER_MS_MAX)
                alert_store.notices_later(connection, list(set(ids) - old), later_ms, error)
                break
        return taken

    def _told(self, alerts: list[dict[str, Any]], now_ms: int) -> str:
        """Why they were not taken; empty when they were."""
        body = orjson.dumps({"v": 1, "sent_at_ms": now_ms, "alerts": alerts})
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: signature(self.secret, now_ms, body),
        }
        tries = Retrying(
            retry=retry_if_exception_type(UnavailableError),
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=0.2, max=PAUSE_S_MAX),
            reraise=True,
        )
        try:
            status: int = tries(self.post, self.url, body, headers)
        except UnavailableError as error:
            status, why = 0, error.code
        else:
            why = f"status {status}"
        if 200 <= status < 300:  # noqa: PLR2004 - HTTP's own limits
            return ""
        _log.warning("fleet.outlet_failed", because=why, alerts=len(alerts))
        return why


def signature(secret: str, at_ms: int, body: bytes) -> str:
    """What stands in the header; the time is signed, too: an old one cannot be sent again."""
    said = hmac.new(secret.encode(), b"%d." % at_ms + body, hashlib.sha256).hexdigest()
    return f"t={at_ms},v1={said}"


def body_of(alert: Alert) -> dict[str, Any]:
    """What is told of an alert: nothing about people, nothing secret."""
    return {
        "dev": alert.dev,
        "store_id": alert.store_id,
        "rule": alert.rule,
        "state": alert.state,
        "value": alert.value,
        "worst": alert.worst,
        "detail": alert.detail,
        "opened_at_ms": alert.opened_at_ms,
        "closed_at_ms": alert.closed_at_ms,
        "closed_because": alert.closed_because,
    }


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """Post over HTTP; follows nobody elsewhere. UnavailableError `outlet.unreachable`."""
    # Imported late: few processes ever tell anybody.
    import httpx  # noqa: PLC0415

    try:
        answer = httpx.post(
            url, content=body, headers=headers, timeout=_TIMEOUT_S, follow_redirects=False
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UnavailableError("outlet.unreachable") from error
    if answer.status_code >= 500:  # noqa: PLR2004 - the listener's own trouble: once more
        raise UnavailableError("outlet.refused", status=answer.status_code)
    return int(answer.status_code)
