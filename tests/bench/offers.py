"""A made-up promotion calendar of any size, with the goods and baskets that it meets.

Seven offers in ten name goods (items, categories, tags); the others mean the whole basket: 满减,
member days, coupons, two best-of groups, one exclusive, gifts.  All are open.  Of each basket
four lines in ten are goods that an offer names.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from shared.kernel.quantity import ONE_MILLI
from shared.price.condition import ALL, ForMember, MinQty, MinSpend, Selector
from shared.price.context import (
    CouponState,
    MemberStanding,
    PriceContext,
    PriceLine,
    PricingInstant,
)
from shared.price.offer import Level, Offer, Stack, StackMode, Validity
from shared.price.reward import (
    AddOn,
    AmountOff,
    AmountOffEach,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
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

SEED = 20_261_122
BASKET_SHARE = 0.3
BASKET_OFFERS_MAX = 60
PROMOTED_SHARE = 0.4
PER_CATEGORY = 25
PER_TAG = 25
AT = PricingInstant(1_795_290_000_000, date(2026, 11, 22), 14 * 3600)
OPEN = Validity(
    from_at_ms=AT.at_ms - 86_400_000, to_at_ms=AT.at_ms + 86_400_000, daily=((8 * 3600, 79_200),)
)
TIERS = 6
CONTEXT = PriceContext(
    member=MemberStanding("2479", "tier 1"),
    coupons={"C000": CouponState.VALID, "C001": CouponState.VALID},
    orders_before=11,
)


@dataclass(frozen=True, slots=True)
class World:
    """Goods as basket lines of one piece, and offers; `named` are goods that an offer names."""

    goods: tuple[PriceLine, ...]
    offers: tuple[Offer, ...]
    named: tuple[PriceLine, ...]

    def basket(self, lines: int, seed: int) -> list[PriceLine]:
        """A basket of different goods; the same for one seed."""
        dice = random.Random(seed)  # noqa: S311 - a made-up shop
        promoted = dice.sample(self.named, min(len(self.named), round(lines * PROMOTED_SHARE)))
        rest = dice.sample(self.goods, lines)
        chosen = {line.sku: line for line in (*promoted, *rest)}
        drawn = list(chosen.values())[:lines]
        return [
            replace(line, key=key, qty_milli=ONE_MILLI * dice.choice((1, 1, 1, 2, 2, 3)))
            for key, line in enumerate(drawn)
        ]


def a_world(items: int, offers: int) -> World:
    """That many goods, and offers about them."""
    dice = random.Random(SEED)  # noqa: S311 - a made-up shop
    goods = tuple(_goods(number, items, dice) for number in range(items))
    # No chain runs hundreds of offers on everything at once, however many items it promotes.
    whole = min(round(offers * BASKET_SHARE), BASKET_OFFERS_MAX)
    made = [_named_offer(number, goods, dice) for number in range(offers - whole)]
    made += [_basket_offer(number, goods, dice) for number in range(whole)]
    skus = {sku for offer in made for sku in offer.target.skus}
    return World(
        goods,
        tuple(replace(offer, valid=OPEN) for offer in made),
        tuple(line for line in goods if line.sku in skus),
    )


def everywhere(world: World) -> World:
    """The same offers, each meaning all goods: no index can help."""
    return replace(world, offers=tuple(replace(offer, target=ALL) for offer in world.offers))


def _goods(number: int, items: int, dice: random.Random) -> PriceLine:
    """Two goods in three bear a tag or two; a tag stands on about as many as a category."""
    tags = frozenset(_a_tag(items, dice) for _ in range(dice.randrange(3)))
    category = f"c{number // PER_CATEGORY}"
    price = 10 * round(19 * 10 ** dice.uniform(0, 1.6))
    return PriceLine(number, f"i{number}", ONE_MILLI, price, category, tags, tax_bp=1300)


Goods = Sequence[PriceLine]


def _some(goods: Goods, dice: random.Random, most: int) -> Selector:
    chosen = dice.sample(range(len(goods)), dice.randint(1, most))
    return Selector(skus=frozenset(goods[number].sku for number in chosen))


def _category(goods: Goods, dice: random.Random) -> Selector:
    return Selector(categories=frozenset({dice.choice(goods).category}))


def _a_tag(items: int, dice: random.Random) -> str:
    return f"t{dice.randrange(max(1, items // PER_TAG))}"


def _tag(goods: Goods, dice: random.Random) -> Selector:
    return Selector(tags=frozenset({_a_tag(len(goods), dice)}))


def _special(name: str, goods: Goods, dice: random.Random) -> Offer:
    line = dice.choice(goods)
    reward = PriceEach(line.unit_minor * 8 // 10)
    return Offer(name, Level.PRICE, reward, Selector(skus=frozenset({line.sku})))


def _member_special(name: str, goods: Goods, dice: random.Random) -> Offer:
    special = _special(name, goods, dice)
    return replace(special, when=(ForMember(),), priority=-5)


def _percent_of_items(name: str, goods: Goods, dice: random.Random) -> Offer:
    return Offer(name, Level.LINE, PercentOff(1000), _some(goods, dice, 10))


def _percent_of_category(name: str, goods: Goods, dice: random.Random) -> Offer:
    return Offer(name, Level.LINE, PercentOff(500), _category(goods, dice))


def _percent_of_tag(name: str, goods: Goods, dice: random.Random) -> Offer:
    when = (MinQty(_tag(goods, dice), 2 * ONE_MILLI),)
    return Offer(name, Level.LINE, PercentOff(300), _tag(goods, dice), when)


def _second_half(name: str, goods: Goods, dice: random.Random) -> Offer:
    return Offer(name, Level.LINE, NthUnit(2, 5000), _category(goods, dice))


def _buy_one_get_one(name: str, goods: Goods, dice: random.Random) -> Offer:
    same = _some(goods, dice, 3)
    return Offer(name, Level.LINE, BuyGet(Slot(same), Slot(same), bp=10_000), same)


def _any_three(name: str, goods: Goods, dice: random.Random) -> Offer:
    return Offer(name, Level.LINE, SetPrice(3, 1990), _some(goods, dice, 10))


def _bundle(name: str, goods: Goods, dice: random.Random) -> Offer:
    slots = (Slot(_some(goods, dice, 3)), Slot(_some(goods, dice, 3)))
    target = Selector(skus=slots[0].select.skus | slots[1].select.skus)
    return Offer(name, Level.LINE, BundlePrice(1500, slots), target)


def _each_off(name: str, goods: Goods, dice: random.Random) -> Offer:
    return Offer(name, Level.LINE, AmountOffEach(100), _some(goods, dice, 5))


def _category_coupon(name: str, goods: Goods, dice: random.Random) -> Offer:
    scope = _category(goods, dice)
    return Offer(
        name, Level.BASKET, AmountOff(500), scope, (MinSpend(scope, 5000),), -1, coupon=f"K{name}"
    )


Maker = Callable[[str, Goods, random.Random], Offer]
NAMED: tuple[Maker, ...] = (
    _special,
    _percent_of_items,
    _special,
    _second_half,
    _special,
    _buy_one_get_one,
    _member_special,
    _any_three,
    _percent_of_category,
    _special,
    _percent_of_tag,
    _bundle,
    _each_off,
    _category_coupon,
)


def _named_offer(number: int, goods: Goods, dice: random.Random) -> Offer:
    return NAMED[number % len(NAMED)](f"n{number:05d}", goods, dice)


def _basket_offer(number: int, goods: Goods, dice: random.Random) -> Offer:
    """The first few are those that cost most: groups, the exclusive one, 满减."""
    name = f"u{number:05d}"
    if number < len(SINGLE):
        return replace(SINGLE[number], id=name)
    kind = number % 4
    if kind == 0:
        spend = (MinSpend(ALL, 10_000),)
        gift = Gift() if number % 8 else AddOn(990)
        return Offer(name, Level.LINE, gift, _some(goods, dice, 2), spend)
    if kind == 1:
        tiers = ForMember(frozenset({f"tier {number // 4 % TIERS}"}))
        return Offer(name, Level.BASKET, PercentOff(100), ALL, (tiers,))
    code = f"C{number - len(SINGLE):03d}"
    return Offer(name, Level.BASKET, AmountOff(300), ALL, (MinSpend(ALL, 8000),), -1, coupon=code)


def _whole(reward: Reward, *when: MinSpend | MinQty, group: str = "", priority: int = 0) -> Offer:
    stack = Stack(StackMode.BEST_OF, group) if group else Stack()
    return Offer("", Level.BASKET, reward, ALL, when, priority, stack=stack)


STEPS = (Step(9_900, amount=1000), Step(19_900, amount=2500), Step(29_900, amount=5000))
SINGLE = (
    _whole(Tiers(TierBy.SPEND, STEPS), priority=9),
    _whole(PercentOff(800, cap=2000), MinSpend(ALL, 15_000), group="A"),
    _whole(AmountOff(1500), MinSpend(ALL, 20_000), group="A"),
    _whole(PercentOff(600), MinQty(ALL, 10 * ONE_MILLI), group="B"),
    _whole(AmountOff(900), MinSpend(ALL, 12_000), group="B"),
    replace(_whole(PercentOff(1500)), stack=Stack(StackMode.EXCLUSIVE)),
    _whole(Every(10_000, 200, max_times=5), priority=5),
    _whole(PercentOff(500), MinSpend(ALL, 10_000), group="A"),
    _whole(AmountOff(500), MinSpend(ALL, 6_000), group="A"),
    _whole(PercentOff(300), group="B"),
    _whole(Tiers(TierBy.QTY, (Step(5, bp=100), Step(15, bp=200))), priority=3),
    _whole(AmountOff(100), MinSpend(ALL, 30_000)),
)
