"""What scales send, one by one."""

from __future__ import annotations

import pytest

from edge.device.scale_frames import Frame, LineReader, MettlerReader, ToledoReader


@pytest.mark.parametrize(
    ("data", "frame"),
    [
        (b"\x0200.500\r", Frame("stable", 500)),
        (b"\x02 1.235\r", Frame("stable", 1235)),
        (b"\x0212.34\r", Frame("stable", 12_340)),
        (b"\x0200.750N\r", Frame("stable", 750, is_net=True)),
        (b"\x0200.000\r", Frame("zero")),
        (b"\x02?A\r", Frame("moving")),
        (b"\x02?B\r", Frame("over")),
        (b"\x02?C\r", Frame("over")),
        (b"\x02?D\r", Frame("under")),
        (b"\x02?P\r", Frame("zero")),
        (b"\x02?a\r", Frame("moving", is_net=True)),
        (b"\x02?@\r", Frame("unknown")),
        (b"\x02?\x01\r", Frame("moving")),  # without the bit that others always set
        (b"\x02?\x02\r", Frame("over")),  # the status of which is an STX
        (b"\x02?\x00\r", Frame("unknown")),
        (b"\x02?A?\r", None),
        (b"\x020.5\r", None),
        (b"\x02-0.500\r", None),
        (b"\x0200.500kg\r", None),
        (b"\x02" + b" " * 80, None),
        (b"\x0200.5\x0200.500\r", None),
    ],
)
def test_a_toledo_answer(data: bytes, frame: Frame | None) -> None:
    assert ToledoReader().feed(data)[0] == frame


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ("ST,GS,+  0.500kg", Frame("stable", 500)),
        ("ST,GS, 0001.235kg", Frame("stable", 1235)),
        ("ST,NT,+  0.750 kg", Frame("stable", 750, is_net=True)),
        ("ST,+0000500  g", Frame("stable", 500)),
        ("ST,GS,\x31\x40,   0.500 kg", Frame("stable", 500)),
        ("st,gs,  0.500,KG", Frame("stable", 500)),
        ("US,GS,+  0.498kg", Frame("moving")),
        ("OL,GS,+ 99.999kg", Frame("over")),
        ("OL,GS,-  0.100kg", Frame("under")),
        ("OL,GS,+--------kg", Frame("over")),
        ("ST,GS,-  0.040kg", Frame("under")),
        ("ST,GS,+  0.000kg", Frame("zero")),
        ("ST,GS,+  0.500lb", None),
        ("ST,+000050.5  g", None),
        ("QT,+00012345PC", None),
        ("GS,+  0.500kg", None),
        ("ST,GS,+  0.5", None),
        ("ST,GS,+" + " " * 90 + "0.500kg", None),
    ],
)
def test_a_line_of_the_text_stream(text: str, frame: Frame | None) -> None:
    half, *found = LineReader("kg").feed(b".500kg\r" + text.encode() + b"\r\n")
    assert half is None  # the stream was heard from the middle of a line on
    assert found == [frame]


@pytest.mark.parametrize(
    ("frame", "found"),
    [
        (b"\x02\x2d\x30\x20  1235     0\r", Frame("stable", 1235)),
        (b"\x02\x2c\x30\x20   123     0\r", Frame("stable", 1230)),
        (b"\x02\x2d\x31\x20   750   250\r", Frame("stable", 750, is_net=True)),
        (b"\x02\x2d\x38\x20  1235     0\r", Frame("moving")),
        (b"\x02\x2d\x34\x20 15050     0\r", Frame("over")),
        (b"\x02\x2d\x36\x20    10     0\r", Frame("under")),
        (b"\x02\x2d\x32\x20    40     0\r", Frame("under")),
        (b"\x02\x2d\x70\x20     5     0\r", Frame("moving")),  # no zero since it was switched on
        (b"\x02\x2d\x30\x20     0     0\r", Frame("zero")),
        (b"\x02\x2d\x20\x20  1235     0\r", None),  # pounds
        (b"\x02\x2d\x30\x21  1235     0\r", None),  # grams
        (b"\x02\x2d\x30\x30  1235     0\r", None),  # tenfold
        (b"\x02\x2e\x30\x20  1235     0\r", None),  # ten-thousandths
        (b"\x02\x2d\x30\x20  12.5     0\r", None),
        (b"\x02\x0d\x30\x20  1235     0\r", None),
    ],
)
def test_a_continuous_frame(frame: bytes, found: Frame | None) -> None:
    assert MettlerReader("kg").feed(frame + b"\x02") == [found]


def test_a_check_byte_that_looks_like_the_start_of_a_frame_spoils_no_weight() -> None:
    frames = (b"\x02\x2d\x30\x20%6d     0\r" % milli for milli in range(100, 15_000))
    frame = next(each for each in frames if (sum(each) + 2) & 0x7F == 0)
    found = MettlerReader("kg").feed((frame + b"\x02") * 3 + frame + b"\x02")
    assert len(found) >= 3
    assert len({*found}) == 1
    assert None not in found


def test_a_toledo_s_lost_digit_is_no_other_weight() -> None:
    reader = ToledoReader()
    assert reader.feed(b"\x0201.234\r") == [Frame("stable", 1234)]
    for damaged in (b"0.234", b"1.234", b"01.34", b"01.23", b"011.234"):
        assert reader.feed(b"\x02" + damaged + b"\r") == [None]
    assert reader.feed(b"\x0200.750N\r") == [Frame("stable", 750, is_net=True)]
