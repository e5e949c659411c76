"""Discovery, binding and pairing with everything real but the kernel: threads, files, codes."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.clock import SystemClock
from edge.device import scanner_slots
from edge.device.binding_store import BINDINGS_FILE, BindingStore
from edge.device.found import Found
from edge.device.framing import ScannerLayout
from edge.device.scanner import EvdevScanner
from edge.device.scanner_base import BaseScanner, Place
from edge.device.scanner_hub import HubParts, LaneScanner, ScannerHub
from shared.journal.device_event import DeviceBound
from shared.kernel.errors import MissingError, RefusedError
from tests.fakes.discovery import FakeDiscovery
from tests.fakes.key_device import KeyDevice, KeySource

SCANNER, KEYBOARD = "0c2e:0200", "046d:c31c"
LAYOUT = ScannerLayout()


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Clock(SystemClock):
    """The machine's clock, which a test may put forward."""

    ahead_ms = 0

    def mono_ms(self) -> int:
        return super().mono_ms() + self.ahead_ms


@dataclass
class Store:
    """A box's USB ports and what its lanes hear."""

    folder: Path
    lanes: tuple[int, ...] = (1,)
    discovery: FakeDiscovery = field(default_factory=FakeDiscovery)
    path: str = "/dev/tillbox/scanner-{lane}"
    clock: Clock = field(default_factory=Clock)
    devices: dict[str, KeyDevice] = field(default_factory=dict)
    facts: list[tuple[str, int, str]] = field(default_factory=list)
    heard: list[tuple[int, str]] = field(default_factory=list)
    troubles: list[tuple[int, str]] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    plugged: dict[str, Found] = field(default_factory=dict)
    tokens: Iterator[str] = field(default_factory=lambda: iter(["7F3K", "8G4L", "9H5N"]))

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        parts = HubParts(
            lanes=self.lanes,
            layout=LAYOUT,
            clock=self.clock,
            store=BindingStore(self.folder),
            discovery=self.discovery,
            token=lambda: next(self.tokens),
            make=self._make,
            facts=self._note,
            path=self.path,
            is_elsewhere=lambda node: node == "/dev/ttyUSB9",
        )
        self.hub = ScannerHub(parts)
        self.ports = [LaneScanner(self.hub, lane) for lane in self.lanes]
        for lane, port in zip(self.lanes, self.ports, strict=True):
            port.start(
                lambda code, lane=lane: self.heard.append((lane, code)),
                lambda what, lane=lane: self.troubles.append((lane, what)),
            )

    def stop(self) -> None:
        for port in self.ports:
            port.stop()

    def plug(self, port: str, serial: str = "", model: str = SCANNER, **changed) -> KeyDevice:
        node = f"/dev/input/event{len(self.devices)}"
        device = self.devices[node] = KeyDevice()
        fields = {"key": f"{node}@{port}", "node": node, "connection": "keyboard"}
        fields |= {"port": port, "serial": serial, "model": model, "name": "1D Scanner"}
        self.plugged[port] = Found(**fields | changed)
        self.discovery.plug(*self.plugged.values())
        return device

    def unplug(self, port: str) -> None:
        found = self.plugged.pop(port)
        self.devices[found.node].pull_out()
        self.discovery.plug(*self.plugged.values())

    def states(self) -> dict[str, str]:
        return {each.id: each.state.state for each in self.hub.reports()}

    def fault(self, id_: str) -> str | None:
        return next(each.state.last_fault for each in self.hub.reports() if each.id == id_)

    def _make(self, connection: str, place: Place | None) -> BaseScanner:
        del connection
        return EvdevScanner(place, LAYOUT, self.clock, self._open)

    def _open(self, path: str) -> KeySource:
        self.opened.append(path)
        if path not in self.devices:
            raise FileNotFoundError(path)
        return self.devices[path].open(path)

    def _note(self, event: object) -> None:
        assert isinstance(event, DeviceBound)
        self.facts.append((event.device, event.lane, event.address))


