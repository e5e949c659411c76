"""Which goods an offer means, and what must hold before it acts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Selector:
    """Goods by item, category, tag and list price (both ends inclusive); all parts must hold.

    An empty part does not select. `undiscounted`: only lines still at list price when asked.
    Goods that are not promotable never match.
    """

    skus: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    unit_price_min: int | None = None
    unit_price_max: int | None = None
    undiscounted: bool = False
    exclude: Selector | None = None


ALL = Selector()


class SpendBasis(StrEnum):
    """Which amounts count towards a threshold: after earlier offers, or before any."""

    CURRENT = "current"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class MinSpend:
    """The goods of the scope are worth `amount` (满); `is_strict` demands more than that."""

    scope: Selector
    amount: int
    is_strict: bool = False
    basis: SpendBasis = SpendBasis.CURRENT


@dataclass(frozen=True, slots=True)
class MinQty:
    """That many pieces of the scope in thousandths; with `uom` the weights of that unit."""

    scope: Selector
    qty_milli: int
    uom: str = ""


@dataclass(frozen=True, slots=True)
class Distinct:
    """That many different items of the scope."""

    scope: Selector
    count: int


@dataclass(frozen=True, slots=True)
class Contains:
    """At least one unit of the scope."""

    scope: Selector


@dataclass(frozen=True, slots=True)
class ForMember:
    """A member, of one of the tiers and one of the groups where these are named."""

    tiers: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class OrderNo:
    """The member's n-th order, 1 being the first."""

    n: int


Condition = MinSpend | MinQty | Distinct | Contains | ForMember | OrderNo
