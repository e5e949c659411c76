"""The adapters that the hub keeps: one for each scanner that is wanted, by id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from edge.device.binding import Binding
from edge.device.found import Found
from edge.device.framing import ScannerLayout
from edge.device.pairing import TYPED_MS
from edge.device.ports import Connection
from edge.device.scanner_base import BaseScanner, Place, ScannerName

Make = Callable[[Connection, Place | None], BaseScanner]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A scanner that there shall be; lane 0 for none.

    `is_tried`: nobody said yet that it is a scanner; it is listened to, not grabbed.
    """

    lane: int
    connection: Connection
    place: Place | None
    address: str = ""
    found: Found | None = None
    is_fixed: bool = False
    is_tried: bool = False

    @classmethod
    def absent(cls, binding: Binding) -> Wanted:
        """A lane's scanner that is not plugged in."""
        return cls(binding.lane, binding.connection, None, binding.address)

    @classmethod
    def bound(cls, binding: Binding, found: Found) -> Wanted:
        """A lane's scanner that is plugged in."""
        return cls(binding.lane, found.connection, _place(found), found.address, found)

    @classmethod
    def linked(cls, lane: int, found: Found) -> Wanted:
        """One that a udev rule named for a lane."""
        return cls(lane, found.connection, _place(found), found.address, found, is_fixed=True)

    @classmethod
    def unbound(cls, found: Found) -> Wanted:
        """One that belongs to no lane."""
        place = replace(_place(found), is_grabbed=found.is_scanner)
        is_tried = not found.is_scanner
        return cls(0, found.connection, place, found.address, found, is_tried=is_tried)


Plan = dict[str, Wanted]


@dataclass(slots=True)
class Slot:
    """An adapter at work, under its id, for what it was wanted."""

    id: str
    scanner: BaseScanner
    wanted: Wanted

    @property
    def found(self) -> Found | None:
        """The device, None while it is not plugged in."""
        return self.wanted.found

    @property
    def is_fixed(self) -> bool:
        """Whether a udev rule said whose it is."""
        return self.wanted.is_fixed


class Slots:
    """Starts, moves and gives up adapters as a plan says.  One thread at a time."""

    def __init__(
        self,
        make: Make,
        layout: ScannerLayout,
        on_scan: Callable[[Slot, str], None],
        on_trouble: Callable[[Slot, str], None],
    ) -> None:
        self._make = make
        self._layout = layout
        self._on_scan = on_scan
        self._on_trouble = on_trouble
        self._slots: dict[str, Slot] = {}
        self._new_ids: dict[str, str] = {}

    def all(self) -> tuple[Slot, ...]:
        """Every adapter; from any thread."""
        return tuple(self._slots.values())

    def shown(self) -> tuple[Slot, ...]:
        """Those that a person should know of: not the keyboards that pairing listens to."""
        return tuple(slot for slot in self.all() if not slot.wanted.is_tried)

    def new_id(self, found: Found) -> str:
        """The id of a device that belongs to no lane; the same while it stays plugged in."""
        if found.key not in self._new_ids:
            taken = set(self._new_ids.values())
            names = (f"scanner-new-{n}" for n in count(1))
            self._new_ids[found.key] = next(name for name in names if name not in taken)
        return self._new_ids[found.key]

    def apply(self, plan: Mapping[str, Wanted]) -> list[Slot]:
        """Make it so; gives back what is not wanted any more, for the caller to stop."""
        slots: dict[str, Slot] = {}
        old = dict(self._slots)
        for id_, wanted in plan.items():
            slot = _kept(id_, wanted, old)
            if slot is not None:
                del old[slot.id]
                self._change(slot, id_, wanted)
            slots[id_] = slot or self._started(id_, wanted)
        self._slots = slots
        wanted_keys = {each.found.key for each in plan.values() if each.found is not None}
        self._new_ids = {key: id_ for key, id_ in self._new_ids.items() if key in wanted_keys}
        return list(old.values())

    def _change(self, slot: Slot, id_: str, wanted: Wanted) -> None:
        before, slot.id, slot.wanted = slot.wanted, id_, wanted
        self._name(slot)
        if wanted.place != before.place:
            slot.scanner.move_to(wanted.place)

    def _started(self, id_: str, wanted: Wanted) -> Slot:
        slot = Slot(id_, self._make(wanted.connection, wanted.place), wanted)
        self._name(slot)
        slot.scanner.start(
            lambda code: self._on_scan(slot, code), lambda trouble: self._on_trouble(slot, trouble)
        )
        return slot

    def _name(self, slot: Slot) -> None:
        wanted, scanner = slot.wanted, slot.scanner
        scanner.name = ScannerName(slot.id, wanted.lane)
        scanner.address = wanted.address or scanner.address
        # What a keyboard types slowly was typed by a person, who must not become a scanner.
        within_ms = TYPED_MS if wanted.is_tried else 0
        scanner.layout = replace(self._layout, within_ms=within_ms)


def _kept(id_: str, wanted: Wanted, old: Mapping[str, Slot]) -> Slot | None:
    """The adapter to go on with: that of the device, else that of the id."""
    by_device = (
        slot
        for slot in old.values()
        if wanted.found is not None and slot.found is not None
        if slot.found.key == wanted.found.key
    )
    slot = next(by_device, None) or old.get(id_)
    is_same_kind = slot is not None and slot.wanted.connection == wanted.connection
    return slot if is_same_kind else None


def _place(found: Found) -> Place:
    return Place(found.node, found.address, found.model, found.phys)
