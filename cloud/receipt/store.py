"""What a public answer about a receipt asks of the books."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from shared.sale.receipt_code import ReceiptLink
from shared.sale.receipt_no import parse_receipt_no

_STORE = text("SELECT name, time_zone, currency FROM store WHERE store_id = :store")
_SALES = text("""
    SELECT entry_id::text, at_ms, net_minor, lines FROM sale
    WHERE store_id = :store AND business_date = :day AND receipt_no = :number
    ORDER BY entry_id LIMIT :limit""")
_HAS_LATER = text("""
    SELECT EXISTS (SELECT 1 FROM day_close WHERE store_id = :store AND business_date >= :day)
        OR EXISTS (SELECT 1 FROM sale WHERE store_id = :store AND business_date > :day)""")
_NUMBERS = text("""
    SELECT receipt_no FROM sale
    WHERE store_id = :store AND business_date = :day AND lane = :lane""")
SAME_NUMBER_MAX = 8
"""Two boxes of one store that did not know of each other may have given one number twice."""


@dataclass(frozen=True, slots=True)
class Place:
    """A store as its receipts name it."""

    name: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class BookedSale:
    """A sale as the books have it, minor units; `at_ms` UTC."""

    entry_id: str
    at_ms: int
    net_minor: int
    lines: int


def find_store(connection: Connection, store_id: str) -> Place | None:
    """The store, if there is one with that id."""
    row = connection.execute(_STORE, {"store": store_id}).fetchone()
    return None if row is None else Place(*row)


def find_sales(connection: Connection, link: ReceiptLink) -> list[BookedSale]:
    """Sales with that store, business date and number: mostly one or none."""
    wanted = {**_where(link), "number": link.receipt_no, "limit": SAME_NUMBER_MAX}
    return [BookedSale(*row) for row in connection.execute(_SALES, wanted)]


def may_still_come(connection: Connection, link: ReceiptLink) -> bool:
    """Whether the store's box may hold a receipt that has not arrived.

    Boxes send in order: once the day's close, a later day or a higher number of that till is
    here, it cannot.
    """
    number = parse_receipt_no(link.receipt_no)
    if number is None or connection.execute(_HAS_LATER, _where(link)).scalar_one():
        return False
    rows = connection.execute(_NUMBERS, {**_where(link), "lane": number.lane})
    known = (parse_receipt_no(row[0]) for row in rows)
    return not any(
        each is not None and each.series == number.series and each.number > number.number
        for each in known
    )


def _where(link: ReceiptLink) -> dict[str, Any]:
    return {"store": link.store_id, "day": link.business_date}
