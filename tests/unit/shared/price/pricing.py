"""Words for tests of pricing: lines, offers and what comes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from shared.price.condition import Condition, Selector
from shared.price.context import PriceContext, PriceLine, PricePolicy, PricingInstant
from shared.price.derivation import Derivation
from shared.price.derive import derive
from shared.price.explain import Explanation, explain
from shared.price.offer import Level, Offer, Stack, StackMode, StackScope
from shared.price.offer_book import OfferBook
from shared.price.reward import Reward

NOON = PricingInstant(1_774_065_600_000, date(2026, 3, 21), 12 * 3600)
NOBODY = PriceContext()


def line(key: int, unit_minor: int, pieces: int = 1, **more: Any) -> PriceLine:
    """Pieces of an item whose sku is `s<key>` unless told otherwise."""
    return PriceLine(key, more.pop("sku", f"s{key}"), 1000 * pieces, unit_minor, **more)


def skus(*names: str) -> Selector:
    return Selector(skus=frozenset(names))


def offer(name: str, reward: Reward, *when: Condition, **more: Any) -> Offer:
    return Offer(name, more.pop("level", Level.LINE), reward, when=when, **more)


def in_group(name: str, scope: StackScope = StackScope.BASKET) -> Stack:
    return Stack(StackMode.BEST_OF, name, scope)


def priced(
    lines: Iterable[PriceLine],
    *offers: Offer,
    context: PriceContext = NOBODY,
    at: PricingInstant = NOON,
    policy: PricePolicy | None = None,
) -> Derivation:
    return derive(list(lines), OfferBook.of(offers), context, at, policy or PricePolicy())


def explained(
    lines: Iterable[PriceLine], *offers: Offer, context: PriceContext = NOBODY
) -> Explanation:
    return explain(list(lines), OfferBook.of(offers), context, NOON)


def given(found: Derivation) -> dict[str, int]:
    """What each offer gave."""
    return {each.offer.id: each.amount_minor for each in found.applied}


def refused(found: Explanation) -> dict[str, tuple[str, Mapping[str, Any]]]:
    return {each.offer.id: (each.code, dict(each.params)) for each in found.why_not}


def hinted(found: Explanation) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [(each.offer.id, each.code, dict(each.params)) for each in found.hints]
