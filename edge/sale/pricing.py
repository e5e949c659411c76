"""Price an open basket with the revision that it pinned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

from shared.item.item import Item
from shared.kernel.errors import MissingError
from shared.price.context import PriceContext, PricingInstant
from shared.price.offer_book import EMPTY_BOOK, OfferBook
from shared.price.price_book import DatedPrice, PriceBook
from shared.sale.basket import Basket
from shared.sale.member_history import MemberHistory
from shared.sale.pricing import PricedBasket, context_of, price_basket


class Catalogue(Protocol):
    """What selling needs of the replica."""

    def active_revision(self) -> int:
        """What new baskets pin; 0 before anything was published."""
        ...

    def find_item(self, gtin: str, revision: int) -> Item | None:
        """The item with that GTIN."""
        ...

    def find_plu(self, plu: str, revision: int) -> Item | None:
        """The weighed item with that number on its labels."""
        ...

    def dated_prices(self, gtin: str, revision: int) -> tuple[DatedPrice, ...]:
        """Its prices, ascending by time; MissingError when the revision is gone."""
        ...

    def offers(self, revision: int) -> OfferBook:
        """All offers of a revision; MissingError when it is gone."""
        ...


@dataclass(frozen=True, slots=True)
class PriceSources:
    """What pricing asks of the box; `history_of` takes the number of a member."""

    catalogue: Catalogue
    history_of: Callable[[str], MemberHistory]
    zone: tzinfo


def price_open_basket(basket: Basket, sources: PriceSources) -> PricedBasket:
    """Price at the instant of the basket's opening, as the store's clock shows it.

    So a price change at noon, or the end of an offer, spares whoever stands in front of the
    cashier. Where the replica was deleted under an open basket its lines need a price, which
    blocks payment.
    """
    book, at = book_of(basket, sources.catalogue), instant_of(basket.opened_at_ms, sources.zone)
    return price_basket(basket, book, customer_of(basket, book.offers, sources), at)


def customer_of(basket: Basket, offers: OfferBook, sources: PriceSources) -> PriceContext:
    """Who stands at the till: member, coupons, and what limits per member have to go by."""
    return context_of(basket.member, basket.coupons, history_for(basket, offers, sources))


def history_for(basket: Basket, offers: OfferBook, sources: PriceSources) -> MemberHistory | None:
    """What the basket's member bought before in this store; None where no offer asks for it.

    The counts, `orders` among them, are of this box's own journal: other stores do not count.
    """
    if basket.member is None or not offers.asks_history:
        return None
    return basket.history or sources.history_of(basket.member)


def book_of(basket: Basket, catalogue: Catalogue) -> PriceBook:
    """The prices of the basket's items, and the offers, of the revision that it pinned."""
    revision = basket.revision
    try:
        prices = {
            line.item.gtin: catalogue.dated_prices(line.item.gtin, revision)
            for line in basket.lines
        }
        return PriceBook(revision, prices, catalogue.offers(revision))
    except MissingError:
        return PriceBook(revision)


def offers_of(revision: int, catalogue: Catalogue) -> OfferBook:
    """The offers of a revision; none where there is no revision, or it is gone."""
    try:
        return catalogue.offers(revision) if revision else EMPTY_BOOK
    except MissingError:
        return EMPTY_BOOK


def instant_of(at_ms: int, zone: tzinfo) -> PricingInstant:
    """An instant (UTC ms) with its reading on the store's clock."""
    local = datetime.fromtimestamp(at_ms // 1000, zone)
    return PricingInstant(at_ms, local.date(), local.hour * 3600 + local.minute * 60 + local.second)
