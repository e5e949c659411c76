"""Requests that wait for somebody's word: one for each lane, in memory, for two minutes.

A number is good for the very request that asked for it, once: a repeat has the same idempotency
key. After a restart the till asks again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from edge.access import Approver, Asked
from shared.kernel.errors import ForbiddenError, MissingError, RefusedError
from shared.staff.judge import ABOVE, OWN, Allowed, judge_approval
from shared.staff.role import Measure

APPROVAL_MS = 120_000


@dataclass(slots=True)
class Pending:
    """A request that waits. `shown` has shown a badge and still has to give the PIN."""

    number: str
    asked: Asked
    permission: str
    measure: Measure
    until_mono_ms: int
    approver: Approver | None = None
    shown: str = ""
    key: str | None = None


class Approvals:
    """Usable from any thread; `changed` is told the lane whose screen has to look again."""

    def __init__(
        self,
        mono_ms: Callable[[], int],
        new_number: Callable[[], str],
        changed: Callable[[int], None],
    ) -> None:
        self._mono_ms = mono_ms
        self._new_number = new_number
        self._changed = changed
        self._lock = threading.Lock()
        self._pending: dict[int, Pending] = {}

    def ask(self, asked: Asked, permission: str, measure: Measure) -> str:
        """Let a request wait for somebody's word; the one before it at the lane is forgotten."""
        number = self._new_number()
        until_ms = self._mono_ms() + APPROVAL_MS
        with self._lock:
            self._pending[asked.lane] = Pending(number, asked, permission, measure, until_ms)
        self._changed(asked.lane)
        return number

    def find(self, number: str, asked: Asked) -> Approver | None:
        """Who vouched for that very request; another one, or it again, finds nobody."""
        with self._lock:
            pending = self._live(asked.lane)
            if pending is None or pending.number != number or pending.approver is None:
                return None
            mine = pending.asked
            is_same = (mine.operator, mine.request_sha256) == (asked.operator, asked.request_sha256)
            if not is_same or not asked.key or pending.key not in {None, asked.key}:
                return None
            pending.key = asked.key
            return pending.approver

    def waiting(self, lane: int, number: str = "") -> Pending:
        """What waits at a lane; MissingError `approval.gone` when it does no more."""
        with self._lock:
            pending = self._live(lane)
            if pending is None or pending.approver or number not in {"", pending.number}:
                raise MissingError("approval.gone")
            return pending

    def waits(self, lane: int) -> bool:
        """Whether a lane waits for somebody's word."""
        with self._lock:
            pending = self._live(lane)
            return pending is not None and pending.approver is None

    def sign(self, pending: Pending, approver: Approver, name: str) -> None:
        """Take somebody's word, whose PIN or badge was looked at.

        Raises RefusedError `approval.own`, ForbiddenError `approval.not_allowed` or
        `approval.ceiling`.
        """
        is_own = approver.id == pending.asked.operator
        verdict = judge_approval(approver.role, pending.permission, pending.measure, is_own=is_own)
        if not isinstance(verdict, Allowed):
            if verdict.reason == OWN:
                raise RefusedError("approval.own")
            code = "approval.ceiling" if verdict.reason == ABOVE else "approval.not_allowed"
            raise ForbiddenError(code, name=name)
        with self._lock:
            pending.approver = replace(approver, vouched=(pending.permission, pending.measure))
        self._changed(pending.asked.lane)

    def show(self, pending: Pending, operator: str) -> None:
        """A badge says who is there; the PIN is still to come."""
        with self._lock:
            pending.shown = operator
        self._changed(pending.asked.lane)

    def drop(self, lane: int, number: str) -> None:
        """The request is given up: a badge that is shown later vouches for nothing."""
        with self._lock:
            pending = self._pending.get(lane)
            if pending is None or pending.number != number:
                return
            del self._pending[lane]
        self._changed(lane)

    def shown(self, lane: int) -> dict[str, Any] | None:
        """What the lane's screen shows of it; None while nothing waits."""
        with self._lock:
            pending = self._live(lane)
            if pending is None or pending.key is not None:
                return None
            return {
                "number": pending.number,
                "permission": pending.permission,
                "badge": pending.shown,
                "approver": "" if pending.approver is None else pending.approver.id,
            }

    def _live(self, lane: int) -> Pending | None:
        pending = self._pending.get(lane)
        if pending is not None and self._mono_ms() >= pending.until_mono_ms:
            del self._pending[lane]
            return None
        return pending
