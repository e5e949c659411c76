"""Settle what is owed with what was handed over."""

from __future__ import annotations

from dataclasses import dataclass

from shared.kernel.errors import RefusedError
from shared.kernel.money import PRICE_MINOR_MAX
from shared.sale.tender import Tender, TenderKind


@dataclass(frozen=True, slots=True)
class Settlement:
    """Tenders minus change is exactly what was due, in minor units."""

    due_minor: int
    tenders: tuple[Tender, ...]
    change_minor: int


def remaining_minor(due_minor: int, tenders: tuple[Tender, ...]) -> int:
    """What is still owed; never below nought."""
    return max(0, due_minor - sum(tender.amount_minor for tender in tenders))


def check_tender(due_minor: int, taken: tuple[Tender, ...], tender: Tender) -> None:
    """Refuse a tender that cannot be right before it is recorded.

    `tender.amount` when it is not above nought or absurd; `tender.over` when a card or a
    coupon would pay more than is owed, because change is given in cash for cash only.
    """
    if not 0 < tender.amount_minor <= PRICE_MINOR_MAX:
        raise RefusedError("tender.amount", amount_minor=tender.amount_minor)
    left = remaining_minor(due_minor, taken)
    if tender.kind is not TenderKind.CASH and tender.amount_minor > left:
        raise RefusedError("tender.over", amount_minor=tender.amount_minor, due_minor=left)
    if left == 0:
        raise RefusedError("tender.nothing_due")


def settle(due_minor: int, tenders: tuple[Tender, ...]) -> Settlement:
    """Close the account: `tender.short` while something is owed.

    `tender.over` when more than the cash would have to come back, `tender.amount` when a
    tender is below nought.
    """
    for tender in tenders:
        if tender.amount_minor < 0:
            raise RefusedError("tender.amount", amount_minor=tender.amount_minor)
    handed = sum(tender.amount_minor for tender in tenders)
    if handed < due_minor:
        raise RefusedError("tender.short", missing_minor=due_minor - handed)
    cash = sum(tender.amount_minor for tender in tenders if tender.kind is TenderKind.CASH)
    change = handed - due_minor
    if change > cash:
        raise RefusedError("tender.over", amount_minor=handed, due_minor=due_minor)
    return Settlement(due_minor, tenders, change)
