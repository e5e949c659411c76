"""Book sales and day closes while their entries are being stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Protocol

import msgspec
import orjson
from sqlalchemy import Connection

from cloud.ledger import store
from cloud.ledger.body import figures_of, read_day_close, read_sale
from cloud.ledger.post import postings_of
from shared.journal.event import DayClosed, SaleCompleted
from shared.kernel.errors import RefusedError


class Fact(Protocol):
    """What the books read of an entry: its header and the raw data of its event."""

    id: str
    type: str
    at: int
    biz: str
    cat: int
    data: msgspec.Raw


class LedgerPoster:
    """The books' consequences of entries."""

    entry_types = frozenset({SaleCompleted.type, DayClosed.type})

    def open_tray(self, store_id: str) -> LedgerTray:
        """Begin a batch of one store."""
        return LedgerTray(store_id)

    def posted(self, connection: Connection, ids: Sequence[str]) -> set[str]:
        """Which entries are in the books already."""
        return store.posted_ids(connection, ids)


class LedgerTray:
    """Rows of one batch, as lines for COPY: making them costs one format each."""

    def __init__(self, store_id: str) -> None:
        self._store_id = store_id
        self._store_field = store.copied(store_id)
        self._sales: list[str] = []
        self._postings: list[str] = []
        self._day_closes: list[str] = []
        self._news: list[tuple[str, str, int, int, int]] = []

    def add(self, entry: Fact) -> None:
        """Read and recompute an entry; RefusedError `ledger.*` when it makes no sense."""
        if entry.type == SaleCompleted.type:
            self._add_sale(entry)
        else:
            self._add_day_close(entry)

    def write(self, connection: Connection) -> None:
        """COPY the rows; a database error when one of the entries was booked before."""
        store.write_lines(connection, store.COPY_SALES, self._sales)
        store.write_lines(connection, store.COPY_POSTINGS, self._postings)
        store.write_lines(connection, store.COPY_DAY_CLOSES, self._day_closes)

    def news(self, limit: int) -> list[dict[str, Any]]:
        """The newest sales, oldest first."""
        return [
            {
                "store_id": self._store_id,
                "business_date": business_date,
                "receipt_no": receipt_no,
                "at_ms": at_ms,
                "net_minor": net_minor,
                "lines": lines,
            }
            for business_date, receipt_no, at_ms, net_minor, lines in self._news[-limit:]
        ]

    def _add_sale(self, entry: Fact) -> None:
        sale = read_sale(entry.data)
        day = _business_date(entry.biz)
        figures = figures_of(sale)
        postings = postings_of(figures)
        amounts = "\t".join(map(str, figures))
        self._sales.append(
            f"{entry.id}\t{self._store_field}\t{day}\t{store.copied(sale.receipt_no)}\t{sale.lane}"
            f"\t{entry.at}\t{amounts}\t{sale.revision}\n"
        )
        key, where = entry.id, f"{self._store_field}\t{day}"
        self._postings += [
            f"{key}\t{n}\t{where}\t{account}\t{amount}\n"
            for n, (account, amount) in enumerate(postings)
        ]
        self._news.append((day, sale.receipt_no, entry.at, figures.net_minor, figures.lines))

    def _add_day_close(self, entry: Fact) -> None:
        business_date, z = read_day_close(entry.data)
        day = _business_date(business_date)
        self._day_closes.append(
            f"{entry.id}\t{self._store_field}\t{day}\t{store.copied(orjson.dumps(z).decode())}\n"
        )


def _business_date(text: str) -> str:
    """The ISO date, checked; RefusedError `ledger.business_date`."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise RefusedError("ledger.business_date") from None
