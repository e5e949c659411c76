"""One thread that keeps a device's work running, and a state that others may read at once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from edge.device.metrics import DEVICE_FAULTS
from edge.device.ports import DeviceCondition, DeviceState
from shared.kernel.clock import Clock

_PAUSES_S = (0.1, 0.2, 0.4, 0.8)
_JOIN_S = 3.0
_log = structlog.get_logger(__name__)


class DeviceFaultError(Exception):
    """The device cannot be used for now; `code` says why, `is_absent` that it is not there."""

    def __init__(self, code: str, *, is_absent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.is_absent = is_absent


class StateBoard:
    """The current DeviceState; every write is one assignment, so readers need no lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = DeviceState("absent", clock.now_ms())

    def read(self) -> DeviceState:
        """Return the state as last written."""
        return self._state

    def write(self, condition: DeviceCondition, fault: str | None = None) -> None:
        """Note a condition; `since_ms` moves only when the condition changes."""
        old = self._state
        since_ms = old.since_ms if old.state == condition else self._clock.now_ms()
        self._state = DeviceState(condition, since_ms, fault or old.last_fault)


class Supervisor:
    """Runs `work(stop)` on a daemon thread and runs it again, after a pause, when it ends.

    The pause grows from 0.1 s to 0.8 s while failures follow each other, so that a device that
    was pulled out is back within a second of being plugged in.
    """

    def __init__(
        self, name: str, work: Callable[[threading.Event], None], board: StateBoard
    ) -> None:
        self._name = name
        self._work = work
        self._board = board
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread; a second call does nothing."""
        if self._thread is None:
            self._stop.clear()
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ask the work to end and wait for it; safe to call twice."""
        self._stop.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_S)
        self._board.write("absent")

    def _run(self) -> None:
        failures = 0
        self._board.write("connecting")
        while not self._stop.is_set():
            try:
                self._work(self._stop)
                failures = 0
            except DeviceFaultError as fault:
                failures = 1 if self._board.read().state == "ready" else failures + 1
                self._fault(fault.code, failures, is_absent=fault.is_absent)
            except Exception:  # noqa: BLE001 - outermost loop: the next try may work
                failures += 1
                _log.exception("device.work_failed", device=self._name)
                self._fault("device.work_failed", failures, is_absent=False)
            self._stop.wait(_PAUSES_S[min(failures, len(_PAUSES_S)) - 1] if failures else 0.0)

    def _fault(self, code: str, failures: int, *, is_absent: bool) -> None:
        DEVICE_FAULTS.labels(self._name, code).inc()
        self._board.write("absent" if is_absent else "failed", code)
        if failures == 1:
            _log.warning("device.fault", device=self._name, code=code)
