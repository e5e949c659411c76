"""The label room made in one piece for the composition root."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge.device.store_printer import StorePrinters
from edge.ids import Ids
from edge.label.api import LabelRoom
from edge.label.service import LabelParts, Labels, RepricedItem
from edge.label.store import LabelStore
from edge.sqlite import Writer
from edge.texts import Texts
from shared.kernel.clock import Clock
from shared.kernel.money import Currency

Repriced = Callable[[int, int], Iterable[RepricedItem]]
"""The items whose dated prices differ between two revisions; the older one may be gone soon."""


@dataclass(frozen=True, slots=True)
class LabelWorks:
    """The list of labels, fed by activations, and what its page asks."""

    labels: Labels
    room: LabelRoom
    repriced: Repriced

    def activated(self, old_rev: int, new_rev: int) -> None:
        """Compare what was active with what is; the first revision labels nothing anew."""
        if old_rev:
            self.labels.activated(self.repriced(old_rev, new_rev), new_rev)


@dataclass(frozen=True, slots=True)
class LabelTools:
    """What the room has of the box's parts."""

    clock: Clock
    ids: Ids
    currency: Currency
    texts: Texts


def make_label_works(
    desk_file: Writer, printers: StorePrinters, repriced: Repriced, tools: LabelTools
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
    return LabelWorks(labels, room, repriced)
