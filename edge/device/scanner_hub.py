"""The scanners of a store: found by udev, known again, each at its lane, paired by scanning.

One lock guards who is where; a scanner's thread takes it for a pairing code only, never for goods.
Goods go by `ScannerName.lane`, which is one assignment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from edge.device.binding import (
    SCANNERS_PER_LANE_MAX,
    Assigned,
    Binding,
    bind,
    followed,
    match,
    without,
)
from edge.device.binding_store import BindingStore
from edge.device.found import Found, plug_of
from edge.device.framing import ScannerLayout
from edge.device.pairing import (
    PAIRING_CODE,
    Pairing,
    PairingProgress,
    is_pairing_code,
    matches,
    new_pairing,
)
from edge.device.place import path_of
from edge.device.ports import DeviceReport, DeviceState, ScannerCapability
from edge.device.scanner_base import BaseScanner, Place
from edge.device.scanner_slots import Make, Plan, Slot, Slots, Wanted
from edge.device.udev import Discovery
from shared.journal.device_event import DeviceBound
from shared.journal.event import Event
from shared.kernel.clock import Clock
from shared.kernel.errors import MissingError, RefusedError

GIVEN_UP_MS = 10_000
"""A lane's only scanner must be away so long before another takes its place by itself."""
UNBOUND, _NO_UDEV = "scanner.unbound", "scanner.no_udev"
_ORDER = ("ready", "degraded", "connecting", "failed", "absent")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class HubParts:
    """What the hub works with.

    `path` with {lane} in it is a fixed name of a lane's scanner, given by udev rules; it goes
    before any pairing, and is all there is without udev.  `is_elsewhere` tells nodes of other
    devices, which are never opened to look for a scanner.
    """

    lanes: tuple[int, ...]
    layout: ScannerLayout
    clock: Clock
    store: BindingStore
    discovery: Discovery
    token: Callable[[], str]
    make: Make
    facts: Callable[[Event], None]
    path: str = ""
    is_elsewhere: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, slots=True)
class _Ear:
    """Who hears a lane's scanners."""

    on_scan: Callable[[str], None]
    on_trouble: Callable[[str], None]


