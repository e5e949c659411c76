"""A sale as the journal has it."""

from __future__ import annotations

from shared.journal.entry import JournalEntry
from shared.journal.event import SaleCompleted
from shared.kernel.errors import CorruptError
from shared.sale.transaction import RetailTransaction
from shared.wire.codec import parse_body, parse_event


def recorded_sale(entry: JournalEntry) -> tuple[RetailTransaction, int]:
    """The sale of an entry, and when it was written (UTC ms)."""
    body = parse_body(entry.body)
    event = parse_event(entry.type, body["data"])
    if not isinstance(event, SaleCompleted):
        raise CorruptError("journal.not_a_sale", seq=entry.seq)
    return event.sale, int(body["at"])
