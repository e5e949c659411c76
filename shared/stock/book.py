"""The book of a store's stock: what was counted last, less what was sold since.  A pure fold."""

from __future__ import annotations

from collections.abc import Mapping

from shared.journal.device_event import StockCounted
from shared.journal.event import Event, SaleCompleted

BOOK_EVENTS = frozenset({StockCounted.type, SaleCompleted.type})
"""Kinds of entries that move the book; all others may be skipped unread."""


def book_after(book: Mapping[str, int], event: Event) -> dict[str, int]:
    """The book (thousandths by GTIN) after a fact.

    An item is in the book from its first count on: before it nobody knows what there was.
    """
    after = dict(book)
    if isinstance(event, StockCounted):
        after[event.gtin] = event.qty_milli
    elif isinstance(event, SaleCompleted):
        for line in event.sale.lines:
            if line.gtin in after:
                after[line.gtin] -= line.qty_milli
    return after
