"""What an offer gives. Money in minor units, `bp` in basis points (10,000 is 100 %).

A unit is one piece; a weighed line is one unit whatever it weighs. Its value is what it costs
at that moment. Adding a kind of reward means one dataclass here, one match arm in `derive.py`
and one row in `document.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from shared.price.condition import Selector

FULL_BP = 10_000


class Pick(StrEnum):
    """Which units a limited reward takes."""

    CHEAPEST = "cheapest"
    DEAREST = "dearest"


@dataclass(frozen=True, slots=True)
class PercentOff:
    """A share off: rounded per line, on basket level once and then allocated.

    With a limit only the picked units that are worth something count.
    """

    bp: int
    cap: int | None = None
    max_units: int | None = None
    max_units_per_line: int | None = None
    pick: Pick = Pick.CHEAPEST


@dataclass(frozen=True, slots=True)
class AmountOff:
    """One amount off all target goods together."""

    amount: int
    max_units: int | None = None
    pick: Pick = Pick.CHEAPEST


@dataclass(frozen=True, slots=True)
class AmountOffEach:
    """An amount off each unit."""

    amount: int
    max_units: int | None = None
    max_units_per_line: int | None = None
    pick: Pick = Pick.CHEAPEST


@dataclass(frozen=True, slots=True)
class AmountOffLine:
    """An amount off each line."""

    amount: int


@dataclass(frozen=True, slots=True)
class PriceEach:
    """A unit price (特价, 会员价), where it is lower; the dearest units first."""

    amount: int
    max_units: int | None = None


@dataclass(frozen=True, slots=True)
class SetPrice:
    """Any `size` units for one amount (任选 N 件), where that is cheaper."""

    size: int
    amount: int
    pick: Pick = Pick.DEAREST


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a bundle: that many units of some goods."""

    select: Selector
    qty: int = 1


@dataclass(frozen=True, slots=True)
class BundlePrice:
    """One unit or more for each slot, together for one amount (组合套餐), where cheaper."""

    amount: int
    slots: tuple[Slot, ...]


class Pairing(StrEnum):
    """Which units the n-th unit's discount falls on."""

    CHEAPEST_FIRST = "cheapest_first"
    """The cheapest of all, one per complete group: usual small print 以低价商品计."""
    DESC_GROUPS = "desc_groups"
    """Dearest first, the last of each complete group."""


@dataclass(frozen=True, slots=True)
class NthUnit:
    """Every n-th unit at a share off (第二件半价)."""

    n: int
    bp: int
    pairing: Pairing = Pairing.CHEAPEST_FIRST


@dataclass(frozen=True, slots=True)
class BuyGet:
    """Buy some, get some at a share or an amount off (买一送一); exactly one of both is set.

    Repeats while a full buy side and one get unit are there. The get side is the cheapest and the
    buy side the dearest, or with `get_pick` dearest the other way round.
    """

    buy: Slot
    get: Slot
    bp: int | None = None
    amount_each: int | None = None
    max_get_units: int | None = None
    get_pick: Pick = Pick.CHEAPEST


class TierBy(StrEnum):
    """What a tier counts over the target."""

    SPEND = "spend"
    QTY = "qty"


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on (minor units, or units of goods) this much off; exactly one of both is set."""

    at: int
    bp: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class Tiers:
    """The highest step that was reached (阶梯满减)."""

    by: TierBy
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """An amount off for each full `spend` of the target (每满减)."""

    spend: int
    amount: int
    max_times: int | None = None


class GroupOrder(StrEnum):
    """How units queue up for groups."""

    DEAREST_FIRST = "dearest_first"
    LARGEST_LINE_FIRST = "largest_line_first"


@dataclass(frozen=True, slots=True)
class GroupEach:
    """Something off each unit of complete groups; exactly one of `amount` and `bp` is set."""

    size: int
    amount: int | None = None
    bp: int | None = None
    order: GroupOrder = GroupOrder.DEAREST_FIRST


@dataclass(frozen=True, slots=True)
class Gift:
    """Free units of the target (满赠): must be scanned, never help to reach the threshold."""

    max_units: int = 1


@dataclass(frozen=True, slots=True)
class AddOn:
    """Units of the target at a special price (加价购); never help to reach the threshold."""

    amount: int
    max_units: int = 1


SetReward = SetPrice | BundlePrice | NthUnit | BuyGet | GroupEach
"""Rewards that use units up: such a unit serves no second offer of this kind."""
Reward = (
    PercentOff
    | AmountOff
    | AmountOffEach
    | AmountOffLine
    | PriceEach
    | Tiers
    | Every
    | Gift
    | AddOn
    | SetReward
)
