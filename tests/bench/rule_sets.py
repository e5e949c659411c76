"""A chain's thirty offers of one week, over the goods that a set of baskets buys most."""

from __future__ import annotations

from dataclasses import replace

from shared.price.condition import ForMember, MinQty, MinSpend, Selector
from shared.price.offer import Level, Limits, Offer, Stack, StackMode, StackScope
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    NthUnit,
    PercentOff,
    PriceEach,
    Reward,
    SetPrice,
    Slot,
    Step,
    TierBy,
    Tiers,
)
from tests.bench.shopping import Shopping

EXCLUSIVE = Stack(StackMode.EXCLUSIVE)


def week_of(shop: Shopping) -> tuple[Offer, ...]:
    """Special prices, sets, bundles, 满减, member and coupon offers."""
    return (*_prices(shop), *_sets(shop), *_baskets(shop))


def draft_of(week: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """The same week with other percentages and thresholds, as a buyer tries them."""
    return tuple(
        replace(offer, version=2, reward=_other(offer.reward)) if place % 3 == 0 else offer
        for place, offer in enumerate(week)
    )


def _other(reward: Reward) -> Reward:
    if isinstance(reward, PercentOff):
        return replace(reward, bp=reward.bp + 500)
    if isinstance(reward, PriceEach | SetPrice | AmountOff | AmountOffEach | Every):
        return replace(reward, amount=reward.amount * 9 // 10)
    return reward


def _skus(shop: Shopping, first: int, count: int) -> Selector:
    return Selector(skus=frozenset(item.gtin for item in shop.items[first : first + count]))


def _category(shop: Shopping, place: int, count: int = 1) -> Selector:
    found = list(dict.fromkeys(item.category for item in shop.items if item.category))
    return Selector(categories=frozenset(found[place : place + count]))


def _prices(shop: Shopping) -> list[Offer]:
    specials = [
        Offer(f"special-{n}", Level.PRICE, PriceEach(99 + 50 * n, 6), _skus(shop, 12 * n, 12))
        for n in range(5)
    ]
    markdowns = [
        Offer(f"markdown-{n}", Level.PRICE, PercentOff(1000 + 500 * n), _category(shop, 2 + n))
        for n in range(4)
    ]
    member_day = Offer(
        "member-day", Level.PRICE, PercentOff(800), _category(shop, 10), (ForMember(),)
    )
    return [*specials, *markdowns, member_day]


def _sets(shop: Shopping) -> list[Offer]:
    def line(name: str, reward: Reward, target: Selector, **more: object) -> Offer:
        return replace(Offer(name, Level.LINE, reward, target), **more)

    first, second, third = (_category(shop, n) for n in (0, 1, 14))
    best = Stack(StackMode.BEST_OF, "fresh", StackScope.LINE)
    bundle = BundlePrice(450, (Slot(_category(shop, 3)), Slot(_category(shop, 9))))
    drink = _skus(shop, 100, 5)
    spent = (MinSpend(Selector(), 5000),)
    return [
        line("second-half", NthUnit(2, 5000), first),
        line("two-plus-one", BuyGet(Slot(second, 2), Slot(second), 10_000), second),
        line("any-three", SetPrice(3, 500), third),
        line("meal-deal", bundle, Selector()),
        line("by-the-pair", GroupEach(2, bp=1500), _category(shop, 17)),
        line("five-of-these", PercentOff(2000), _category(shop, 20, 3), when=(
            MinQty(_category(shop, 20, 3), 5000),
        )),
        line("fresh-percent", PercentOff(1200), _category(shop, 24, 4), stack=best),
        line("fresh-amount", AmountOffEach(30), _category(shop, 26, 4), stack=best),
        line("gift-over-50", Gift(1), drink, when=spent),
        line("add-on-over-50", AddOn(100, 2), _skus(shop, 110, 5), when=spent),
    ]  # fmt: skip


def _baskets(shop: Shopping) -> list[Offer]:
    everything = Selector()
    steps = (Step(4000, amount=200), Step(8000, amount=500), Step(15_000, amount=1200))
    best = Stack(StackMode.BEST_OF, "thresholds")

    def basket(name: str, reward: Reward, **more: object) -> Offer:
        return replace(Offer(name, Level.BASKET, reward), **more)

    return [
        basket("each-60-less-3", Every(6000, 300, 3), stack=best),
        basket("staircase", Tiers(TierBy.SPEND, steps), stack=best),
        basket("household", PercentOff(500, cap=1000), target=Selector(
            tags=frozenset({"department:DRUG GM"})), when=(MinSpend(everything, 3000),)),
        basket("bulk", Tiers(TierBy.QTY, (Step(20, bp=200), Step(40, bp=400)))),
        basket("members-3", PercentOff(300), when=(ForMember(), MinSpend(everything, 7500))),
        basket("house-brand", AmountOff(100), target=Selector(
            tags=frozenset({"brand:Private"})), when=(MinQty(everything, 8000),)),
        basket("coupon-5", AmountOff(500), coupon="FIVE", priority=-1, when=(
            MinSpend(everything, 2500),)),
        basket("coupon-10", PercentOff(1000), coupon="TEN", priority=-1, limits=Limits(
            per_member=1)),
        basket("exclusive-20", PercentOff(2000), coupon="ALONE", stack=EXCLUSIVE),
        basket("not-on-sale", PercentOff(200), target=Selector(undiscounted=True), when=(
            MinSpend(everything, 10_000),)),
    ]  # fmt: skip
