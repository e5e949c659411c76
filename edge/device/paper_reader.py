"""Reads ESC/POS bytes as a printer does: papers, cuts, drawer pulses and questions come out.

Pure: the virtual printer feeds it, tests read a receipt back with it.  Unknown commands are
counted, never fatal; every paper and every waiting command has an upper size.  Commands that place
print elsewhere (page mode, margins, absolute positions) are read and not obeyed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.device.escpos_grammar import Charset, Token, next_token
from edge.device.escpos_images import (
    bit_image,
    downloaded_image,
    graphics_image,
    raster_image,
    stored_images,
)
from edge.device.paper import (
    COLUMNS_DEFAULT,
    DOTS_PER_COLUMN,
    Align,
    ImageRow,
    Paper,
    Row,
    Span,
    Style,
    SymbolKind,
    SymbolRow,
    TextRow,
)
from edge.device.paper_mode import Mode
from edge.device.paper_raster import Raster
from shared.kernel.gtin import check_digit

ROWS_MAX = 2000
BUFFER_BYTES_MAX = 1 << 20
_TAB_COLUMNS = 8
_DOTS_PER_ROW = 30
_ALIGNS: tuple[Align, Align, Align] = ("left", "center", "right")
_BARCODE_TERMINATED_MAX = 0x40
_BARCODE_KINDS: dict[int, SymbolKind] = {0x02: "ean13", 0x43: "ean13", 0x03: "ean8", 0x44: "ean8"}
_DIGITS_WITHOUT_CHECK: dict[SymbolKind, int] = {"ean13": 12, "ean8": 7}
_SMALL_DOTS = 9
_IMAGE_ROWS_MAX = 4096
_UTF8 = 2
_GRAPHICS_PRINT = frozenset({2, 50})
_QR, _QR_STORE, _QR_PRINT = b"1", b"P", b"Q"


@dataclass(frozen=True, slots=True)
class DrawerPulse:
    """The drawer socket's `pin` (2 or 5) was energised."""

    pin: int


@dataclass(frozen=True, slots=True)
class SensorQuestion:
    """`GS r n`: the host asks, in order with the print data."""

    n: int


@dataclass(frozen=True, slots=True)
class StatusBack:
    """`GS a n`: from now on the printer tells what changes unasked; 0 ends it, as `ESC @` does."""

    n: int


Happening = Paper | DrawerPulse | SensorQuestion | StatusBack


