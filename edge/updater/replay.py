"""Price the store's last business day again, on copies: what a new release has to agree with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, tzinfo
from functools import reduce
from pathlib import Path
from typing import Any

import orjson

from edge.replica.store import Replica
from edge.sqlite import connect_reader
from shared.item.item import Item
from shared.journal.event import Event, SaleCompleted
from shared.kernel.errors import MissingError, UnavailableError
from shared.price.context import PricingInstant
from shared.price.price_book import HOUSE_RULES, price_at
from shared.price.tax import tax_minor
from shared.sale.reprice import reprice
from shared.sale.transaction import RetailTransaction
from shared.till.z_report import ZReport, fold_z
from shared.wire.codec import parse_body, parse_event

ENTRIES_MAX = 50_000
DAY_FILE, REPLICA_FOLDER = "day.lines", "replica"
LAST = "last"
_CHUNK = 500
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Replayed:
    """A day as this software sees it: per receipt, and as a Z report; minor units.

    A receipt's numbers are what its customer owes, what its goods cost by the book of prices, and
    the tax on it.
    """

    biz: str
    receipts: Mapping[str, tuple[int, int, int]]
    z: Mapping[str, Any]

    @property
    def due_minor(self) -> int:
        """What all customers owe."""
        return sum(due for due, _, _ in self.receipts.values())


def copy_day(data: Path, to: Path, day: str = LAST) -> int:
    """Copy one business day and the catalogue out of a box's data; answers how many entries.

    The data are only read, also under a running box. `to` is made anew.
    """
    (to / REPLICA_FOLDER).mkdir(parents=True)
    journals = sorted(data.glob("journal*.db"), key=_life, reverse=True)
    lines: list[bytes] = []
    for journal in journals:
        with closing(connect_reader(journal)) as connection:
            lines = [b"%s\t%s\n" % row for row in _entries_of(connection, day)]
        if lines:
            break
    (to / DAY_FILE).write_bytes(b"".join(lines))
    replica = data / REPLICA_FOLDER
    for name in ("replica.db", *(path.name for path in replica.glob("catalog-*.db"))):
        if (replica / name).is_file():
            _copy_database(replica / name, to / REPLICA_FOLDER / name)
    return len(lines)


def replay(folder: Path, zone: tzinfo) -> Replayed:
    """Price the day that `copy_day` put into a folder. The copies may be brought up to date."""
    events = list(_events(folder / DAY_FILE))
    replica = Replica(folder / REPLICA_FOLDER)
    replica.open()
    try:
        sales = [event.sale for _, event in events if isinstance(event, SaleCompleted)]
        receipts = {sale.receipt_no: _priced(sale, replica, zone) for sale in sales}
    finally:
        replica.close()
    biz = events[-1][0] if events else ""
    z = reduce(fold_z, (event for _, event in events), ZReport(biz))
    return Replayed(biz, receipts, asdict(z))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What two releases see differently, a few of it in words; what only one knows is left out."""
    found = [f"{old['biz']} is {new['biz']}"] * (old["biz"] != new["biz"])
    for kind in ("receipts", "z"):
        before, after = old[kind], new[kind]
        if kind == "receipts" and before.keys() != after.keys():
            found.append(f"{len(before)} receipts are {len(after)}")
        found += [
            f"{name}: {before[name]} is {after[name]}"
            for name in before.keys() & after.keys()
            if before[name] != after[name]
        ]
    return sorted(found)[:_SHOWN]


def as_json(replayed: Replayed) -> bytes:
    """What `tillbox-edge replay --json` says."""
    return orjson.dumps({**asdict(replayed), "due_minor": replayed.due_minor})


def _entries_of(connection: sqlite3.Connection, day: str) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of each entry of a business day, in their order."""
    head = connection.execute("SELECT coalesce(max(seq), -1) FROM entry").fetchone()[0]
    wanted = _last_day(connection) if day == LAST else day
    found: list[tuple[bytes, bytes]] = []
    while wanted and head >= 0 and len(found) < ENTRIES_MAX:
        rows = connection.execute(
            "SELECT type, body FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq DESC",
            (head - _CHUNK, head),
        ).fetchall()
        head -= _CHUNK
        for kind, body in rows:
            if orjson.loads(body).get("biz") == wanted:
                found.append((kind.encode(), bytes(body)))
            elif kind == SaleCompleted.type and found:  # the day before begins
                return iter(reversed(found))
    return iter(reversed(found))


def _last_day(connection: sqlite3.Connection) -> str:
    query = "SELECT body FROM entry WHERE type = ? ORDER BY seq DESC LIMIT 1"
    row = connection.execute(query, (SaleCompleted.type,)).fetchone()
    return "" if row is None else str(orjson.loads(row[0]).get("biz") or "")


def _life(journal: Path) -> int:
    number = journal.stem.rpartition("-")[2]
    return int(number) if number.isdecimal() else 1


def _copy_database(source: Path, target: Path) -> None:
    with closing(connect_reader(source)) as reader, closing(sqlite3.connect(target)) as writer:
        reader.backup(writer)


def _events(path: Path) -> Iterator[tuple[str, Event]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnavailableError("system.file", path=str(path), because=str(error)) from error
    for line in data.splitlines():
        kind, _, raw = line.partition(b"\t")
        body = parse_body(raw)
        yield body["biz"], parse_event(kind.decode(), body["data"])


def _priced(sale: RetailTransaction, replica: Replica, zone: tzinfo) -> tuple[int, int, int]:
    at = _instant(sale.priced_at_ms, zone)
    revision = sale.revision
    try:
        offers = replica.offers(revision)
    except MissingError:  # it was dropped since: both releases take the one that is there
        revision = replica.active_revision()
        offers = replica.offers(revision)
    items: dict[str, Item] = {}
    book_minor = 0
    for line in sale.lines:
        item = replica.find_item(line.gtin, revision) if revision else None
        if item is not None:
            items[line.gtin] = item
            dated = price_at(replica.dated_prices(line.gtin, revision), at.at_ms)
            book_minor += 0 if dated is None else dated.regular_minor
    repriced = reprice(sale, items, offers, at)
    rates = zip(repriced.nets, sale.lines, strict=True)
    tax = sum(tax_minor(net, line.tax_bp, HOUSE_RULES) for net, line in rates)
    return repriced.due_minor, book_minor, tax


def _instant(at_ms: int, zone: tzinfo) -> PricingInstant:
    local = datetime.fromtimestamp(at_ms // 1000, zone)
    return PricingInstant(at_ms, local.date(), local.hour * 3600 + local.minute * 60 + local.second)
