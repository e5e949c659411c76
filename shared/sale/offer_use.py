"""How often the offers of a finished sale were used: what limits per member count."""

from __future__ import annotations

from typing import NamedTuple

from shared.sale.line_price import OFFER
from shared.sale.transaction import RetailTransaction


class OfferUse(NamedTuple):
    """One sale's use of an offer; `units` are those that got something of it."""

    offer: str
    units: int


def uses_of(sale: RetailTransaction) -> tuple[OfferUse, ...]:
    """The offers that acted in a sale, in their order of action. One that acted was used once."""
    units = {offer.id: 0 for offer in sale.offers}
    for line in sale.lines:
        for modifier in line.modifiers:
            if modifier.kind == OFFER:
                units[modifier.reference] = units.get(modifier.reference, 0) + modifier.units
    return tuple(OfferUse(offer.id, units[offer.id]) for offer in sale.offers)
