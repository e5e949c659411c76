"""Switch to staged revisions at their instants: a timer of its own, so that no fetch delays it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.replica.store import ActivationResult, Replica
from edge.sync.metrics import ACTIVE_REVISION, CONVERGE_ERRORS
from edge.sync.plan import Plan
from edge.sync.report import Reporter
from edge.trusted_time import TrustedTime
from shared.kernel.errors import RetailError
from shared.publication.activation import Activate, Wait

LOOK_EVERY_S = 60.0
"""The longest sleep: the clock may have been set, or have come to be trusted."""
RETRY_S = 1.0
FIRST_TURN_S = 3.0
_JOIN_S = 5.0
_PLACE = "activation"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ActivateParts:
    """What activation works with; `on_done` lets go of what is not read any more."""

    plan: Plan
    replica: Replica
    time: TrustedTime
    reporter: Reporter
    on_activated: Callable[[ActivationResult], None]
    on_done: Callable[[], None]


class Activator:
    """One thread that sleeps until the next instant, or until it is woken."""

    def __init__(self, parts: ActivateParts) -> None:
        self._parts = parts
        self._wake = threading.Event()
        self._has_looked = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Activate at once what fell due while the box was off, then go on by the clock.

        Waits a moment for that, so that the first scan has the right price; what a large revision
        means for labels takes longer, and nobody waits for it.
        """
        ACTIVE_REVISION.set(self._parts.replica.active_revision())
        self._parts.time.on_change(self.wake)
        self._thread = threading.Thread(target=self._run, name="activation", daemon=True)
        self._thread.start()
        self._has_looked.wait(FIRST_TURN_S)

    def stop(self) -> None:
        """End the thread."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def wake(self) -> None:
        """Look again: something was staged, desired otherwise, or the time is known better."""
        self._wake.set()

    def _run(self) -> None:
        while not self._is_stopping:
            wait_s = self._turn()
            self._has_looked.set()
            self._wake.wait(wait_s)
            self._wake.clear()

    def _turn(self) -> float:
        """Activate what is due; seconds until the next look."""
        reporter = self._parts.reporter
        try:
            wait_s = self._activate_all()
        except RetailError as error:
            _log.warning("activation.failed", code=error.code, because=str(error))
            code = error.code
        except Exception:  # noqa: BLE001 - outermost loop: prices must come some day
            _log.exception("activation.crashed")
            code = "sync.step_failed"
        else:
            reporter.failed(_PLACE, None)
            return wait_s
        CONVERGE_ERRORS.labels(code).inc()
        reporter.failed(_PLACE, code)
        return RETRY_S

    def _activate_all(self) -> float:
        while isinstance(step := self._parts.plan.due(), Activate):
            self._activate(step)
        if not isinstance(step, Wait):
            return LOOK_EVERY_S
        until_s = (step.until_ms - self._parts.time.sure_ms()) / 1000
        return min(max(until_s, 0.0), LOOK_EVERY_S)

    def _activate(self, step: Activate) -> None:
        parts = self._parts
        result = parts.replica.activate(step.rev, parts.time.now_ms(), step.inc)
        ACTIVE_REVISION.set(step.rev)
        parts.on_activated(result)
        parts.reporter.send()
        _log.info("revision.activated", revision=step.rev, changes=len(result.changes))
        parts.on_done()
