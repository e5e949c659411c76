"""What an item costs in a store, answered by the revision that the store's box sells by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.db import Database
from cloud.publication.content import records_at
from cloud.publication.price_check_store import seller
from shared.config.dated import ConfigLevel, record_key
from shared.item.item import Item
from shared.item.record import item_of
from shared.kernel.errors import MissingError
from shared.kernel.quantity import ONE_MILLI
from shared.price.document import parse_offer
from shared.price.levels import parse_record_key, prices_of, record_keys
from shared.price.offer_book import OfferBook
from shared.price.price_book import DatedPrice
from shared.publication.revision import RecordKind, parse_record
from shared.sale.price_check import PriceCheck, Question, check_price

NO_REVISION = "price_check.no_revision"
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """How much (thousandths) of which item, in which store, at which instant (UTC ms)."""

    store_id: str
    gtin: str
    at_ms: int
    qty_milli: int = ONE_MILLI


@dataclass(frozen=True, slots=True)
class Checked:
    """Head office's answer, or why there is none; `dev` is the store's box."""

    answer: PriceCheck | None
    because: str | None
    dev: str = ""


def price_check(database: Database, asked: Asked) -> Checked:
    """Answer as the store's till would, at its active revision.

    Raises MissingError `store.unknown`, RefusedError `quantity.*`.
    """
    with database.begin() as connection:
        place = seller(connection, asked.store_id)
        if place is None:
            raise MissingError("store.unknown", store_id=asked.store_id)
        if not place.active_rev:
            return Checked(None, NO_REVISION, place.dev)
        zone = ZoneInfo(place.time_zone)
        question = Question(asked.gtin, asked.at_ms, zone, place.currency, asked.qty_milli)
        reader = _Revision(connection, asked, place.active_rev, zone)
        try:
            return Checked(check_price(reader, question), None, place.dev)
        except MissingError as error:
            return Checked(None, error.code, place.dev)


class _Revision:
    """One revision of one store, as the database has it (StoreReader)."""

    def __init__(self, connection: Connection, asked: Asked, rev: int, zone: ZoneInfo) -> None:
        self._connection = connection
        self._store_id = asked.store_id
        self._zone = zone
        self.revision = rev
        wanted = [(RecordKind.ITEM.value, asked.gtin)]
        wanted += [(RecordKind.PRICE.value, key) for key in record_keys(asked.gtin)]
        lines = records_at(connection, asked.store_id, rev, wanted, (RecordKind.OFFER.value,))
        self._bodies = _bodies(lines)

    def item(self, code: str) -> Item | None:
        """Further barcodes are not looked for: people ask by the item's own."""
        body = self._bodies.get((RecordKind.ITEM, code))
        return None if body is None else item_of(code, body)

    def prices(self, gtin: str) -> tuple[DatedPrice, ...]:
        """Merge what store, zone and chain say."""
        found = {
            parse_record_key(key)[1]: self._bodies[RecordKind.PRICE, key]["prices"]
            for key in record_keys(gtin)
            if (RecordKind.PRICE, key) in self._bodies
        }
        return prices_of(found, self._zone)

    def offers(self) -> OfferBook:
        """Read all offers of the revision."""
        bodies = self._bodies.items()
        return OfferBook.of(parse_offer(body) for key, body in bodies if key[0] == RecordKind.OFFER)

    def config(self, key: str) -> Mapping[str, Any] | None:
        """Read a setting; its other levels are read along with it."""
        name = key.partition("@")[0]
        if (RecordKind.CONFIG, key) not in self._bodies:
            keys = [record_key(name, level) for level in ConfigLevel]
            wanted = [(RecordKind.CONFIG.value, each) for each in keys]
            found = _bodies(records_at(self._connection, self._store_id, self.revision, wanted))
            self._bodies |= {(RecordKind.CONFIG, each): {} for each in keys} | found
        return self._bodies[RecordKind.CONFIG, key] or None


def _bodies(lines: Mapping[Key, bytes]) -> dict[Key, dict[str, Any]]:
    found = ((key, parse_record(line).body) for key, line in lines.items())
    return {key: body for key, body in found if body is not None}
