"""A receipt printer on the network: a job ends as printed, not printed or unknown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import structlog

from edge.device import printer_status
from edge.device.metrics import PRINT_JOBS
from edge.device.ports import PrinterCondition, PrinterStatus, PrintJob, PrintOutcome
from shared.kernel.clock import Clock

if TYPE_CHECKING:
    from edge.device.escpos_transport import Conversation

Completion = Literal["in_order", "status", "none"]
_POLL_FAULT_S = 1.0
_JOIN_S = 5.0
_UNREACHABLE = (OSError, UnicodeError)
"""The second is what a misspelt host name gives."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NetworkPrinterConfig:
    """How to talk to one printer.

    `address` is asked before each conversation.  `completion` is the proof that is awaited after
    a job: an in-order answer (`GS r 1`), the real-time status, or none for printers that are
    mute: their jobs count as printed once handed over.
    """

    address: Callable[[], tuple[str, int]]
    completion: Completion = "in_order"
    connect_s: float = 2.0
    answer_s: float = 1.0
    finish_s: float = 15.0
    poll_s: float = 3.0


class NetworkPrinter:
    """PrinterPort and RawSender over TCP; one connection per conversation.

    Cheap printers serve a single client and forget idle ones, so nothing is kept open.
    """

    def __init__(self, config: NetworkPrinterConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._line = threading.Lock()
        self._status = PrinterStatus("offline", clock.now_ms())
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch the status from a thread of its own."""
        if self._thread is None:
            self._is_stopping = False
            self._wake.clear()
            self._thread = threading.Thread(target=self._watch, name="printer-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching; a job under way ends by its own time-outs."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def status(self) -> PrinterStatus:
        """Return the last known status."""
        return self._status

    def print(self, job: PrintJob) -> PrintOutcome:
        """Print one job; never raises."""
        with self._line:
            outcome = self._print(job)
        PRINT_JOBS.labels(outcome).inc()
        if outcome != "printed":
            _log.warning("printer.job", job=job.job_id, outcome=outcome, state=self._status.state)
            self._wake.set()
        return outcome

    def send(self, data: bytes) -> bool:
        """Hand bytes over without asking for paper: the drawer opens on an empty roll too."""
        with self._line:
            try:
                with self._talk() as talk:
                    talk.send(data)
            except _UNREACHABLE:
                self._note("offline")
                return False
            return True

    def _print(self, job: PrintJob) -> PrintOutcome:
        is_sent = False
        try:
            with self._talk() as talk:
                if not self._is_willing(talk):
                    return "not_printed"
                is_sent = True
                talk.send(job.payload)
                return self._proof(talk)
        except _UNREACHABLE as error:
            self._note("offline")
            _log.info("printer.unreachable", job=job.job_id, because=str(error))
            return "unknown" if is_sent else "not_printed"

    def _is_willing(self, talk: Conversation) -> bool:
        if self._config.completion == "none":
            return True
        self._note(self._condition(talk))
        return self._status.can_print

    def _proof(self, talk: Conversation) -> PrintOutcome:
        config = self._config
        if config.completion == "none":
            self._note("ok")
            return "printed"
        if config.completion == "in_order":
            talk.send(printer_status.IN_ORDER_QUESTION)
            done = talk.answer(printer_status.is_in_order_answer, config.finish_s)
            if done is None:
                self._note(self._condition(talk))
                return "unknown"
        self._note(self._condition(talk))
        return "printed" if self._status.can_print else "unknown"

    def _condition(self, talk: Conversation) -> PrinterCondition:
        answers: dict[int, int] = {}
        for n in printer_status.QUESTIONS:
            talk.send(printer_status.question(n))
            answer = talk.answer(printer_status.is_realtime_answer, self._config.answer_s)
            if answer is None:
                return "offline"
            answers[n] = answer
        return printer_status.condition_of(answers)

    def _talk(self) -> AbstractContextManager[Conversation]:
        # Late, because python-escpos is slow to import; the watcher pays for it at start.
        from edge.device.escpos_transport import conversation  # noqa: PLC0415

        host, port = self._config.address()
        return conversation(host, port, self._config.connect_s)

    def _note(self, condition: PrinterCondition) -> None:
        if condition != self._status.state:
            self._status = PrinterStatus(condition, self._clock.now_ms())

    def _watch(self) -> None:
        while not self._is_stopping:
            self._look()
            poll_s = self._config.poll_s
            self._wake.wait(poll_s if self._status.can_print else min(poll_s, _POLL_FAULT_S))
            self._wake.clear()

    def _look(self) -> None:
        is_mute = self._config.completion == "none"
        if (is_mute and self._status.can_print) or not self._line.acquire(blocking=False):
            return  # a job under way notes the status itself
        try:
            with self._talk() as talk:
                # All that a mute printer tells is that it can be reached.
                self._note("ok" if is_mute else self._condition(talk))
        except _UNREACHABLE:
            self._note("offline")
        finally:
            self._line.release()


class AbsentPrinter:
    """PrinterPort and RawSender of a box that has no printer: every job stays unprinted."""

    def __init__(self, clock: Clock) -> None:
        self._status = PrinterStatus("offline", clock.now_ms())

    def start(self) -> None:
        """Nothing to watch."""

    def stop(self) -> None:
        """Nothing to stop."""

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
