"""Keep the list of labels that must change, and print them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from edge.device.escpos import NO_ARTWORK, encode
from edge.device.escpos_profile import PrinterProfile
from edge.device.ports import PrintJob, PrintOutcome
from edge.device.store_printer import StorePrinters
from edge.label.due import LIST_MAX, Prices, changes_of
from edge.label.paper import label_lines
from edge.label.store import DueLabel, ItemChanges, Key, LabelStore
from edge.texts import Texts
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.kernel.money import Currency

PRINT_MAX = 48
"""Labels of one order: a roll of paper is an arm's length of them."""
_DAY_MS = 86_400_000
_BATCH = 100


@dataclass(frozen=True, slots=True)
class RepricedItem:
    """An item whose dated prices differ between two revisions."""

    gtin: str
    name: str
    size: str
    before: Prices
    after: Prices


@dataclass(frozen=True, slots=True)
class LabelParts:
    """What labels are made with; `job_id` gives a new name for each order."""

    store: LabelStore
    printers: StorePrinters
    clock: Clock
    currency: Currency
    texts: Texts
    job_id: Callable[[], str]


class Labels:
    """The shop's labels; `activated` is called by the thread that activates revisions."""

    def __init__(self, parts: LabelParts) -> None:
        self._parts = parts
        self._printing = threading.Lock()

    def activated(self, items: Iterable[RepricedItem], revision: int) -> None:
        """Take over what a revision changed, a few items at a time: lanes share the file."""
        now_ms = self._parts.clock.now_ms()
        changed = _changed(items, now_ms)
        while batch := list(islice(changed, _BATCH)):
            self._parts.store.put(batch, revision, now_ms)

    def due(self, days: int) -> list[DueLabel]:
        """Labels that change now or within so many days, the oldest first, at most 2,000."""
        now_ms = self._parts.clock.now_ms()
        return self._parts.store.due(now_ms + days * _DAY_MS, now_ms, LIST_MAX)

    def chosen(self, keys: Sequence[Key], days: int) -> list[DueLabel]:
        """Those of the due labels that are named; RefusedError `label.none` when none is due."""
        wanted = set(keys)
        found = [each for each in self.due(days) if (each.gtin, each.change.from_at_ms) in wanted]
        if not found:
            raise RefusedError("label.none")
        return found

    def print(self, labels: Sequence[DueLabel], lane: int, by: str) -> PrintOutcome:
        """Print at the lane's own printer, one order at a time; printed ones are due no more.

        RefusedError `label.too_many`.
        """
        if len(labels) > PRINT_MAX:
            raise RefusedError("label.too_many", most=PRINT_MAX)
        parts, printer = self._parts, self._parts.printers.of(lane)
        payload = b"".join(self._payload(label, printer.profile) for label in labels)
        with self._printing:
            outcome = printer.port.print(PrintJob(parts.job_id(), payload))
        if outcome == "printed":
            self.done(labels, by)
        return outcome

    def done(self, labels: Sequence[DueLabel], by: str) -> None:
        """Note that labels were printed, on whatever paper."""
        keys = [(label.gtin, label.change.from_at_ms) for label in labels]
        self._parts.store.printed(keys, self._parts.clock.now_ms(), by)

    def _payload(self, label: DueLabel, profile: PrinterProfile) -> bytes:
        lines = label_lines(label, self._parts.currency, self._parts.texts, profile.width_chars)
        return encode(list(lines), profile, NO_ARTWORK)


def _changed(items: Iterable[RepricedItem], now_ms: int) -> Iterator[ItemChanges]:
    for item in items:
        changes = tuple(changes_of(item.before, item.after, now_ms))
        yield ItemChanges(item.gtin, item.name, item.size, changes, item.after)