class ScannerHub:
    """Discovery, bindings and pairing of all lanes; starts with the first lane that listens."""

    def __init__(self, parts: HubParts) -> None:
        self._parts = parts
        self._lock = threading.RLock()
        self._ears: dict[int, _Ear] = {}
        self._bindings: tuple[Binding, ...] = ()
        self._is_unsaved = False
        self._founds: tuple[Found, ...] = ()
        self._pairings: dict[int, Pairing] = {}
        self._seen_ms: dict[str, int] = {}
        self._slots = Slots(parts.make, parts.layout, self._scanned, self._troubled)
        self._since_ms = parts.clock.now_ms()
        self._has_udev = False
        self._is_running = False

    def attach(
        self, lane: int, on_scan: Callable[[str], None], on_trouble: Callable[[str], None]
    ) -> None:
        """Let a lane hear its scanners; the first one starts everything."""
        with self._lock:
            self._ears = {**self._ears, lane: _Ear(on_scan, on_trouble)}
            was_running, self._is_running = self._is_running, True
        if not was_running:
            self._start()

    def detach(self, lane: int) -> None:
        """The lane hears no more; the last one stops everything.  Safe to call twice."""
        with self._lock:
            self._ears = {each: ear for each, ear in self._ears.items() if each != lane}
            is_over = self._is_running and not self._ears
            self._is_running = self._is_running and not is_over
        if is_over:
            self._parts.discovery.stop()
            for slot in self._slots.apply({}):
                slot.scanner.stop()

    def scanners(self) -> tuple[BaseScanner, ...]:
        """Every scanner that a lane has or may get."""
        return tuple(slot.scanner for slot in self._slots.shown())

    def reports(self) -> tuple[DeviceReport, ...]:
        """What is known of every scanner, and of lanes without one; from memory."""
        shown = [self._told(slot.scanner.report()) for slot in self._slots.shown()]
        lanes = {each.lane for each in shown}
        empty = [self._nothing_at(lane) for lane in self._parts.lanes if lane not in lanes]
        return tuple(sorted((*shown, *empty), key=lambda each: (not each.lane, each.lane, each.id)))

    def lane_state(self, lane: int) -> DeviceState:
        """The state of the best scanner that a lane has."""
        states = [each.state for each in self.reports() if each.lane == lane]
        return min(states, key=lambda state: _ORDER.index(state.state))

    def begin_pairing(self, lane: int) -> Pairing:
        """Wait for the scanner that reads the code.

        Raises MissingError `lane.unknown`, RefusedError `scanner.pairing_off` without udev.
        """
        if lane not in self._parts.lanes:
            raise MissingError("lane.unknown", lane=lane)
        if not self._has_udev:
            raise RefusedError("scanner.pairing_off")
        pairing = new_pairing(lane, self._parts.token(), self._parts.clock.mono_ms())
        with self._lock:
            self._pairings[lane] = pairing
        self._arrange()
        return pairing

    def pairing(self, lane: int) -> Pairing | None:
        """How the lane's pairing stands; None when none was begun."""
        with self._lock:
            pairing = self._pairings.get(lane)
        return None if pairing is None else pairing.at(self._parts.clock.mono_ms())

    def end_pairing(self, lane: int) -> None:
        """Stop waiting."""
        with self._lock:
            self._pairings.pop(lane, None)
        self._arrange()

    def _start(self) -> None:
        parts, now_ms = self._parts, self._parts.clock.mono_ms()
        self._has_udev = parts.discovery.is_available()
        with self._lock:
            self._bindings = tuple(each for each in parts.store.load() if each.lane in parts.lanes)
            self._seen_ms = {each.id: now_ms for each in self._bindings}
        if self._has_udev:
            parts.discovery.start(self._changed)
            return
        _log.warning("scanner.no_udev", path=parts.path)
        self._slots.apply({_id(lane): self._fixed(lane) for lane in parts.lanes})

    def _fixed(self, lane: int) -> Wanted:
        return Wanted(lane, "keyboard", Place(path_of(self._parts.path, lane)))

    def _changed(self, founds: tuple[Found, ...]) -> None:
        """Take in what is plugged in; comes at each change and at least twice a second."""
        ours = tuple(each for each in founds if not self._parts.is_elsewhere(each.node))
        with self._lock:
            self._founds = ours
        self._arrange()

    def _arrange(self) -> None:
        """Bring scanners, bindings and what is plugged in together."""
        if not self._has_udev:
            return
        with self._lock:
            if not self._is_running:
                return
            plan = self._plan()
            dropped = self._slots.apply(plan)
            self._save()
        for slot in dropped:  # without the lock: their threads may wait for it
            slot.scanner.stop()

    def _plan(self) -> Plan:
        now_ms = self._parts.clock.mono_ms()
        linked = self._linked()
        free = [each for each in self._founds if each not in linked.values()]
        assigned = self._followed(match(self._bindings, free))
        unbound = [each for each in free if each not in {found for _, found in assigned}]
        taken = self._by_itself([each for each in unbound if each.is_scanner], linked)
        assigned += taken
        self._seen_ms |= {binding.id: now_ms for binding, _ in assigned}
        plan: Plan = {each.id: Wanted.absent(each) for each in self._bindings}
        plan |= {binding.id: Wanted.bound(binding, found) for binding, found in assigned}
        plan |= {_id(lane): Wanted.linked(lane, found) for lane, found in linked.items()}
        given = {found for _, found in assigned}
        # Whoever stands before a pairing code may be holding any of these.
        is_pairing = any(each.is_open(now_ms) for each in self._pairings.values())
        for found in unbound:
            is_asked_for = found.is_scanner or is_pairing
            if found not in given and is_asked_for:
                plan[self._slots.new_id(found)] = Wanted.unbound(found)
        return plan

    def _linked(self) -> dict[int, Found]:
        """Devices that udev rules named for a lane."""
        if not self._parts.path:
            return {}
        names = {path_of(self._parts.path, lane): lane for lane in self._parts.lanes}
        return {
            names[link]: found for found in self._founds for link in found.links if link in names
        }

    def _followed(self, assigned: tuple[Assigned, ...]) -> list[tuple[Binding, Found]]:
        """Bindings after devices moved or were replaced; each such change is a fact."""
        result = []
        for each in assigned:
            binding = each.binding
            if each.how != "same":
                binding = followed(each.binding, each.found)
                kept = (binding if old is each.binding else old for old in self._bindings)
                self._bindings = tuple(kept)
                self._note(binding, each.how)
            result.append((binding, each.found))
        return result

    def _by_itself(
        self, unbound: list[Found], linked: dict[int, Found]
    ) -> list[tuple[Binding, Found]]:
        """The only scanner of a store with one lane needs no pairing."""
        now_ms = self._parts.clock.mono_ms()
        plugs = {plug_of(each.port) for each in self._founds if self._is_ours(each)}
        has_waited = all(now_ms - at_ms >= GIVEN_UP_MS for at_ms in self._seen_ms.values())
        if len(self._parts.lanes) != 1 or linked or len(plugs) != 1 or not has_waited:
            return []
        return [(self._bind(each, self._parts.lanes[0]), each) for each in unbound]

    def _is_ours(self, found: Found) -> bool:
        return found.is_scanner or any(_is_for(each, found) for each in self._bindings)

    def _bind(self, found: Found, lane: int) -> Binding:
        kept = without(self._bindings, lane, self._present())
        kept = tuple(each for each in kept if not _is_for(each, found))
        self._seen_ms = {each.id: self._seen_ms.get(each.id, 0) for each in kept}
        binding = bind(kept, found, lane)
        self._bindings = (*kept, binding)
        self._note(binding, "paired")
        return binding

    def _note(self, binding: Binding, how: str) -> None:
        _log.info(
            "scanner.bound", device=binding.id, lane=binding.lane, at=binding.address, how=how
        )
        self._is_unsaved = True
        self._parts.facts(DeviceBound(binding.id, "scanner", binding.lane, binding.address))

    def _save(self) -> None:
        """Keep bindings; on a full disk again with every tick, while scanners work on."""
        if not self._is_unsaved:
            return
        try:
            self._parts.store.save(self._bindings)
            self._is_unsaved = False
        except OSError as error:
            _log.warning("scanner.bindings_unsaved", because=repr(error))

    def _scanned(self, slot: Slot, code: str) -> None:
        if is_pairing_code(code):
            self._pair(slot, code)
            return
        ear = self._ears.get(slot.scanner.name.lane)
        if ear is not None:
            ear.on_scan(code)
        else:
            _log.warning("scanner.unbound", device=slot.id)

    def _troubled(self, slot: Slot, trouble: str) -> None:
        ear = self._ears.get(slot.scanner.name.lane)
        if ear is not None:
            ear.on_trouble(trouble)

    def _pair(self, slot: Slot, code: str) -> None:
        with self._lock:
            now_ms = self._parts.clock.mono_ms()
            waiting = (each for each in self._pairings.values() if each.is_open(now_ms))
            pairing = next((each for each in waiting if matches(each, code)), None)
            if pairing is not None:
                self._pairings[pairing.lane] = self._paired(slot, pairing)
        if pairing is None:
            self._troubled(slot, PAIRING_CODE)
        self._arrange()

    def _paired(self, slot: Slot, pairing: Pairing) -> Pairing:
        lane, found = pairing.lane, slot.found
        is_there = slot.scanner.name.lane == lane
        if is_there or found is None or slot.is_fixed:
            # By a udev rule's name, or already here: there is nothing to change.
            report = slot.scanner.report()
            progress: PairingProgress = "paired" if is_there else "refused"
            return replace(pairing, progress=progress, device=slot.id, address=report.address)
        at_lane = {each.id for each in self._bindings if each.lane == lane}
        if len(at_lane & self._present()) >= SCANNERS_PER_LANE_MAX:
            return replace(pairing, progress="refused", device=slot.id, address=found.address)
        for each in self._founds:
            # A scanner that shows two keyboards is the lane's with both.
            if each != found and each.is_scanner and plug_of(each.port) == plug_of(found.port):
                self._bind(each, lane)
        binding = self._bind(found, lane)
        return replace(
            pairing,
            progress="paired",
            device=binding.id,
            address=binding.address,
            name=binding.name,
        )

    def _present(self) -> frozenset[str]:
        """Ids of bindings whose device is plugged in."""
        founds = self._founds
        return frozenset(
            each.id for each in self._bindings if any(_is_for(each, found) for found in founds)
        )

    def _told(self, report: DeviceReport) -> DeviceReport:
        """A scanner that works is still to be mended when nobody hears it, or without udev."""
        if report.state.state != "ready":
            return report
        if not report.lane:
            return replace(
                report, state=replace(report.state, state="degraded", last_fault=UNBOUND)
            )
        if not self._has_udev:
            return replace(
                report, state=replace(report.state, state="degraded", last_fault=_NO_UDEV)
            )
        return report

    def _nothing_at(self, lane: int) -> DeviceReport:
        has_spare = any(not slot.scanner.name.lane for slot in self._slots.shown())
        fault = UNBOUND if has_spare else "scanner.absent"
        return DeviceReport(
            id=_id(lane),
            kind="scanner",
            lane=lane,
            adapter=type(self).__name__,
            address="",
            capability=ScannerCapability(has_symbology_ids=self._parts.layout.aim),
            state=DeviceState("absent", self._since_ms, fault),
        )


class LaneScanner:
    """ScannerPort of one lane, whichever scanners that lane has."""

    def __init__(self, hub: ScannerHub, lane: int) -> None:
        self._hub = hub
        self._lane = lane

    def start(
        self, on_scan: Callable[[str], None], on_trouble: Callable[[str], None] | None = None
    ) -> None:
        """Hear the lane's scanners."""
        self._hub.attach(self._lane, on_scan, on_trouble or _nobody)

    def stop(self) -> None:
        """Hear no more; safe to call twice."""
        self._hub.detach(self._lane)

    def state(self) -> DeviceState:
        """The state of the best scanner that the lane has."""
        return self._hub.lane_state(self._lane)


def _id(lane: int) -> str:
    return f"scanner-{lane}"


def _is_for(binding: Binding, found: Found) -> bool:
    """Whether a binding is of this very device."""
    is_alike = binding.model == found.model and binding.connection == found.connection
    return is_alike and binding.port == found.port and binding.serial == found.serial


def _nobody(_: str) -> None:
    """The lane is not interested in troubles."""
