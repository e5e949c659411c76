"""What lint says of an offer holds in every basket that the engine prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.price.context import PriceContext, PriceLine, PricePolicy, PricingInstant
from shared.price.derive import derive
from shared.price.lint import LintItem, Severity, lint
from shared.price.lint_basket import line_of, unconditional
from shared.price.lint_catalogue import Catalogue, places_of
from shared.price.lint_ranking import gross_cost
from shared.price.lint_window import covers, is_over, may_meet, why_never_open
from shared.price.offer import Level, Offer, Stack, StackMode, Validity
from shared.price.offer_book import OfferBook
from shared.price.reward import AmountOffEach, PercentOff, PriceEach
from shared.price.select import depends_on_discounts, matches
from shared.price.window import why_closed
from tests.property.price_strategies import (
    CONDITIONS,
    NOON,
    PLAIN_REWARDS,
    SELECTORS,
    SKUS,
    WHOLE_REWARDS,
    customers,
    price_offers,
)

POLICY = PricePolicy()
ACTS_ALL_THE_SAME = {"lint.set_in_line_group"}


@st.composite
def lint_items(draw: st.DrawFn, sku: str) -> LintItem:
    price = draw(st.integers(1, 40) | st.integers(1, 3000))
    is_weighed = draw(st.sampled_from([False, False, False, True]))
    return LintItem(
        sku,
        price,
        draw(st.none() | st.integers(0, price)),
        draw(st.sampled_from(["food", "drink"])),
        draw(st.sampled_from([frozenset[str](), frozenset({"sale"})])),
        is_weighed=is_weighed,
        is_promotable=draw(st.sampled_from([True, True, True, False])),
        floor_unit_minor=draw(st.just(0) | st.integers(0, price)),
        uom="kg" if is_weighed else "",
        tax_bp=draw(st.sampled_from([0, 600, 1300])),
    )


CATALOGUES = st.tuples(*(lint_items(sku) for sku in SKUS))


@st.composite
def baskets(draw: st.DrawFn, items: tuple[LintItem, ...]) -> list[PriceLine]:
    """Lines of the catalogue at its prices; a weighed one of any weight."""
    chosen = draw(st.lists(st.sampled_from(range(len(items))), min_size=1, unique=True))
    lines = []
    for key in chosen:
        item = items[key]
        line = line_of(item, key, draw(st.integers(1, 5)))
        line = replace(line, is_promotable=item.is_promotable)
        lines.append(
            replace(line, qty_milli=draw(st.integers(1, 4000))) if item.is_weighed else line
        )
    return lines


@given(st.data(), CATALOGUES)
def test_an_offer_with_an_error_never_acts(
    data: st.DataObject, items: tuple[LintItem, ...]
) -> None:
    names = ["offer-0", "offer-1", "offer-2"]
    offers = [data.draw(price_offers(name)) for name in names]
    found = lint(offers, items, NOON)
    dead = {
        offer_id
        for each in found
        if each.severity is Severity.ERROR and each.code not in ACTS_ALL_THE_SAME
        for offer_id in each.offers
    }
    context = data.draw(customers(names))
    lines = data.draw(baskets(items))
    acted = {each.offer.id for each in derive(lines, OfferBook.of(offers), context, NOON).applied}
    assert acted & dead == set()


@st.composite
def rivals(draw: st.DrawFn) -> list[Offer]:
    """Two offers of one group that resemble each other, so that one often beats the other."""
    target = draw(SELECTORS)
    when = tuple(draw(st.lists(CONDITIONS, max_size=1)))
    reward = draw(PLAIN_REWARDS | WHOLE_REWARDS)
    one = Offer("one", draw(st.sampled_from(Level)), reward, target, when)
    other = replace(one, id="two")
    for _ in range(draw(st.integers(1, 2))):
        change = draw(st.sampled_from(["reward", "target", "when", "ignores_floor"]))
        values = {
            "reward": draw(PLAIN_REWARDS | WHOLE_REWARDS),
            "target": draw(SELECTORS),
            "when": tuple(draw(st.lists(CONDITIONS, max_size=1))),
            "ignores_floor": True,
        }
        other = replace(other, **{change: values[change]})
    stack = draw(st.sampled_from([Stack(StackMode.BEST_OF, "group"), Stack(StackMode.EXCLUSIVE)]))
    return [replace(one, stack=stack), replace(other, stack=stack)]


@given(st.data(), CATALOGUES, rivals())
def test_nobody_misses_a_beaten_offer(
    data: st.DataObject, items: tuple[LintItem, ...], offers: list[Offer]
) -> None:
    codes = {"lint.beaten", "lint.twin"}
    beaten = {each.offers[0] for each in lint(offers, items, NOON) if each.code in codes}
    context = data.draw(customers(["one", "two"]))
    lines = data.draw(baskets(items))
    others = [offer for offer in offers if offer.id not in beaten]
    with_all, without = (
        derive(lines, OfferBook.of(each), context, NOON) for each in (offers, others)
    )
    assert with_all.discount_minor <= without.discount_minor


PER_UNIT = st.one_of(
    st.builds(PercentOff, st.integers(1, 10_000)),
    st.builds(AmountOffEach, st.integers(1, 500)),
    st.builds(PriceEach, st.integers(0, 500)),
)


@given(CATALOGUES, PER_UNIT, SELECTORS)
def test_every_cut_per_unit_below_cost_is_found(
    items: tuple[LintItem, ...], reward: PercentOff | AmountOffEach | PriceEach, target: object
) -> None:
    assume(not depends_on_discounts(target))
    offer = Offer("offer", Level.LINE, reward, target)
    is_found = any(each.code == "lint.below_cost" for each in lint([offer], items, NOON))
    assert is_found == any(sells_below_cost(offer, item) for item in items)


def sells_below_cost(offer: Offer, item: LintItem) -> bool:
    cost = gross_cost(item, item.cost_minor or 0)
    if not item.is_promotable or item.unit_minor < cost or cost == 0:
        return False
    priced = derive(
        [line_of(item, 1, 1)], OfferBook.of([unconditional(offer)]), PriceContext(), NOON
    )
    return bool(priced.applied) and sum(priced.nets) < cost


@given(CATALOGUES, SELECTORS)
def test_a_set_of_items_is_what_the_engine_would_select(
    items: tuple[LintItem, ...], selector: object
) -> None:
    chosen = places_of(Catalogue(items).select(selector))
    assert chosen == [
        place
        for place, item in enumerate(items)
        if item.is_promotable and matches(selector, line_of(item, 1, 1), is_at_list=True)
    ]


DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 16))
SECONDS = st.integers(0, 23).map(lambda hour: hour * 3600)
WINDOWS = st.lists(st.tuples(SECONDS, SECONDS), max_size=2).map(tuple)
OFFSET_SECONDS = 8 * 3600
ORIGIN = date(1970, 1, 1)


@st.composite
def validities(draw: st.DrawFn) -> Validity:
    local = st.none() | st.tuples(DAYS.map(str), SECONDS)
    instants = st.none() | st.integers(0, 16 * 24).map(lambda h: 1_767_225_600_000 + h * 3_600_000)
    is_local = draw(st.booleans())
    return Validity(
        from_at_ms=None if is_local else draw(instants),
        to_at_ms=None if is_local else draw(instants),
        from_local=draw(local) if is_local else None,
        to_local=draw(local) if is_local else None,
        dates=frozenset(draw(st.lists(DAYS.map(str), max_size=2))),
        weekdays=draw(st.frozensets(st.integers(1, 7), max_size=2)),
        daily=draw(WINDOWS),
    )


def hours() -> list[PricingInstant]:
    """Every full hour of the weeks around, when windows open and close, eight hours east."""
    first = (date(2025, 12, 28) - ORIGIN).days * 86_400
    found = []
    for second in range(first, first + 24 * 86_400, 3600):
        day = ORIGIN + timedelta(days=second // 86_400)
        found.append(PricingInstant((second - OFFSET_SECONDS) * 1000, day, second % 86_400))
    return found


HOURS = hours()


def open_at(valid: Validity) -> set[int]:
    return {at.at_ms for at in HOURS if why_closed(valid, at) is None}


@given(validities(), st.sampled_from(HOURS))
def test_what_never_opens_or_is_over_is_not_open(valid: Validity, now: PricingInstant) -> None:
    times = open_at(valid)
    if why_never_open(valid) is not None:
        assert times == set()
    if is_over(valid, now):
        assert [at_ms for at_ms in times if at_ms >= now.at_ms] == []


@given(validities(), validities())
def test_windows_meet_and_cover_as_clocks_say(one: Validity, other: Validity) -> None:
    times, others = open_at(one), open_at(other)
    assert may_meet(one, other) or times.isdisjoint(others)
    assert not covers(one, other) or others.issubset(times)


@given(st.lists(price_offers("offer"), max_size=1), CATALOGUES)
def test_lint_says_the_same_twice(offers: list[Offer], items: tuple[LintItem, ...]) -> None:
    assert lint(offers, items, NOON) == lint(list(offers), tuple(items), NOON)