@pytest.fixture
def make_store(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    stores: list[Store] = []

    def make(**changed) -> Store:
        stores.append(Store(tmp_path, **changed))
        return stores[-1]

    yield make
    for store in stores:
        store.stop()


def test_the_only_scanner_of_a_one_lane_store_needs_no_pairing(make_store) -> None:
    store = make_store()
    assert store.states() == {"scanner-1": "absent"}
    device = store.plug("usb-1", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})
    device.scan("6901234567892")
    until(lambda: store.heard == [(1, "6901234567892")])
    assert store.facts == [("scanner-1", 1, "usb-1 A")]


def test_with_two_lanes_a_scanner_waits_to_be_paired_and_says_so(make_store) -> None:
    store = make_store(lanes=(1, 2))
    device = store.plug("usb-1", "A")
    until(lambda: store.states().get("scanner-new-1") == "degraded")
    assert store.fault("scanner-new-1") == store.fault("scanner-2") == "scanner.unbound"
    device.scan("6901234567892")
    code = store.hub.begin_pairing(2).code
    device.scan(code)
    until(lambda: store.states() == {"scanner-1": "absent", "scanner-2": "ready"})
    paired = store.hub.pairing(2)
    assert (paired.progress, paired.device, paired.name) == ("paired", "scanner-2", "1D Scanner")
    device.scan("42")
    until(lambda: store.heard == [(2, "42")])
    assert store.facts == [("scanner-2", 2, "usb-1 A")]


def test_a_scanner_is_ready_within_a_second_of_being_plugged_in_again(make_store) -> None:
    store = make_store()
    store.plug("usb-1", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})
    store.unplug("usb-1")
    until(lambda: store.states() == {"scanner-1": "absent"})
    assert store.fault("scanner-1") == "scanner.unplugged"
    began = time.monotonic()
    device = store.plug("usb-1", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})
    assert time.monotonic() - began < 1
    device.scan("42")
    until(lambda: store.heard == [(1, "42")])
    assert len(store.facts) == 1


def test_lanes_know_their_scanners_after_a_restart_and_a_move(make_store) -> None:
    store = make_store(lanes=(1, 2))
    for lane, (port, serial) in {1: ("usb-1", "A"), 2: ("usb-2", "B")}.items():
        device = store.plug(port, serial)
        code = store.hub.begin_pairing(lane).code
        until(lambda: any(id_.startswith("scanner-new") for id_ in store.states()))
        until(lambda device=device: bool(device.opened))
        device.scan(code)
        until(lambda lane=lane: store.states()[f"scanner-{lane}"] == "ready")
    store.stop()
    store.start()
    until(lambda: store.states() == {"scanner-1": "ready", "scanner-2": "ready"})
    store.unplug("usb-2")
    device = store.plug("usb-7", "B")
    until(lambda: ("scanner-2", 2, "usb-7 B") in store.facts)
    until(lambda: store.states()["scanner-2"] == "ready")
    device.scan("42")
    until(lambda: store.heard == [(2, "42")])
    assert [each.port for each in BindingStore(store.folder).load()] == ["usb-1", "usb-7"]


def test_a_replaced_scanner_of_the_same_model_keeps_its_lane(make_store) -> None:
    store = make_store()
    store.plug("usb-1", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})
    store.unplug("usb-1")
    store.plug("usb-1", "N")
    until(lambda: store.facts[-1] == ("scanner-1", 1, "usb-1 N"))
    until(lambda: store.states() == {"scanner-1": "ready"})


def test_another_model_takes_the_place_when_the_old_one_was_long_gone(make_store) -> None:
    store = make_store()
    store.plug("usb-1", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})
    store.unplug("usb-1")
    store.plug("usb-3", "Z", "05e0:1200")
    until(lambda: store.states() == {"scanner-1": "absent", "scanner-new-1": "degraded"})
    store.clock.ahead_ms += 11_000
    until(lambda: store.states() == {"scanner-1": "ready"})
    assert store.facts[-1] == ("scanner-1", 1, "usb-3 Z")


