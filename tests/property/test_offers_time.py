"""Offers open and close at the second they say, on the clock of the store."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.price.context import PriceContext, PriceLine, PricingInstant
from shared.price.derive import derive
from shared.price.offer import Level, Offer, Validity
from shared.price.offer_book import OfferBook
from shared.price.reward import AmountOff
from tests.property.price_reference import is_open

DAY_S = 86_400
FIRST = date(2026, 2, 25)  # the month ends three days later
FIRST_AT_MS = 1_771_977_600_000  # its midnight eight hours east of Greenwich
SECONDS = st.integers(0, 4 * DAY_S - 1)
DAILY_SECONDS = st.sampled_from([0, 1, 21_600, 43_200, 79_200, DAY_S - 1]) | st.integers(
    0, DAY_S - 1
)


def instant(second: int, ms: int = 0) -> PricingInstant:
    """That many seconds after the first midnight."""
    day, rest = divmod(second, DAY_S)
    return PricingInstant(FIRST_AT_MS + 1000 * second + ms, FIRST + timedelta(days=day), rest)


def local(second: int) -> tuple[str, int]:
    at = instant(second)
    return at.day.isoformat(), at.second


def acts(valid: Validity, at: PricingInstant) -> bool:
    offer = Offer("p", Level.BASKET, AmountOff(1), valid=valid)
    line = PriceLine(1, "apple", 1000, 100)
    return derive([line], OfferBook.of([offer]), PriceContext(), at).nets == (99,)


@given(SECONDS, st.integers(1, DAY_S))
def test_a_period_opens_at_its_first_second_and_is_over_at_its_last(
    start: int, length: int
) -> None:
    end = start + length
    for valid in (
        Validity(from_at_ms=instant(start).at_ms, to_at_ms=instant(end).at_ms),
        Validity(from_local=local(start), to_local=local(end)),
    ):
        found = [acts(valid, instant(second)) for second in (start - 1, start, end - 1, end)]
        assert found == [False, True, True, False]


@given(SECONDS, st.integers(1, DAY_S))
def test_an_instant_with_an_offset_is_kept_to_the_millisecond(start: int, length: int) -> None:
    end = start + length
    valid = Validity(from_at_ms=instant(start).at_ms, to_at_ms=instant(end).at_ms)
    assert not acts(valid, instant(start - 1, ms=999))
    assert acts(valid, instant(end - 1, ms=999))


@given(DAILY_SECONDS, DAILY_SECONDS, st.integers(0, 3))
def test_a_window_over_midnight_belongs_to_the_day_it_opened(one: int, two: int, day: int) -> None:
    start, end = max(one, two), min(one, two)
    opened = FIRST + timedelta(days=day)
    for valid in (
        Validity(daily=((start, end),), weekdays=frozenset({opened.isoweekday()})),
        Validity(daily=((start, end),), dates=frozenset({opened.isoformat()})),
    ):
        midnight = (day + 1) * DAY_S
        if start != end:
            assert acts(valid, instant(midnight - DAY_S + start))
        if end > 0 and start != end:
            assert acts(valid, instant(midnight + end - 1))
        assert not acts(valid, instant(midnight + end))
        assert not acts(valid, instant(midnight - DAY_S + start - 1))


@st.composite
def validities(draw: st.DrawFn) -> Validity:
    days = [(FIRST + timedelta(days=n)).isoformat() for n in range(-1, 4)]
    pairs = st.tuples(DAILY_SECONDS, DAILY_SECONDS).filter(lambda pair: pair[0] != pair[1])
    return Validity(
        from_at_ms=draw(st.none() | SECONDS.map(lambda s: instant(s).at_ms)),
        to_at_ms=draw(st.none() | SECONDS.map(lambda s: instant(s).at_ms)),
        from_local=draw(st.none() | SECONDS.map(local)),
        to_local=draw(st.none() | SECONDS.map(local)),
        dates=frozenset(draw(st.just([]) | st.lists(st.sampled_from(days), max_size=3))),
        weekdays=draw(st.just(frozenset[int]()) | st.frozensets(st.integers(1, 7), max_size=5)),
        daily=tuple(draw(st.lists(pairs, max_size=2))),
    )


@given(validities(), SECONDS)
def test_windows_are_open_when_a_second_reading_of_the_rules_says_so(
    valid: Validity, second: int
) -> None:
    assert acts(valid, instant(second)) == is_open(valid, instant(second))
