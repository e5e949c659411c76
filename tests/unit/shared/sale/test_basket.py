from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.kernel.errors import MissingError, RefusedError
from shared.sale.basket import BASKET_LINES_MAX, Basket, LineCoupon, PriceOverride, VoidedLine
from shared.sale.tender import Tender, TenderKind
from tests.builders import a_basket, an_item

RICE, MILK = an_item(1, name="Rice"), an_item(2, name="Milk")
HAM = an_item(3, name="Ham", is_weighed=True, plu="00003")
OVERRIDE = PriceOverride(450, 400, "dented", "manager-1")
COUPON = LineCoupon(100, "c1")


def test_an_equal_scan_grows_its_line() -> None:
    basket = a_basket(RICE, MILK, RICE, (RICE, 3))
    assert [(line.number, line.item, line.qty_milli) for line in basket.lines] == [
        (1, RICE, 5000),
        (2, MILK, 1000),
    ]


def test_each_weighed_pack_without_a_label_price_is_a_line() -> None:
    basket = a_basket().with_item(HAM, HAM.gtin, 355).with_item(HAM, HAM.gtin, 355)
    assert [line.qty_milli for line in basket.lines] == [355, 355]


def test_packs_with_the_same_label_price_are_one_line_and_others_are_not() -> None:
    basket = a_basket()
    for label in (250, 250, 300):
        basket = basket.with_item(HAM, "label", label_minor=label)
    assert [(line.label_minor, line.qty_milli) for line in basket.lines] == [
        (250, 2000),
        (300, 1000),
    ]


@pytest.mark.parametrize(
    "touch",
    [
        lambda basket: basket.with_override(1, OVERRIDE),
        lambda basket: basket.with_coupon(1, COUPON),
    ],
)
def test_a_line_with_a_price_of_its_own_does_not_grow(touch: Callable[[Basket], Basket]) -> None:
    basket = touch(a_basket(RICE)).with_item(RICE, RICE.gtin)
    assert [line.qty_milli for line in basket.lines] == [1000, 1000]


@pytest.mark.parametrize("qty_milli", [0, -1000, 10_000_000])
def test_a_quantity_out_of_range_is_refused_on_new_and_old_lines(qty_milli: int) -> None:
    with pytest.raises(RefusedError, match=r"quantity\.range"):
        a_basket().with_item(RICE, RICE.gtin, qty_milli)
    with pytest.raises(RefusedError, match=r"quantity\.range"):
        a_basket(RICE).with_item(RICE, RICE.gtin, qty_milli)
    with pytest.raises(RefusedError, match=r"quantity\.range"):
        a_basket(RICE).with_quantity(1, qty_milli)


def test_a_line_does_not_grow_out_of_range() -> None:
    with pytest.raises(RefusedError, match=r"quantity\.range"):
        a_basket((RICE, 9999), RICE)


def test_pieces_and_labelled_packs_are_whole() -> None:
    with pytest.raises(RefusedError, match=r"quantity\.whole"):
        a_basket().with_item(RICE, RICE.gtin, 500)
    with pytest.raises(RefusedError, match=r"quantity\.whole"):
        a_basket(RICE).with_quantity(1, 1500)
    labelled = a_basket().with_item(HAM, "label", label_minor=250)
    with pytest.raises(RefusedError, match=r"quantity\.whole"):
        labelled.with_quantity(1, 1500)
    weighed = a_basket().with_item(HAM, HAM.gtin, 355)
    assert weighed.with_quantity(1, 402).line(1).qty_milli == 402


def test_a_price_by_hand_ends_with_the_quantity_it_was_for() -> None:
    basket = a_basket((RICE, 2)).with_override(1, OVERRIDE).with_coupon(1, COUPON)
    assert basket.with_quantity(1, 2000).line(1).override == OVERRIDE
    changed = basket.with_quantity(1, 3000).line(1)
    assert (changed.override, changed.coupon) == (None, COUPON)
    # What was little off a hundred pieces must not be all of one.
    assert basket.with_quantity(1, 1000).line(1).coupon is None


