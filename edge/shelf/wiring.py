"""The shelf room made in one piece for the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.device.wiring_shelf import Shelves
from edge.ids import Ids
from edge.journal.store import Journal
from edge.replica.store import Replica
from edge.shelf.api import ShelfRoom
from edge.shelf.ledger import ShelfLedger
from edge.shelf.service import ShelfParts, ShelfRoomService
from edge.shelf.store import ShelfStore
from edge.sqlite import Writer
from shared.kernel.clock import Clock


@dataclass(frozen=True, slots=True)
class ShelfWorks:
    """The service and what its page asks; started after the devices, stopped before them."""

    service: ShelfRoomService
    room: ShelfRoom


def make_shelf_works(
    shelves: Shelves, desk_file: Writer, journal: Journal, replica: Replica, parts: Machine
) -> ShelfWorks:
    """Make the room; touches nothing."""
    store = ShelfStore(desk_file)
    ledger = ShelfLedger(journal, store, replica.active_revision)
    service = ShelfRoomService(
        ShelfParts(shelves.sensors, store, ledger, parts.clock, parts.ids.entry_id)
    )
    line = shelves.line
    unknown: Callable[[], list[str]] = list if line is None else lambda: list(line.unknown)
    return ShelfWorks(service, ShelfRoom(service, store, _names(replica), unknown))


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine's own clock, and where ids come from."""

    clock: Clock
    ids: Ids


def _names(replica: Replica) -> Callable[[str], str]:
    def name_of(gtin: str) -> str:
        item = replica.find_item(gtin, replica.active_revision())
        return gtin if item is None else item.name

    return name_of
