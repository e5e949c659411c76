"""What pricing is told about goods, customer and time: values only, so that it stays pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from shared.kernel.quantity import ONE_MILLI, extended_minor


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line of goods. `key` is unique in its basket.

    `list_minor` is the whole line's list amount where it is not unit price times quantity, and
    `start_minor` the amount at which offers begin where that is lower (the book's member price).
    `floor_unit_minor` is the least that a unit may cost. Goods that are not `is_promotable`
    neither count nor share, nor do lines of no quantity, of negative amounts, and that come back.
    """

    key: int
    sku: str
    qty_milli: int
    unit_minor: int
    category: str = ""
    tags: frozenset[str] = frozenset()
    is_weighed: bool = False
    uom: str = ""
    is_promotable: bool = True
    floor_unit_minor: int = 0
    tax_bp: int = 0
    list_minor: int | None = None
    start_minor: int | None = None

    @property
    def units(self) -> int:
        """Pieces; a weighed line is one unit."""
        return 1 if self.is_weighed else max(1, self.qty_milli // ONE_MILLI)

    @property
    def gross_minor(self) -> int:
        """The line's list amount."""
        if self.list_minor is not None:
            return self.list_minor
        return extended_minor(self.unit_minor, self.qty_milli)


@dataclass(frozen=True, slots=True)
class PricingInstant:
    """One instant with its reading on the store's wall clock (resolved outside: zones are I/O)."""

    at_ms: int
    day: date
    second: int
    """Second of the local day, 0 to 86,399."""


class CouponState(StrEnum):
    """What is known of a coupon before pricing."""

    VALID = "valid"
    REDEEMED = "redeemed"
    EXPIRED = "expired"
    RESERVED = "reserved"


@dataclass(frozen=True, slots=True)
class MemberStanding:
    """The member at the till, with what the offers may ask."""

    id: str
    tier: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PriceContext:
    """Everything about the customer that may change a price; counts are per offer id."""

    member: MemberStanding | None = None
    coupons: Mapping[str, CouponState] = field(default_factory=dict)
    orders_before: int | None = None
    member_uses: Mapping[str, int] = field(default_factory=dict)
    member_units: Mapping[str, int] = field(default_factory=dict)


class Rounding(StrEnum):
    """How a percentage becomes a whole number of minor units."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    FLOOR = "floor"


class Allocation(StrEnum):
    """Who gets the odd minor units of a shared amount."""

    LARGEST_REMAINDER = "largest_remainder"
    LAST_LINE = "last_line"
    FIRST_LINE = "first_line"


@dataclass(frozen=True, slots=True)
class PricePolicy:
    """The chain's house rules; the defaults are ours."""

    rounding: Rounding = Rounding.HALF_UP
    allocation: Allocation = Allocation.LARGEST_REMAINDER
    prices_include_tax: bool = True
