"""What head office sets on a box: laid over its own file, at once or after a restart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge.fleet_settings import (
    FLEET_FILE,
    RESTART_AFTER_MS,
    FleetParts,
    FleetSettings,
    FleetState,
    load_with_fleet,
    read_fleet,
    write_fleet,
)
from edge.settings import SETTINGS_FILE, parse_settings
from shared.config.box import BOX_FIELDS, BoxValue, FieldKind
from shared.kernel.clock import ClockQuality
from shared.kernel.errors import RefusedError

KINDS: dict[FieldKind, type] = {
    FieldKind.CHOICE: str,
    FieldKind.TIME: str,
    FieldKind.WHOLE: int,
    FieldKind.FLAG: bool,
    FieldKind.NUMBERS: tuple,
}


@dataclass
class FakeClock:
    """A clock that stands until it is moved."""

    at_ms: int = 0

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.at_ms

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP


@dataclass
class Office:
    """Head office's wishes, and what a box did about them."""

    folder: Path
    wishes: dict[str, BoxValue] = field(default_factory=dict)
    open_s: list[int] = field(default_factory=list)
    restarts: int = 0
    is_quiet: bool = True

    def box(self, clock: FakeClock, looked: Callable[[], None] = int) -> FleetSettings:
        """The box as it starts now; `looked` is called with each look."""

        def wanted(name: str) -> BoxValue | None:
            if name == "box.locale":
                looked()
            return self.wishes.get(name)

        return FleetSettings(
            FleetParts(
                settings=load_with_fleet(self.folder),
                wanted=wanted,
                live={"drawer.left_open_s": self.open_s.append},
                clock=clock,
                may_restart=lambda: self.is_quiet,
                restart=self._restarted,
            )
        )

    def _restarted(self) -> None:
        self.restarts += 1


@pytest.fixture
def office(tmp_path: Path) -> Office:
    (tmp_path / SETTINGS_FILE).write_text('[box]\nlocale = "en"\n[drawer]\nleft_open_s = 45\n')
    return Office(tmp_path)


@pytest.mark.parametrize("name", BOX_FIELDS)
def test_each_field_is_one_of_the_boxs_own_file(name: str, tmp_path: Path) -> None:
    spec, settings = BOX_FIELDS[name], parse_settings(tmp_path, {})
    assert isinstance(settings.value_of(name), KINDS[spec.kind])
    section, _, field_name = name.partition(".")
    for value in (*spec.choices, *((spec.low, spec.high) if spec.kind == FieldKind.WHOLE else ())):
        parse_settings(tmp_path, {section: {field_name: value}})


def test_a_live_value_counts_at_once_and_goes_back_when_head_office_says_no_more(
    office: Office,
) -> None:
    box = office.box(FakeClock())
    office.wishes["drawer.left_open_s"] = 120
    assert box.look() == FleetState()
    box.look()
    assert office.open_s == [120]
    del office.wishes["drawer.left_open_s"]
    box.look()
    assert office.open_s == [120, 45]
    assert read_fleet(office.folder) == {}


def test_what_needs_a_restart_waits_for_it_and_counts_after_it(office: Office) -> None:
    office.wishes |= {"box.locale": "zh-TW", "barcode.weight_prefixes": (24,)}
    pending = office.box(FakeClock()).look().pending
    assert set(pending) == {"box.locale", "barcode.weight_prefixes"}
    again = load_with_fleet(office.folder)
    assert (again.box.locale, again.barcode.weight_prefixes) == ("zh-TW", (24,))
    assert again.from_fleet == set(pending)
    assert office.box(FakeClock()).look() == FleetState()


def test_prefixes_may_change_places_together(office: Office) -> None:
    office.wishes |= {"barcode.weight_prefixes": (22,), "barcode.price_prefixes": (21,)}
    assert office.box(FakeClock()).look().refused == ()
    assert load_with_fleet(office.folder).barcode.price_prefixes == (21,)


def test_a_value_that_the_own_file_forbids_is_left_out_and_told(office: Office) -> None:
    office.wishes |= {"barcode.weight_prefixes": (29,), "box.locale": "zh-CN"}
    state = office.box(FakeClock()).look()
    assert (state.pending, state.refused) == (("box.locale",), ("barcode.weight_prefixes",))
    assert load_with_fleet(office.folder).barcode.weight_prefixes == (21,)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"box.host": "0.0.0.0", "box": 1, "": 2}', '{"box.locale": 7}'],
)
def test_a_broken_file_never_stops_the_start(office: Office, text: str) -> None:
    (office.folder / FLEET_FILE).write_text(text)
    settings = load_with_fleet(office.folder)
    assert (settings.box.locale, settings.box.host) == ("en", "127.0.0.1")
    assert settings.from_fleet == frozenset()


def test_a_file_of_newer_software_is_read_as_far_as_it_is_known(office: Office) -> None:
    write_fleet(office.folder, {"box.locale": "zh-CN", "till.songs": True})
    assert load_with_fleet(office.folder).box.locale == "zh-CN"


def test_a_spoilt_own_file_is_still_refused(office: Office) -> None:
    (office.folder / SETTINGS_FILE).write_text("[box]\nhost = 7\n")
    with pytest.raises(RefusedError, match=r"settings\.type"):
        load_with_fleet(office.folder)


def test_a_box_restarts_by_itself_when_nobody_is_served_but_not_soon_after_a_start(
    office: Office,
) -> None:
    clock = FakeClock()
    office.wishes["box.locale"] = "zh-TW"
    box = office.box(clock)
    box.turn()
    clock.at_ms += RESTART_AFTER_MS
    office.is_quiet = False
    box.turn()
    assert office.restarts == 0
    office.is_quiet = True
    box.turn()
    assert office.restarts == 1
    assert json.loads((office.folder / FLEET_FILE).read_text()) == {"box.locale": "zh-TW"}
    fresh = office.box(clock)
    clock.at_ms += RESTART_AFTER_MS
    fresh.turn()
    assert office.restarts == 1, "nothing waits any more"


def test_the_thread_looks_at_once_and_when_prices_change(office: Office) -> None:
    looks = threading.Semaphore(0)
    box = office.box(FakeClock(), looks.release)
    box.start()
    assert looks.acquire(timeout=30)
    box.touch()
    assert looks.acquire(timeout=30)
    box.stop()
