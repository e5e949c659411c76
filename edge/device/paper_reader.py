"""Reads ESC/POS bytes as a printer does: papers, cuts, drawer pulses and questions come out.

Pure: the virtual printer feeds it, tests read a receipt back with it.  Unknown commands are
counted, never fatal; every paper and every waiting command has an upper size.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import groupby

from edge.device.escpos_grammar import Token, next_token
from edge.device.paper import (
    COLUMNS_DEFAULT,
    Align,
    Paper,
    Row,
    Span,
    Style,
    SymbolKind,
    SymbolRow,
    TextRow,
    columns_of,
)

ROWS_MAX = 2000
BUFFER_BYTES_MAX = 1 << 20
_TAB_COLUMNS = 8
_DOTS_PER_ROW = 30
_ALIGNS: tuple[Align, Align, Align] = ("left", "center", "right")
_BARCODE_TERMINATED_MAX = 0x40
_BARCODE_EAN13 = frozenset({0x02, 0x43})


@dataclass(frozen=True, slots=True)
class DrawerPulse:
    """The drawer socket's `pin` (2 or 5) was energised."""

    pin: int


@dataclass(frozen=True, slots=True)
class SensorQuestion:
    """`GS r n`: the host asks, in order with the print data."""

    n: int


Happening = Paper | DrawerPulse | SensorQuestion


@dataclass(slots=True)
class _Mode:
    """The printer's registers, as `ESC @` leaves them."""

    is_chinese: bool = False
    align: Align = "left"
    style: Style = field(default_factory=Style)
    han_scale: tuple[int, int] = (1, 1)
    qr_data: str = ""