def test_a_full_basket_takes_no_more_lines_but_more_pieces() -> None:
    full = a_basket(*(an_item(n) for n in range(BASKET_LINES_MAX)))
    with pytest.raises(RefusedError, match=r"basket\.full"):
        full.with_item(an_item(BASKET_LINES_MAX), "x")
    assert full.with_item(an_item(5), "x").line(6).qty_milli == 2000


def test_a_removed_line_stays_recorded_and_its_number_is_not_reused() -> None:
    basket = a_basket(RICE, MILK).without_line(2, "changed mind", 77).with_item(MILK, MILK.gtin)
    assert [line.number for line in basket.lines] == [1, 3]
    assert basket.voided == (VoidedLine(2, MILK.gtin, "Milk", 1000, "changed mind", 77),)
    with pytest.raises(MissingError, match=r"basket\.line"):
        basket.line(2)


@pytest.mark.parametrize(
    ("override", "code"),
    [
        (PriceOverride(-1, None, "", ""), "price.negative"),
        (PriceOverride(100_000_000, None, "", ""), "price.absurd"),
        (PriceOverride(100, -1, "", ""), "price.negative"),
        (PriceOverride(100, 101, "", ""), "price.member_above_regular"),
    ],
)
def test_a_price_by_hand_that_cannot_be_meant_is_refused(
    override: PriceOverride, code: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        a_basket(RICE).with_override(1, override)
    assert refused.value.code == code


def test_a_price_by_hand_of_nought_is_a_gift() -> None:
    assert a_basket(RICE).with_override(1, PriceOverride(0, 0, "gift", "m")).line(1).override


@pytest.mark.parametrize("amount", [0, -5, 100_000_000])
def test_a_coupon_is_worth_something_sensible(amount: int) -> None:
    with pytest.raises(RefusedError, match=r"coupon\.amount"):
        a_basket(RICE).with_coupon(1, LineCoupon(amount, "c1"))


CHANGES: dict[str, Callable[[Basket], Basket]] = {
    "item": lambda basket: basket.with_item(MILK, MILK.gtin),
    "quantity": lambda basket: basket.with_quantity(1, 2000),
    "override": lambda basket: basket.with_override(1, OVERRIDE),
    "coupon": lambda basket: basket.with_coupon(1, COUPON),
    "void": lambda basket: basket.without_line(1, "x", 1),
    "member": lambda basket: basket.with_member("2479"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_taken_tender_fixes_what_is_owed(change: Callable[[Basket], Basket]) -> None:
    taken = a_basket(RICE).with_tender(Tender(TenderKind.CASH, 100))
    with pytest.raises(RefusedError, match=r"basket\.tender_taken"):
        change(taken)


@pytest.mark.parametrize("change", [CHANGES[n] for n in ("quantity", "override", "coupon", "void")])
def test_a_missing_line_is_said_to_be_missing(change: Callable[[Basket], Basket]) -> None:
    with pytest.raises(MissingError, match=r"basket\.line"):
        change(a_basket())


def test_unknown_codes_are_listed_until_dealt_with() -> None:
    basket = a_basket(RICE).with_unknown("12345", "barcode.length", 5)
    (unknown,) = basket.unknown
    assert (unknown.number, unknown.code, unknown.because, unknown.at_ms) == (
        2,
        "12345",
        "barcode.length",
        5,
    )
    assert basket.without_unknown(2).unknown == ()
    with pytest.raises(MissingError, match=r"basket\.unknown"):
        basket.without_unknown(1)


def test_commands_leave_the_basket_they_were_given_alone() -> None:
    basket = a_basket(RICE)
    before = repr(basket)
    for change in CHANGES.values():
        change(basket)
    assert repr(basket) == before
