"""A virtual scanner for training, demos and tests, behind the same port as the real ones."""

from __future__ import annotations

import socket
from collections.abc import Callable

import structlog

from edge.device.framing import CODE_CHARACTERS_MAX, TOO_LONG
from edge.device.listener import TcpListener
from edge.device.metrics import DEVICE_FAULTS, SCANS
from edge.device.ports import DeviceReport, DeviceState, ScannerCapability
from edge.device.supervisor import StateBoard
from shared.kernel.clock import Clock

_CHUNK = 65_536
_log = structlog.get_logger(__name__)


class VirtualScanner:
    """ScannerPort fed by TCP: each line is one scan; `scan` gives one from the same process."""

    def __init__(self, host: str, port: int, clock: Clock, lane: int = 1) -> None:
        self._listener = TcpListener("virtual-scanner", host, port, self._serve)
        self._lane = lane
        self._board = StateBoard(clock)
        self._on_scan: Callable[[str], None] | None = None
        self._on_trouble: Callable[[str], None] | None = None

    @property
    def port(self) -> int:
        """TCP port that takes the lines, known after `start`."""
        return self._listener.port

    def start(
        self, on_scan: Callable[[str], None], on_trouble: Callable[[str], None] | None = None
    ) -> None:
        """Listen for lines."""
        self._on_scan = on_scan
        self._on_trouble = on_trouble
        self._listener.start()
        self._board.write("ready")

    def stop(self) -> None:
        """Stop listening."""
        self._listener.stop()
        self._board.write("absent")

    def state(self) -> DeviceState:
        """Ready between start and stop."""
        return self._board.read()

    def report(self) -> DeviceReport:
        """What is known of it, from memory."""
        return DeviceReport(
            id=f"scanner-{self._lane}",
            kind="scanner",
            lane=self._lane,
            adapter=type(self).__name__,
            address=f"tcp {self._listener.port}",
            capability=ScannerCapability("virtual"),
            state=self._board.read(),
            counters=self._board.counters(),
        )

    def self_test(self) -> str:
        """Whether it listens; "passed" or the code of a fault."""
        return "passed" if self._listener.is_open else "scanner.absent"

    def scan(self, code: str) -> bool:
        """Deliver `code` as if it had been scanned; False when it is empty or too long."""
        code = code.strip(" \t\r\n")  # no more: GS belongs to a code
        if not code or len(code) > CODE_CHARACTERS_MAX or self._on_scan is None:
            return False
        SCANS.labels("virtual").inc()
        self._board.count("scans")
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
            DEVICE_FAULTS.labels(f"scanner-{self._lane}", TOO_LONG).inc()
            self._board.count("too_long")
            _log.warning(TOO_LONG, size=len(line))
            if self._on_trouble is not None:
                self._on_trouble(TOO_LONG)
