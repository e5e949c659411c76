"""What is encoded for a printer stands on its paper, whatever scripts are mixed."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.device.escpos import PrinterProfile, encode, printable
from edge.device.escpos_profile import CODE_PAGES
from edge.device.escpos_text import set_of, struck
from edge.device.paper import Paper, TextRow
from edge.device.paper_reader import PaperInterpreter
from shared.sale.receipt import Align, ReceiptLine

_WESTERN = (("cp858", 19), ("cp866", 17), ("iso8859-7", 15))
PROFILES = {
    "gb18030": PrinterProfile(48, "gb18030"),
    "gb18030 58 mm": PrinterProfile(32, "gb18030", pages=(("cp858", 19),)),
    "big5": PrinterProfile(48, "big5", pages=_WESTERN),
    "cp932": PrinterProfile(42, "cp932", pages=(("cp1252", 16),), dots=512),
    "utf8": PrinterProfile(48, "utf8"),
    "cp437": PrinterProfile(42, "cp437", dots=512),
    "western": PrinterProfile(32, "cp437", pages=_WESTERN),
    "small font": PrinterProfile(64, "cp858", font="b", dots=576),
}
_CHARACTERS = st.one_of(
    st.characters(min_codepoint=32, max_codepoint=126),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
    st.characters(min_codepoint=0x3400, max_codepoint=0x4DB5),
    st.characters(min_codepoint=0xA0, max_codepoint=0x24F),
    st.characters(min_codepoint=0x370, max_codepoint=0x45F),
    st.characters(min_codepoint=0x3041, max_codepoint=0x30FF),
    st.characters(min_codepoint=0xFF01, max_codepoint=0xFF9F),
    st.characters(min_codepoint=0x2010, max_codepoint=0x27BF),
    st.sampled_from("￥¥①€。，（）〇０９ﾊﾟกำا\u0301\ufe0f\u200d\U0001f600"),
    st.characters(),
)


@st.composite
def _lines(draw: st.DrawFn) -> ReceiptLine:
    scale = draw(st.sampled_from([1, 2]))
    text = draw(st.text(_CHARACTERS, max_size=14 // scale))
    return ReceiptLine(text, draw(st.sampled_from(Align)), draw(st.booleans()), scale)


@pytest.mark.parametrize("name", PROFILES)
@given(st.lists(_lines(), min_size=1, max_size=6), st.integers(1, 64))
def test_what_is_encoded_stands_on_the_paper(
    name: str, lines: list[ReceiptLine], chunk: int
) -> None:
    profile = PROFILES[name]
    data = encode(lines, profile)
    reader = _reader(profile)
    [paper] = [
        happening
        for start in range(0, len(data), chunk)
        for happening in reader.feed(data[start : start + chunk])
    ]
    assert isinstance(paper, Paper)
    rows = [row for row in paper.rows if isinstance(row, TextRow)][: len(lines)]
    wanted = [struck(printable(line.text), set_of(profile)) for line in lines]
    assert [row.text for row in rows] == [each.text for each in wanted]
    assert [row.characters for row in rows] == [each.columns for each in wanted]
    for row, line in zip(rows, lines, strict=True):
        style = (line.bold, line.scale, line.scale, profile.font == "b")
        struck_styles = {
            (s.style.is_bold, s.style.width, s.style.height, s.style.is_small) for s in row.spans
        }
        assert struck_styles <= {style}
        assert row.align == line.align.value
    assert not reader.unknown


@pytest.mark.parametrize("page", CODE_PAGES)
def test_a_code_page_strikes_all_its_letters_one_column_wide(page: str) -> None:
    profile = PrinterProfile(48, page)
    letters = [bytes((byte,)).decode(page, errors="ignore") for byte in range(0x80, 0x100)]
    text = "".join(each for each in letters if each and unicodedata.category(each)[0] in "LNS")
    assert text
    kept = struck(text := printable(text), set_of(profile))
    assert (kept.text, kept.columns, kept.lost) == (text, len(text), 0)
    [paper] = _reader(PrinterProfile(192, page)).feed(
        encode([ReceiptLine(text)], PrinterProfile(192, page))
    )
    assert isinstance(paper, Paper)
    assert paper.text.splitlines()[0] == text


def _reader(profile: PrinterProfile) -> PaperInterpreter:
    own_set = profile.encoding if profile.encoding in {"big5", "cp932"} else "gb18030"
    return PaperInterpreter(profile.paper_dots // 12, own_set)


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_break_the_reader(chunks: list[bytes]) -> None:
    reader = PaperInterpreter()
    for chunk in chunks:
        for happening in reader.feed(chunk):
            if isinstance(happening, Paper):
                assert happening.text is not None
    reader.tear_off()
