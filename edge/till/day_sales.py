"""What the journal has of a business day: the stretch of its entries, and each sale in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edge.journal.projections import BusinessDay
from edge.journal.reader import JournalReader
from shared.journal.entry import JournalEntry
from shared.journal.event import DayClosed, DayOpened, SaleCompleted
from shared.kernel.errors import CorruptError
from shared.sale.receipt_no import parse_receipt_no
from shared.till.certificate import DayCertificate, DaySale, DaySpan, GrandTotals, certificate_of
from shared.wire.codec import parse_body

_CHUNK_ENTRIES = 500
_CHUNK_BYTES = 4 * 1024 * 1024
_CLOSE_LOOKED_FOR = 500
"""Entries behind the head among which the last day close is looked for: between two days there are
some sign-ons and reprints."""


@dataclass(slots=True)
class _Gathered:
    """The day's entries read so far."""

    sales: list[DaySale]
    last: JournalEntry


def day_certificate(journal: JournalReader, day: BusinessDay) -> DayCertificate:
    """The certificate of the newest day, from the journal's entries up to its head.

    Reads each entry of the day once: a day of 2,000 sales takes some hundredths of a second.
    """
    genesis = _entry(journal, 0)
    opened = parse_body(genesis.body)
    first_seq = _first_seq(journal, day)
    before = genesis if first_seq == 0 else _entry(journal, first_seq - 1)
    gathered = _gather(journal, first_seq)
    span = DaySpan(
        store=opened["data"]["store"],
        business_date=day.biz,
        stream=opened["stream"],
        first_seq=first_seq,
        last_seq=gathered.last.seq,
        gt_before=_grand_totals(before),
        gt_after=_grand_totals(gathered.last),
    )
    return certificate_of(span, gathered.sales)


def newest_close(journal: JournalReader) -> dict[str, Any] | None:
    """The data of the last day close near the head of a life; None when there is none."""
    body = newest_closing(journal)
    if body is None:
        return None
    data: dict[str, Any] = body["data"]
    return data


def newest_closing(journal: JournalReader) -> dict[str, Any] | None:
    """The whole body of the entry that `newest_close` takes its data from."""
    first = max(0, journal.last_seq() + 1 - _CLOSE_LOOKED_FOR)
    for entry in reversed(list(_entries(journal, first))):
        if entry.type == DayClosed.type:
            return parse_body(entry.body)
    return None


def _first_seq(journal: JournalReader, day: BusinessDay) -> int:
    """Where the day began in this journal: at its opening, or, carried over, with the journal."""
    if day.shift.isdecimal():
        for entry in journal.read(int(day.shift), 1, _CHUNK_BYTES):
            opened = entry.type == DayOpened.type and parse_body(entry.body)["data"]
            if opened and opened["business_date"] == day.biz:
                return entry.seq
    return 0


def _gather(journal: JournalReader, first_seq: int) -> _Gathered:
    gathered = _Gathered([], _entry(journal, first_seq))
    for entry in _entries(journal, first_seq):
        gathered.last = entry
        if entry.type == SaleCompleted.type:
            gathered.sales.append(_day_sale(entry))
    return gathered


def _day_sale(entry: JournalEntry) -> DaySale:
    sale = parse_body(entry.body)["data"]["sale"]
    number = parse_receipt_no(sale["receipt_no"])
    if number is None:
        raise CorruptError("journal.receipt_no", receipt_no=sale["receipt_no"])
    return DaySale(number, entry.hash, sale["totals"]["net_minor"])


def _entries(journal: JournalReader, first_seq: int) -> Iterator[JournalEntry]:
    while chunk := journal.read(first_seq, _CHUNK_ENTRIES, _CHUNK_BYTES):
        yield from chunk
        first_seq = chunk[-1].seq + 1


def _entry(journal: JournalReader, seq: int) -> JournalEntry:
    return journal.read(seq, 1, _CHUNK_BYTES)[0]


def _grand_totals(entry: JournalEntry) -> GrandTotals:
    totals = parse_body(entry.body)["gt"]
    return totals["sales"], totals["refunds"]