class PaperInterpreter:
    """Feeds on chunks of a byte stream, cut anywhere; gives what happens on the device."""

    def __init__(self, columns: int = COLUMNS_DEFAULT) -> None:
        self.unknown: Counter[bytes] = Counter()
        self._columns = columns
        self._mode = _Mode()
        self._buffer = b""
        self._spans: list[Span] = []
        self._used = 0
        self._rows: list[Row] = []
        self._happenings: list[Happening] = []
        self._commands: dict[bytes, Callable[[bytes], None]] = {
            b"\x1b@": self._reset,
            b"\x1b!": self._select_mode,
            b"\x1ba": self._select_align,
            b"\x1bE": lambda data: self._restyle(is_bold=bool(data[0] & 1)),
            b"\x1bG": lambda data: self._restyle(is_bold=bool(data[0] & 1)),
            b"\x1b-": lambda data: self._restyle(is_underlined=data[0] % 48 > 0),
            b"\x1bd": lambda data: self._feed_rows(data[0]),
            b"\x1bJ": lambda data: self._feed_rows(data[0] // _DOTS_PER_ROW),
            b"\x1bi": self._cut,
            b"\x1bm": self._cut,
            b"\x1bp": lambda data: self._pulse(data[0]),
            b"\x1b*": lambda data: self._symbol("image", f"{len(data)} bytes"),
            b"\x1d!": self._select_size,
            b"\x1dB": lambda data: self._restyle(is_inverse=bool(data[0] & 1)),
            b"\x1dV": self._cut,
            b"\x1dk": self._print_barcode,
            b"\x1d(": self._extended,
            b"\x1dv": lambda data: self._symbol("image", f"{len(data)} bytes"),
            b"\x1dr": lambda data: self._happenings.append(SensorQuestion(data[0] % 48)),
            b"\x1c&": lambda _: self._set_chinese(is_on=True),
            b"\x1c.": lambda _: self._set_chinese(is_on=False),
            b"\x1c!": self._select_han_mode,
            b"\x10\x14": lambda data: self._pulse(data[1]) if data[0] == 1 else None,
        }

    def feed(self, data: bytes) -> list[Happening]:
        """Take more bytes; return what they made happen, in order."""
        buffer, at = self._buffer + data, 0
        while at < len(buffer):
            token = next_token(buffer, at, is_chinese=self._mode.is_chinese)
            if token is None:
                break
            at += token.size
            self._take(token)
        self._buffer = buffer[at:]
        if len(self._buffer) > BUFFER_BYTES_MAX:
            self.unknown[self._buffer[:2]] += 1
            self._buffer = b""
        happenings, self._happenings = self._happenings, []
        return happenings

    def tear_off(self) -> Paper | None:
        """Return what was printed since the last cut, as a person tears it off; None if blank."""
        self._end_row(is_forced=False)
        rows, self._rows = tuple(self._rows), []
        return Paper(rows, self._columns, is_cut=False) if rows else None

    def _take(self, token: Token) -> None:
        if token.kind == "text":
            self._write(token.data)
        elif token.kind == "control":
            self._control(token.name)
        elif token.kind == "unknown":
            self.unknown[token.name] += 1
        elif (command := self._commands.get(token.name)) is not None:
            command(token.data)

    def _write(self, data: bytes) -> None:
        text = data.decode("gb18030" if self._mode.is_chinese else "cp437", errors="replace")
        for is_ascii, run in groupby(text, key=str.isascii):
            style = self._mode.style
            if not is_ascii and self._mode.is_chinese:
                width, height = self._mode.han_scale
                style = replace(style, width=width, height=height)
            self._place("".join(run), style)

    def _place(self, text: str, style: Style) -> None:
        start = 0
        for at, character in enumerate(text):
            cells = columns_of(character) * style.width
            if self._used + cells > self._columns and self._used > 0:
                self._add_span(text[start:at], style)
                self._end_row(is_forced=True)
                start = at
            self._used += cells
        self._add_span(text[start:], style)

    def _add_span(self, text: str, style: Style) -> None:
        if not text:
            return
        if self._spans and self._spans[-1].style == style:
            text = self._spans.pop().text + text
        self._spans.append(Span(text, style))

    def _control(self, name: bytes) -> None:
        if name == b"\n":
            self._end_row(is_forced=True)
        elif name == b"\t":
            self._place(" " * (_TAB_COLUMNS - self._used % _TAB_COLUMNS), self._mode.style)
        elif name == b"\x0c":
            self._cut(b"")
        elif name not in {b"\r", b"\x00"}:
            self.unknown[name] += 1

    def _end_row(self, *, is_forced: bool) -> None:
        if self._spans or is_forced:
            self._add_row(TextRow(tuple(self._spans), self._mode.align))
        self._spans, self._used = [], 0

    def _add_row(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS_MAX:
            self._happenings.append(Paper(tuple(self._rows), self._columns, is_cut=False))
            self._rows = []

    def _reset(self, _: bytes) -> None:
        self._mode = _Mode()
        self._spans, self._used = [], 0

    def _select_mode(self, data: bytes) -> None:
        bits = data[0]
        self._set_scale(2 if bits & 0x20 else 1, 2 if bits & 0x10 else 1)
        self._restyle(is_bold=bool(bits & 0x08), is_underlined=bool(bits & 0x80))

    def _select_size(self, data: bytes) -> None:
        self._set_scale((data[0] >> 4 & 7) + 1, (data[0] & 7) + 1)

    def _set_scale(self, width: int, height: int) -> None:
        self._mode.style = replace(self._mode.style, width=width, height=height)
        self._mode.han_scale = (width, height)

    def _select_han_mode(self, data: bytes) -> None:
        self._mode.han_scale = (2 if data[0] & 0x04 else 1, 2 if data[0] & 0x08 else 1)

    def _select_align(self, data: bytes) -> None:
        if data[0] % 48 < len(_ALIGNS):
            self._mode.align = _ALIGNS[data[0] % 48]

    def _restyle(self, **changes: bool) -> None:
        self._mode.style = replace(self._mode.style, **changes)

    def _set_chinese(self, *, is_on: bool) -> None:
        self._mode.is_chinese = is_on

    def _feed_rows(self, count: int) -> None:
        blank = count - 1 if self._spans else count
        self._end_row(is_forced=False)
        for _ in range(max(blank, 0)):
            self._add_row(TextRow())

    def _cut(self, _: bytes) -> None:
        self._end_row(is_forced=False)
        if self._rows:
            self._happenings.append(Paper(tuple(self._rows), self._columns))
        self._rows = []

    def _pulse(self, connector: int) -> None:
        self._happenings.append(DrawerPulse(5 if connector % 48 == 1 else 2))

    def _symbol(self, kind: SymbolKind, data: str) -> None:
        self._end_row(is_forced=False)
        self._add_row(SymbolRow(kind, data, self._mode.align))

    def _print_barcode(self, data: bytes) -> None:
        is_long_form = data[0] > _BARCODE_TERMINATED_MAX
        body = data[2:] if is_long_form else data[1:-1]
        text = body.decode("ascii", errors="replace")
        kind: SymbolKind = "ean13" if data[0] in _BARCODE_EAN13 else "barcode"
        self._symbol(kind, text.removeprefix("{B"))

    def _extended(self, data: bytes) -> None:
        """`GS ( k` with cn 49 is a QR code: function 80 stores its text, function 81 prints it."""
        if data[:1] != b"k" or data[3:4] != b"1":
            return
        if data[4:5] == b"P":
            self._mode.qr_data = data[6:].decode("utf-8", errors="replace")
        elif data[4:5] == b"Q":
            self._symbol("qr", self._mode.qr_data)
