"""Tenders: what a customer pays with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TenderKind(StrEnum):
    """How it was paid. A maker's coupon is money to the shop: the maker refunds it."""

    CASH = "cash"
    CARD = "card"
    MANUFACTURER_COUPON = "manufacturer_coupon"


@dataclass(frozen=True, slots=True)
class Tender:
    """One payment in minor units, as handed over; change is given in the settlement."""

    kind: TenderKind
    amount_minor: int
    reference: str = ""
