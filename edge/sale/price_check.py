"""What an item costs here, and why, from the box's own copy of a revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Protocol

from edge.sale.pricing import Catalogue
from edge.sale.shop import Shop
from shared.item.item import Item
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.quantity import ONE_MILLI
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice
from shared.sale.price_check import PriceCheck, Question, check_price


class Records(Catalogue, Protocol):
    """What head office published, as it was published."""

    def config(self, key: str, revision: int) -> Mapping[str, Any] | None:
        """The body of a configuration record; None when there is none."""
        ...


@dataclass(frozen=True, slots=True)
class PriceChecks:
    """Answers by the revision that new baskets pin; `now_ms` is the clock that prices go by."""

    records: Records
    zone: tzinfo
    currency: str
    now_ms: Callable[[], int]

    @classmethod
    def of(cls, records: Records, shop: Shop) -> PriceChecks:
        """For the shop that sells by these records."""
        layout = shop.layout
        return cls(records, layout.zone, layout.currency.code, shop.now_ms)

    def answer(self, code: str, qty_milli: int = ONE_MILLI, at_ms: int | None = None) -> PriceCheck:
        """The price of an amount at an instant (UTC ms), now for None.

        Raises MissingError `price_check.no_revision` before anything was published, and as
        `shared.sale.price_check.check_price`.
        """
        revision = self.records.active_revision()
        if not revision:
            raise MissingError("price_check.no_revision")
        at_ms = self.now_ms() if at_ms is None else at_ms
        asked = Question(code, at_ms, self.zone, self.currency, qty_milli)
        return check_price(_Revision(self.records, revision), asked)

    def brief(self, asked: Mapping[str, str]) -> str:
        """Answer head office in one line: `gtin`, `qty` (thousandths) and `at` (UTC ms) as texts.

        RefusedError `command.args` for what is no question, else as `answer`.
        """
        gtin, qty, at = (asked.get(name, "") for name in ("gtin", "qty", "at"))
        if not all(each.isascii() and each.isdecimal() for each in (gtin, qty, at)):
            raise RefusedError("command.args")
        return self.answer(gtin, int(qty), int(at)).brief()


@dataclass(frozen=True, slots=True)
class _Revision:
    """One revision of the replica (StoreReader)."""

    records: Records
    revision: int

    def item(self, code: str) -> Item | None:
        return self.records.find_item(code, self.revision)

    def prices(self, gtin: str) -> tuple[DatedPrice, ...]:
        return self.records.dated_prices(gtin, self.revision)

    def offers(self) -> OfferBook:
        return self.records.offers(self.revision)

    def config(self, key: str) -> Mapping[str, Any] | None:
        return self.records.config(key, self.revision)
