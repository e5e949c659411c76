"""The status bytes of an ESC/POS printer, read and made.

Three kinds come on one line and are told apart by their fixed bits: answers to `DLE EOT n` (at
once, even while offline), answers to `GS r n` (in the order of what was sent), and the four bytes
that a printer pushes by itself after `GS a n` (Automatic Status Back).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from edge.device.ports import PrinterCondition

ASK_PRINTER, ASK_OFFLINE_CAUSE, ASK_ERROR, ASK_PAPER = 1, 2, 3, 4
QUESTIONS = (ASK_PRINTER, ASK_OFFLINE_CAUSE, ASK_PAPER)
"""Asked each time; `ASK_ERROR` only tells errors apart, and cheap printers do not know it."""
IN_ORDER_QUESTION = b"\x1dr\x01"
"""`GS r 1`: answered only when everything sent before it has been worked through."""
PUSH_ALL = b"\x1da\x0f"
"""`GS a 15`: tell drawer, being online, errors and paper by itself, until `ESC @`."""

_REALTIME_FIXED_MASK, _REALTIME_FIXED = 0x93, 0x12
_IN_ORDER_FIXED_MASK = 0x90
_PUSHED_FIXED = 0x10
_PUSHED_BYTES = 4
_IS_DRAWER_HIGH = 0x04
_IS_OFFLINE, _IS_COVER_OPEN, _IS_PAPER_STOP, _IS_ERROR = 0x08, 0x04, 0x20, 0x40
_IS_PAPER_LOW, _IS_PAPER_OUT = 0x0C, 0x60
_IS_PAPER_OUT_IN_ORDER = 0x0C
_IS_PAPER_LOW_IN_ORDER = 0x03
_IS_COVER_OPEN_PUSHED = 0x20
_IS_ERROR_PUSHED = 0x6C
_STOPPED: frozenset[PrinterCondition] = frozenset({"paper_out", "cover_open", "offline", "error"})

Kind = Literal["realtime", "in_order", "pushed"]


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer, or the four bytes of one pushed status."""

    kind: Kind
    data: bytes


class StatusReader:
    """Cuts what a printer says into answers; other bytes are dropped."""

    def __init__(self) -> None:
        self._pushed = b""

    def feed(self, data: bytes) -> list[Heard]:
        """Return what is complete, in order."""
        return [heard for byte in data for heard in self._take(byte)]

    def _take(self, byte: int) -> Sequence[Heard]:
        one = bytes((byte,))
        if is_realtime_answer(byte):  # may come between two bytes of a pushed status
            return (Heard("realtime", one),)
        if byte & _REALTIME_FIXED_MASK == _PUSHED_FIXED:
            self._pushed = one
            return ()
        if not is_in_order_answer(byte):
            self._pushed = b""
            return ()
        if not self._pushed:
            return (Heard("in_order", one),)
        self._pushed += one
        if len(self._pushed) < _PUSHED_BYTES:
            return ()
        whole, self._pushed = self._pushed, b""
        return (Heard("pushed", whole),)


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
    if offline_cause & _IS_ERROR:
        return "error"
    if answers[ASK_PRINTER] & _IS_OFFLINE:
        return "offline"
    return "paper_low" if paper & _IS_PAPER_LOW else "ok"


def condition_pushed(status: bytes) -> PrinterCondition:
    """Condition from the four bytes of a pushed status."""
    printer, errors, paper = status[0], status[1], status[2]
    if printer & _IS_COVER_OPEN_PUSHED:
        return "cover_open"
    if paper & _IS_PAPER_OUT_IN_ORDER:
        return "paper_out"
    if errors & _IS_ERROR_PUSHED:
        return "error"
    if printer & _IS_OFFLINE:
        return "offline"
    return "paper_low" if paper & _IS_PAPER_LOW_IN_ORDER else "ok"


def is_drawer_high(first_byte: int) -> bool:
    """Level of the drawer socket's pin 3, in the answer to question 1 or a status's first byte."""
    return bool(first_byte & _IS_DRAWER_HIGH)


def realtime_answer(n: int, condition: PrinterCondition, *, is_drawer_high: bool = False) -> int:
    """Byte that a printer in `condition` answers to `DLE EOT n`."""
    bits = 0
    if n == ASK_PRINTER:
        bits = _IS_OFFLINE if condition in _STOPPED else 0
        bits |= _IS_DRAWER_HIGH if is_drawer_high else 0
    elif n == ASK_OFFLINE_CAUSE:
        causes: dict[PrinterCondition, int] = {
            "cover_open": _IS_COVER_OPEN,
            "paper_out": _IS_PAPER_STOP,
            "error": _IS_ERROR,
        }
        bits = causes.get(condition, 0)
    elif n == ASK_ERROR:
        bits = _IS_OFFLINE if condition == "error" else 0
    elif n == ASK_PAPER:
        papers: dict[PrinterCondition, int] = {
            "paper_low": _IS_PAPER_LOW,
            "paper_out": _IS_PAPER_OUT | _IS_PAPER_LOW,
        }
        bits = papers.get(condition, 0)
    return _REALTIME_FIXED | bits


def in_order_answer(condition: PrinterCondition) -> int:
    """Byte that a printer in `condition` answers to `GS r 1`."""
    if condition == "paper_out":
        return _IS_PAPER_OUT_IN_ORDER
    return _IS_PAPER_LOW_IN_ORDER if condition == "paper_low" else 0


def pushed_status(condition: PrinterCondition, *, is_drawer_high: bool = False) -> bytes:
    """The four bytes that a printer in `condition` pushes."""
    first = _PUSHED_FIXED
    first |= _IS_OFFLINE if condition in _STOPPED else 0
    first |= _IS_COVER_OPEN_PUSHED if condition == "cover_open" else 0
    first |= _IS_DRAWER_HIGH if is_drawer_high else 0
    errors = _IS_OFFLINE if condition == "error" else 0
    return bytes((first, errors, in_order_answer(condition), 0))
