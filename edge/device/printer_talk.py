"""What is said to a printer and what it answers, over a conversation that is open."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

from edge.device import printer_status
from edge.device.ports import PrinterCondition
from edge.device.printer_status import Heard, Kind, StatusReader
from edge.device.transport import Conversation, LineError
from shared.kernel.clock import Clock

Completion = Literal["in_order", "status", "none"]
_HEARD_MAX = 64
_USUAL_BYTES, _SLOWEST_BYTES_PER_S = 8192, 800
"""What a usual receipt stays under, and what a slow printer works through."""


@dataclass(frozen=True, slots=True)
class TalkConfig:
    """How a printer proves that a job came out, and how long to wait.

    `completion` is an in-order answer (`GS r 1`), the real-time status, or none for printers that
    are mute: their jobs count as printed once handed over.  `pushes_status`: it tells by itself
    what changes (`GS a`).  An answer takes at most `answer_s`, a job `finish_s` after its last
    byte; a printer that takes no byte for `stall_s` is stalled.
    """

    completion: Completion = "in_order"
    pushes_status: bool = False
    answer_s: float = 1.0
    finish_s: float = 15.0
    stall_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Told:
    """One look at a printer; `is_silent` when it did not answer.

    `is_drawer_high` is the level of its drawer socket's pin 3, None where not told.
    """

    condition: PrinterCondition
    is_drawer_high: bool | None = None
    is_silent: bool = False

    @property
    def can_print(self) -> bool:
        """True when a job sent now should come out."""
        return self.condition in {"ok", "paper_low"}

    @property
    def fault(self) -> str | None:
        """The code of what is wrong."""
        if self.is_silent:
            return "printer.no_answer"
        return None if self.condition == "ok" else f"printer.{self.condition}"


class PrinterTalk:
    """One conversation; whoever finds it broken says so, and it is not used again."""

    def __init__(self, conversation: Conversation, config: TalkConfig, clock: Clock) -> None:
        self._conversation = conversation
        self._config = config
        self._clock = clock
        self._reader = StatusReader()
        self._overheard: deque[Told] = deque(maxlen=_HEARD_MAX)
        self._is_armed = False
        self.is_broken = False

    def begin(self) -> None:
        """Hear what has come in since the last time; answers to old questions are nobody's."""
        for _ in range(_HEARD_MAX):
            data = self._conversation.receive(0)
            if not data:
                break
            self._hear(data)
        if not self._is_armed:
            self.arm()

    def arm(self) -> None:
        """Have the printer push its status; each job ends that, by initialising the printer."""
        if self._config.pushes_status:
            self.send(printer_status.PUSH_ALL)
        self._is_armed = True

    def overheard(self) -> list[Told]:
        """The last of what the printer pushed since this was last asked, oldest first."""
        told = list(self._overheard)
        self._overheard.clear()
        return told

    def send(self, data: bytes) -> None:
        """Hand bytes over; raises LineError."""
        self._conversation.send(data, self._config.stall_s)

    def close(self) -> None:
        """Hang up."""
        self._conversation.close()

    def ask(self) -> Told:
        """How the printer is, by question or by the port's wires."""
        of_port = self._conversation.port_condition()
        if self._config.completion == "none":
            return Told(of_port or "ok")
        answers: dict[int, int] = {}
        for n in printer_status.QUESTIONS:
            self.send(printer_status.question(n))
            answer = self._answer("realtime", self._config.answer_s)
            if answer is None:
                # Opened anew it may speak again; a question that was lost is not answered later.
                self.is_broken = of_port is None
                return Told(of_port or "offline", is_silent=of_port is None)
            answers[n] = answer
        is_high = printer_status.is_drawer_high(answers[printer_status.ASK_PRINTER])
        return Told(printer_status.condition_of(answers), is_high)

    def is_done(self, job_bytes: int = 0) -> bool:
        """Whether all that was sent is worked through, as far as this printer can prove it.

        A job far longer than a usual receipt gets time to come out of a slow printer, which may
        have taken all of it at once.
        """
        if self._config.completion != "in_order":
            return True
        self.send(printer_status.IN_ORDER_QUESTION)
        more_s = max(0, job_bytes - _USUAL_BYTES) / _SLOWEST_BYTES_PER_S
        return self._answer("in_order", self._config.finish_s + more_s) is not None

    def is_done_and_quiet(self) -> bool:
        """The same, and no answer to an older question is still to come."""
        if not self.is_done():
            return False
        if self._config.completion != "in_order":
            return True
        until_ms = self._clock.mono_ms() + int(self._config.finish_s * 1000)
        while self._answer("in_order", self._config.answer_s) is not None:
            if self._clock.mono_ms() >= until_ms:
                return False  # it says so without end: noise on the line
        return True

    def _answer(self, kind: Kind, within_s: float) -> int | None:
        until_ms = self._clock.mono_ms() + int(within_s * 1000)
        while (left_ms := until_ms - self._clock.mono_ms()) > 0:
            data = self._conversation.receive(left_ms / 1000)
            if not data:
                return None
            for heard in self._hear(data):
                if heard.kind == kind:
                    return heard.data[0]
        return None

    def _hear(self, data: bytes) -> list[Heard]:
        found = self._reader.feed(data)
        for heard in found:
            if heard.kind == "pushed":
                is_high = printer_status.is_drawer_high(heard.data[0])
                self._overheard.append(Told(printer_status.condition_pushed(heard.data), is_high))
        return found


__all__ = ["Completion", "LineError", "PrinterTalk", "TalkConfig", "Told"]