class PaperInterpreter:
    """Feeds on chunks of a byte stream, cut anywhere; gives what happens on the device.

    `columns` of the normal font fit on its paper, `own_set` is the double-byte set that it knows.
    """

    def __init__(self, columns: int = COLUMNS_DEFAULT, own_set: Charset = "gb18030") -> None:
        self.unknown: Counter[bytes] = Counter()
        self._columns = columns
        self._own_set = own_set
        self._mode = Mode()
        self._buffer = b""
        self._spans: list[Span] = []
        self._used_dots = 0
        self._is_after_image = False
        self._rows: list[Row] = []
        self._happenings: list[Happening] = []
        self._is_telling = False
        self._stored: list[Raster | None] = []
        self._commands = self._text_commands() | self._picture_commands() | self._other_commands()

    def _text_commands(self) -> dict[bytes, Callable[[bytes], None]]:
        return {
            b"\x1b@": self._reset,
            b"\x1b!": self._select_mode,
            b"\x1bE": lambda data: self._restyle(is_bold=bool(data[0] & 1)),
            b"\x1bG": lambda data: self._restyle(is_bold=bool(data[0] & 1)),
            b"\x1b-": lambda data: self._restyle(is_underlined=data[0] % 48 > 0),
            b"\x1bM": lambda data: self._restyle(is_small=data[0] % 48 == 1),
            b"\x1dB": lambda data: self._restyle(is_inverse=bool(data[0] & 1)),
            b"\x1d!": self._select_size,
            b"\x1ba": self._select_align,
            b"\x1bt": lambda data: self._set(page=data[0]),
            b"\x1c&": lambda _: self._set(is_wide=True),
            b"\x1c.": lambda _: self._set(is_wide=False),
            b"\x1cC": lambda data: self._set(is_shift_jis=data[0] % 48 == 1),
            b"\x1c(": self._select_encoding,
            b"\x1c!": self._select_wide_mode,
            b"\x1cW": lambda data: self._set(wide_scale=(1 + (data[0] & 1),) * 2),
        }

    def _picture_commands(self) -> dict[bytes, Callable[[bytes], None]]:
        return {
            b"\x1b*": lambda data: self._picture(bit_image(data)),
            b"\x1dv": lambda data: self._picture(raster_image(data)),
            b"\x1dQ": lambda data: self._picture(raster_image(data)),
            b"\x1d*": lambda data: self._set(downloaded=downloaded_image(data)),
            b"\x1d/": lambda _: self._picture(self._mode.downloaded),
            b"\x1cq": self._store_images,
            b"\x1cp": self._print_stored,
            b"\x1d(": lambda data: self._extended(data[:1], data[3:]),
            b"\x1d8": lambda data: self._extended(data[:1], data[5:]),
            b"\x1dk": self._print_barcode,
            b"\x1bZ": lambda data: self._symbol("qr", data[5:].decode("utf-8", "replace")),
        }

    def _other_commands(self) -> dict[bytes, Callable[[bytes], None]]:
        return {
            b"\x1bd": lambda data: self._feed_rows(data[0]),
            b"\x1bJ": lambda data: self._feed_rows(data[0] // _DOTS_PER_ROW),
            b"\x1bi": self._cut,
            b"\x1bm": self._cut,
            b"\x1dV": self._cut,
            b"\x1bp": lambda data: self._pulse(data[0]),
            b"\x10\x14": lambda data: self._pulse(data[1]) if data[0] == 1 else None,
            b"\x1da": self._set_status_back,
            b"\x1dr": lambda data: self._happenings.append(SensorQuestion(data[0] % 48)),
        }

    def feed(self, data: bytes) -> list[Happening]:
        """Take more bytes; return what they made happen, in order."""
        buffer, at = self._buffer + data, 0
        while at < len(buffer):
            token = next_token(buffer, at, self._mode.charset(self._own_set))
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
        mode = self._mode
        self._is_after_image = False
        width, height = mode.wide_scale
        wide = replace(mode.style, width=width, height=height)
        is_wide_set = mode.charset(self._own_set) != "single"
        for character, cell in mode.characters(data, self._own_set):
            is_own_size = is_wide_set and not character.isascii()
            self._place(character, wide if is_own_size else mode.style, cell)

    def _place(self, character: str, style: Style, cell: int = 1) -> None:
        dots = cell * style.width * (_SMALL_DOTS if style.is_small else DOTS_PER_COLUMN)
        if self._used_dots + dots > self._columns * DOTS_PER_COLUMN and self._used_dots > 0:
            self._end_row(is_forced=True)
        self._used_dots += dots
        last = self._spans[-1] if self._spans else None
        if last is not None and (last.style, last.cell) == (style, cell):
            self._spans[-1] = Span(last.text + character, style, cell)
        else:
            self._spans.append(Span(character, style, cell))

    def _control(self, name: bytes) -> None:
        if name == b"\n":
            # The line feed after a picture ends the picture's own line.
            self._end_row(is_forced=not self._is_after_image)
        elif name == b"\t":
            used = self._used_dots // DOTS_PER_COLUMN
            for _ in range(_TAB_COLUMNS - used % _TAB_COLUMNS):
                self._place(" ", self._mode.style)
        elif name == b"\x0c":
            self._cut(b"")
        elif name not in {b"\r", b"\x00", b"\x18"}:
            self.unknown[name] += 1

    def _end_row(self, *, is_forced: bool) -> None:
        if self._spans or is_forced:
            self._add_row(TextRow(tuple(self._spans), self._mode.align))
        self._spans, self._used_dots, self._is_after_image = [], 0, False

    def _add_row(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) >= ROWS_MAX:
            self._happenings.append(Paper(tuple(self._rows), self._columns, is_cut=False))
            self._rows = []

    def _reset(self, _: bytes) -> None:
        self._mode = Mode()
        self._spans, self._used_dots = [], 0
        if self._is_telling:
            self._set_status_back(b"\x00")

    def _set_status_back(self, data: bytes) -> None:
        self._is_telling = data[0] > 0
        self._happenings.append(StatusBack(data[0]))

    def _select_mode(self, data: bytes) -> None:
        bits = data[0]
        self._set_scale(2 if bits & 0x20 else 1, 2 if bits & 0x10 else 1)
        self._restyle(
            is_bold=bool(bits & 0x08), is_underlined=bool(bits & 0x80), is_small=bool(bits & 0x01)
        )

    def _select_size(self, data: bytes) -> None:
        self._set_scale((data[0] >> 4 & 7) + 1, (data[0] & 7) + 1)

    def _set_scale(self, width: int, height: int) -> None:
        self._mode.style = replace(self._mode.style, width=width, height=height)
        self._mode.wide_scale = (width, height)

    def _select_wide_mode(self, data: bytes) -> None:
        self._mode.wide_scale = (2 if data[0] & 0x04 else 1, 2 if data[0] & 0x08 else 1)

    def _select_encoding(self, data: bytes) -> None:
        """`FS ( C`, function 48: one byte a character, or UTF-8."""
        if data[:1] == b"C" and data[3:4] == b"0" and len(data) > len(b"Cnn0"):
            self._set(is_utf8=data[4] % 48 == _UTF8)

    def _select_align(self, data: bytes) -> None:
        if data[0] % 48 < len(_ALIGNS):
            self._mode.align = _ALIGNS[data[0] % 48]

    def _restyle(self, **changes: bool) -> None:
        self._mode.style = replace(self._mode.style, **changes)

    def _set(self, **registers: object) -> None:
        for name, value in registers.items():
            setattr(self._mode, name, value)

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

    def _picture(self, raster: Raster | None) -> None:
        """Bands of one picture, which printers are sent in pieces, make one row."""
        if raster is None:
            return
        self._end_row(is_forced=False)
        row = ImageRow(raster, self._mode.align)
        last = self._rows[-1] if self._rows else None
        if isinstance(last, ImageRow) and _is_one_picture(last, row):
            self._rows.pop()
            row = replace(last, raster=last.raster.above(raster))
        self._add_row(row)
        self._is_after_image = True

    def _store_images(self, data: bytes) -> None:
        self._stored = stored_images(data)

    def _print_stored(self, data: bytes) -> None:
        if 0 < data[0] <= len(self._stored):
            self._picture(self._stored[data[0] - 1])

    def _print_barcode(self, data: bytes) -> None:
        is_long_form = data[0] > _BARCODE_TERMINATED_MAX
        body = data[2:] if is_long_form else data[1:-1]
        text = body.decode("ascii", errors="replace").removeprefix("{B").replace("{{", "{")
        kind = _BARCODE_KINDS.get(data[0], "barcode")
        if len(text) == _DIGITS_WITHOUT_CHECK.get(kind) and text.isdecimal():
            text += check_digit(text)
        self._symbol(kind, text)

    def _extended(self, family: bytes, body: bytes) -> None:
        """`GS ( k`: QR codes (cn 49) are stored, then printed; `GS ( L`: so are pictures."""
        function = body[1:2]
        if family == b"L" and len(body) > 1:
            if body[1] in _GRAPHICS_PRINT:
                self._picture(self._mode.graphics)
            elif (raster := graphics_image(body)) is not None:
                self._mode.graphics = raster
        elif family == b"k" and body[:1] == _QR and function == _QR_STORE:
            self._mode.qr_data = body[3:].decode("utf-8", errors="replace")
        elif family == b"k" and body[:1] == _QR and function == _QR_PRINT:
            self._symbol("qr", self._mode.qr_data)


def _is_one_picture(above: ImageRow, below: ImageRow) -> bool:
    is_same_shape = (above.raster.width, above.align) == (below.raster.width, below.align)
    return is_same_shape and above.raster.height + below.raster.height <= _IMAGE_ROWS_MAX
