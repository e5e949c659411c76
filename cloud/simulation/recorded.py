"""A recorded basket as pricing wants it again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.price.context import PriceContext, PriceLine, PricingInstant


@dataclass(frozen=True, slots=True)
class RecordedBasket:
    """One sale with the list prices, member prices and instant of the day it was made.

    The line's place (from 0) is its key. `coupons_minor` are the store's coupons handed in for
    each line, which come after all offers, and `costs_minor` what each line cost the shop without
    tax (None: not known); both are empty where no line has any. `paid_minor` is the recorded net
    amount, `gross_minor` the sum of list amounts.
    """

    store_id: str
    receipt_no: str
    lines: tuple[PriceLine, ...]
    context: PriceContext
    at: PricingInstant
    gross_minor: int
    paid_minor: int
    coupons_minor: tuple[int, ...] = ()
    costs_minor: tuple[int | None, ...] = ()
