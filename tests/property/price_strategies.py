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
    Allocation,
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
PRICES = st.integers(0, 40) | st.integers(1, 3000) | st.sampled_from([100, 199, 250, 999, 1000])
AMOUNTS = st.integers(1, 60) | st.integers(1, 2500)
BPS = st.sampled_from([1, 300, 500, 1000, 1250, 2000, 3333, 5000, 8888, 10_000])
PIECES = st.sampled_from([1000, 2000, 3000, 4000] * 4 + [0])
SMALL = st.integers(1, 3)
PICKS = st.sampled_from(Pick)


@dataclass(frozen=True, slots=True)
class Scene:
    """A basket with everything that decides about its price."""

    lines: tuple[PriceLine, ...]
    offers: tuple[Offer, ...]
    context: PriceContext
    policy: PricePolicy


KINDS = st.sampled_from(
    [
        ("food", frozenset[str](), True, 0),
        ("food", frozenset({"sale"}), True, 600),
        ("drink", frozenset[str](), True, 600),
        ("drink", frozenset({"sale"}), True, 1300),
        ("drink", frozenset({"sale"}), True, 1300),
        ("food", frozenset[str](), True, 0),
        ("food", frozenset({"sale"}), False, 1300),
    ]
)


@st.composite
def price_lines(draw: st.DrawFn, key: int) -> PriceLine:
    weighed = draw(st.sampled_from([False, False, False, True]))
    price = draw(PRICES)
    category, tags, is_promotable, tax_bp = draw(KINDS)
    line = PriceLine(
        key=key,
        sku=draw(st.sampled_from(SKUS)),
        qty_milli=draw(st.integers(0, 2500) if weighed else PIECES),
        unit_minor=price,
        category=category,
        tags=tags,
        is_weighed=weighed,
        uom="kg" if weighed else "",
        is_promotable=is_promotable,
        floor_unit_minor=draw(st.just(0) | st.integers(0, price)),
        tax_bp=tax_bp,
    )
    special = draw(st.sampled_from(["", "", "", "", "list", "start"]))
    if line.qty_milli and special == "list":
        return replace(line, list_minor=draw(PRICES))
    if special == "start":
        return replace(line, start_minor=draw(st.integers(0, line.gross_minor)))
    return line


@st.composite
def price_baskets(draw: st.DrawFn) -> tuple[PriceLine, ...]:
    size = draw(st.integers(1, 4))
    return tuple(draw(price_lines(key)) for key in range(1, size + 1))


def skus(*names: str) -> frozenset[str]:
    return frozenset(names)


SALE = frozenset({"sale"})
SELECTORS = st.sampled_from(
    [
        *[ALL] * 10,
        Selector(skus=skus("apple")),
        Selector(skus=skus("bread", "cocoa")),
        Selector(skus=skus("apple", "cocoa", "dates")),
        Selector(categories=frozenset({"food"})),
        Selector(categories=frozenset({"drink"})),
        Selector(tags=SALE),
        Selector(tags=SALE, undiscounted=True),
        Selector(undiscounted=True),
        Selector(unit_price_min=20),
        Selector(unit_price_min=199, undiscounted=True),
        Selector(unit_price_max=250, exclude=Selector(skus=skus("bread"))),
        Selector(exclude=Selector(tags=SALE)),
        Selector(categories=frozenset({"food"}), exclude=Selector(skus=skus("apple"))),
    ]
)


SLOTS = st.builds(Slot, SELECTORS, st.integers(1, 2))
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
    st.builds(
        lambda b, g, off, n, p: BuyGet(b, g, off[1], off[0], n, p),
        *(SLOTS, SLOTS, OFF, MAYBE_FEW, PICKS),
    ),
    st.builds(
        lambda size, off, order: GroupEach(size, off[0], off[1], order),
        SMALL,
        OFF,
        st.sampled_from(GroupOrder),
    ),
)


CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(MinSpend, SELECTORS, AMOUNTS, st.booleans(), st.sampled_from(SpendBasis)),
    st.builds(MinSpend, SELECTORS, AMOUNTS),
    st.builds(MinQty, SELECTORS, SMALL.map(lambda pieces: 1000 * pieces)),
    st.builds(MinQty, SELECTORS, st.integers(1, 2000), st.just("kg")),
    st.builds(Distinct, SELECTORS, SMALL),
    st.builds(Contains, SELECTORS),
    st.sampled_from(
        [
            ForMember(),
            ForMember(tiers=frozenset({"gold"})),
            ForMember(groups=frozenset({"staff"})),
            OrderNo(1),
            OrderNo(2),
        ]
    ),
)


WHEN = st.just(()) | st.just(()) | st.tuples(CONDITIONS)
MANNERS = st.tuples(
    st.sampled_from(Level),
    st.sampled_from([0, 0, 0, 5, -1]),
    st.sampled_from([None] * 5 + ["HAVE", "GONE"]),
    st.sampled_from([PercentBase.CURRENT] * 4 + [PercentBase.LIST]),
    st.sampled_from([False] * 5 + [True]),
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


def line_or_basket(reward: Reward, stack: Stack) -> Stack:
    """Sets reach over lines, so that lines cannot choose among them one by one."""
    if stack.scope is StackScope.LINE and isinstance(reward, SetReward):
        return Stack(StackMode.BEST_OF, "one")
    return stack


STACKS = st.sampled_from(
    [
        *[Stack()] * 10,
        *[Stack(StackMode.BEST_OF, "one")] * 3,
        *[Stack(StackMode.BEST_OF, "two")] * 2,
        *[Stack(StackMode.BEST_OF, "by line", StackScope.LINE)] * 4,
        Stack(StackMode.EXCLUSIVE),
        Stack(StackMode.EXCLUSIVE, choose=ExclusiveChoice.ALWAYS),
    ]
)
REWARDS: st.SearchStrategy[Reward] = st.one_of(
    PLAIN_REWARDS, WHOLE_REWARDS, GIVEN_REWARDS, SET_REWARDS
)
CLOSED = Validity(weekdays=frozenset({2}))


@st.composite
def price_offers(draw: st.DrawFn, name: str, stack: Stack | None = None) -> Offer:
    reward = draw(REWARDS)
    level, priority, coupon, percent_base, ignores_floor = draw(MANNERS)
    return Offer(
        id=name,
        level=level,
        reward=reward,
        target=draw(SELECTORS),
        when=draw(WHEN),
        priority=priority,
        coupon=coupon,
        stack=line_or_basket(reward, draw(STACKS) if stack is None else stack),
        limits=draw(limits_for(reward)),
        valid=CLOSED if draw(st.integers(0, 9)) == 9 else Validity(),
        percent_base=percent_base,
        ignores_floor=ignores_floor,
    )


MEMBERS = st.builds(
    MemberStanding,
    st.just("m-1"),
    st.sampled_from(["gold", "silver"]),
    st.sampled_from([frozenset(), frozenset({"staff"})]),
)


@st.composite
def customers(draw: st.DrawFn, names: Sequence[str]) -> PriceContext:
    coupons = {"HAVE": CouponState.VALID, "GONE": CouponState.REDEEMED}
    if draw(st.booleans()):
        return PriceContext(None, coupons)
    uses, units = draw(st.integers(0, 2)), draw(st.integers(0, 3))
    return PriceContext(
        draw(MEMBERS),
        coupons,
        draw(st.integers(0, 1)),
        dict.fromkeys(names, uses),
        dict.fromkeys(names, units),
    )


@st.composite
def scenes(draw: st.DrawFn, offers_max: int = 5) -> Scene:
    names = [f"offer-{n}" for n in range(draw(st.integers(1, offers_max)))]
    return Scene(
        draw(price_baskets()),
        tuple(draw(price_offers(name)) for name in names),
        draw(customers(names)),
        PricePolicy(draw(st.sampled_from(Rounding)), draw(st.sampled_from(Allocation))),
    )
