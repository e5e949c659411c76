"""Book sales and day closes in the transaction that stores their entries."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

import msgspec
from sqlalchemy import Connection

from cloud.ledger import store
from cloud.ledger.body import Sale, figures_of, read_day_close, read_sale
from cloud.ledger.post import SaleFigures, postings_of
from shared.journal.event import DayClosed, SaleCompleted
from shared.kernel.errors import RefusedError

NEWS_MAX = 20


class Fact(Protocol):
    """What the books read of an entry: its header and the raw data of its event."""

    id: str
    type: str
    seq: int
    at: int
    biz: str
    data: msgspec.Raw


@dataclass(slots=True)
class Booked:
    """What became of the entries: flags by sequence number, and news for the live screens."""

    flags: list[tuple[int, str]] = field(default_factory=list)
    news: list[dict[str, Any]] = field(default_factory=list)


class LedgerPoster:
    """The books' consequences of entries."""

    entry_types = frozenset({SaleCompleted.type, DayClosed.type})
    tables = ("sale", "posting", "day_close")

    def prepare(self, store_id: str, entries: Sequence[Fact]) -> Callable[[Connection], Booked]:
        """Work out sales, postings and day closes; flags what makes no sense."""
        booking = _Booking(store_id)
        sales = [entry for entry in entries if entry.type == SaleCompleted.type]
        sale_lines = list(booking.sale_lines(sales)) if sales else []
        day_lines: list[str] = []
        if len(sales) < len(entries):
            days = [entry for entry in entries if entry.type == DayClosed.type]
            day_lines = list(booking.day_close_lines(days))
        booked = Booked(booking.flags, booking.news(sales))

        def post(connection: Connection) -> Booked:
            store.copy_lines(connection, store.COPY_SALES, sale_lines)
            store.copy_lines(connection, store.COPY_POSTINGS, booking.postings)
            store.copy_lines(connection, store.COPY_DAY_CLOSES, day_lines)
            return booked

        return post

    def posted(self, connection: Connection, store_id: str, ids: Sequence[str]) -> set[str]:
        """Which entries are in the store's books already."""
        return store.posted_ids(connection, store_id, ids)

    def differing(self, connection: Connection, store_id: str, entries: Sequence[Fact]) -> set[str]:
        """Ids of entries under whose id the books have another sale or day."""
        there = store.booked(connection, store_id, [entry.id for entry in entries])
        return {entry.id for entry in entries if there.get(entry.id) != _said(entry)}


def _said(entry: Fact) -> store.Booked | None:
    """What the books would say of an entry; None when they would not take it."""
    try:
        if entry.type == DayClosed.type:
            day, _ = read_day_close(entry.data)
            return store.Booked(date.fromisoformat(day).isoformat(), "", 0)
        sale, day = read_sale(entry.data), date.fromisoformat(entry.biz).isoformat()
    except (RefusedError, ValueError):
        return None
    receipt_no = sale.receipt_no.replace("\0", "")
    return store.Booked(day, receipt_no, sale.totals.net_minor)


class _Booking:
    """Makes the rows of one batch as lines for COPY: each costs one format and no object."""

    def __init__(self, store_id: str) -> None:
        self.flags: list[tuple[int, str]] = []
        self.postings: list[str] = []
        self._store_id = store_id
        self._store_field = store.copied(store_id)
        self._days: dict[str, str] = {}
        self._shown: dict[str, tuple[Sale, SaleFigures]] = {}

    def sale_lines(self, entries: Sequence[Fact]) -> Iterator[str]:
        """Lines of the sales; their postings gather meanwhile."""
        shown_from = entries[-1].seq - NEWS_MAX
        for entry in entries:
            try:
                sale = read_sale(entry.data)
                figures = figures_of(sale)
                where = f"{self._store_field}\t{self._day(entry.biz)}"
                self._add_postings(f"{entry.id}\t", f"\t{where}\t", figures)
            except RefusedError as error:
                self.flags.append((entry.seq, error.code))
                continue
            if entry.seq > shown_from:
                self._shown[entry.id] = (sale, figures)
            amounts = "\t".join(map(str, figures))
            yield (
                f"{entry.id}\t{where}\t{store.copied(sale.receipt_no)}\t{sale.lane}\t{entry.at}"
                f"\t{amounts}\t{sale.revision}\n"
            )

    def day_close_lines(self, entries: Sequence[Fact]) -> Iterator[str]:
        """Lines of the boxes' own day closes."""
        for entry in entries:
            try:
                business_date, z = read_day_close(entry.data)
                where = f"{self._store_field}\t{self._day(business_date)}"
            except RefusedError as error:
                self.flags.append((entry.seq, error.code))
                continue
            said = json.dumps(z, ensure_ascii=False)  # orjson refuses numbers above 64 bits
            yield f"{entry.id}\t{where}\t{store.copied(said)}\n"

    def news(self, entries: Sequence[Fact]) -> list[dict[str, Any]]:
        """The newest sales, oldest first."""
        return [
            {
                "store_id": self._store_id,
                "business_date": entry.biz,
                "receipt_no": sale.receipt_no,
                "at_ms": entry.at,
                "net_minor": figures.net_minor,
                "lines": figures.lines,
            }
            for entry in entries[-NEWS_MAX:]
            if entry.id in self._shown
            for sale, figures in (self._shown[entry.id],)
        ]

    def _add_postings(self, key: str, where: str, figures: SaleFigures) -> None:
        self.postings += [
            f"{key}{n}{where}{account}\t{amount}\n"
            for n, (account, amount) in enumerate(postings_of(figures))
        ]

    def _day(self, text: str) -> str:
        """The ISO date, checked once per batch; RefusedError `ledger.business_date`."""
        day = self._days.get(text)
        if day is None:
            try:
                day = self._days[text] = date.fromisoformat(text).isoformat()
            except ValueError:
                raise RefusedError("ledger.business_date") from None
        return day
