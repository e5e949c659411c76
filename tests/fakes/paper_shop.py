"""A store's printers in memory and out of time: the machine of the virtual printer behind a line
that can be cut at any byte, and a clock that only waiting moves."""

from __future__ import annotations

from dataclasses import dataclass, field

from tenacity.wait import wait_none

from edge.device.ports import PrinterCondition
from edge.device.transport import LineError
from edge.device.virtual_printer import PrinterModel


class StillClock:
    """Stands still until somebody waits; milliseconds since it was made."""

    def __init__(self) -> None:
        self.at_ms = 1_000_000

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.at_ms

    def quality(self) -> int:
        return 2

    def wait(self, seconds: float) -> None:
        self.at_ms += max(int(seconds * 1000), 1)


@dataclass
class Line:
    """A Transport to a machine.

    `out_left` and `in_left` are how many bytes it carries to the printer and back before it is
    cut; None is no end.  `is_counting_late`: the driver takes what the printer never gets.
    A stalled line takes `out_left` bytes and then waits for ever.
    """

    model: PrinterModel
    clock: StillClock
    is_kept: bool = False
    is_stalled: bool = False
    is_counting_late: bool = False
    is_connected: bool = True
    out_left: int | None = None
    in_left: int | None = None
    address: str = "memory"
    pauses: wait_none = field(default_factory=wait_none)
    opened: int = 0

    def open(self) -> LineTalk:
        self.opened += 1
        if not self.is_connected:
            raise LineError("printer.unreachable", is_absent=True)
        self.model.connected()
        return LineTalk(self, self.opened)

    def cut(self, out_after: int | None = None, in_after: int | None = None) -> None:
        self.out_left, self.in_left = out_after, in_after

    def mend(self) -> None:
        self.out_left = self.in_left = None
        self.is_stalled = self.is_counting_late = False
        self.is_connected = True


class LineTalk:
    """One conversation over a Line; answers that nobody read are gone with it."""

    def __init__(self, line: Line, number: int) -> None:
        self._line = line
        self._number = number
        self._answers = b""

    def send(self, data: bytes, stall_s: float) -> None:
        line = self._line
        self._refuse_gone(0)
        count = len(data) if line.out_left is None else min(line.out_left, len(data))
        if line.out_left is not None:
            line.out_left -= count
        if line.model.condition != "offline":
            self._answers += line.model.take(data[:count])
            self._answers += line.model.pushed()
        if count == len(data):
            return
        if line.is_counting_late and not line.is_stalled:
            line.is_connected = False  # all of it was taken; what follows will tell
            return
        if line.is_stalled:
            line.clock.wait(stall_s)
            raise LineError("printer.stalled", taken=count)
        line.is_connected = False
        raise LineError("printer.unreachable", taken=count, is_absent=True)

    def receive(self, within_s: float) -> bytes:
        self._answers += self._line.model.pushed()
        self._refuse_gone(0)
        line = self._line
        count = len(self._answers) if line.in_left is None else min(line.in_left, 1)
        data, self._answers = self._answers[:count], self._answers[count:]
        if line.in_left is not None:
            line.in_left -= len(data)
            if not data and self._answers:
                line.is_connected = False
                self._refuse_gone(0)
        if not data:
            line.clock.wait(within_s)
        return data

    def port_condition(self) -> PrinterCondition | None:
        return None

    def close(self) -> None:
        self._answers = b""

    def _refuse_gone(self, taken: int) -> None:
        if not self._line.is_connected:
            raise LineError("printer.unreachable", taken=taken, is_absent=True)
