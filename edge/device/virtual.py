"""Virtual devices for training, demos and tests: a TCP scanner and a TCP receipt printer.

They sit behind the same ports and speak the same bytes as the real ones: the printer is driven by
NetworkPrinter over a real connection and shows what paper would show.
"""

from __future__ import annotations

import re
import socket
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from edge.device import printer_status
from edge.device.listener import TcpListener
from edge.device.metrics import DEVICE_FAULTS, SCANS
from edge.device.paper import COLUMNS_DEFAULT, Paper
from edge.device.paper_reader import DrawerPulse, Happening, PaperInterpreter
from edge.device.ports import DeviceState, PrinterCondition
from edge.device.supervisor import StateBoard
from shared.kernel.clock import Clock

CODE_CHARACTERS_MAX = 256
PAPERS_MAX = 200
HELD_BYTES_MAX = 1 << 18
_CHUNK = 65_536
_REALTIME = re.compile(rb"\x10\x04([\x01-\x04])|\x10\x14\x01([\x00\x01])[\x01-\x08]")
"""`DLE EOT n` and `DLE DC4 1 m t`: obeyed at once, in whatever state the printer is."""
_HALF_REALTIME = re.compile(rb"\x10(?:\x04|\x14(?:\x01[\x00\x01]?)?)?\Z")

PrinterFault = Literal["paper_out", "paper_low", "cover_open", "offline"]
_STOPPING: frozenset[PrinterCondition] = frozenset({"paper_out", "cover_open"})
_log = structlog.get_logger(__name__)


class VirtualScanner:
    """ScannerPort fed by TCP: each line is one scan; `scan` gives one from the same process."""

    def __init__(self, host: str, port: int, clock: Clock) -> None:
        self._listener = TcpListener("virtual-scanner", host, port, self._serve)
        self._board = StateBoard(clock)
        self._on_scan: Callable[[str], None] | None = None

    @property
    def port(self) -> int:
        """TCP port that takes the lines, known after `start`."""
        return self._listener.port

    def start(self, on_scan: Callable[[str], None]) -> None:
        """Listen for lines."""
        self._on_scan = on_scan
        self._listener.start()
        self._board.write("ready")

    def stop(self) -> None:
        """Stop listening."""
        self._listener.stop()
        self._board.write("absent")

    def state(self) -> DeviceState:
        """Ready between start and stop."""
        return self._board.read()

    def scan(self, code: str) -> bool:
        """Deliver `code` as if it had been scanned; False when it is empty or too long."""
        code = code.strip()
        if not code or len(code) > CODE_CHARACTERS_MAX or self._on_scan is None:
            return False
        SCANS.labels("virtual").inc()
        self._on_scan(code)
        return True

    def _serve(self, connection: socket.socket) -> None:
        line, is_too_long = b"", False
        while chunk := connection.recv(_CHUNK):
            *ended, rest = (line + chunk).split(b"\n")
            for each in ended:
                if is_too_long or not self.scan(each.decode("utf-8", errors="replace")):
                    self._refuse(each)
                is_too_long = False
            is_too_long = is_too_long or len(rest) > CODE_CHARACTERS_MAX
            line = b"" if is_too_long else rest

    def _refuse(self, line: bytes) -> None:
        if line.strip():
            DEVICE_FAULTS.labels("virtual-scanner", "scanner.too_long").inc()
            _log.warning("scanner.too_long", size=len(line))


@dataclass(frozen=True, slots=True)
class NumberedPaper:
    """The `number`-th paper since start, from 1."""

    number: int
    paper: Paper


class VirtualPrinter:
    """A network printer made of software: answers status questions, keeps its last papers.

    Out of paper or with the cover open it holds what it is sent, like a real one, and prints it
    when the fault is cleared; offline it hangs up on everybody.
    """

    def __init__(self, host: str, port: int, columns: int = COLUMNS_DEFAULT) -> None:
        self._host = host
        self._columns = columns
        self._listener = TcpListener("virtual-printer", host, port, self._serve)
        self._lock = threading.Lock()
        self._interpreter = PaperInterpreter(columns)
        self._papers: deque[NumberedPaper] = deque(maxlen=PAPERS_MAX)
        self._printed = 0
        self._drawer_pulses: list[int] = [0, 0]
        self._held = b""
        self._condition: PrinterCondition = "ok"
        self._is_losing_next = False

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; the port is known after `start`."""
        return self._host, self._listener.port

    @property
    def drawer_opened(self) -> int:
        """Pulses on either pin since start."""
        return sum(self._drawer_pulses)

    @property
    def unknown_commands(self) -> int:
        """Commands it did not understand since start."""
        return self._interpreter.unknown.total()

    def start(self) -> None:
        """Listen; raises UnavailableError `device.port_in_use`."""
        self._listener.start()

    def stop(self) -> None:
        """Stop listening; papers stay."""
        self._listener.stop()

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
                self._happened(self._interpreter.feed(held))
        if fault == "offline":
            self._listener.hang_up()

    def lose_next(self) -> None:
        """Take the next print data and run out of paper on it, proving nothing to the host."""
        with self._lock:
            self._is_losing_next = True

    def _serve(self, connection: socket.socket) -> None:
        waiting = b""
        while self._condition != "offline" and (chunk := connection.recv(_CHUNK)):
            waiting += chunk
            half = _HALF_REALTIME.search(waiting)
            end = half.start() if half else len(waiting)
            data, waiting = waiting[:end], waiting[end:]
            answers = self._take(data)
            if answers:
                connection.sendall(answers)

    def _take(self, data: bytes) -> bytes:
        """Answer the real-time questions at once, work through the rest or hold it."""
        with self._lock:
            answers = b"".join(self._at_once(found) for found in _REALTIME.finditer(data))
            rest = _REALTIME.sub(b"", data)
            if rest and self._is_losing_next:
                self._is_losing_next = False
                self._condition = "paper_out"
            if self._condition in _STOPPING:
                self._held = (self._held + rest)[:HELD_BYTES_MAX]
                return answers
            return answers + self._happened(self._interpreter.feed(rest))

    def _at_once(self, command: re.Match[bytes]) -> bytes:
        if command[1]:
            return bytes((printer_status.realtime_answer(command[1][0], self._condition),))
        self._drawer_pulses[command[2][0]] += 1
        return b""

    def _happened(self, happenings: list[Happening]) -> bytes:
        answers = b""
        for happening in happenings:
            if isinstance(happening, Paper):
                self._printed += 1
                self._papers.append(NumberedPaper(self._printed, happening))
            elif isinstance(happening, DrawerPulse):
                self._drawer_pulses[_drawer_index(happening.pin)] += 1
            else:
                answers += bytes((printer_status.in_order_answer(self._condition),))
        return answers


def _drawer_index(pin: int) -> int:
    return 0 if pin == 2 else 1  # noqa: PLR2004 - the socket's pin number is its name
