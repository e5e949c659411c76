import pytest

from edge.device import printer_status
from edge.device.ports import PrinterCondition

CONDITIONS: list[PrinterCondition] = ["ok", "paper_low", "paper_out", "cover_open", "offline"]


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
        ({1: 0x1A, 2: 0x52, 4: 0x12}, "offline"),
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
