from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.sale.settle import Settlement, check_tender, remaining_minor, settle
from shared.sale.tender import Tender, TenderKind


def cash(amount: int) -> Tender:
    return Tender(TenderKind.CASH, amount)


def card(amount: int) -> Tender:
    return Tender(TenderKind.CARD, amount, "auth-1")


def coupon(amount: int) -> Tender:
    return Tender(TenderKind.MANUFACTURER_COUPON, amount)


@pytest.mark.parametrize(
    ("due", "tenders", "change"),
    [
        (1000, (cash(1000),), 0),
        (1000, (cash(2000),), 1000),
        (1000, (card(1000),), 0),
        (1000, (coupon(300), card(200), cash(1000)), 500),
        (1000, (card(1000), cash(50)), 50),
        (0, (), 0),
        (0, (cash(0),), 0),
    ],
)
def test_tenders_minus_change_is_what_was_due(
    due: int, tenders: tuple[Tender, ...], change: int
) -> None:
    assert settle(due, tenders) == Settlement(due, tenders, change)


@pytest.mark.parametrize(
    ("due", "tenders", "code"),
    [
        (1000, (), "tender.short"),
        (1000, (cash(999),), "tender.short"),
        (1000, (card(1001),), "tender.over"),
        (1000, (card(1500), cash(400)), "tender.over"),
        (300, (coupon(350), cash(300)), "tender.over"),
        (100, (card(150), cash(-50)), "tender.amount"),
    ],
)
def test_what_does_not_settle_is_refused(due: int, tenders: tuple[Tender, ...], code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        settle(due, tenders)
    assert refused.value.code == code


def test_a_short_settlement_says_how_much_is_missing() -> None:
    with pytest.raises(RefusedError) as refused:
        settle(1000, (cash(400), card(250)))
    assert refused.value.params == {"missing_minor": 350}


@pytest.mark.parametrize(
    ("taken", "tender"),
    [((), cash(5000)), ((), card(1000)), ((card(400),), card(600)), ((cash(999),), coupon(1))],
)
def test_a_fitting_tender_is_taken(taken: tuple[Tender, ...], tender: Tender) -> None:
    check_tender(1000, taken, tender)


@pytest.mark.parametrize(
    ("taken", "tender", "code"),
    [
        ((), cash(0), "tender.amount"),
        ((), cash(-1), "tender.amount"),
        ((), cash(100_000_000), "tender.amount"),
        ((), card(1001), "tender.over"),
        ((card(400),), card(601), "tender.over"),
        ((card(400),), coupon(601), "tender.over"),
        ((cash(1000),), cash(1), "tender.nothing_due"),
        ((cash(1000),), card(1), "tender.over"),
    ],
)
def test_a_tender_that_cannot_be_right_is_refused(
    taken: tuple[Tender, ...], tender: Tender, code: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        check_tender(1000, taken, tender)
    assert refused.value.code == code


def test_what_remains_is_never_below_nought() -> None:
    assert remaining_minor(1000, (cash(400),)) == 600
    assert remaining_minor(1000, (cash(4000),)) == 0
