"""Writes what people do into the audit log, whatever room it happens in.

The answer to a change goes out only after its row is written. A crash between the change and its
row leaves the change without one; what rooms keep as history is in the change's own transaction.
Plain ASGI, as in `middleware`.
"""

from __future__ import annotations

from typing import Any

import structlog
from anyio import to_thread
from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud import audit
from cloud.access import AUDIT_READ, EXPORT_READ, SAFE_METHODS
from cloud.context import Principal
from cloud.db import Database
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

SEEN = frozenset({AUDIT_READ, EXPORT_READ})
"""Reading these is told too: who looked at what others did, and who carried sales away."""
DOWNLOADS = (".csv", ".jsonl", ".xml", ".xlsx", ".pdf", ".zip")
OWN_TRAIL = ("/v1/session", "/v1/account", "/v1/users", "/v1/roles")
"""The identity room writes its rows in the very transaction of the change."""
BAD_REQUEST, DEFECT = 400, 500

LOST = Counter("tillbox_audit_lost_total", "Acts that could not be written into the audit log")
_log = structlog.get_logger("cloud.trail")


class AuditTrail:
    """Notes each change that a signed-in person makes or is refused, and what they carry away."""

    def __init__(self, app: ASGIApp, *, database: Database, clock: Clock) -> None:
        self._app = app
        self._database = database
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; write its row before the answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                event = self._event(scope, int(message["status"]))
                if event is not None:
                    await to_thread.run_sync(self._write, event)
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception:
            event = self._event(scope, DEFECT)
            if event is not None:
                await to_thread.run_sync(self._write, event)
            raise

    def _event(self, scope: Scope, status: int) -> audit.Event | None:
        principal = scope["state"].get("principal")
        if not isinstance(principal, Principal) or not _is_told(scope, status):
            return None
        client = scope.get("client")
        return audit.Event(
            at_ms=self._clock.now_ms(),
            who=principal.name,
            what=str(getattr(scope.get("route"), "name", "")),
            object=_object(scope),
            outcome=_outcome(status),
            permission=str(scope["state"].get("permission", "")),
            address=str(client[0]) if client else "",
            facts={"method": scope["method"], "path": scope["path"][:200], "status": status},
        )

    def _write(self, event: audit.Event) -> None:
        try:
            with self._database.begin() as connection:
                audit.append(connection, event)
        except (RetailError, OSError) as error:  # the change is made: its answer is not held back
            LOST.inc()
            _log.error("audit_row_lost", what=event.what, who=event.who, error=repr(error))


def _is_told(scope: Scope, status: int) -> bool:
    path = str(scope["path"])
    if scope["method"] in SAFE_METHODS:
        is_download = path.endswith(DOWNLOADS)
        return is_download or scope["state"].get("permission") in SEEN
    return status >= BAD_REQUEST or not path.startswith(OWN_TRAIL)


def _outcome(status: int) -> str:
    if status >= DEFECT:
        return audit.FAILED
    return audit.REFUSED if status >= BAD_REQUEST else audit.DONE


def _object(scope: Scope) -> str:
    named: dict[str, Any] = scope.get("path_params", {})
    return ", ".join(f"{name}={value}" for name, value in sorted(named.items()))
