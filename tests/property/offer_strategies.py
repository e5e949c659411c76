"""Offers of every kind, with every attribute, as a document could say them."""

from __future__ import annotations

from datetime import date

from hypothesis import strategies as st

from shared.price.condition import (
    ALL,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
    SpendBasis,
)
from shared.price.document_check import LINE_ONLY
from shared.price.document_offer import LANGUAGES, OfferEntry
from shared.price.document_value import COUNT_MAX, MINOR_MAX
from shared.price.offer import (
    BudgetPolicy,
    ExclusiveChoice,
    Level,
    Limits,
    Offer,
    PercentBase,
    Stack,
    StackMode,
    StackScope,
    Validity,
)
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    GroupOrder,
    NthUnit,
    Pairing,
    PercentOff,
    Pick,
    PriceEach,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)

AMOUNTS = st.integers(1, MINOR_MAX)
PRICES = st.integers(0, MINOR_MAX)
COUNTS = st.integers(1, COUNT_MAX)
SHARES = st.integers(1, 10_000)
WORDS = st.text("abc-0169 茶", min_size=1, max_size=8).filter(lambda text: text == text.strip())
WORD_SETS = st.frozensets(WORDS, max_size=3)
LIMIT = st.none() | COUNTS
PICKS = st.sampled_from(Pick)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(str)
LOCALS = st.tuples(DAYS, st.integers(0, 86_399))
INSTANTS = st.integers(946_684_800_000, 4_102_444_799_999)
WINDOWS = st.tuples(st.integers(0, 86_399), st.integers(0, 86_400)).filter(lambda w: w[0] != w[1])


@st.composite
def selectors(draw: st.DrawFn, depth: int = 2) -> Selector:
    low, high = sorted(draw(st.tuples(PRICES, PRICES)))
    return Selector(
        draw(WORD_SETS),
        draw(WORD_SETS),
        draw(WORD_SETS),
        draw(st.sampled_from([None, low])),
        draw(st.sampled_from([None, high])),
        draw(st.booleans()),
        draw(st.none() | selectors(depth - 1).filter(lambda each: each != ALL)) if depth else None,
    )


SELECTORS = selectors()
CONDITIONS = st.one_of(
    st.builds(MinSpend, SELECTORS, PRICES, st.booleans(), st.sampled_from(SpendBasis)),
    st.builds(MinQty, SELECTORS, st.integers(1, 9_999_000), st.just("") | WORDS),
    st.builds(Distinct, SELECTORS, COUNTS),
    st.builds(Contains, SELECTORS),
    st.builds(ForMember, WORD_SETS, WORD_SETS),
    st.builds(OrderNo, COUNTS),
)
SLOTS = st.builds(Slot, SELECTORS, COUNTS)


def either(
    first: st.SearchStrategy[int], second: st.SearchStrategy[int]
) -> st.SearchStrategy[tuple[int | None, int | None]]:
    """Exactly one of both."""
    return st.tuples(first, st.none()) | st.tuples(st.none(), second)


@st.composite
def tiers(draw: st.DrawFn) -> Tiers:
    count = draw(st.integers(1, 4))
    by = draw(st.sampled_from(TierBy))
    most = MINOR_MAX if by is TierBy.SPEND else COUNT_MAX
    starts = sorted(draw(st.sets(st.integers(1, most), min_size=count, max_size=count)))
    gains = sorted(draw(st.sets(SHARES, min_size=count, max_size=count)))
    is_share = draw(st.booleans())
    steps = [
        Step(at, bp=gain if is_share else None, amount=None if is_share else gain)
        for at, gain in zip(starts, gains, strict=True)
    ]
    return Tiers(by, tuple(steps))


REWARDS = st.one_of(
    st.builds(PercentOff, SHARES, st.none() | AMOUNTS, LIMIT, LIMIT, PICKS),
    st.builds(AmountOff, AMOUNTS, LIMIT, PICKS),
    st.builds(AmountOffEach, AMOUNTS, LIMIT, LIMIT, PICKS),
    st.builds(AmountOffLine, AMOUNTS),
    st.builds(PriceEach, PRICES, LIMIT),
    st.builds(SetPrice, COUNTS, PRICES, PICKS),
    st.builds(BundlePrice, PRICES, st.lists(SLOTS, min_size=1, max_size=3).map(tuple)),
    st.builds(NthUnit, st.integers(2, COUNT_MAX), SHARES, st.sampled_from(Pairing)),
    st.builds(
        lambda buy, get, gain, most, pick: BuyGet(buy, get, gain[0], gain[1], most, pick),
        *(SLOTS, SLOTS, either(SHARES, AMOUNTS), LIMIT, PICKS),
    ),
    tiers(),
    st.builds(Every, AMOUNTS, AMOUNTS, LIMIT),
    st.builds(
        lambda size, gain, order: GroupEach(size, gain[0], gain[1], order),
        *(COUNTS, either(AMOUNTS, SHARES), st.sampled_from(GroupOrder)),
    ),
    st.builds(Gift, COUNTS),
    st.builds(AddOn, PRICES, COUNTS),
)

STACKS = st.one_of(
    st.just(Stack()),
    st.builds(Stack, st.just(StackMode.BEST_OF), WORDS, st.sampled_from(StackScope)),
    st.builds(Stack, st.just(StackMode.EXCLUSIVE), choose=st.sampled_from(ExclusiveChoice)),
)
LIMITS = st.builds(Limits, LIMIT, LIMIT, LIMIT, st.none() | PRICES, st.sampled_from(BudgetPolicy))


@st.composite
def validities(draw: st.DrawFn) -> Validity:
    instants = sorted(draw(st.sets(INSTANTS, min_size=2, max_size=2)))
    locals_ = sorted(draw(st.sets(LOCALS, min_size=2, max_size=2)))
    is_local, has_start, has_end = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    return Validity(
        from_at_ms=instants[0] if has_start and not is_local else None,
        to_at_ms=instants[1] if has_end and not is_local else None,
        from_local=locals_[0] if has_start and is_local else None,
        to_local=locals_[1] if has_end and is_local else None,
        dates=draw(st.frozensets(DAYS, max_size=2)),
        weekdays=draw(st.frozensets(st.integers(1, 7))),
        daily=tuple(sorted(draw(st.lists(WINDOWS, max_size=2)))),
    )


NAMES = st.dictionaries(st.sampled_from(LANGUAGES), WORDS)


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    reward = draw(REWARDS)
    level = Level.LINE if isinstance(reward, LINE_ONLY) else draw(st.sampled_from(Level))
    return Offer(
        id=draw(WORDS),
        level=level,
        reward=reward,
        target=draw(SELECTORS),
        when=tuple(draw(st.lists(CONDITIONS, max_size=2))),
        priority=draw(st.integers(-9, 9)),
        coupon=draw(st.none() | WORDS),
        stack=draw(STACKS),
        limits=draw(LIMITS),
        valid=draw(validities()),
        percent_base=draw(st.sampled_from(PercentBase)),
        ignores_floor=draw(st.booleans()),
        version=draw(COUNTS),
        names=draw(NAMES),
    )


STORES = st.none() | st.lists(WORDS, min_size=1, max_size=3).map(sorted).map(tuple)
ENTRIES = st.builds(OfferEntry, offers(), STORES)
