"""Offers (price derivation rules) as data: what acts on which goods, when, and with whom.

The words are those of `promo-cases/1`; money is in minor units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from shared.price.condition import ALL, Condition, Selector
from shared.price.reward import Reward


class Level(IntEnum):
    """Offers act level by level; each sees the prices that the earlier ones left."""

    PRICE = 1
    LINE = 2
    BASKET = 3


class StackMode(StrEnum):
    """How an offer lives with others."""

    STACK = "stack"
    BEST_OF = "best_of"
    """One offer of a named group, the best for the customer."""
    EXCLUSIVE = "exclusive"
    """Alone in the basket or not at all."""


class StackScope(StrEnum):
    """Whether a best-of group chooses once for the basket or line by line."""

    BASKET = "basket"
    LINE = "line"


class ExclusiveChoice(StrEnum):
    """Whether an exclusive offer must give more than all others together."""

    BEST = "best"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Stack:
    """Stack mode; `group` and `scope` belong to best_of, `choose` to exclusive."""

    mode: StackMode = StackMode.STACK
    group: str = ""
    scope: StackScope = StackScope.BASKET
    choose: ExclusiveChoice = ExclusiveChoice.BEST


class BudgetPolicy(StrEnum):
    """What becomes of a discount that is larger than what the budget has left."""

    SKIP = "skip"
    CLIP = "clip"


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings: sets per basket, uses and units per member, and what is left of the budget."""

    max_times: int | None = None
    per_member: int | None = None
    per_member_units: int | None = None
    budget_left: int | None = None
    budget_policy: BudgetPolicy = BudgetPolicy.SKIP


@dataclass(frozen=True, slots=True)
class Validity:
    """When an offer is open, in the store's own time; what is empty does not restrict.

    Instants are UTC milliseconds, half-open; `from_local`/`to_local` the same on the store's own
    clock, as ISO date and second of the day. Daily windows are seconds of the day, half-open;
    one that ends before it starts runs over midnight and belongs to the day it opened, whose
    date (ISO) and weekday (ISO, Monday is 1) then count.
    """

    from_at_ms: int | None = None
    to_at_ms: int | None = None
    from_local: tuple[str, int] | None = None
    to_local: tuple[str, int] | None = None
    dates: frozenset[str] = frozenset()
    weekdays: frozenset[int] = frozenset()
    daily: tuple[tuple[int, int], ...] = ()


class PercentBase(StrEnum):
    """What a percentage is taken of: the price so far, or the list price."""

    CURRENT = "current"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Offer:
    """One promotion. It acts at most once per basket; its reward may repeat inside.

    Higher `priority` acts first within its level. `coupon` demands that code. `names` are the
    texts of receipt and poster by language. `ignores_floor` lets a gift go below the minimum
    price. `version` grows with each change at HQ.
    """

    id: str
    level: Level
    reward: Reward
    target: Selector = ALL
    when: tuple[Condition, ...] = ()
    priority: int = 0
    coupon: str | None = None
    stack: Stack = Stack()
    limits: Limits = Limits()
    valid: Validity = Validity()
    percent_base: PercentBase = PercentBase.CURRENT
    ignores_floor: bool = False
    version: int = 1
    names: Mapping[str, str] = field(default_factory=dict)
