"""What pricing found: the offers that acted, each with its share of every line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from shared.price.offer import Offer


class OfferShare(NamedTuple):
    """What one offer took off one line (ARTS RetailPriceModifier, prorated).

    `base_minor` is what the line was worth before, `units` how many of its units were touched.
    """

    line: int
    amount_minor: int
    base_minor: int
    units: int


@dataclass(frozen=True, slots=True)
class AppliedOffer:
    """One offer that gave something (ARTS PriceModificationLineItem); its shares sum to it.

    `base_minor` is what its goods were worth before, `times` how often its reward repeated.
    """

    offer: Offer
    amount_minor: int
    base_minor: int
    times: int
    shares: tuple[OfferShare, ...]


@dataclass(frozen=True, slots=True)
class Derivation:
    """Net amounts in the order of the lines, and the offers in order of action.

    Start amounts minus all shares are the net amounts, to the minor unit.
    """

    nets: tuple[int, ...]
    applied: tuple[AppliedOffer, ...]

    @property
    def discount_minor(self) -> int:
        """What all offers gave together."""
        return sum(each.amount_minor for each in self.applied)
