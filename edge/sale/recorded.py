"""A sale as the journal has it."""

from __future__ import annotations

from edge.receipt.layout import PrintedSale
from shared.journal.entry import JournalEntry
from shared.journal.event import SaleCompleted
from shared.kernel.errors import CorruptError
from shared.sale.transaction import RetailTransaction
from shared.wire.codec import parse_body, parse_event


def recorded_sale(entry: JournalEntry) -> tuple[RetailTransaction, int]:
    """The sale of an entry, and when it was written (UTC ms)."""
    printed = printed_sale(entry)
    return printed.sale, printed.at_ms


def printed_sale(entry: JournalEntry, copy: int = 0) -> PrintedSale:
    """The sale of an entry as its receipt, or the copy of that number, shows it."""
    body = parse_body(entry.body)
    event = parse_event(entry.type, body["data"])
    if not isinstance(event, SaleCompleted):
        raise CorruptError("journal.not_a_sale", seq=entry.seq)
    return PrintedSale(event.sale, int(body["at"]), copy, body["biz"], entry.hash)
