"""What each member bought, counted from the sales of this journal: limits per member ask for it.

Only sales that name a member count, and only those of this store: the box knows no others.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from shared.sale.line_price import OFFER
from shared.sale.member_history import MemberHistory
from shared.sale.offer_use import OfferUse, uses_of
from shared.sale.transaction import RetailTransaction

_ORDERS = """
    CREATE TABLE member_order(
        member TEXT PRIMARY KEY, orders INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
"""
_OFFERS = """
    CREATE TABLE member_offer(
        member TEXT NOT NULL, offer TEXT NOT NULL, uses INTEGER NOT NULL, units INTEGER NOT NULL,
        PRIMARY KEY (member, offer)
    ) STRICT, WITHOUT ROWID
"""
_ADD_ORDERS = (
    "INSERT INTO member_order(member, orders) VALUES(?,?)"
    " ON CONFLICT(member) DO UPDATE SET orders=orders+excluded.orders"
)
_ADD_USES = (
    "INSERT INTO member_offer(member, offer, uses, units) VALUES(?,?,?,?) ON CONFLICT(member,"
    " offer) DO UPDATE SET uses=uses+excluded.uses, units=units+excluded.units"
)
_READ = (
    "SELECT NULL, orders, 0 FROM member_order WHERE member=?1"
    " UNION ALL SELECT offer, uses, units FROM member_offer WHERE member=?1"
)


@dataclass(frozen=True, slots=True)
class Bought:
    """A sale to a member, and the offers that acted in it."""

    member: str
    uses: tuple[OfferUse, ...]

    def write(self, connection: sqlite3.Connection) -> None:
        """Count it, in the open transaction."""
        connection.execute(_ADD_ORDERS, (self.member, 1))
        for offer, units in self.uses:
            connection.execute(_ADD_USES, (self.member, offer, 1, units))


def bought_in(sale: RetailTransaction) -> Bought | None:
    """What counts of a sale; None when it names no member."""
    return None if sale.member is None else Bought(sale.member, uses_of(sale))


def read_history(connection: sqlite3.Connection, member: str) -> MemberHistory:
    """What a member bought so far."""
    rows = connection.execute(_READ, (member,)).fetchall()
    orders = sum(count for offer, count, _ in rows if offer is None)
    offers = [row for row in rows if row[0] is not None]
    return MemberHistory(
        orders,
        {offer: uses for offer, uses, _ in offers},
        {offer: units for offer, _, units in offers},
    )


def count_members(connection: sqlite3.Connection) -> None:
    """Make the tables and count the sales that are here already, in the open transaction.

    A journal holds years of sales and the till waits for this once, so entries are read as they
    stand instead of being turned into values, which takes many times as long.
    """
    orders, uses, units = Counter[str](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    connection.execute(_ORDERS)
    connection.execute(_OFFERS)
    for member, sale in _sales_to_members(connection):
        orders[member] += 1
        uses.update((member, offer["id"]) for offer in sale.get("offers", ()))
        for share in _shares(sale):
            units[member, share["reference"]] += share.get("units", 0)
    connection.executemany(_ADD_ORDERS, orders.items())
    connection.executemany(_ADD_USES, ((*key, count, units[key]) for key, count in uses.items()))


def _sales_to_members(connection: sqlite3.Connection) -> Iterator[tuple[str, dict[str, Any]]]:
    for (body,) in connection.execute("SELECT body FROM entry WHERE type='sale.completed'"):
        try:
            sale = orjson.loads(body)["data"]["sale"]
        except (orjson.JSONDecodeError, KeyError):
            # Somebody changed it, which the chain tells. One sale less in a count is no reason
            # to keep a shop shut.
            continue
        if sale["member"] is not None:
            yield sale["member"], sale


def _shares(sale: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for line in sale["lines"]:
        for modifier in line.get("modifiers", ()):
            if modifier["kind"] == OFFER:
                yield modifier
