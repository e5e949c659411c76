"""What scales send, taken to pieces: bytes in, frames out; what does not check is no frame.

Three ways of speaking.  Toledo 8217 is asked (`W`) and answers a weight only when it is stable.
The text stream (`ST,GS,+  0.500kg`) and Mettler-Toledo's continuous frames come all by themselves.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from edge.device.ports import WeightCondition

ScaleProtocol = Literal["toledo8217", "continuous", "mt_continuous"]
STX, CR = 0x02, 0x0D
FRAME_BYTES_MAX = 64
_SEVEN_BITS = 0x7F


@dataclass(frozen=True, slots=True)
class Frame:
    """One reading: `weight_milli` in thousandths of the scale's unit where it is `stable`.

    `is_net`: the scale has taken a tare of its own off.
    """

    condition: WeightCondition
    weight_milli: int = 0
    is_net: bool = False


class FrameReader(Protocol):
    """Collects bytes, however they are cut, into frames; None stands for one that is spoilt."""

    def feed(self, data: bytes) -> list[Frame | None]:
        """Take what was read."""


def with_parity(data: bytes) -> bytes:
    """Seven-bit characters with even parity in the eighth bit, as they run over the wire."""
    return bytes(byte | 0x80 if byte.bit_count() % 2 else byte for byte in data)


def reader_of(protocol: ScaleProtocol, unit: str) -> FrameReader:
    """A fresh reader; `unit` is what the scale weighs in: kg or lb."""
    if protocol == "toledo8217":
        return ToledoReader()
    return LineReader(unit) if protocol == "continuous" else MettlerReader(unit)


def _weight(milli: int, *, is_negative: bool = False, is_net: bool = False) -> Frame:
    if milli == 0:
        return Frame("zero", 0, is_net)
    return Frame("under") if is_negative else Frame("stable", milli, is_net)


def _milli_of(digits: bytes) -> int:
    """Thousandths of a decimal number with at most three decimals."""
    whole, _, decimals = digits.partition(b".")
    return int(whole or b"0") * 1000 + int(decimals.ljust(3, b"0") or b"0")


class ToledoReader:
    r"""Toledo 8217: `STX 01.234 CR`, with `N` before the CR for a net weight, or `STX ? status CR`.

    Bits of the status: 0 in motion, 1 over capacity, 2 under zero, 3 outside the range of zero,
    4 centre of zero, 5 net.  Bit 6 is always set at some scales and means a bad command at others,
    so a status may be any byte, that of STX too.  Where the line's driver has not taken the parity
    bit off, STX shows it (0x82), and then every byte of the frame must have the right one.

    There is no check sum, so a digit that the line lost would leave another weight: one scale sends
    all its weights in one length, and a frame of another length is spoilt.
    """

    _WEIGHT: Final = re.compile(rb" *(\d{1,3}\.\d{2,3})(N?)")

    def __init__(self) -> None:
        self._frame: bytearray | None = None
        self._has_parity = False
        self._width = 0

    def feed(self, data: bytes) -> list[Frame | None]:
        """Take what was read; bytes outside a frame are noise and skipped."""
        found: list[Frame | None] = []
        for byte in data:
            if byte & _SEVEN_BITS == STX and not self._awaits_status:
                if self._frame is not None:
                    found.append(None)  # the one before never ended
                self._frame, self._has_parity = bytearray(), byte != STX
            elif self._frame is not None:
                self._take(byte, found)
        return found

    @property
    def _awaits_status(self) -> bool:
        """Whether the next byte is a status, whatever it looks like."""
        return self._frame is not None and bytes(self._frame) == b"?"

    def _take(self, byte: int, found: list[Frame | None]) -> None:
        assert self._frame is not None
        is_good = byte.bit_count() % 2 == 0 if self._has_parity else byte <= _SEVEN_BITS
        byte &= _SEVEN_BITS
        if not is_good or len(self._frame) >= FRAME_BYTES_MAX:
            self._frame = None
            found.append(None)
        elif byte == CR and not self._awaits_status:
            found.append(self._parse(bytes(self._frame)))
            self._frame = None
        else:
            self._frame.append(byte)

    def _parse(self, body: bytes) -> Frame | None:
        weight = self._WEIGHT.fullmatch(body)
        if weight is not None:
            self._width = self._width or weight.end(1)
            if weight.end(1) != self._width:
                return None
            return _weight(_milli_of(weight[1]), is_net=bool(weight[2]))
        if len(body) == 2 and body[:1] == b"?":  # noqa: PLR2004
            return _status(body[1])
        return None


def _status(bits: int) -> Frame:
    """The worst of what the status says."""
    is_net = bool(bits & 0b10_0000)
    for mask, condition in ((0b10, "over"), (0b100, "under"), (0b1, "moving"), (0b1_0000, "zero")):
        if bits & mask:
            return Frame(condition, 0, is_net)  # type: ignore[arg-type]
    return Frame("unknown", 0, is_net)


class LineReader:
    """A stream of text lines: `ST,GS,+  0.500kg` with CR LF.

    `ST` stable, `US` unstable, `OL` over or under the range; `GS` gross, `NT` net or nothing.
    CAS puts a byte of device and one of lamps between them and the weight.
    """

    _LINE: Final = re.compile(
        rb"(ST|US|OL)(?:,(GS|NT))?(?:,[^,]{2}(?=,))?, *([+-]?) *"
        rb"(\d{1,7}(?:\.\d{1,3})?)[ ,]*(kg|g|lb)",
        re.IGNORECASE,
    )
    _OVER: Final = re.compile(rb"OL\b.*", re.IGNORECASE)

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._line = bytearray()
        self._is_spoilt = True
        """Until the first line end: what came before it may be the end of another number."""

    def feed(self, data: bytes) -> list[Frame | None]:
        """Take what was read."""
        found: list[Frame | None] = []
        for byte in data:
            if byte == ord("\n") or byte == CR:
                self._end(found)
            elif len(self._line) >= FRAME_BYTES_MAX:
                self._is_spoilt = True
            else:
                self._line.append(byte)
        return found

    def _end(self, found: list[Frame | None]) -> None:
        line, is_spoilt = bytes(self._line), self._is_spoilt
        self._line.clear()
        self._is_spoilt = False
        if is_spoilt:
            found.append(None)
        elif line:
            found.append(self._parse(line))

    def _parse(self, line: bytes) -> Frame | None:
        match = self._LINE.fullmatch(line.strip(b" "))
        if match is None:
            return Frame("over") if self._OVER.fullmatch(line.strip(b" ")) else None
        header, is_net = match[1].upper(), (match[2] or b"").upper() == b"NT"
        if header == b"OL":
            return Frame("under" if match[3] == b"-" else "over")
        milli = self._milli(match[4], match[5].decode().lower())
        if milli is None:
            return None
        if header == b"US":
            return Frame("moving", 0, is_net)
        return _weight(milli, is_negative=match[3] == b"-", is_net=is_net)

    def _milli(self, digits: bytes, unit: str) -> int | None:
        """Thousandths of our unit; None where the scale is set to another one."""
        if unit == self._unit:
            return _milli_of(digits)
        if unit == "g" and self._unit == "kg" and b"." not in digits:
            return int(digits)
        return None


class MettlerReader:
    """Mettler-Toledo's continuous frame: STX, three status bytes, six digits, six of tare, CR.

    A: bits 0-2 place of the decimal point, bit 5 set.  B: 0 net, 1 negative, 2 out of range,
    3 in motion, 4 kg (else lb), 5 set, 6 zero not taken after switching on.  C: bits 0-2 say
    whether the unit is another one, bit 4 tenfold resolution, bit 5 set.  A check byte may follow
    the CR, the two's complement of the sum of the others: it must be right where it stands.  So a
    frame counts when the byte after it has come.
    """

    _BODY_BYTES = 15
    _DIGITS: Final = re.compile(rb" *\d+")
    _POINT_OF_THOUSANDTHS = 5
    _SET = 0b10_0000

    def __init__(self, unit: str) -> None:
        self._unit = unit
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Frame | None]:
        """Take what was read."""
        self._waiting += data
        found: list[Frame | None] = []
        while (start := self._waiting.find(STX)) >= 0:
            del self._waiting[:start]
            if self._waiting[1:2] == bytes((STX,)):  # a check byte that happens to be one
                del self._waiting[:1]
                continue
            if len(self._waiting) < self._BODY_BYTES + 3:
                break
            body, end = bytes(self._waiting[1 : self._BODY_BYTES + 1]), self._BODY_BYTES + 1
            is_whole = self._waiting[end] == CR and STX not in body and body.isascii()
            found.append(self._parse(body) if is_whole else None)
            del self._waiting[: end + 1 if is_whole else 1]
            if is_whole:
                self._check(bytes((STX, *body, CR)), found)
        del self._waiting[: max(0, len(self._waiting) - FRAME_BYTES_MAX)]
        return found

    def _check(self, frame: bytes, found: list[Frame | None]) -> None:
        """Drop the frame whose check byte is wrong; without one the next frame follows."""
        if self._waiting[0] != STX and (sum(frame) + self._waiting[0]) & _SEVEN_BITS:
            found[-1] = None

    def _parse(self, body: bytes) -> Frame | None:
        a, b, c = body[:3]
        if not (a & b & c & self._SET) or self._DIGITS.fullmatch(body[3:9]) is None:
            return None
        if c & 0b111 or c & 0b1_0000 or (b & 0b1_0000 > 0) != (self._unit == "kg"):
            return None
        if b & 0b100:
            return Frame("under" if b & 0b10 else "over")
        is_net = bool(b & 1)
        if b & 0b1000 or b & 0b100_0000:
            return Frame("moving", 0, is_net)
        return self._weighed(int(body[3:9]), a & 0b111, is_negative=bool(b & 0b10), is_net=is_net)

    def _weighed(self, value: int, point: int, *, is_negative: bool, is_net: bool) -> Frame | None:
        """`point`: 2 whole numbers, 3 tenths, 4 hundredths, 5 thousandths."""
        if not 2 <= point <= self._POINT_OF_THOUSANDTHS:  # noqa: PLR2004 - see the docstring
            return None
        milli = value * 10 ** (self._POINT_OF_THOUSANDTHS - point)
        return _weight(milli, is_negative=is_negative, is_net=is_net)
