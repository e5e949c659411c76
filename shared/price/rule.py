"""Price rules: what may change the price of a line, as data.

Adding a kind means one dataclass here and one match arm in `derive.py`; mypy's exhaustive
match names every other place.
"""

from __future__ import annotations

from dataclasses import dataclass


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
