"""Offers as a sale records and shows them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.price.derivation import AppliedOffer
from shared.price.reward import Reward
from shared.price.wording import name_of

_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class SoldOffer:
    """An offer that acted (ARTS PriceModificationLineItem); its lines' modifiers sum to it.

    `name` is as the receipt has it; `level` and `reward` are the words of offer documents.
    `base_minor` is what its goods were worth before, `times` how often its reward repeated, and
    `amount_minor` is negative, as it saves money.
    """

    id: str
    version: int
    level: str
    reward: str
    name: str
    base_minor: int
    amount_minor: int
    times: int = 1
    coupon: str | None = None


def sold_offer(applied: AppliedOffer, language: str) -> SoldOffer:
    """The record of an offer that acted, named in one language."""
    offer = applied.offer
    return SoldOffer(
        offer.id,
        offer.version,
        offer.level.name.lower(),
        reward_word(offer.reward),
        name_of(offer, language),
        applied.base_minor,
        -applied.amount_minor,
        applied.times,
        offer.coupon,
    )


def reward_word(reward: Reward) -> str:
    """The word for a reward in offer documents, such as `percent_off`."""
    return _WORD_START.sub("_", type(reward).__name__).lower()
