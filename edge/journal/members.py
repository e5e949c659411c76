"""What each member bought, counted from the sales of this journal: limits per member ask for it.

Only sales that name a member count, and only those of this store: the box knows no others.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from shared.sale.line_price import OFFER
from shared.sale.member_history import MemberHistory
from shared.sale.offer_use import OfferUse, uses_of
from shared.sale.transaction import RetailTransaction

ANY_OFFER = ""
"""In place of an offer's id: the member's sales as such."""
_TABLE = """
    CREATE TABLE member_use(
        member TEXT NOT NULL, offer TEXT NOT NULL, uses INTEGER NOT NULL, units INTEGER NOT NULL,
        PRIMARY KEY (member, offer)
    ) STRICT, WITHOUT ROWID
"""
_ADD = (
    "INSERT INTO member_use(member, offer, uses, units) VALUES(?,?,?,?) ON CONFLICT(member, offer)"
    " DO UPDATE SET uses=uses+excluded.uses, units=units+excluded.units"
)
_READ = "SELECT offer, uses, units FROM member_use WHERE member=?"


@dataclass(frozen=True, slots=True)
class Bought:
    """A sale to a member, and the offers that acted in it."""

    member: str
    uses: tuple[OfferUse, ...]

    def write(self, connection: sqlite3.Connection) -> None:
        """Count it, in the open transaction."""
        connection.execute(_ADD, (self.member, ANY_OFFER, 1, 0))
        for offer, units in self.uses:
            connection.execute(_ADD, (self.member, offer, 1, units))

    def add_to(self, counts: dict[tuple[str, str], tuple[int, int]]) -> None:
        """Count it in memory: (member, offer) -> (uses, units)."""
        for offer, units in ((ANY_OFFER, 0), *self.uses):
            uses, before = counts.get((self.member, offer), (0, 0))
            counts[self.member, offer] = (uses + 1, before + units)


def bought_in(sale: RetailTransaction) -> Bought | None:
    """What counts of a sale; None when it names no member."""
    return None if sale.member is None else Bought(sale.member, uses_of(sale))


def read_history(
    connection: sqlite3.Connection, member: str, waiting: Iterable[Bought] = ()
) -> MemberHistory:
    """What a member bought so far; `waiting` is what the table does not know yet."""
    counts = {
        (member, offer): (uses, units)
        for offer, uses, units in connection.execute(_READ, (member,))
    }
    for bought in waiting:
        if bought.member == member:
            bought.add_to(counts)
    orders, _ = counts.pop((member, ANY_OFFER), (0, 0))
    return MemberHistory(
        orders,
        {offer: uses for (_, offer), (uses, _) in counts.items()},
        {offer: units for (_, offer), (_, units) in counts.items()},
    )


def count_members(connection: sqlite3.Connection) -> None:
    """Make the table and count the sales that are here already, in the open transaction.

    A journal holds years of sales and the till waits for this once, so entries are read as they
    stand instead of being turned into values, which takes many times as long.
    """
    uses, units = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    connection.execute(_TABLE)
    for member, sale in _sales_to_members(connection):
        uses[member, ANY_OFFER] += 1
        uses.update((member, offer["id"]) for offer in sale.get("offers", ()))
        for share in _shares(sale):
            units[member, share["reference"]] += share.get("units", 0)
    connection.executemany(_ADD, ((*key, count, units[key]) for key, count in uses.items()))


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