def test_an_ordinary_keyboard_is_never_opened_unless_somebody_pairs(make_store) -> None:
    store = make_store(lanes=(1, 2))
    keyboard = store.plug("usb-1", "", KEYBOARD)
    store.plug("usb-2", "B")
    until(lambda: "scanner-new-1" in store.states())
    time.sleep(0.15)
    assert keyboard.opened == 0
    assert len(store.states()) == 3


def test_an_unknown_keyboard_is_listened_to_while_pairing_and_grabbed_only_after(
    make_store,
) -> None:
    store = make_store(lanes=(1, 2))
    cheap = store.plug("usb-1", "", "1a86:e026")
    code = store.hub.begin_pairing(1).code
    until(lambda: cheap.opened == 1)
    until(lambda: bool(cheap._sources))
    assert not cheap._sources[0].is_grabbed
    cheap.scan("6901234567892")
    cheap.scan(code)
    until(lambda: store.states()["scanner-1"] == "ready")
    until(lambda: cheap.opened == 2)
    until(lambda: cheap._sources[1].is_grabbed)
    cheap.scan("42")
    until(lambda: store.heard == [(1, "42")])


def test_a_person_who_types_a_pairing_code_does_not_become_a_scanner(
    make_store, monkeypatch
) -> None:
    monkeypatch.setattr(scanner_slots, "TYPED_MS", 200)
    store = make_store(lanes=(1, 2))
    keyboard = store.plug("usb-1", "", KEYBOARD)
    code = store.hub.begin_pairing(1).code
    until(lambda: keyboard.opened == 1)
    for character in code:
        keyboard.type(character)
        time.sleep(0.03)
    keyboard.type("\r")
    store.hub.end_pairing(1)
    until(lambda: len(store.hub.scanners()) == 0)
    assert store.facts == []
    assert store.states() == {"scanner-1": "absent", "scanner-2": "absent"}


def test_a_keyboard_is_let_go_when_the_minute_is_over(make_store) -> None:
    store = make_store(lanes=(1, 2))
    keyboard = store.plug("usb-1", "", KEYBOARD)
    store.hub.begin_pairing(1)
    until(lambda: keyboard.opened == 1)
    store.clock.ahead_ms += 60_001
    until(lambda: keyboard._sources[0].is_closed)
    assert store.hub.pairing(1).progress == "expired"


def test_a_pairing_code_out_of_season_is_refused_and_never_sold(make_store) -> None:
    store = make_store()
    device = store.plug("usb-1", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})
    device.scan("TBPAIR-1-7F3K")
    until(lambda: store.troubles == [(1, "scanner.pairing_code")])
    assert store.heard == []


def test_a_scanner_is_given_to_another_lane_by_pairing_it_there(make_store) -> None:
    store = make_store(lanes=(1, 2))
    device = store.plug("usb-1", "A")
    code = store.hub.begin_pairing(1).code
    until(lambda: device.opened == 1)
    device.scan(code)
    until(lambda: store.states()["scanner-1"] == "ready")
    device.scan(store.hub.begin_pairing(2).code)
    until(lambda: store.states() == {"scanner-1": "absent", "scanner-2": "ready"})
    device.scan(store.hub.begin_pairing(2).code)
    until(lambda: store.hub.pairing(2).progress == "paired")
    assert [fact[:2] for fact in store.facts] == [("scanner-1", 1), ("scanner-2", 2)]


def test_a_name_that_a_udev_rule_gave_goes_before_any_pairing(make_store) -> None:
    store = make_store(lanes=(1, 2))
    device = store.plug("usb-1", "A", links=("/dev/tillbox/scanner-2",))
    until(lambda: store.states() == {"scanner-1": "absent", "scanner-2": "ready"})
    device.scan(store.hub.begin_pairing(1).code)
    until(lambda: store.hub.pairing(1).progress == "refused")
    assert store.facts == []


