import pytest

from edge.device import printer_status
from edge.device.ports import PrinterCondition

CONDITIONS: list[PrinterCondition] = [
    "ok",
    "paper_low",
    "paper_out",
    "cover_open",
    "error",
    "offline",
]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_survives_question_and_answer(condition: PrinterCondition) -> None:
    answers = {n: printer_status.realtime_answer(n, condition) for n in printer_status.QUESTIONS}
    assert printer_status.condition_of(answers) == condition


@pytest.mark.parametrize(
    ("answers", "condition"),
    [
        ({1: 0x12, 2: 0x12, 4: 0x12}, "ok"),
        ({1: 0x12, 2: 0x12, 4: 0x1E}, "paper_low"),
        ({1: 0x1A, 2: 0x32, 4: 0x7E}, "paper_out"),
        ({1: 0x1A, 2: 0x16, 4: 0x12}, "cover_open"),
        ({1: 0x1A, 2: 0x16, 4: 0x7E}, "cover_open"),
        ({1: 0x1A, 2: 0x52, 4: 0x12}, "error"),
        ({1: 0x1A, 2: 0x12, 4: 0x12}, "offline"),
    ],
)
def test_bytes_of_real_printers(answers: dict[int, int], condition: str) -> None:
    assert printer_status.condition_of(answers) == condition


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_two_kinds_of_answers_are_never_confused(condition: PrinterCondition) -> None:
    in_order = printer_status.in_order_answer(condition)
    assert printer_status.is_in_order_answer(in_order)
    assert not printer_status.is_realtime_answer(in_order)
    for n in printer_status.QUESTIONS:
        answer = printer_status.realtime_answer(n, condition)
        assert printer_status.is_realtime_answer(answer)
        assert not printer_status.is_in_order_answer(answer)


@pytest.mark.parametrize("is_high", [False, True])
@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_pushed_status_tells_what_a_question_would(
    condition: PrinterCondition, is_high: bool
) -> None:
    pushed = printer_status.pushed_status(condition, is_drawer_high=is_high)
    assert printer_status.condition_pushed(pushed) == condition
    assert printer_status.is_drawer_high(pushed[0]) is is_high
    answer = printer_status.realtime_answer(1, condition, is_drawer_high=is_high)
    assert printer_status.is_drawer_high(answer) is is_high


def test_three_kinds_of_answers_are_cut_out_of_one_stream_however_it_is_cut() -> None:
    """A real-time answer may even come between the bytes of a pushed status."""
    pushed = printer_status.pushed_status("paper_low")
    told = b"\x12" + pushed[:2] + b"\x1e" + pushed[2:] + b"\x03" + b"\xff\x80" + pushed
    wanted = ["realtime", "realtime", "pushed", "in_order", "pushed"]
    for cut in range(len(told) + 1):
        reader = printer_status.StatusReader()
        heard = reader.feed(told[:cut]) + reader.feed(told[cut:])
        assert [each.kind for each in heard] == wanted
        assert heard[2].data == heard[4].data == pushed


def test_half_a_pushed_status_is_forgotten_when_another_begins() -> None:
    reader = printer_status.StatusReader()
    pushed = printer_status.pushed_status("cover_open")
    [heard] = reader.feed(pushed[:2] + pushed)
    assert heard.data == pushed
