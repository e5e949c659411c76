"""One thread that keeps a device's work running, and a state that others may read at once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping

import structlog
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_when_event_set
from tenacity.wait import wait_base, wait_exponential

from edge.device.metrics import DEVICE_FAULTS
from edge.device.ports import USABLE, DeviceCondition, DeviceState
from shared.kernel.clock import Clock

REPLUGGED = wait_exponential(multiplier=0.1, max=0.4)
"""0.1 to 0.4 s: what was pulled out is back well within a second of being plugged in."""
NETWORKED = wait_exponential(multiplier=0.5, max=15)
"""For what is reached over a network: half a second to a quarter of a minute."""
_FIRST_PAUSE_S = 0.1
_JOIN_S = 3.0
_log = structlog.get_logger(__name__)


class DeviceFaultError(Exception):
    """The device cannot be used for now; `code` says why, `is_absent` that it is not there."""

    def __init__(self, code: str, *, is_absent: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.is_absent = is_absent


class StateBoard:
    """The current DeviceState; every write is one assignment, so readers need no lock.

    One thread writes.  `counters` count what a person asks about when a device makes trouble.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._state = DeviceState("absent", clock.now_ms())
        self._counters: Counter[str] = Counter()

    def read(self) -> DeviceState:
        """Return the state as last written."""
        return self._state

    def write(self, condition: DeviceCondition, fault: str | None = None) -> None:
        """Note a condition; `since_ms` moves only when the condition changes."""
        old = self._state
        since_ms = old.since_ms if old.state == condition else self._clock.now_ms()
        self._state = DeviceState(condition, since_ms, fault or old.last_fault)

    def count(self, what: str, n: int = 1) -> None:
        """Count `n` more of `what`: faults, opened, scans, jobs."""
        self._counters[what] += n

    def counters(self) -> Mapping[str, int]:
        """What has been counted since the start."""
        return self._counters.copy()


class Supervisor:
    """Runs `work(stop)` on a daemon thread and runs it again, after a pause, when it ends.

    Work that had reached `ready` starts the pauses anew: a device that runs for hours and then is
    pulled out is looked for at once.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[threading.Event], None],
        board: StateBoard,
        pauses: wait_base = REPLUGGED,
    ) -> None:
        self._name = name
        self._work = work
        self._board = board
        self._pauses = pauses
        self._stop = threading.Event()
        self._hurry = threading.Event()
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
        self._hurry.set()
        thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join(_JOIN_S)
        self._board.write("absent")

    def hurry(self) -> None:
        """End the pause under way: the device is said to be there."""
        self._hurry.set()

    def _run(self) -> None:
        self._board.write("connecting")
        while not self._stop.is_set():
            self._tries()(self._once)
            self._pause(_FIRST_PAUSE_S)

    def _tries(self) -> Retrying:
        return Retrying(
            sleep=self._pause,
            wait=self._pauses,
            retry=retry_if_exception_type(_TryAgain),
            stop=stop_when_event_set(self._stop),
            retry_error_callback=_ended,
        )

    def _once(self) -> None:
        try:
            self._work(self._stop)
        except DeviceFaultError as fault:
            was_usable = self._board.read().state in USABLE
            self._fault(fault.code, is_absent=fault.is_absent)
            if not was_usable:
                raise _TryAgain from fault
        except Exception as error:
            _log.exception("device.work_failed", device=self._name)
            self._fault("device.work_failed", is_absent=False)
            raise _TryAgain from error

    def _pause(self, seconds: float) -> None:
        self._hurry.wait(seconds)
        if not self._stop.is_set():
            self._hurry.clear()

    def _fault(self, code: str, *, is_absent: bool) -> None:
        old = self._board.read()
        is_news = old.last_fault != code or old.state in USABLE
        DEVICE_FAULTS.labels(self._name, code).inc()
        self._board.count("faults")
        self._board.write("absent" if is_absent else "failed", code)
        if is_news:
            _log.warning("device.fault", device=self._name, code=code)


class _TryAgain(Exception):  # noqa: N818 - a signal to tenacity, not an error
    """The work failed; pause and run it again."""


def _ended(_: RetryCallState) -> None:
    """Stopped while it waited."""
