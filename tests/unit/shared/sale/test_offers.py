"""Offers in a sale: what they see of a basket, what the journal keeps, what a return can read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.item.barcode import price_label_code
from shared.item.item import Item
from shared.kernel.errors import MissingError, RefusedError
from shared.price.condition import ALL, ForMember, MinSpend, Selector, SpendBasis
from shared.price.offer import Level, Offer
from shared.price.offer_book import OfferBook
from shared.price.price_book import PriceBook
from shared.price.reward import AmountOff, NthUnit, PercentOff, PriceEach, Reward
from shared.sale.basket import LineCoupon, PriceOverride
from shared.sale.pricing import PricedLine, tags_of
from shared.sale.reprice import is_label_pack, lines_of, reprice
from shared.sale.sold_offer import SoldOffer, reward_word
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import SoldModifier
from tests.builders import a_basket, a_price_book, a_sale, an_instant, an_item, priced

TEA = replace(an_item(1), category="tea", tags=("organic",), brand="Lin", tax_bp=1300)
RICE = replace(an_item(2), category="rice")
HAM = an_item(3, is_weighed=True, plu="00003")
BEER = replace(an_item(4), is_promotable=False)


def an_offer(reward: Reward, target: Selector = ALL, **more: object) -> Offer:
    fields = {"level": Level.LINE, "names": {"en": "Deal", "zh-CN": "活动"}} | more
    return Offer(id=str(fields.pop("id", "deal")), reward=reward, target=target, **fields)  # type: ignore[arg-type]


def a_book(*offers: Offer) -> PriceBook:
    book = a_price_book({TEA: (500, 450), RICE: 1000, HAM: 2000, BEER: 300})
    return replace(book, offers=OfferBook.of(offers))


def amounts(line: PricedLine) -> list[tuple[str, int]]:
    return [(modifier.kind, modifier.amount_minor) for modifier in line.modifiers]


def test_member_price_then_offer_then_store_coupon() -> None:
    basket = a_basket((TEA, 2), member="2479").with_coupon(1, LineCoupon(100, "c"))
    (line,) = priced(basket, a_book(an_offer(PercentOff(1000)))).lines
    assert amounts(line) == [("member_price", -100), ("offer", -90), ("store_coupon", -100)]
    assert line.net_minor == 710
    assert (line.modifiers[1].base_minor, line.modifiers[1].units) == (900, 2)


def test_a_store_coupon_gives_no_more_than_the_offers_left() -> None:
    basket = a_basket(TEA).with_coupon(1, LineCoupon(400, "c"))
    (line,) = priced(basket, a_book(an_offer(AmountOff(350)))).lines
    assert amounts(line) == [("offer", -350), ("store_coupon", -150)]


@pytest.mark.parametrize(
    "target",
    [
        Selector(skus=frozenset({TEA.gtin})),
        Selector(categories=frozenset({"tea"})),
        Selector(tags=frozenset({"organic"})),
        Selector(tags=frozenset({"brand:Lin"})),
        Selector(unit_price_max=500),
    ],
)
def test_selectors_know_code_category_tag_brand_and_price(target: Selector) -> None:
    found = priced(a_basket(TEA, RICE), a_book(an_offer(PercentOff(1000), target)))
    assert [amounts(line) for line in found.lines] == [[("offer", -50)], []]


def test_a_department_is_a_tag_and_nothing_is_no_tag() -> None:
    assert tags_of((), "Grocery", "") == {"department:Grocery"}
    assert tags_of(("a", "b"), "", "") == {"a", "b"}


def test_a_price_by_hand_is_neither_counted_nor_discounted() -> None:
    offer = an_offer(PercentOff(1000), when=(MinSpend(ALL, 1100),))
    basket = a_basket(RICE, TEA).with_override(2, PriceOverride(490, None, "dented", "m"))
    assert priced(basket, a_book(offer)).applied == ()
    grown = basket.with_item(RICE, RICE.gtin)
    found = priced(grown, a_book(offer))
    assert [amounts(line) for line in found.lines] == [[("offer", -200)], []]


def test_goods_that_are_not_promotable_stay_out() -> None:
    found = priced(a_basket(BEER, RICE), a_book(an_offer(PercentOff(1000))))
    assert [line.net_minor for line in found.lines] == [300, 900]


def test_a_pack_with_a_price_on_its_label_is_a_piece_and_a_weighed_one_a_unit() -> None:
    offer = an_offer(NthUnit(2, 10_000))
    packs = a_basket().with_item(HAM, "x", 2000, label_minor=700)
    assert priced(packs, a_book(offer)).due_minor == 700
    weighed = a_basket().with_item(HAM, HAM.gtin, 2000)
    assert priced(weighed, a_book(offer)).due_minor == 4000


def test_the_member_price_counts_as_a_price_so_far_not_as_the_list_price() -> None:
    spend = (MinSpend(ALL, 950), MinSpend(ALL, 1000, basis=SpendBasis.LIST))
    for condition, member, acts in [
        (spend[0], None, True),
        (spend[0], "2479", False),
        (spend[1], "2479", True),
    ]:
        offer = an_offer(AmountOff(10), when=(condition,))
        found = priced(a_basket((TEA, 2), member=member), a_book(offer))
        assert bool(found.applied) is acts


def test_an_offer_for_members_asks_for_one() -> None:
    book = a_book(an_offer(AmountOff(10), when=(ForMember(),)))
    assert priced(a_basket(RICE), book).due_minor == 1000
    assert priced(a_basket(RICE, member="2479"), book).due_minor == 990


def test_the_floor_of_an_item_holds() -> None:
    dear = replace(RICE, floor_minor=950)
    book = replace(a_price_book({dear: 1000}), offers=OfferBook.of([an_offer(PercentOff(1000))]))
    assert priced(a_basket((dear, 3)), book).due_minor == 2850


def test_a_line_without_a_price_leaves_the_others_their_offers() -> None:
    basket = a_basket(an_item(9), RICE)
    found = priced(basket, a_book(an_offer(PercentOff(1000))))
    assert found.needs_price
    assert [line.net_minor for line in found.lines] == [0, 900]


def test_tax_is_part_of_what_is_paid_after_all_discounts() -> None:
    found = priced(a_basket(TEA, RICE), a_book(an_offer(AmountOff(150))))
    assert [line.tax_minor for line in found.lines] == [52, 0]  # 4.50 x 13 / 113
    assert [(tax.tax_bp, tax.net_minor, tax.tax_minor) for tax in found.taxes] == [
        (0, 900, 0),
        (1300, 450, 52),
    ]


def test_the_sale_keeps_what_each_offer_gave() -> None:
    book = a_book(
        an_offer(PriceEach(400), Selector(skus=frozenset({TEA.gtin})), id="tea", level=Level.PRICE),
        an_offer(PercentOff(1000), id="all", level=Level.BASKET, version=3, coupon="ALL10"),
    )
    basket = a_basket((TEA, 2), RICE).with_coupon_code("ALL10", book.offers)
    sale = a_sale(basket, book)
    assert sale.coupons == ("ALL10",)
    assert sale.offers == (
        SoldOffer("tea", 1, "price", "price_each", "活动", 1000, -200),
        SoldOffer("all", 3, "basket", "percent_off", "活动", 1800, -180, coupon="ALL10"),
    )
    assert sale.lines[0].modifiers == (
        SoldModifier("offer", -200, "offer", "tea", 1000, 2),
        SoldModifier("offer", -80, "offer", "all", 800, 2),
    )
    assert (sale.lines[0].tax_bp, sale.lines[0].tax_minor) == (1300, 83)  # 7.20 x 13 / 113
    totals = sale.totals
    assert (totals.gross_minor, totals.offer_disc_minor, totals.net_minor) == (2000, 380, 1620)


def test_a_sale_without_offers_says_nothing_of_them() -> None:
    sale = a_sale()
    assert (sale.offers, sale.coupons, sale.totals.offer_disc_minor) == ((), (), 0)


@pytest.mark.parametrize(
    ("reward", "word"),
    [(NthUnit(2, 5000), "nth_unit"), (PercentOff(1), "percent_off"), (PriceEach(1), "price_each")],
)
def test_rewards_are_called_as_in_documents(reward: Reward, word: str) -> None:
    assert reward_word(reward) == word


COUPONED = OfferBook.of([an_offer(AmountOff(10), coupon="Save-10"), an_offer(AmountOff(1), id="b")])


def test_a_coupon_is_taken_once_as_the_offer_spells_it() -> None:
    basket = a_basket(RICE).with_coupon_code(" SAVE-10 ", COUPONED)
    assert basket.coupons == ("Save-10",)
    with pytest.raises(RefusedError, match=r"coupon\.twice"):
        basket.with_coupon_code("save-10", COUPONED)
    assert basket.without_coupon_code("Save-10").coupons == ()


def test_a_coupon_that_no_offer_has_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"coupon\.unknown"):
        a_basket(RICE).with_coupon_code("SAVE-20", COUPONED)
    with pytest.raises(MissingError, match=r"basket\.coupon"):
        a_basket(RICE).without_coupon_code("Save-10")


def test_coupons_stay_as_they_are_once_money_was_taken() -> None:
    basket = a_basket(RICE).with_coupon_code("save-10", COUPONED)
    paying = basket.with_tender(Tender(TenderKind.CASH, 1))
    with pytest.raises(RefusedError, match=r"basket\.tender_taken"):
        paying.without_coupon_code("Save-10")
    with pytest.raises(RefusedError, match=r"basket\.tender_taken"):
        a_basket(RICE).with_tender(Tender(TenderKind.CASH, 1)).with_coupon_code("x", COUPONED)


def test_a_label_pack_is_known_again_by_its_code() -> None:
    label = price_label_code("00003", 700)
    assert is_label_pack(label, is_weighed=True)
    assert not is_label_pack(label, is_weighed=False)
    assert not is_label_pack(HAM.gtin, is_weighed=True)
    assert is_label_pack(HAM.gtin, is_weighed=True, is_priced=True)
    assert not is_label_pack(HAM.gtin, is_weighed=False, is_priced=True)


def test_a_recorded_sale_gives_back_the_goods_that_the_offers_met() -> None:
    basket = a_basket((TEA, 2), BEER, member="2479")
    basket = basket.with_item(HAM, price_label_code("00003", 700), label_minor=700)
    basket = basket.with_item(HAM, HAM.gtin, 355)
    basket = basket.with_override(2, PriceOverride(200, None, "dented", "m"))
    paid = [Tender(TenderKind.CASH, 5000)]
    sale = a_sale(basket, a_book(an_offer(PercentOff(1000))), paid)
    items: dict[str, Item] = {each.gtin: each for each in (TEA, BEER, HAM)}
    goods = lines_of(sale, items)
    assert [(g.list_minor, g.start_minor, g.is_promotable, g.is_weighed) for g in goods] == [
        (1000, 900, True, False),
        (200, None, False, False),
        (700, None, True, False),
        (710, None, True, True),
    ]
    assert goods[0].tags == {"organic", "brand:Lin", "department:Grocery"}
    assert [each.category for each in lines_of(sale, {})] == [""] * 4


def test_other_offers_on_a_recorded_sale_keep_member_price_and_store_coupon() -> None:
    basket = a_basket((TEA, 2), member="2479").with_coupon(1, LineCoupon(100, "c"))
    sale = a_sale(basket, a_book())
    draft = OfferBook.of([an_offer(AmountOff(850))])
    found = reprice(sale, {TEA.gtin: TEA}, draft, an_instant())
    assert (found.nets, found.due_minor) == ((0,), 0)
    assert [each.amount_minor for each in found.applied] == [850]
