"""Random but sensible worlds: prices, baskets, tenders, events."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from shared.item.barcode import price_label_code
from shared.item.item import Item
from shared.journal.event import (
    BasketVoided,
    DrawerOpened,
    Event,
    ReceiptReprinted,
    SaleCompleted,
    UnknownEvent,
)
from shared.kernel.rounding import STEPS_MINOR, CashRounding, RoundingMode
from shared.price.condition import ALL, ForMember, MinSpend, Selector
from shared.price.offer import Level, Offer, Stack, StackMode
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice, PriceBook
from shared.price.reward import (
    AmountOff,
    Every,
    NthUnit,
    PercentOff,
    PriceEach,
    SetPrice,
    SetReward,
    Step,
    TierBy,
    Tiers,
)
from shared.sale.basket import Basket, LineCoupon, PriceOverride
from shared.sale.pack import PackFacts
from shared.sale.tender import Tender, TenderKind
from tests.builders import PRICED_AT_MS, a_basket, a_sale, an_item, priced

LABEL_PLU = "00042"
CATALOGUE = tuple(
    replace(
        an_item(n, is_weighed=n % 4 == 0),
        category=("tea", "rice", "soap")[n % 3],
        tags=("imported",) if n % 5 == 0 else (),
        tax_bp=(0, 900, 1300)[n % 3],
        is_promotable=n != 7,
        floor_minor=150 if n % 6 == 1 else 0,
    )
    for n in range(12)
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MINOR = st.integers(0, 50_000) | st.integers(0, 99_999_999)
MEMBERS = st.none() | st.sampled_from(["2479", "13800012479"])


DATED = st.tuples(
    st.builds(DatedPrice, st.just(0), MINOR, st.none() | MINOR),
    st.builds(DatedPrice, st.integers(1, 2 * PRICED_AT_MS), MINOR, st.none() | MINOR),
)


@st.composite
def price_books(draw: st.DrawFn) -> PriceBook:
    """Items have dated prices; a member price may be above the regular one."""
    histories = draw(st.tuples(DATED, DATED, DATED))
    prices = {item.gtin: histories[n % 3] for n, item in enumerate(CATALOGUE)}
    return PriceBook(draw(st.integers(1, 999)), prices)


@st.composite
def scans(draw: st.DrawFn) -> tuple[Item, int, int | None]:
    """Item, quantity in thousandths, label price."""
    item = draw(st.sampled_from(CATALOGUE))
    if not item.is_weighed:
        return item, 1000 * draw(st.integers(1, 9)), None
    if draw(st.booleans()):
        return item, 1000, draw(st.integers(0, 99_999))
    return item, draw(st.integers(1, 9_999)), None


@st.composite
def overrides(draw: st.DrawFn) -> PriceOverride:
    """A price by hand with a member amount at or below it."""
    regular = draw(MINOR)
    return PriceOverride(regular, draw(st.none() | st.integers(0, regular)), draw(TEXT), "m-1")


def basket_of(goods: list[tuple[Item, int, int | None]], member: str | None = None) -> Basket:
    """Scan goods in the order given."""
    basket = a_basket(member=member)
    for item, qty_milli, label in goods:
        # Even prices stand on the chain's own labels, odd ones in GS1 data.
        code: str = item.gtin
        pack = None
        if label is not None and label % 2 == 0:
            code = price_label_code(LABEL_PLU, label)
        elif label is not None:
            pack = PackFacts(is_priced=True)
        basket = basket.with_item(item, code, qty_milli, label, pack)
    return basket


@st.composite
def baskets(draw: st.DrawFn) -> Basket:
    """A basket of one to eight scans, some lines with a price by hand or a coupon."""
    basket = basket_of(draw(st.lists(scans(), min_size=1, max_size=8)), draw(MEMBERS))
    for line in basket.lines:
        if draw(st.booleans()):
            basket = basket.with_override(line.number, draw(overrides()))
        if draw(st.booleans()):
            coupon = LineCoupon(draw(st.integers(1, 99_999)), draw(TEXT))
            basket = basket.with_coupon(line.number, coupon)
    if len(basket.lines) > 1 and draw(st.booleans()):
        basket = basket.without_line(basket.lines[0].number, draw(TEXT), PRICED_AT_MS)
    return basket


ROUNDINGS = st.builds(CashRounding, st.sampled_from(STEPS_MINOR), st.sampled_from(RoundingMode))


@st.composite
def tenders_for(draw: st.DrawFn, due_minor: int) -> tuple[Tender, ...]:
    """Tenders that settle: coupons and cards within what is due, cash for the rest and more."""
    coupon = draw(st.integers(0, due_minor))
    card = draw(st.integers(0, due_minor - coupon))
    cash = due_minor - coupon - card + draw(st.integers(0, 10_000))
    kinds = (TenderKind.MANUFACTURER_COUPON, TenderKind.CARD, TenderKind.CASH)
    found = [
        Tender(kind, amount, draw(TEXT))
        for kind, amount in zip(kinds, (coupon, card, cash), strict=True)
    ]
    return tuple(draw(st.permutations(found)))


GOODS = st.sampled_from(
    [
        ALL,
        Selector(categories=frozenset({"tea"})),
        Selector(tags=frozenset({"department:Grocery"})),
        Selector(tags=frozenset({"imported"})),
        Selector(skus=frozenset({CATALOGUE[1].gtin, CATALOGUE[2].gtin})),
        Selector(exclude=Selector(categories=frozenset({"rice"}))),
    ]
)
REWARDS = st.sampled_from(
    [
        PercentOff(1250),
        PercentOff(5000, cap=700),
        AmountOff(333),
        PriceEach(199),
        NthUnit(2, 5000),
        SetPrice(3, 1000),
        Every(2000, 150),
        Tiers(TierBy.SPEND, (Step(1000, amount=100), Step(5000, bp=1000))),
    ]
)
STACKS = st.sampled_from([Stack(), Stack(), Stack(StackMode.BEST_OF, "one")])


@st.composite
def offer_books(draw: st.DrawFn) -> OfferBook:
    """Up to four offers that may meet on the same goods; some for members, some by coupon."""
    found = []
    for number in range(draw(st.integers(0, 4))):
        reward = draw(REWARDS)
        level = Level.LINE if isinstance(reward, SetReward) else draw(st.sampled_from(Level))
        found.append(
            Offer(
                f"offer-{number}",
                level,
                reward,
                draw(GOODS),
                when=draw(st.sampled_from([(), (MinSpend(ALL, 2000),), (ForMember(),)])),
                coupon=draw(st.sampled_from([None, None, f"CODE{number}"])),
                stack=draw(STACKS),
            )
        )
    return OfferBook.of(found)


@st.composite
def promoted(draw: st.DrawFn) -> tuple[Basket, PriceBook]:
    """A basket and the book of its revision, with offers and some of their coupons."""
    basket, offers = draw(baskets()), draw(offer_books())
    for offer in offers.offers:
        if offer.coupon is not None and draw(st.booleans()):
            basket = basket.with_coupon_code(offer.coupon, offers)
    return basket, replace(draw(price_books()), offers=offers)


@st.composite
def sales(draw: st.DrawFn) -> SaleCompleted:
    """Any sale that can be made."""
    basket, book = draw(promoted())
    due = priced(basket, book).due_minor
    return SaleCompleted(a_sale(basket, book, draw(tenders_for(due))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=5)
LANES = st.integers(1, 9)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    sales(),
    st.builds(BasketVoided, LANES, st.integers(0, 99), MINOR, TEXT),
    st.builds(DrawerOpened, LANES, st.sampled_from(["sale", "change"]) | TEXT),
    st.builds(ReceiptReprinted, LANES, TEXT, st.integers(1, 9)),
    st.builds(UnknownEvent, st.just("till.counted"), OBJECTS),
)
