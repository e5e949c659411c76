"""Settle what is owed with what was handed over."""

from __future__ import annotations

from dataclasses import dataclass

from shared.kernel.errors import RefusedError
from shared.kernel.money import PRICE_MINOR_MAX
from shared.kernel.rounding import NO_ROUNDING, CashRounding
from shared.sale.tender import Tender, TenderKind


@dataclass(frozen=True, slots=True)
class Settlement:
    """Tenders minus change is exactly what was due and its rounding, in minor units.

    `rounding_minor` is what cash paid above what was due, or below nought less.
    """

    due_minor: int
    tenders: tuple[Tender, ...]
    change_minor: int
    rounding_minor: int = 0


def remaining_minor(due_minor: int, tenders: tuple[Tender, ...]) -> int:
    """What is still owed; never below nought."""
    return max(0, due_minor - sum(tender.amount_minor for tender in tenders))


def asked_minor(
    due_minor: int, taken: tuple[Tender, ...], kind: TenderKind, rule: CashRounding = NO_ROUNDING
) -> int:
    """What a tender of that kind has to be to close the sale: for cash what is left, rounded."""
    left = remaining_minor(due_minor, taken)
    return rule.rounded(left) if kind is TenderKind.CASH else left


def check_tender(
    due_minor: int, taken: tuple[Tender, ...], tender: Tender, rule: CashRounding = NO_ROUNDING
) -> None:
    """Refuse a tender that cannot be right before it is recorded.

    `tender.amount` when it is not above nought or absurd; `tender.over` when a card or a
    coupon would pay more than is owed, because change is given in cash for cash only;
    `tender.step` for cash that no coins make.
    """
    if not 0 < tender.amount_minor <= PRICE_MINOR_MAX:
        raise RefusedError("tender.amount", amount_minor=tender.amount_minor)
    left = remaining_minor(due_minor, taken)
    if tender.kind is not TenderKind.CASH and tender.amount_minor > left:
        raise RefusedError("tender.over", amount_minor=tender.amount_minor, due_minor=left)
    if asked_minor(due_minor, taken, tender.kind, rule) == 0:
        raise RefusedError("tender.nothing_due")
    if tender.kind is TenderKind.CASH and tender.amount_minor % rule.step_minor:
        raise RefusedError("tender.step", step_minor=rule.step_minor)


def settle(due_minor: int, tenders: tuple[Tender, ...], rounding_minor: int = 0) -> Settlement:
    """Close the account: `tender.short` while something is owed.

    `rounding_minor` is what rounding for cash added to what was due, or below nought took off.
    `tender.over` when more than the cash would have to come back, `tender.amount` when a
    tender is below nought.
    """
    for tender in tenders:
        if tender.amount_minor < 0:
            raise RefusedError("tender.amount", amount_minor=tender.amount_minor)
    handed = sum(tender.amount_minor for tender in tenders)
    owed = due_minor + rounding_minor
    if handed < owed:
        raise RefusedError("tender.short", missing_minor=owed - handed)
    cash = sum(tender.amount_minor for tender in tenders if tender.kind is TenderKind.CASH)
    change = handed - owed
    if change > cash:
        raise RefusedError("tender.over", amount_minor=handed, due_minor=owed)
    return Settlement(due_minor, tenders, change, rounding_minor)