def test_a_scanner_with_two_keyboards_is_the_lanes_with_both(make_store) -> None:
    store = make_store()
    first = store.plug("usb-1:1.0", "A")
    store.clock.ahead_ms += 11_000
    until(lambda: store.states() == {"scanner-1": "ready"})
    store.stop()
    (store.folder / BINDINGS_FILE).unlink()
    second = store.plug("usb-1:1.1", "A")
    store.start()
    until(lambda: store.states() == {"scanner-1": "ready", "scanner-1b": "ready"})
    first.scan("1")
    until(lambda: store.heard == [(1, "1")])
    second.scan("2")
    until(lambda: store.heard == [(1, "1"), (1, "2")])


def test_without_udev_the_fixed_names_are_used_and_the_report_says_so(make_store) -> None:
    device = KeyDevice()
    store = make_store(
        discovery=FakeDiscovery(is_available=False),
        devices={"/dev/tillbox/scanner-1": device},
    )
    until(lambda: store.states() == {"scanner-1": "degraded"})
    assert store.fault("scanner-1") == "scanner.no_udev"
    device.scan("42")
    until(lambda: store.heard == [(1, "42")])
    with pytest.raises(RefusedError, match=r"scanner\.pairing_off"):
        store.hub.begin_pairing(1)


def test_a_full_disk_delays_what_is_kept_but_not_the_scanner(make_store, monkeypatch) -> None:
    saves: list[int] = []
    save = BindingStore.save

    def fail_twice(store: BindingStore, bindings) -> None:
        saves.append(len(bindings))
        if len(saves) <= 2:
            raise OSError(28, "No space left on device")
        save(store, bindings)

    monkeypatch.setattr(BindingStore, "save", fail_twice)
    store = make_store()
    store.plug("usb-1", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})
    until(lambda: len(BindingStore(store.folder).load()) == 1)
    assert len(saves) == 3


def test_a_node_that_another_kind_of_device_has_is_never_tried(make_store) -> None:
    store = make_store(lanes=(1, 2))
    store.plug("usb-1", "", "0403:6001", node="/dev/ttyUSB9", connection="serial")
    store.hub.begin_pairing(1)
    time.sleep(0.15)
    assert store.opened == []


def test_a_scale_of_a_scanner_maker_is_not_taken_for_the_only_scanner(make_store) -> None:
    store = make_store()
    store.plug("usb-1", "", SCANNER, node="/dev/ttyUSB9", connection="serial")
    time.sleep(0.15)
    assert store.opened == []
    assert store.facts == []
    store.plug("usb-2", "A")
    until(lambda: store.states() == {"scanner-1": "ready"})


def test_a_lane_that_the_store_has_not_cannot_pair(make_store) -> None:
    with pytest.raises(MissingError):
        make_store().hub.begin_pairing(9)


def test_two_scanners_at_full_speed_lose_nothing_and_mix_nothing(make_store) -> None:
    store = make_store(lanes=(1, 2))
    devices = {}
    for lane in (1, 2):
        devices[lane] = store.plug(f"usb-{lane}", str(lane))
        code = store.hub.begin_pairing(lane).code
        until(lambda lane=lane: devices[lane].opened == 1)
        devices[lane].scan(code)
        until(lambda lane=lane: store.states()[f"scanner-{lane}"] == "ready")
    wanted = {lane: [f"{lane}{n:012}" for n in range(20)] for lane in (1, 2)}

    def type_all(lane: int) -> None:
        for code in wanted[lane]:
            for character in (*code, "\r"):
                devices[lane].type(character)
                time.sleep(0.001)

    typists = [threading.Thread(target=type_all, args=(lane,)) for lane in (1, 2)]
    began = time.monotonic()
    for typist in typists:
        typist.start()
    for typist in typists:
        typist.join()
    until(lambda: len(store.heard) == 40)
    assert time.monotonic() - began < 2
    for lane in (1, 2):
        assert [code for at, code in store.heard if at == lane] == wanted[lane]
    assert store.troubles == []
