"""Which bytes and how many columns each script gets on each kind of printer."""

import pytest

from edge.device.escpos import Artwork, encode
from edge.device.escpos_profile import PrinterProfile
from edge.device.escpos_text import printable, set_of, struck, text_bytes
from edge.device.metrics import CHARACTERS_LOST
from edge.device.paper import ImageRow, Paper, TextRow
from edge.device.paper_raster import Raster
from edge.device.paper_reader import PaperInterpreter
from shared.sale.columns import spread
from shared.sale.receipt import ReceiptLine

CHINESE = PrinterProfile()
CHINESE_WITH_PAGES = PrinterProfile(pages=(("cp858", 19),))
TAIWANESE = PrinterProfile(encoding="big5")
JAPANESE = PrinterProfile(encoding="cp932")
UNICODE = PrinterProfile(encoding="utf8")
WESTERN = PrinterProfile(encoding="cp858")
AMERICAN = PrinterProfile(encoding="cp437")
MANY_PAGES = PrinterProfile(encoding="cp437", pages=(("cp858", 19), ("cp866", 17)))


@pytest.mark.parametrize(
    ("profile", "text", "shown", "columns"),
    [
        (CHINESE, "￥1 ¥1", "￥1 ￥1", 7),
        (CHINESE, "①０〇", "①０〇", 6),
        (CHINESE, "㐀䶵", "㐀䶵", 4),
        (CHINESE, "Crème ß", "Creme ss", 8),
        (CHINESE_WITH_PAGES, "Crème ¥", "Crème ￥", 8),
        (CHINESE, "Яγ", "Яγ", 4),
        (CHINESE, "ｱ", "ア", 2),
        (TAIWANESE, "合計￥", "合計￥", 6),
        (JAPANESE, "ｱﾊﾟ ア ¥", "ｱﾊﾟ ア ￥", 9),
        (UNICODE, "é合 Я", "é合 Я", 5),
        (WESTERN, "€ é ×", "€ é ×", 5),
        (AMERICAN, "€ １２ “a” – ①", 'EUR 12 "a" - 1', 14),
        (AMERICAN, "〇 ￥", "0 ¥", 3),
        (MANY_PAGES, "Я € ñ", "Я € ñ", 5),
    ],
)
def test_each_character_is_struck_as_it_is_or_in_its_nearest_form(
    profile: PrinterProfile, text: str, shown: str, columns: int
) -> None:
    row = struck(printable(text), set_of(profile))
    assert (row.text, row.columns, row.lost) == (shown, columns, 0)


@pytest.mark.parametrize(
    ("profile", "text", "shown"),
    [
        (CHINESE, "好😀!", "好□!"),
        (CHINESE, "👨\u200d👩\u200d👧", "□"),
        (CHINESE, "👍🏽", "□"),
        (CHINESE, "🇨🇳 1\ufe0f\u20e3", "CN 1"),
        (WESTERN, "合😀", "??"),
        (CHINESE, "\ue000", "□"),
    ],
)
def test_what_no_set_has_stays_visible(profile: PrinterProfile, text: str, shown: str) -> None:
    assert struck(printable(text), set_of(profile)).text == shown


def test_lost_characters_are_counted() -> None:
    before = CHARACTERS_LOST._value.get()
    encode([ReceiptLine("😀😀好")], CHINESE)
    assert CHARACTERS_LOST._value.get() == before + 2


def test_bytes_of_each_set() -> None:
    assert text_bytes("合a", set_of(CHINESE)) == "合a".encode("gb18030")
    assert text_bytes("合a", set_of(TAIWANESE)) == b"\xa6\x58a"
    assert text_bytes("ｱア", set_of(JAPANESE)) == b"\xb1\x83\x41"
    assert text_bytes("é合", set_of(UNICODE)) == "é合".encode()
    assert text_bytes("€", set_of(WESTERN)) == b"\xd5"


def test_a_printer_is_switched_between_its_sets_and_back() -> None:
    assert text_bytes("合é合", set_of(CHINESE_WITH_PAGES)) == (
        "合".encode("gb18030") + b"\x1c.\x1bt\x13\x82" + b"\x1c&" + "合".encode("gb18030")
    )
    assert text_bytes("éЯ", set_of(MANY_PAGES)) == b"\x82\x1bt\x11\x9f\x1bt\x00"


@pytest.mark.parametrize(
    "profile", [CHINESE, CHINESE_WITH_PAGES, TAIWANESE, JAPANESE, UNICODE, WESTERN, AMERICAN]
)
@pytest.mark.parametrize("name", ["Café €", "合计 ¥", "Я", "٣ é ①", "Größe"])
def test_an_amount_stays_at_the_right_edge_whatever_stands_before_it(
    profile: PrinterProfile, name: str
) -> None:
    [paper] = PaperInterpreter(own_set=_own_set(profile)).feed(
        encode([ReceiptLine(spread(name, "12.50", 48))], profile)
    )
    assert isinstance(paper, Paper)
    row = paper.rows[0]
    assert isinstance(row, TextRow)
    assert row.text.endswith("12.50")
    assert row.columns == 48


def _own_set(profile: PrinterProfile):
    return profile.encoding if profile.encoding in {"big5", "cp932"} else "gb18030"


def test_a_row_that_would_break_in_double_size_is_struck_in_normal_size() -> None:
    row = spread("TOTAL", "€1234567.89", 16)
    [paper] = PaperInterpreter(32).feed(
        encode([ReceiptLine(row, scale=2)], PrinterProfile(32, "cp437"))
    )
    assert isinstance(paper, Paper)
    first = paper.rows[0]
    assert isinstance(first, TextRow)
    assert first.text.endswith("EUR1234567.89")
    assert first.spans[0].style.width == 1


def test_letters_that_a_printer_lacks_are_drawn_where_that_is_possible() -> None:
    drawn: list[str] = []

    def draw(line: ReceiptLine, profile: PrinterProfile) -> Raster | None:
        drawn.append(line.text)
        return None if "ไทย" in line.text else Raster(8, 1, b"\xff")

    lines = [ReceiptLine("合计"), ReceiptLine("ไทย"), ReceiptLine("plain é"), ReceiptLine("😀")]
    [paper] = PaperInterpreter().feed(encode(lines, AMERICAN, Artwork(draw=draw)))
    assert isinstance(paper, Paper)
    assert drawn == ["合计", "ไทย"], "accents and emoji are no reason for a picture"
    assert paper.rows[0] == ImageRow(Raster(8, 1, b"\xff"))
    assert paper.text.splitlines()[1] == "???"
