"""Find items by words, with the price that they have now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.sale.pricing import Catalogue
from shared.item.item import Item
from shared.kernel.clock import Clock
from shared.price.price_book import price_at


class SearchableCatalogue(Catalogue, Protocol):
    """A catalogue that finds by words."""

    def search(self, text: str, limit: int, revision: int) -> list[Item]:
        """Items that match every word."""
        ...


@dataclass(frozen=True, slots=True)
class PricedItem:
    """An item with its unit prices in minor units; None where it has none."""

    item: Item
    regular_minor: int | None
    member_minor: int | None


@dataclass(frozen=True, slots=True)
class ItemSearch:
    """Searches the active revision."""

    catalogue: SearchableCatalogue
    clock: Clock

    def find(self, text: str, limit: int) -> list[PricedItem]:
        """At most `limit` items; none before anything was published."""
        revision = self.catalogue.active_revision()
        if not revision:
            return []
        now_ms = self.clock.now_ms()
        found = []
        for item in self.catalogue.search(text, limit, revision):
            price = price_at(self.catalogue.dated_prices(item.gtin, revision), now_ms)
            regular = None if price is None else price.regular_minor
            member = None if price is None else price.member_minor
            found.append(PricedItem(item, regular, member))
        return found
