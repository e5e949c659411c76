"""The status bytes of an ESC/POS printer, read and made (Epson: `DLE EOT n`, `GS r 1`)."""

from __future__ import annotations

from collections.abc import Mapping

from edge.device.ports import PrinterCondition

ASK_PRINTER, ASK_OFFLINE_CAUSE, ASK_PAPER = 1, 2, 4
QUESTIONS = (ASK_PRINTER, ASK_OFFLINE_CAUSE, ASK_PAPER)
IN_ORDER_QUESTION = b"\x1dr\x01"
"""`GS r 1`: answered only when everything sent before it has been worked through."""

_REALTIME_FIXED_MASK, _REALTIME_FIXED = 0x93, 0x12
_IN_ORDER_FIXED_MASK = 0x90
_IS_OFFLINE, _IS_COVER_OPEN, _IS_PAPER_STOP = 0x08, 0x04, 0x20
_IS_PAPER_LOW, _IS_PAPER_OUT = 0x0C, 0x60
_IS_PAPER_OUT_IN_ORDER = 0x0C
_IS_PAPER_LOW_IN_ORDER = 0x03


def question(n: int) -> bytes:
    """`DLE EOT n`, answered at once even while the printer is offline."""
    return bytes((0x10, 0x04, n))


def is_realtime_answer(byte: int) -> bool:
    """Tell an answer to `DLE EOT` from other bytes a printer may send."""
    return byte & _REALTIME_FIXED_MASK == _REALTIME_FIXED


def is_in_order_answer(byte: int) -> bool:
    """Tell an answer to `GS r` from an answer to `DLE EOT`."""
    return byte & _IN_ORDER_FIXED_MASK == 0


def condition_of(answers: Mapping[int, int]) -> PrinterCondition:
    """Condition from the answers to QUESTIONS; the cause that stops printing comes first."""
    offline_cause, paper = answers[ASK_OFFLINE_CAUSE], answers[ASK_PAPER]
    if offline_cause & _IS_COVER_OPEN:
        return "cover_open"
    if paper & _IS_PAPER_OUT or offline_cause & _IS_PAPER_STOP:
        return "paper_out"
    if answers[ASK_PRINTER] & _IS_OFFLINE:
        return "offline"
    return "paper_low" if paper & _IS_PAPER_LOW else "ok"


def realtime_answer(n: int, condition: PrinterCondition) -> int:
    """Byte that a printer in `condition` answers to `DLE EOT n`."""
    bits = 0
    if n == ASK_PRINTER and condition in {"paper_out", "cover_open", "offline"}:
        bits = _IS_OFFLINE
    elif n == ASK_OFFLINE_CAUSE:
        bits = {"cover_open": _IS_COVER_OPEN, "paper_out": _IS_PAPER_STOP}.get(condition, 0)
    elif n == ASK_PAPER:
        bits = {"paper_low": _IS_PAPER_LOW, "paper_out": _IS_PAPER_OUT | _IS_PAPER_LOW}.get(
            condition, 0
        )
    return _REALTIME_FIXED | bits


def in_order_answer(condition: PrinterCondition) -> int:
    """Byte that a printer in `condition` answers to `GS r 1`."""
    if condition == "paper_out":
        return _IS_PAPER_OUT_IN_ORDER
    return _IS_PAPER_LOW_IN_ORDER if condition == "paper_low" else 0
