"""Price an open basket with the revision that it pinned."""

from __future__ import annotations

from typing import Protocol

from shared.item.item import Item
from shared.kernel.errors import MissingError
from shared.price.price_book import DatedPrice, PriceBook
from shared.sale.basket import Basket
from shared.sale.pricing import PricedBasket, price_basket


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


def price_open_basket(basket: Basket, catalogue: Catalogue) -> PricedBasket:
    """Price at the instant of the basket's opening.

    So a price change at noon spares whoever stands in front of the cashier. Where the replica
    was deleted under an open basket its lines need a price, which blocks payment.
    """
    revision = basket.revision
    try:
        prices = {
            line.item.gtin: catalogue.dated_prices(line.item.gtin, revision)
            for line in basket.lines
        }
    except MissingError:
        prices = {}
    return price_basket(basket, PriceBook(revision, prices), basket.opened_at_ms)
