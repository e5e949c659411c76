"""A receipt printer made of software: the machine, and the machine behind a TCP port.

It speaks the same bytes as a real one and shows what paper would show; StatusPrinter drives it
over a real connection in training, and over any transport in tests.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import deque
from dataclasses import dataclass
from typing import Literal

from edge.device import printer_status
from edge.device.escpos_grammar import Charset
from edge.device.listener import TcpListener
from edge.device.paper import COLUMNS_DEFAULT, Paper
from edge.device.paper_reader import (
    DrawerPulse,
    Happening,
    PaperInterpreter,
    SensorQuestion,
    StatusBack,
)
from edge.device.ports import PrinterCondition

PAPERS_MAX = 200
HELD_BYTES_MAX = 1 << 18
_CHUNK = 65_536
_REALTIME = re.compile(rb"\x10\x04([\x01-\x04])|\x10\x14\x01([\x00\x01])[\x01-\x08]")
"""`DLE EOT n` and `DLE DC4 1 m t`: obeyed at once, in whatever state the printer is."""
_HALF_REALTIME = re.compile(rb"\x10(?:\x04|\x14(?:\x01[\x00\x01]?)?)?\Z")

PrinterFault = Literal["paper_out", "paper_low", "cover_open", "error", "offline"]
_STOPPING: frozenset[PrinterCondition] = frozenset({"paper_out", "cover_open", "error"})


@dataclass(frozen=True, slots=True)
class NumberedPaper:
    """The `number`-th paper since start, from 1."""

    number: int
    paper: Paper


class PrinterModel:
    """Takes a host's bytes, gives its answers, keeps its last papers; safe from any thread.

    Out of paper or with the cover open it holds what it is sent, like a real one, and prints it
    when the fault is cleared.  A pulse springs the drawer open; a person closes it.
    """

    def __init__(self, columns: int = COLUMNS_DEFAULT, own_set: Charset = "gb18030") -> None:
        self._lock = threading.Lock()
        self._interpreter = PaperInterpreter(columns, own_set)
        self._papers: deque[NumberedPaper] = deque(maxlen=PAPERS_MAX)
        self._printed = 0
        self._drawer_pulses: list[int] = [0, 0]
        self._held = b""
        self._half = b""
        self._condition: PrinterCondition = "ok"
        self._is_drawer_open = False
        self._is_losing_next = False
        self._is_pushing = False
        self._pushed = b""

    @property
    def condition(self) -> PrinterCondition:
        """How it is."""
        return self._condition

    @property
    def drawer_opened(self) -> int:
        """Pulses on either pin since start."""
        return sum(self._drawer_pulses)

    @property
    def is_drawer_open(self) -> bool:
        """What its drawer's switch says."""
        return self._is_drawer_open

    @property
    def unknown_commands(self) -> int:
        """Commands it did not understand since start."""
        return self._interpreter.unknown.total()

    def drawer_pulses(self, pin: int) -> int:
        """Pulses on `pin` (2 or 5) since start."""
        return self._drawer_pulses[_drawer_index(pin)]

    def papers(self, after: int = 0) -> list[NumberedPaper]:
        """Papers with a number above `after`, oldest first; only the last 200 are kept."""
        with self._lock:
            return [each for each in self._papers if each.number > after]

    def set_fault(self, fault: PrinterFault | None) -> None:
        """Bring a fault about, or clear it."""
        with self._lock:
            self._condition = fault or "ok"
            if self._condition not in _STOPPING and self._held:
                held, self._held = self._held, b""
                self._pushed += self._happened(self._interpreter.feed(held))
            self._push()

    def set_drawer(self, *, is_open: bool) -> None:
        """Open the drawer with its key, or push it shut."""
        with self._lock:
            self._is_drawer_open = is_open
            self._push()

    def lose_next(self) -> None:
        """Take the next print data and run out of paper on it, proving nothing to the host."""
        with self._lock:
            self._is_losing_next = True

    def tear_off(self) -> Paper | None:
        """What stands out of the slot, not yet cut; None when that is nothing."""
        with self._lock:
            return self._interpreter.tear_off()

    def connected(self) -> None:
        """A new host: it begins with whole commands, and asks anew to be told."""
        with self._lock:
            self._half, self._pushed, self._is_pushing = b"", b"", False

    def take(self, data: bytes) -> bytes:
        """Answer the real-time questions at once, work through the rest or hold it."""
        with self._lock:
            data = self._half + data
            half = _HALF_REALTIME.search(data)
            end = half.start() if half else len(data)
            data, self._half = data[:end], data[end:]
            answers = b"".join(self._at_once(found) for found in _REALTIME.finditer(data))
            rest = _REALTIME.sub(b"", data)
            if rest and self._is_losing_next:
                self._is_losing_next = False
                self._condition = "paper_out"
            if self._condition in _STOPPING:
                self._held = (self._held + rest)[:HELD_BYTES_MAX]
                return answers
            return answers + self._happened(self._interpreter.feed(rest))

    def pushed(self) -> bytes:
        """What it has to say without being asked, since this was last called."""
        with self._lock:
            pushed, self._pushed = self._pushed, b""
            return pushed

    def _at_once(self, command: re.Match[bytes]) -> bytes:
        if command[1]:
            answer = printer_status.realtime_answer(
                command[1][0], self._condition, is_drawer_high=self._is_drawer_open
            )
            return bytes((answer,))
        self._pulse(command[2][0])
        return b""

    def _happened(self, happenings: list[Happening]) -> bytes:
        answers = b""
        for happening in happenings:
            if isinstance(happening, Paper):
                self._printed += 1
                self._papers.append(NumberedPaper(self._printed, happening))
            elif isinstance(happening, DrawerPulse):
                self._pulse(_drawer_index(happening.pin))
            elif isinstance(happening, StatusBack):
                self._is_pushing = happening.n > 0
                self._push()
            elif isinstance(happening, SensorQuestion):
                answers += bytes((printer_status.in_order_answer(self._condition),))
        return answers

    def _pulse(self, index: int) -> None:
        self._drawer_pulses[index] += 1
        self._is_drawer_open = True
        self._push()

    def _push(self) -> None:
        if self._is_pushing:
            self._pushed += printer_status.pushed_status(
                self._condition, is_drawer_high=self._is_drawer_open
            )


