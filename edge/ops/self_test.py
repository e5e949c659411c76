"""The self-test: every device and the box itself tried without a person, at night or when asked.

It runs while nobody buys; a device that hangs in its test costs its own result and nothing else.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import structlog

from edge.device.ports import USABLE, DeviceReport
from edge.ops import errand
from edge.ops.fault_book import FaultBook, SelfTestRow
from edge.receipt.layout import zone_of
from shared.journal.device_event import DevicesTested
from shared.journal.event import Event
from shared.kernel.clock import Clock

PASSED = "passed"
TIMED_OUT = "self_test.timeout"
LIMIT_S = 20.0
WINDOW = timedelta(hours=2)
"""A shop that still sells at the time is waited for so long; then the night is left out."""
IDLE_MS = 30 * 60_000
_LISTEN_EVERY_S = 1.0
_JOIN_S = 5.0
_PROBE_FILE = "self-test.probe"
_PROBE_LINES = 4096
_FREE_SHARE_MIN = 0.05
_log = structlog.get_logger(__name__)
Test = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Premises:
    """What is asked of the box: nobody buys now, since when nothing happened (ms)."""

    open_baskets: Callable[[], int]
    is_day_open: Callable[[], bool]
    idle_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class SelfTestParts:
    """What the self-test works with.

    `device_tests` and `box_tests` by name; `at` is "HH:MM" in the store's `zone`, "" for never.
    `told` is called after each change; in `folder` the command line asks.
    """

    reports: Callable[[], tuple[DeviceReport, ...]]
    device_tests: Callable[[], Mapping[str, Test]]
    box_tests: Mapping[str, Test]
    put: Callable[[Event], None]
    book: FaultBook
    clock: Clock
    premises: Premises
    at: str
    zone: str
    told: Callable[[], None]
    folder: Path


def is_due(now: datetime, at: str, last_on: date | None) -> bool:
    """Whether tonight's test is due at the local time `now`, and was not done yet."""
    if not at or last_on == now.date():
        return False
    begins = datetime.combine(now.date(), time.fromisoformat(at), now.tzinfo)
    return begins <= now < begins + WINDOW


def is_quiet(premises: Premises) -> bool:
    """Nobody is served: no goods in a basket, and the day is closed or the shop long still."""
    if premises.open_baskets():
        return False
    return not premises.is_day_open() or premises.idle_ms() >= IDLE_MS


def run_tests(
    tests: Mapping[str, Test], mono_ms: Callable[[], int], limit_s: float = LIMIT_S
) -> dict[str, str]:
    """All at once, each on its own thread; what is not done in time has failed."""
    found: dict[str, str] = {}

    def run(name: str, test: Test) -> None:
        try:
            found[name] = test()
        except Exception:  # noqa: BLE001 - a defect of one test is that test's result
            _log.exception("self_test.failed", name=name)
            found[name] = "device.work_failed"

    threads = [
        threading.Thread(target=run, args=each, name=f"self-test {each[0]}", daemon=True)
        for each in tests.items()
    ]
    ends_ms = mono_ms() + int(limit_s * 1000)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, ends_ms - mono_ms()) / 1000)
    return {name: found.get(name, TIMED_OUT) for name in tests}


def result_of(report: DeviceReport) -> str:
    """The result of a device that has no test of its own: what it says of itself."""
    state = report.state
    if state.state in USABLE or (state.state == "absent" and state.last_fault is None):
        return PASSED
    return state.last_fault or "device.silent"


def disk_test(folder: Path, seed: int) -> str:
    """Write something new, made of `seed`, sync, read back; and see how much room there is."""
    path, wanted = folder / _PROBE_FILE, f"{seed:016d}".encode() * _PROBE_LINES
    try:
        room = os.statvfs(folder)
        if room.f_blocks and room.f_bavail / room.f_blocks < _FREE_SHARE_MIN:
            return "disk.low"
        with path.open("wb") as probe:
            probe.write(wanted)
            probe.flush()
            os.fsync(probe.fileno())
        with path.open("rb") as probe:
            # Without this the kernel would answer from memory.
            os.posix_fadvise(probe.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return PASSED if probe.read() == wanted else "disk.unreadable"
    except OSError:
        return "disk.not_writable"
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


class SelfTest:
    """The thread that waits for the night; `run` may be called from any other."""

    def __init__(self, parts: SelfTestParts) -> None:
        self._parts = parts
        self.at = parts.at
        """When it is due each night, "HH:MM", "" for never."""
        self._turn = threading.Lock()
        self._asking = threading.Lock()
        self._under_way: Future[SelfTestRow] | None = None
        self._last: SelfTestRow | None = None
        self._last_on: date | None = None
        self._started_ms = parts.clock.mono_ms()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Wait for the hour, and for the command line."""
        self._started_ms = self._parts.clock.mono_ms()
        self._last = self._parts.book.last_test()
        if self._last is not None and not self._last.asked_by:
            self._last_on = self._local(self._last.at_ms).date()
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._wait, name="self-test", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Wait no more."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def last(self) -> SelfTestRow | None:
        """The last one, None before the first; at once."""
        return self._last

    def seen(self) -> None:
        """Somebody has looked at the result."""
        if self._last is not None and not self._last.is_seen:
            self._parts.book.seen()
            self._last = self._parts.book.last_test()
            self._parts.told()

    def set_at(self, at: str) -> None:
        """Let it be due at another time from now on."""
        self.at = at

    def begin(self, asked_by: str) -> Future[SelfTestRow]:
        """Run it on a thread of its own; who asks while one is under way gets that one's result."""
        with self._asking:
            if self._under_way is None or self._under_way.done():
                self._under_way = done = Future[SelfTestRow]()
                threading.Thread(
                    target=self._finish, args=(done, asked_by), name="self-test", daemon=True
                ).start()
            return self._under_way

    def _finish(self, done: Future[SelfTestRow], asked_by: str) -> None:
        try:
            done.set_result(self.run(asked_by))
        except Exception as error:  # noqa: BLE001 - told to who asked
            done.set_exception(error)

    def run(self, asked_by: str = "") -> SelfTestRow:
        """Try everything now, one run at a time; at most `LIMIT_S`."""
        with self._turn:
            parts = self._parts
            tests = {**parts.device_tests(), **parts.box_tests}
            states = {each.id: result_of(each) for each in parts.reports()}
            results = {**states, **run_tests(tests, parts.clock.mono_ms)}
            row = SelfTestRow(parts.clock.now_ms(), results, asked_by, is_seen=bool(asked_by))
            parts.put(DevicesTested(results, row.is_passed))
            parts.book.keep_test(row)
            self._last = row
        _log.info("self_test.done", is_passed=row.is_passed, results=results)
        parts.told()
        return row

    def look(self) -> bool:
        """Run it when it is due and nobody is served; whether it ran.

        Not soon after the start: who has just switched the box on is about to sell.
        """
        if self._parts.clock.mono_ms() - self._started_ms < IDLE_MS:
            return False
        now = self._local(self._parts.clock.now_ms())
        if not is_due(now, self.at, self._last_on) or not is_quiet(self._parts.premises):
            return False
        self._last_on = now.date()
        self.run()
        return True

    def _wait(self) -> None:
        while not self._stopping.wait(_LISTEN_EVERY_S):
            try:
                if (name := errand.asked(self._parts.folder)) is not None:
                    row = self.run("command line")
                    errand.answer(self._parts.folder, name, row.results)
                self.look()
            except Exception:  # noqa: BLE001 - a full disk must not end all nights to come
                _log.exception("self_test.look_failed")

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms // 1000, zone_of(self._parts.zone))
