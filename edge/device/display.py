"""A customer display on a serial line: two rows of short text before the customer.

The newest rows win, and whoever shows them never waits: one thread writes, and writes them again
now and then, since a display that was switched off for a moment has forgotten them.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from serial import Serial

from edge.device.ports import USABLE, DeviceReport, DeviceState, DisplayCapability
from edge.device.serial_line import LineConfig, open_line
from edge.device.supervisor import DeviceFaultError, StateBoard, Supervisor
from shared.kernel.clock import Clock
from shared.sale.columns import clip, text_columns

DisplayDialect = Literal["epson", "cd5220"]
DisplayEncoding = Literal["ascii", "gb18030"]
ROWS = 2
_READ_S = 0.05
_AGAIN_MS = 10_000
_ADAPTER = "display.SerialDisplay"
_CLEAR = b"\x1b@\x0c"


@dataclass(frozen=True, slots=True)
class DisplayConfig:
    """`path` is asked at each opening; `columns` count half-width characters of a row."""

    path: Callable[[], str]
    lane: int = 1
    dialect: DisplayDialect = "epson"
    baud: int = 9600
    columns: int = 20
    encoding: DisplayEncoding = "ascii"


class SerialDisplay:
    """DisplayPort on a serial line."""

    def __init__(self, config: DisplayConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._board = StateBoard(clock)
        self._supervisor = Supervisor(f"display-{config.lane}", self._work, self._board)
        self._wanted: tuple[str, ...] = ("",) * ROWS

    def start(self) -> None:
        """Open it, now or whenever it appears."""
        self._supervisor.start()

    def stop(self) -> None:
        """Let it go."""
        self._supervisor.stop()

    def show(self, rows: tuple[str, ...]) -> None:
        """Show these rows soon."""
        self._wanted = rows

    def state(self) -> DeviceState:
        """Ready while the line is open."""
        return self._board.read()

    def report(self) -> DeviceReport:
        """What is known of it."""
        return DeviceReport(
            id=f"display-{self._config.lane}",
            kind="display",
            lane=self._config.lane,
            adapter=_ADAPTER,
            address=self._config.path(),
            capability=DisplayCapability(self._config.columns, ROWS),
            state=self._board.read(),
            counters=self._board.counters(),
        )

    def self_test(self) -> str:
        """Whether its line takes bytes; what it shows only a person can tell."""
        state = self._board.read()
        return "passed" if state.state in USABLE else state.last_fault or "display.absent"

    def _work(self, stop: threading.Event) -> None:
        config = self._config
        line = open_line(LineConfig(config.path(), config.baud, read_s=_READ_S), "display")
        try:
            self._board.count("opened")
            self._board.write("ready")
            self._keep_shown(line, stop)
        except OSError as error:  # SerialException too, and a display that takes nothing more
            raise DeviceFaultError("display.unplugged", is_absent=True) from error
        finally:
            line.close()

    def _keep_shown(self, line: Serial, stop: threading.Event) -> None:
        shown: tuple[str, ...] | None = None
        again_ms = 0
        while not stop.is_set():
            wanted, now_ms = self._wanted, self._clock.mono_ms()
            if wanted != shown or now_ms >= again_ms:
                line.write(display_bytes(wanted, self._config))
                shown, again_ms = wanted, now_ms + _AGAIN_MS
                self._board.count("shown")
            line.read(1)  # waits; a line that was pulled out says so here


def display_bytes(rows: tuple[str, ...], config: DisplayConfig) -> bytes:
    """What makes a display show these rows: each is clipped or filled to its columns."""
    shown = [_row(text, config) for text in (*rows, "", "")[:ROWS]]
    if config.dialect == "cd5220":
        return _CLEAR + b"".join(b"\x1bQ%c%s\r" % (b"AB"[n], row) for n, row in enumerate(shown))
    return _CLEAR + b"".join(b"\x1f$\x01%c%s" % (n, row) for n, row in enumerate(shown, 1))


def _row(text: str, config: DisplayConfig) -> bytes:
    """One row as bytes; a control character in a name would be a command."""
    if config.encoding == "ascii":
        text = unicodedata.normalize("NFKC", text).encode("ascii", "replace").decode("ascii")
    text = clip("".join(char for char in text if char.isprintable()), config.columns)
    fill = " " * (config.columns - text_columns(text))
    return (text + fill).encode(config.encoding, "replace")
