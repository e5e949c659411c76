"""A receipt printer behind any plug: a job ends as printed, not printed or unknown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog

from edge.device.metrics import PRINT_JOBS
from edge.device.ports import (
    DeviceReport,
    PrinterCapability,
    PrinterCondition,
    PrinterStatus,
    PrintJob,
    PrintOutcome,
)
from edge.device.printer_talk import PrinterTalk, TalkConfig, Told
from edge.device.supervisor import DeviceFaultError, StateBoard, Supervisor
from edge.device.transport import LineError, Transport
from shared.kernel.clock import Clock

DrawerLevel = Literal["none", "high", "low"]
_POLL_FAULT_S = 1.0
_LISTEN_S = 0.25
_BUSY_S = 8.0
_SCRAP_MAX = 1 << 15
_OLD_SCRAP = 1 << 14
_HALF_COMMAND = 16
_REALTIME = b"\x10"  # DLE: obeyed on arrival, in the middle of anything
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PrinterConfig:
    """One printer; `id` and `lane` (0 serves all) name it to people.

    `talk` is how it proves that a job came out and how long that may take, `poll_s` how often it
    is asked while idle.  `drawer_open_level` of its drawer socket's pin 3 means "open"; none where
    no switch is wired.  `scrap_end` cuts half a print-out off before the next.
    """

    id: str = "printer-1"
    lane: int = 0
    talk: TalkConfig = field(default_factory=TalkConfig)
    poll_s: float = 3.0
    drawer_open_level: DrawerLevel = "none"
    width_chars: int = 48
    has_cutter: bool = True
    scrap_end: bytes = b"\n\x1b@\x1dV\x42\x00"


class StatusPrinter:
    """PrinterPort and RawSender over a Transport; one conversation at a time.

    Whoever prints holds the line until the outcome is known; every wait in it ends by itself.
    """

    def __init__(self, config: PrinterConfig, transport: Transport, clock: Clock) -> None:
        self._config = config
        self._transport = transport
        self._clock = clock
        self._line = threading.Lock()
        self._kept: PrinterTalk | None = None
        self._unsettled = 0
        self._has_scrap = False
        self._is_tidied = False
        self._asked_at_ms: int | None = None
        self._closed_at_ms: int | None = None
        self._status = PrinterStatus("offline", clock.now_ms())
        self._board = StateBoard(clock)
        self._wake = threading.Event()
        self._is_stopping = False
        self._supervisor = Supervisor(config.id, self._watch, self._board, transport.pauses)

    def start(self) -> None:
        """Watch the status from a thread of its own."""
        self._is_stopping = False
        self._supervisor.start()

    def stop(self) -> None:
        """Stop watching and let the printer go; a job under way ends by its own time-outs."""
        self._is_stopping = True
        self._wake.set()
        self._supervisor.stop()
        if self._line.acquire(timeout=self._config.talk.finish_s):
            self._hang_up()
            self._line.release()

    def hurry(self) -> None:
        """Look at it now: something is to be printed, or it was plugged in."""
        self._wake.set()
        self._supervisor.hurry()

    def status(self) -> PrinterStatus:
        """Return the last known status."""
        return self._status

    def report(self) -> DeviceReport:
        """What is known of it."""
        config = self._config
        capability = PrinterCapability(
            width_chars=config.width_chars,
            has_cutter=config.has_cutter,
            reports_status=config.talk.completion != "none",
            reports_drawer=config.drawer_open_level != "none",
            pushes_status=config.talk.pushes_status,
        )
        return DeviceReport(
            id=config.id,
            kind="printer",
            lane=config.lane,
            adapter="printer.StatusPrinter",
            address=self._transport.address,
            capability=capability,
            state=self._board.read(),
            counters=self._board.counters(),
        )

    def distrust(self, *, has_scrap: bool) -> None:
        """The box may have died in the middle of a command; half a job may stand in the printer."""
        self._doubt(_OLD_SCRAP if has_scrap else 0)

    def print(self, job: PrintJob) -> PrintOutcome:
        """Print one job; never raises."""
        with self._line:
            outcome = self._print(job)
        PRINT_JOBS.labels(outcome).inc()
        self._board.count(outcome)
        if outcome != "printed":
            _log.warning("printer.job", job=job.job_id, outcome=outcome, state=self._status.state)
            self._wake.set()
        return outcome

    def send(self, data: bytes) -> bool:
        """Hand bytes over without asking for paper: the drawer opens on an empty roll too.

        A printer that ran out of paper in a job has little room left: a real-time command must not
        wait behind what would end the job.  False as well when the line was busy for seconds: a
        drawer that opens much later opens for nobody.
        """
        if not self._line.acquire(timeout=_BUSY_S):
            return False
        try:
            return self._send(data)
        finally:
            self._line.release()

    def self_test(self) -> str:
        """Ask for status, and whether all it was sent is worked through; takes no paper."""
        with self._line:
            try:
                with self._talk() as talk:
                    told = talk.ask()
                    self._note(told)
                    if told.can_print:
                        self._end_command(talk)
                        told = told if talk.is_done() else Told("offline", is_silent=True)
                    return "passed" if told.can_print else told.fault or "printer.offline"
            except LineError as error:
                self._lost(error)
                return error.code

    def _send(self, data: bytes) -> bool:
        try:
            with self._talk() as talk:
                if not data.startswith(_REALTIME):
                    self._end_command(talk)
                talk.send(data)
        except LineError as error:
            self._lost(error)
            return False
        except Exception:  # noqa: BLE001 - see _print; a sale's pulse becomes a fact either way
            _log.exception("printer.failed", printer=self._config.id)
            self._lost(LineError("device.work_failed"))
            return False
        self._board.count("sent")
        return True

    def _print(self, job: PrintJob) -> PrintOutcome:
        is_begun = False
        try:
            with self._talk() as talk:
                told = talk.ask()
                self._note(told)
                if not told.can_print or not self._is_settled(talk):
                    return "not_printed"
                is_begun = True
                return self._hand_over(talk, job.payload)
        except LineError as error:  # not one byte of the job had gone out
            self._lost(error)
            return "not_printed"
        except Exception:  # noqa: BLE001 - a driver that fails in a way of its own
            _log.exception("printer.failed", printer=self._config.id, job=job.job_id)
            self._lost(LineError("device.work_failed"))
            self._doubt(len(job.payload) if is_begun else 0)
            return "unknown" if is_begun else "not_printed"

    def _hand_over(self, talk: PrinterTalk, payload: bytes) -> PrintOutcome:
        try:
            talk.send(payload)
        except LineError as error:
            talk.is_broken = True
            self._lost(error)
            self._doubt(len(payload) if error.taken else 0)
            return "unknown" if error.taken else "not_printed"
        self._doubt(len(payload))
        try:
            is_done = talk.is_done(len(payload))
            told = talk.ask()
            talk.arm()
        except LineError as error:
            talk.is_broken = True
            self._lost(error)
            return "unknown"
        self._note(told)
        if not is_done or not told.can_print:
            return "unknown"
        self._unsettled, self._has_scrap = 0, False
        return "printed"

    def _doubt(self, job_bytes: int) -> None:
        """The printer may wait for the rest of a job of so many bytes, or of a short command."""
        least = min(max(job_bytes, _HALF_COMMAND), _SCRAP_MAX)
        self._unsettled = max(self._unsettled, least)
        self._has_scrap = self._has_scrap or job_bytes > 0
        self._is_tidied = False

    def _end_command(self, talk: PrinterTalk) -> None:
        """A command that was cut in half would swallow what comes next."""
        if self._unsettled:
            talk.send(bytes(self._unsettled))

    def _is_settled(self, talk: PrinterTalk) -> bool:
        """Bring a printer that was left in the middle of a job back to a known state.

        It may wait for the rest of a command: zeros end that, and print nothing outside of one.
        Then what came out of the job is cut off, so that it is not part of the next.
        """
        if not self._unsettled:
            return True
        self._end_command(talk)
        if self._has_scrap:
            talk.send(self._config.scrap_end)
            if not talk.is_done_and_quiet():
                return False
        self._unsettled, self._has_scrap = 0, False
        return True

    @contextmanager
    def _talk(self) -> Iterator[PrinterTalk]:
        """Under the line's lock.  A line that broke is not used again."""
        talk, self._kept = self._kept, None
        if talk is None:
            talk = PrinterTalk(self._transport.open(), self._config.talk, self._clock)
            self._board.count("opened")
        try:
            talk.begin()
            yield talk
        except BaseException:
            talk.is_broken = True
            self._doubt(0)
            raise
        finally:
            for told in talk.overheard():
                self._note(told)
            if self._transport.is_kept and not talk.is_broken and not self._is_stopping:
                self._kept = talk
            else:
                talk.close()

    def _hang_up(self) -> None:
        talk, self._kept = self._kept, None
        if talk is not None:
            talk.close()

    def _note(self, told: Told) -> None:
        is_open = self._status.is_drawer_open
        if self._config.drawer_open_level != "none" and told.is_drawer_high is not None:
            is_open = told.is_drawer_high == (self._config.drawer_open_level == "high")
            if not is_open:
                self._closed_at_ms = self._clock.mono_ms()
        self._say(told.condition, is_open=is_open)
        if told.condition == "ok":
            self._board.write("ready")
        else:
            self._board.write("degraded" if told.can_print else "failed", told.fault)

    def _say(self, condition: PrinterCondition, *, is_open: bool | None) -> None:
        old, closed_at_ms = self._status, self._closed_at_ms
        if condition != old.state:
            self._status = PrinterStatus(condition, self._clock.now_ms(), is_open, closed_at_ms)
        elif is_open != old.is_drawer_open:
            self._status = replace(old, is_drawer_open=is_open, drawer_closed_at_ms=closed_at_ms)

    def _lost(self, error: LineError) -> None:
        self._say("offline", is_open=None)
        self._board.write("absent" if error.is_absent else "failed", error.code)
        _log.info("printer.line_lost", printer=self._config.id, code=error.code)

    def _watch(self, stop: threading.Event) -> None:
        while not (stop.is_set() or self._is_stopping):
            self._look()
            self._wake.wait(self._pause_s())
            self._wake.clear()

    def _pause_s(self) -> float:
        poll_s = self._config.poll_s
        if not self._status.can_print:
            poll_s = min(poll_s, _POLL_FAULT_S)
        return min(poll_s, _LISTEN_S) if self._config.talk.pushes_status else poll_s

    def _look(self) -> None:
        """Ask for the status, or only listen where it is pushed; raises DeviceFaultError."""
        if not self._line.acquire(blocking=False):
            return  # a job under way notes the status itself
        try:
            with self._talk() as talk:
                if self._is_due():
                    told = talk.ask()
                    self._asked_at_ms = self._clock.mono_ms()
                    self._note(told)
                    self._tidy(talk, told)
        except LineError as error:
            self._say("offline", is_open=None)
            raise DeviceFaultError(error.code, is_absent=error.is_absent) from error
        except Exception:
            self._say("offline", is_open=None)  # no job is given to what cannot be asked
            raise
        finally:
            self._line.release()

    def _tidy(self, talk: PrinterTalk, told: Told) -> None:
        """Half a job is brought to its end while nobody waits; tried once, the next job insists.

        On a slow line it takes many seconds, which the drawer of the next sale must not wait for.
        """
        if told.can_print and self._has_scrap and not self._is_tidied:
            self._is_tidied = True
            self._is_settled(talk)

    def _is_due(self) -> bool:
        asked_at_ms = self._asked_at_ms
        if not self._config.talk.pushes_status or asked_at_ms is None:
            return True
        poll_ms = int(self._config.poll_s * 1000)
        return self._clock.mono_ms() - asked_at_ms >= poll_ms


class AbsentPrinter:
    """PrinterPort and RawSender of a box that has no printer: every job stays unprinted."""

    def __init__(self, clock: Clock) -> None:
        self._status = PrinterStatus("offline", clock.now_ms())

    def start(self) -> None:
        """Nothing to watch."""

    def stop(self) -> None:
        """Nothing to stop."""

    def hurry(self) -> None:
        """Nothing to look at."""

    def distrust(self, *, has_scrap: bool) -> None:
        """Nothing to doubt."""

    def print(self, job: PrintJob) -> PrintOutcome:
        """Say that nothing came out."""
        _log.info("printer.absent", job=job.job_id)
        return "not_printed"

    def status(self) -> PrinterStatus:
        """Offline since the start."""
        return self._status

    def send(self, data: bytes) -> bool:
        """Refuse: there is nothing to hand `data` to."""
        _log.info("printer.absent", size=len(data))
        return False