class VirtualPrinter(PrinterModel):
    """The machine on the network; offline it hangs up on everybody."""

    def __init__(
        self, host: str, port: int, columns: int = COLUMNS_DEFAULT, own_set: Charset = "gb18030"
    ) -> None:
        super().__init__(columns, own_set)
        self._host = host
        self._listener = TcpListener("virtual-printer", host, port, self._serve)
        self._host_end: socket.socket | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; the port is known after `start`."""
        return self._host, self._listener.port

    def start(self) -> None:
        """Listen; raises UnavailableError `device.port_in_use`."""
        self._listener.start()

    def stop(self) -> None:
        """Stop listening; papers stay."""
        self._listener.stop()

    def set_fault(self, fault: PrinterFault | None) -> None:
        """Bring a fault about, or clear it."""
        super().set_fault(fault)
        self._tell()
        if fault == "offline":
            self._listener.hang_up()

    def set_drawer(self, *, is_open: bool) -> None:
        """Open the drawer with its key, or push it shut."""
        super().set_drawer(is_open=is_open)
        self._tell()

    def _serve(self, connection: socket.socket) -> None:
        self.connected()
        self._host_end = connection
        while self.condition != "offline" and (chunk := connection.recv(_CHUNK)):
            answers = self.take(chunk) + self.pushed()
            if answers:
                connection.sendall(answers)

    def _tell(self) -> None:
        host_end, pushed = self._host_end, self.pushed()
        if host_end is None or not pushed:
            return
        try:
            host_end.sendall(pushed)
        except OSError:
            return  # the host has gone; the next one asks


def _drawer_index(pin: int) -> int:
    return 0 if pin == 2 else 1  # noqa: PLR2004 - the socket's pin number is its name
