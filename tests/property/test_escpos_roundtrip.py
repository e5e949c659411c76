from hypothesis import given
from hypothesis import strategies as st

from edge.device.escpos import PrinterProfile, encode, printable
from edge.device.paper import Paper, TextRow, columns_of
from edge.device.paper_reader import PaperInterpreter
from shared.sale.receipt import Align, ReceiptLine

_COLUMNS = 48
_CHARACTERS = st.one_of(
    st.characters(min_codepoint=32, max_codepoint=126),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5),
    st.sampled_from("￥①€。，（）€ééß\U0001f600"),
)


@st.composite
def _lines(draw: st.DrawFn) -> ReceiptLine:
    scale = draw(st.sampled_from([1, 2]))
    text = printable(draw(st.text(_CHARACTERS, max_size=30)))
    while columns_of(text) * scale > _COLUMNS:
        text = text[:-1]
    return ReceiptLine(text, draw(st.sampled_from(Align)), draw(st.booleans()), scale)


@given(st.lists(_lines(), min_size=1, max_size=12), st.integers(1, 64))
def test_what_is_encoded_stands_on_the_paper(lines: list[ReceiptLine], chunk: int) -> None:
    data = encode(lines, PrinterProfile(_COLUMNS))
    reader = PaperInterpreter(_COLUMNS)
    happenings = [
        happening
        for start in range(0, len(data), chunk)
        for happening in reader.feed(data[start : start + chunk])
    ]
    [paper] = happenings
    assert isinstance(paper, Paper)
    rows = [row for row in paper.rows if isinstance(row, TextRow)][: len(lines)]
    assert [row.text for row in rows] == [line.text for line in lines]
    assert [row.align for row in rows] == [line.align.value for line in lines]
    for row, line in zip(rows, lines, strict=True):
        wanted = (line.bold, line.scale, line.scale)
        assert {(s.style.is_bold, s.style.width, s.style.height) for s in row.spans} <= {wanted}
    assert not reader.unknown


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_break_the_reader(chunks: list[bytes]) -> None:
    reader = PaperInterpreter()
    for chunk in chunks:
        for happening in reader.feed(chunk):
            if isinstance(happening, Paper):
                assert happening.text is not None
    reader.tear_off()
