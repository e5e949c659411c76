"""What the till says about offers: near misses while it sells, and why each did or did not act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.sale.pricing import Catalogue, PriceSources, book_of, customer_of, instant_of
from shared.price.context import PriceContext, PriceLine, PricingInstant
from shared.price.explain import derive_and_hint, explain
from shared.price.offer_book import OfferBook
from shared.price.price_book import PriceBook
from shared.price.wording import name_of
from shared.sale.basket import Basket
from shared.sale.pricing import (
    ListedLine,
    PricedBasket,
    goods_of,
    listed_lines,
    priced_by,
)

HINTS_MAX = 3


@dataclass(frozen=True, slots=True)
class Told:
    """A code of `offer.why.*` or `offer.hint.*` about one offer, with what fills its text."""

    offer_id: str
    name: str
    code: str
    params: Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class ActingOffer:
    """An offer that acted; `amount_minor` is negative, `coupon` the code that it asked for."""

    offer_id: str
    name: str
    amount_minor: int
    times: int
    coupon: str | None


@dataclass(frozen=True, slots=True)
class OfferReasons:
    """The offers of the basket's revision: those that acted, and why the others did not."""

    acting: tuple[ActingOffer, ...]
    idle: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class _Question:
    """An open basket as the engine is asked about it."""

    listed: tuple[ListedLine, ...]
    goods: tuple[PriceLine, ...]
    book: PriceBook
    context: PriceContext
    at: PricingInstant


def price_and_hint(
    basket: Basket, sources: PriceSources, language: str
) -> tuple[PricedBasket, tuple[Told, ...]]:
    """What an open basket costs, and what the cashier may tell the customer: three at most.

    The most urgent comes first. One question to the engine: each scan waits for it.
    """
    asked = _question(basket, sources)
    book, at = asked.book, asked.at
    derivation, hints = derive_and_hint(asked.goods, book.offers, asked.context, at, book.policy)
    told = tuple(
        Told(each.offer.id, name_of(each.offer, language), each.code, each.params)
        for each in hints[:HINTS_MAX]
    )
    # Once money was taken the basket is what it is.
    return priced_by(derivation, asked.listed, book, at), () if basket.tenders else told


def offer_reasons(basket: Basket, sources: PriceSources, language: str) -> OfferReasons:
    """Every offer of the basket's revision and what became of it; for a person who asks."""
    asked = _question(basket, sources)
    offers = asked.book.offers
    found = explain(asked.goods, offers, asked.context, asked.at, asked.book.policy)
    acting = tuple(
        ActingOffer(
            each.offer.id,
            name_of(each.offer, language),
            -each.amount_minor,
            each.times,
            each.offer.coupon,
        )
        for each in found.derivation.applied
    )
    idle = tuple(
        Told(
            each.offer.id,
            name_of(each.offer, language),
            each.code,
            _named(each.params, offers, language),
        )
        for each in found.why_not
    )
    return OfferReasons(acting, idle)


def coupons_shown(
    basket: Basket, priced: PricedBasket, catalogue: Catalogue, language: str
) -> list[dict[str, Any]]:
    """The codes that were handed in, what they are for, and whether their offer acts."""
    if not basket.coupons:
        return []
    acting = {each.offer.coupon for each in priced.applied}
    names: dict[str | None, str] = {}
    for offer in book_of(basket, catalogue).offers.offers:
        names.setdefault(offer.coupon, name_of(offer, language))
    return [
        {"code": code, "name": names.get(code, code), "is_acting": code in acting}
        for code in basket.coupons
    ]


def _question(basket: Basket, sources: PriceSources) -> _Question:
    book, at = book_of(basket, sources.catalogue), instant_of(basket.opened_at_ms, sources.zone)
    listed = listed_lines(basket, book, at.at_ms)
    customer = customer_of(basket, book.offers, sources)
    return _Question(listed, goods_of(listed), book, customer, at)


def _named(
    params: Mapping[str, str | int], offers: OfferBook, language: str
) -> Mapping[str, str | int]:
    """Parameters that name another offer by its id, by its name instead."""
    offer = offers.find(str(params["offer"])) if "offer" in params else None
    return params if offer is None else {**params, "offer": name_of(offer, language)}
