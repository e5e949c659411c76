"""Goods that come back: what they refund, and what an exchange then costs. Pure.

A return needs the sold lines and no offers: each line carries what was paid for it, so it gives
back the paid share, rounded on the sum of all its returns. Returned goods are no goods of the
new basket: they count for no offer and share none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.quantity import ONE_MILLI
from shared.price.refund import refund_minor
from shared.sale.transaction import RetailTransaction, SoldLine


@dataclass(frozen=True, slots=True)
class ReturnWish:
    """So much of one sold line shall come back, in thousandths."""

    n: int
    qty_milli: int


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """A part of a sold line that came back (ARTS SaleReturnLineItem); the tax is in the refund."""

    receipt_no: str
    n: int
    gtin: str
    qty_milli: int
    refund_minor: int
    tax_bp: int = 0
    tax_minor: int = 0


def return_lines(
    sale: RetailTransaction, wishes: Iterable[ReturnWish], returned_milli: Mapping[int, int]
) -> tuple[ReturnLine, ...]:
    """What each wish refunds; `returned_milli` is what came back before, by line number.

    Raises MissingError `return.line`, RefusedError `return.quantity` when more comes back than
    is left, `quantity.whole` for a part of a piece.
    """
    lines = {line.n: line for line in sale.lines}
    before = dict(returned_milli)
    found = []
    for wish in wishes:
        if wish.n not in lines:
            raise MissingError("return.line", line=wish.n)
        found.append(_returned(sale.receipt_no, lines[wish.n], wish, before.get(wish.n, 0)))
        before[wish.n] = before.get(wish.n, 0) + wish.qty_milli
    return tuple(found)


def _returned(receipt_no: str, line: SoldLine, wish: ReturnWish, before: int) -> ReturnLine:
    if line.qty_milli % ONE_MILLI == 0 and wish.qty_milli % ONE_MILLI:
        raise RefusedError("quantity.whole", qty_milli=wish.qty_milli)
    refund = refund_minor(line.net_minor, line.qty_milli, before, wish.qty_milli)
    tax = refund_minor(line.tax_minor, line.qty_milli, before, wish.qty_milli)
    return ReturnLine(receipt_no, line.n, line.gtin, wish.qty_milli, refund, line.tax_bp, tax)


def exchange_due_minor(due_minor: int, returns: Iterable[ReturnLine]) -> int:
    """What the customer owes for new goods against returned ones; below nought the shop pays."""
    return due_minor - sum(line.refund_minor for line in returns)
