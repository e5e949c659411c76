from edge.device.drawer import pulse
from edge.device.paper import ImageRow, Paper, TextRow
from edge.device.paper_reader import (
    BUFFER_BYTES_MAX,
    ROWS_MAX,
    DrawerPulse,
    PaperInterpreter,
    SensorQuestion,
)


def test_pulses_name_their_pin() -> None:
    reader = PaperInterpreter()
    happenings = reader.feed(pulse(2) + pulse(5) + pulse(5, is_realtime=True))
    assert happenings == [DrawerPulse(2), DrawerPulse(5), DrawerPulse(5)]


def test_a_sensor_question_keeps_its_place() -> None:
    happenings = PaperInterpreter().feed(b"a\n\x1dV\x00\x1dr\x01")
    assert [type(each) for each in happenings] == [Paper, SensorQuestion]


def test_a_long_row_wraps_where_paper_ends() -> None:
    reader = PaperInterpreter(columns=10)
    [paper] = reader.feed(b"\x1c&" + "一二三四五六\n".encode("gb18030") + b"\x1dV\x00")
    assert isinstance(paper, Paper)
    assert paper.text == "一二三四五\n六"


def test_unknown_commands_are_counted_and_the_text_goes_on() -> None:
    reader = PaperInterpreter()
    [paper] = reader.feed(b"\x1b\x7fone\n\x1d\x02two\n\x1dV\x00")
    assert isinstance(paper, Paper)
    assert paper.text == "one\ntwo"
    assert reader.unknown.total() == 2


def test_an_image_is_one_row_whatever_bytes_it_holds() -> None:
    raster = b"\x1dv0\x00\x02\x00\x03\x00" + b"\x1b@\n\x1dV\x00"
    [paper] = PaperInterpreter().feed(raster[:14] + b"\x1dV\x00")
    assert isinstance(paper, Paper)
    assert [type(row) for row in paper.rows] == [ImageRow]


def test_broken_chinese_bytes_show_as_replacement_characters() -> None:
    [paper] = PaperInterpreter().feed(b"\x1c&\xb0\x20\xffA\n\x1dV\x00")
    assert isinstance(paper, Paper)
    assert paper.text == "\ufffd \ufffdA"


def test_feeds_and_tabs_move_the_paper() -> None:
    [paper] = PaperInterpreter().feed(b"a\tb\x1bd\x02c\n\x1dV\x00")
    assert isinstance(paper, Paper)
    assert [row.text for row in paper.rows if isinstance(row, TextRow)] == ["a       b", "", "c"]


def test_a_roll_without_a_cut_has_an_end() -> None:
    happenings = PaperInterpreter().feed(b"\n" * (ROWS_MAX + 5))
    assert [type(each) for each in happenings] == [Paper]


def test_a_command_that_never_ends_is_given_up() -> None:
    reader = PaperInterpreter()
    assert reader.feed(b"\x1dk\x02" + b"1" * (BUFFER_BYTES_MAX + 1)) == []
    [paper] = reader.feed(b"ok\n\x1dV\x00")
    assert isinstance(paper, Paper)
    assert paper.text == "ok"
    assert reader.unknown.total() == 1
