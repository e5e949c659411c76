"""The catalogue as selling reads it: each item as it is now, under the tax rate of its class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.sale.search import SearchableCatalogue
from shared.item.item import Item
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice


@dataclass(frozen=True, slots=True)
class DatedCatalogue:
    """A catalogue whose items go through `dated`, which takes the item and the revision."""

    records: SearchableCatalogue
    dated: Callable[[Item, int], Item]

    def active_revision(self) -> int:
        """See Catalogue."""
        return self.records.active_revision()

    def find_item(self, gtin: str, revision: int) -> Item | None:
        """See Catalogue."""
        return self._dated(self.records.find_item(gtin, revision), revision)

    def find_plu(self, plu: str, revision: int) -> Item | None:
        """See Catalogue."""
        return self._dated(self.records.find_plu(plu, revision), revision)

    def dated_prices(self, gtin: str, revision: int) -> tuple[DatedPrice, ...]:
        """See Catalogue."""
        return self.records.dated_prices(gtin, revision)

    def offers(self, revision: int) -> OfferBook:
        """See Catalogue."""
        return self.records.offers(revision)

    def search(self, text: str, limit: int, revision: int) -> list[Item]:
        """See SearchableCatalogue."""
        return [self.dated(item, revision) for item in self.records.search(text, limit, revision)]

    def _dated(self, item: Item | None, revision: int) -> Item | None:
        return None if item is None else self.dated(item, revision)
