"""What a line itself says about its price: a member price before offers, a coupon after them.

Each rule sees the amount that the earlier ones left, and takes no more than is there: a line
never goes below nought.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from shared.kernel.quantity import extended_minor

MEMBER_PRICE = "member_price"
STORE_COUPON = "store_coupon"
OFFER = "offer"
"""Kind of the modifiers that are shares of an offer."""


@dataclass(frozen=True, slots=True)
class MemberPrice:
    """会员价: a member pays the member price of the book instead of the regular one.

    Where the regular amount was overridden the book's member price no longer applies.
    """

    member_unit_minor: int


@dataclass(frozen=True, slots=True)
class StatedMemberAmount:
    """The line's whole amount for members, as entered with a price override (N-for-X deals)."""

    member_minor: int


@dataclass(frozen=True, slots=True)
class StoreCoupon:
    """A coupon that the shop itself pays for: an amount off one line."""

    amount_minor: int
    reference: str


PriceRule = MemberPrice | StatedMemberAmount | StoreCoupon


class PriceModifier(NamedTuple):
    """What one rule or offer did to one line (ARTS RetailPriceModifier).

    `amount_minor` is negative for a saving; `because` names the rule. An offer's share has the
    offer's id as `reference`, and says what the line was worth before it (`base_minor`) and how
    many of its `units` it touched.
    """

    kind: str
    amount_minor: int
    because: str
    reference: str = ""
    base_minor: int = 0
    units: int = 0


def modifiers_of(
    gross_minor: int, qty_milli: int, rules: Iterable[PriceRule]
) -> tuple[PriceModifier, ...]:
    """Modifiers in order of application; they and the gross amount add up to the net amount."""
    left = gross_minor
    found = []
    for rule in rules:
        modifier = _modifier_of(rule, left, qty_milli)
        if modifier is not None:
            found.append(modifier)
            left += modifier.amount_minor
    return tuple(found)


def _modifier_of(rule: PriceRule, left_minor: int, qty_milli: int) -> PriceModifier | None:
    match rule:
        case MemberPrice(member_unit_minor):
            saving = left_minor - extended_minor(member_unit_minor, qty_milli)
            return _saving(MEMBER_PRICE, saving, left_minor, "price_book")
        case StatedMemberAmount(member_minor):
            return _saving(MEMBER_PRICE, left_minor - member_minor, left_minor, "override")
        case StoreCoupon(amount_minor, reference):
            return _saving(STORE_COUPON, amount_minor, left_minor, "coupon", reference)


def _saving(
    kind: str, saving_minor: int, left_minor: int, because: str, reference: str = ""
) -> PriceModifier | None:
    # A member price above the regular one must not make the line dearer (pricing rule 8).
    taken = min(saving_minor, left_minor)
    if taken <= 0:
        return None
    return PriceModifier(kind, -taken, because, reference)
