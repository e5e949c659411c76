"""The label room made in one piece for the composition root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from edge.device.store_printer import StorePrinters
from edge.ids import Ids
from edge.label.api import LabelRoom
from edge.label.service import LabelParts, Labels, RepricedItem
from edge.label.store import LabelStore
from edge.replica.store import Replica
from edge.sqlite import Writer
from edge.texts import Texts
from shared.kernel.clock import Clock
from shared.kernel.money import Currency

_log = structlog.get_logger("labels")


@dataclass(frozen=True, slots=True)
class LabelWorks:
    """The list of labels, fed by activations, and what its page asks."""

    labels: Labels
    room: LabelRoom
    replica: Replica

    def activated(self, old_rev: int, new_rev: int) -> None:
        """Compare what was active with what is; the first revision labels nothing anew.

        Prices come before labels: what goes wrong here is logged, and the revision stands.
        """
        if not old_rev:
            return
        try:
            self.labels.activated(self._items(old_rev, new_rev), new_rev)
        except Exception:  # noqa: BLE001 - see above: a list of labels stops no activation
            _log.exception("labels.missed", revision=new_rev)

    def _items(self, old_rev: int, new_rev: int) -> Iterator[RepricedItem]:
        for row in self.replica.changed_prices(old_rev, new_rev):
            item = row.item
            yield RepricedItem(item.gtin, item.name, item.package_size, row.before, row.after)


@dataclass(frozen=True, slots=True)
class LabelTools:
    """What the room has of the box's parts."""

    clock: Clock
    ids: Ids
    currency: Currency
    texts: Texts


def make_label_works(
    desk_file: Writer, printers: StorePrinters, replica: Replica, tools: LabelTools
) -> LabelWorks:
    """Make the room; touches nothing."""
    labels = Labels(
        LabelParts(
            store=LabelStore(desk_file),
            printers=printers,
            clock=tools.clock,
            currency=tools.currency,
            texts=tools.texts,
            job_id=lambda: f"label-{tools.ids.entry_id()}",
        )
    )
    room = LabelRoom(labels, tools.clock, tools.currency, tools.texts)
    return LabelWorks(labels, room, replica)
