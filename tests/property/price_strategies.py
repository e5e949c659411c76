"""Random small baskets, offers and customers: few goods, so that offers meet on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from hypothesis import strategies as st

from shared.price.condition import (
    ALL,
    Condition,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
    SpendBasis,
)
from shared.price.context import (
    CouponState,
    MemberStanding,
    PriceContext,
    PriceLine,
    PricePolicy,
    PricingInstant,
    Rounding,
)
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
    Reward,
    SetPrice,
    SetReward,
    Slot,
    Step,
    TierBy,
    Tiers,
)

NOON = PricingInstant(1_767_600_000_000, date(2026, 1, 5), 43_200)
SKUS = ("apple", "bread", "cocoa", "dates")
CATEGORIES = ("food", "drink")
PRICES = st.integers(0, 40) | st.integers(1, 3000) | st.sampled_from([100, 199, 250, 999, 1000])
AMOUNTS = st.integers(1, 60) | st.integers(1, 2500)
BPS = st.sampled_from([1, 300, 500, 1000, 1250, 2000, 3333, 5000, 8888, 10_000])
SMALL = st.integers(1, 3)
PICKS = st.sampled_from(Pick)


@dataclass(frozen=True, slots=True)
class Scene:
    """A basket with everything that decides about its price."""

    lines: tuple[PriceLine, ...]
    offers: tuple[Offer, ...]
    context: PriceContext
    policy: PricePolicy


@st.composite
def price_lines(draw: st.DrawFn, key: int) -> PriceLine:
    weighed = draw(st.sampled_from([False, False, False, True]))
    price = draw(PRICES)
    line = PriceLine(
        key=key,
        sku=draw(st.sampled_from(SKUS)),
        qty_milli=draw(st.integers(1, 2500)) if weighed else 1000 * draw(st.integers(1, 4)),
        unit_minor=price,
        category=draw(st.sampled_from(CATEGORIES)),
        tags=draw(st.sampled_from([frozenset(), frozenset({"sale"})])),
        is_weighed=weighed,
        uom="kg" if weighed else "",
        is_promotable=draw(st.sampled_from([True] * 7 + [False])),
        floor_unit_minor=draw(st.just(0) | st.integers(0, price)),
        tax_bp=draw(st.sampled_from([0, 600, 1300])),
    )
    if draw(st.integers(0, 4)) == 0:
        return replace(line, start_minor=draw(st.integers(0, line.gross_minor)))
    return line


@st.composite
def price_baskets(draw: st.DrawFn) -> tuple[PriceLine, ...]:
    size = draw(st.integers(1, 4))
    return tuple(draw(price_lines(key)) for key in range(1, size + 1))


@st.composite
def selectors(draw: st.DrawFn) -> Selector:
    kind = draw(st.integers(0, 9))
    if kind <= 4:
        return ALL
    if kind == 5:
        return Selector(skus=frozenset(draw(st.sets(st.sampled_from(SKUS), min_size=1))))
    if kind == 6:
        return Selector(categories=frozenset({draw(st.sampled_from(CATEGORIES))}))
    if kind == 7:
        return Selector(tags=frozenset({"sale"}), undiscounted=draw(st.booleans()))
    if kind == 8:
        return Selector(unit_price_min=draw(PRICES), undiscounted=draw(st.booleans()))
    return Selector(
        unit_price_max=draw(PRICES), exclude=Selector(skus=frozenset({draw(st.sampled_from(SKUS))}))
    )


SLOTS = st.builds(Slot, selectors(), st.integers(1, 2))
MAYBE_FEW = st.none() | st.integers(1, 4)
OFF = st.tuples(st.none(), BPS) | st.tuples(AMOUNTS, st.none())
PLAIN_REWARDS: st.SearchStrategy[Reward] = st.one_of(
    st.builds(PercentOff, BPS),
    st.builds(PercentOff, BPS, st.none() | AMOUNTS, MAYBE_FEW, MAYBE_FEW, PICKS),
    st.builds(AmountOff, AMOUNTS, MAYBE_FEW, PICKS),
    st.builds(AmountOffEach, AMOUNTS, MAYBE_FEW, MAYBE_FEW, PICKS),
    st.builds(PriceEach, AMOUNTS, MAYBE_FEW),
)
WHOLE_REWARDS: st.SearchStrategy[Reward] = st.one_of(
    st.builds(AmountOffLine, AMOUNTS),
    st.builds(Every, AMOUNTS, AMOUNTS, MAYBE_FEW),
    st.builds(
        Tiers,
        st.just(TierBy.SPEND),
        st.tuples(
            st.builds(lambda off: Step(100, off[1], off[0]), OFF),
            st.builds(lambda off: Step(900, off[1], off[0]), OFF),
        ),
    ),
    st.builds(
        Tiers,
        st.just(TierBy.QTY),
        st.tuples(
            st.builds(lambda off: Step(2, off[1], off[0]), OFF),
            st.builds(lambda off: Step(4, off[1], off[0]), OFF),
        ),
    ),
)
GIVEN_REWARDS: st.SearchStrategy[Reward] = st.builds(Gift, SMALL) | st.builds(AddOn, AMOUNTS, SMALL)
SET_REWARDS: st.SearchStrategy[SetReward] = st.one_of(
    st.builds(SetPrice, SMALL, AMOUNTS, PICKS),
    st.builds(BundlePrice, AMOUNTS, st.tuples(SLOTS) | st.tuples(SLOTS, SLOTS)),
    st.builds(NthUnit, st.integers(2, 3), BPS, st.sampled_from(Pairing)),
    st.builds(lambda b, g, off, n: BuyGet(b, g, off[1], off[0], n), SLOTS, SLOTS, OFF, MAYBE_FEW),
    st.builds(
        lambda size, off, order: GroupEach(size, off[0], off[1], order),
        SMALL,
        OFF,
        st.sampled_from(GroupOrder),
    ),
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    scope = draw(selectors())
    return draw(
        st.sampled_from(
            [
                MinSpend(
                    scope, draw(AMOUNTS), draw(st.booleans()), draw(st.sampled_from(SpendBasis))
                ),
                MinSpend(ALL, draw(AMOUNTS)),
                MinQty(scope, 1000 * draw(SMALL)),
                MinQty(scope, draw(st.integers(1, 2000)), "kg"),
                Distinct(scope, draw(SMALL)),
                Contains(scope),
                ForMember(draw(st.sampled_from([frozenset(), frozenset({"gold"})]))),
                ForMember(groups=frozenset({"staff"})),
                OrderNo(draw(st.integers(1, 2))),
            ]
        )
    )


@st.composite
def limits_for(draw: st.DrawFn, reward: Reward) -> Limits:
    """Limits that say something for this kind of reward."""
    if draw(st.integers(0, 3)):
        return Limits()
    is_set = isinstance(reward, SetReward)
    counts_units = not isinstance(reward, AmountOffLine | Every | Tiers)
    has_whole_sets = not (isinstance(reward, BuyGet) and reward.get.qty > 1)
    return Limits(
        max_times=draw(st.none() | SMALL) if is_set else None,
        per_member=draw(MAYBE_FEW),
        per_member_units=draw(MAYBE_FEW) if counts_units and has_whole_sets else None,
        budget_left=draw(st.none() | st.integers(0, 1500)),
        budget_policy=draw(st.sampled_from(BudgetPolicy)),
    )


@st.composite
def stacks(draw: st.DrawFn, reward: Reward) -> Stack:
    kind = draw(st.integers(0, 9))
    if kind <= 4:
        return Stack()
    if kind == 9:
        return Stack(StackMode.EXCLUSIVE, choose=draw(st.sampled_from(ExclusiveChoice)))
    if kind >= 7 and not isinstance(reward, SetReward):
        return Stack(StackMode.BEST_OF, "by line", StackScope.LINE)
    return Stack(StackMode.BEST_OF, draw(st.sampled_from(["one", "two"])), StackScope.BASKET)


@st.composite
def price_offers(draw: st.DrawFn, name: str, stack: Stack | None = None) -> Offer:
    reward = draw(
        st.one_of(
            PLAIN_REWARDS, PLAIN_REWARDS, WHOLE_REWARDS, GIVEN_REWARDS, SET_REWARDS, SET_REWARDS
        )
    )
    return Offer(
        id=name,
        level=draw(st.sampled_from(Level)),
        reward=reward,
        target=draw(selectors()),
        when=tuple(draw(st.lists(conditions(), max_size=1) | st.just([]))),
        priority=draw(st.sampled_from([0, 0, 0, 5, -1])),
        coupon=draw(st.sampled_from([None] * 5 + ["HAVE", "GONE"])),
        stack=draw(stacks(reward)) if stack is None else stack,
        limits=draw(limits_for(reward)),
        valid=draw(st.sampled_from([Validity()] * 5 + [Validity(weekdays=frozenset({2}))])),
        percent_base=draw(st.sampled_from([PercentBase.CURRENT] * 4 + [PercentBase.LIST])),
        ignores_floor=draw(st.sampled_from([False] * 5 + [True])),
    )


@st.composite
def customers(draw: st.DrawFn, names: Sequence[str]) -> PriceContext:
    coupons = {"HAVE": CouponState.VALID, "GONE": CouponState.REDEEMED}
    if draw(st.booleans()):
        return PriceContext(None, coupons)
    return PriceContext(
        MemberStanding(
            "m-1",
            draw(st.sampled_from(["gold", "silver"])),
            draw(st.sampled_from([frozenset(), frozenset({"staff"})])),
        ),
        coupons,
        draw(st.integers(0, 1)),
        {name: draw(st.integers(0, 2)) for name in names},
        {name: draw(st.integers(0, 3)) for name in names},
    )


@st.composite
def scenes(draw: st.DrawFn, offers_max: int = 5) -> Scene:
    names = [f"offer-{n}" for n in range(draw(st.integers(1, offers_max)))]
    return Scene(
        draw(price_baskets()),
        tuple(draw(price_offers(name)) for name in names),
        draw(customers(names)),
        PricePolicy(draw(st.sampled_from(Rounding))),
    )
