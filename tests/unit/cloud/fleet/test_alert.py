"""Alerts open late, close late, and once for each box and rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.alert import (
    RULES,
    Alert,
    BoxFacts,
    Reading,
    Rule,
    chain_readings,
    readings,
    step,
)
from cloud.fleet.alert_watch import Around, judged
from cloud.fleet.outlet import signature
from cloud.fleet.telemetry import row_of
from cloud.fleet.telemetry_store import COLUMNS
from cloud.fleet.window import Window, checked
from shared.kernel.errors import RefusedError
from shared.wire.message import DeviceTelemetry, Telemetry

NOW_MS = 1_795_000_000_000
DISK = RULES["disk_low"]
ZONE = ZoneInfo("Europe/Berlin")


def a_box(dev: str = "d-1", **changed: Any) -> BoxFacts:
    told = {
        "at_ms": NOW_MS,
        "disk_free_mb": 5_000,
        "disk_size_mb": 10_000,
        "clk": 2,
        "wear_percent": None,
        "temperature_mc": None,
        "is_undervolted": None,
        "certificate_days": None,
        "scan_p99_ms": None,
        "sync_p99_ms": None,
        "clock_off_ms": None,
        "devices": [],
    }
    facts = BoxFacts(dev, "s1", NOW_MS, 0, NOW_MS, None, is_in_drill=False, telemetry=told)
    known = {name: changed.pop(name) for name in list(changed) if hasattr(facts, name)}
    return replace(facts, telemetry={**told, **changed}, **known)


def walked(rule: Rule, values: list[int | None], every_s: int = 10) -> Iterator[Alert | None]:
    alert: Alert | None = None
    for turn, value in enumerate(values):
        reading = None if value is None else Reading(value)
        alert = step(rule, alert, reading, NOW_MS + turn * every_s * 1000, is_muted=False)
        yield alert
        if alert is not None and alert.state == "closed":
            alert = None


def states(rule: Rule, values: list[int | None], every_s: int = 10) -> str:
    return "".join("-" if each is None else each.state[0] for each in walked(rule, values, every_s))


def test_every_rule_is_sound_and_a_healthy_box_has_no_alert() -> None:
    assert all(rule.is_sound() for rule in RULES.values())
    found = readings(a_box(), NOW_MS)
    assert {name for name, each in found.items() if RULES[name].is_bad(each.value)} == set()


def test_an_alert_opens_after_its_hold_and_closes_after_as_long() -> None:
    values = [9] * 8 + [20] * 8
    assert states(DISK, values) == "ppppppooooooooc-"


def test_between_the_thresholds_nothing_opens_and_nothing_closes() -> None:
    assert states(DISK, [12, 12, 12]) == "---"
    assert states(DISK, [5] * 7 + [12] * 20) == "pppppp" + "o" * 21


def test_a_figure_that_comes_and_goes_opens_nothing() -> None:
    assert set(states(DISK, [5, 20] * 20)) == {"p", "-"}


def test_one_that_gets_well_for_a_moment_stays_open() -> None:
    assert set(states(DISK, [5] * 7 + [20, 20, 5] * 10)[6:]) == {"o"}


def test_what_is_not_told_changes_nothing() -> None:
    assert states(DISK, [5] * 7 + [None] * 9) == "pppppp" + "o" * 10


def test_in_a_window_nothing_opens_but_what_is_over_closes() -> None:
    rule = replace(DISK, hold_s=0)
    assert step(rule, None, Reading(1), NOW_MS, is_muted=True) is not None
    pending = step(rule, None, Reading(1), NOW_MS, is_muted=True)
    assert pending is not None
    assert pending.state == "pending"
    opened = step(rule, pending, Reading(1), NOW_MS + 1, is_muted=False)
    assert opened is not None
    closed = step(rule, opened, Reading(90), NOW_MS + 2, is_muted=True)
    assert closed is not None
    assert (opened.state, closed.state, closed.closed_because) == ("open", "closed", "recovered")


def test_a_rule_that_is_off_closes_what_it_opened() -> None:
    opened = list(walked(DISK, [5] * 7))[-1]
    off = replace(DISK, is_on=False)
    closed = step(off, opened, Reading(5), NOW_MS + 99_000, is_muted=False)
    assert closed is not None
    assert closed.closed_because == "rule_off"
    assert step(off, None, Reading(5), NOW_MS, is_muted=False) is None


@given(st.lists(st.integers(0, 100), max_size=60))
def test_an_open_alert_was_bad_for_its_hold_and_a_closed_one_well_for_it(values: list[int]) -> None:
    looks = DISK.hold_s // 10
    before = "-"
    for turn, alert in enumerate(walked(DISK, list(values))):
        now = "-" if alert is None else alert.state
        if now == "open" and before != "open":
            assert all(value <= DISK.open_at for value in values[turn - looks : turn + 1])
        if now == "closed":
            assert all(value >= DISK.close_at for value in values[turn - looks : turn + 1])
        before = now


def test_a_box_in_a_drill_is_not_silent_and_nobody_is_while_head_office_is_deaf() -> None:
    silent = a_box(contact_ms=NOW_MS - 3_600_000)
    assert RULES["silent"].is_bad(readings(silent, NOW_MS)["silent"].value)
    assert "silent" not in readings(replace(silent, is_in_drill=True), NOW_MS)
    assert "silent" not in readings(silent, NOW_MS, can_hear=False)


def test_old_telemetry_says_nothing_about_now() -> None:
    assert "disk_low" not in readings(a_box(disk_free_mb=1, at_ms=NOW_MS - 700_000), NOW_MS)


def test_a_device_that_nobody_plugged_in_is_no_failure() -> None:
    devices = [
        {"id": "scanner-1", "kind": "scanner", "state": "absent", "fault": None},
        {"id": "printer-1", "kind": "printer", "state": "failed", "fault": "printer.paper_out"},
    ]
    found = readings(a_box(devices=devices), NOW_MS)["device_failed"]
    assert (found.value, found.detail) == (1, "printer-1:printer.paper_out")


def test_somebody_who_tries_pins_is_an_alert_of_its_own_and_no_device() -> None:
    pins = {"id": "pins", "kind": "staff", "state": "failed", "fault": "staff.pin_guessed"}
    found = readings(a_box(devices=[pins]), NOW_MS)
    assert found["device_failed"].value == 0
    assert RULES["pin_guessed"].is_bad(found["pin_guessed"].value)
    assert found["pin_guessed"].detail == "staff.pin_guessed"
    assert RULES["pin_guessed"].is_well(readings(a_box(), NOW_MS)["pin_guessed"].value)


def test_alerts_of_a_box_that_left_are_closed() -> None:
    opened = list(walked(DISK, [5] * 7))[-1]
    assert opened is not None
    opened = replace(opened, dev="d-9", id=4)
    found = judged(iter([a_box()]), {"d-9": {"disk_low": opened}}, RULES, NOW_MS, Around())
    assert [each.closed_because for each in found.changed] == ["box_gone"]
    assert (found.added, found.dropped) == ((), ())


def test_each_box_has_an_alert_of_its_own() -> None:
    boxes = [a_box(f"d-{n}", disk_free_mb=1, clock_off_ms=-90_000) for n in range(3)]
    found = judged(iter(boxes), {}, RULES, NOW_MS, Around())
    assert sorted((each.dev, each.rule) for each in found.added) == [
        (f"d-{n}", rule) for n in range(3) for rule in ("clock_off", "disk_low")
    ]


@pytest.mark.parametrize(
    ("at", "is_open"),
    [("2026-11-28T21:59", False), ("2026-11-28T22:00", True), ("2026-11-29T05:59", True),
     ("2026-11-29T06:00", False), ("2026-11-29T23:00", False)],
)  # fmt: skip
def test_a_weekly_window_goes_past_midnight_on_the_stores_clock(at: str, *, is_open: bool) -> None:
    window = checked(Window("all", days=(6,), from_local="22:00", to_local="06:00"))
    now_ms = int(datetime.fromisoformat(at).replace(tzinfo=ZONE).timestamp() * 1000)
    assert window.is_open(now_ms, ZONE) is is_open


def test_a_window_reaches_its_stores_only() -> None:
    once = Window("group", "ring-1", NOW_MS, NOW_MS + 1)
    assert once.reaches("s1", ["ring-1"])
    assert not once.reaches("s1", ["ring-2"])
    assert once.is_open(NOW_MS, ZONE)
    assert not once.is_open(NOW_MS + 1, ZONE)


@pytest.mark.parametrize(
    "window",
    [
        Window("all", "s1", 1, 2),
        Window("store", "", 1, 2),
        Window("store", "s1", 2, 2),
        Window("store", "s1", 1, None),
        Window("store", "s1", 1, 40 * 86_400_000),
        Window("store", "s1", days=(1,), from_local="9:00", to_local="10:00"),
        Window("store", "s1", days=(8,), from_local="09:00", to_local="10:00"),
        Window("store", "s1", days=(), from_local="09:00", to_local="10:00"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(window: Window) -> None:
    with pytest.raises(RefusedError, match=r"^window\."):
        checked(window)


def test_a_signature_binds_time_and_body_to_the_secret() -> None:
    right = signature("s", 5, b"{}")
    assert right.startswith("t=5,v1=")
    others = {signature("t", 5, b"{}"), signature("s", 6, b"{}"), signature("s", 5, b"[]")}
    assert right not in others


def test_a_word_of_telemetry_fits_its_columns_whatever_a_box_tells() -> None:
    told = Telemetry(
        t=NOW_MS, uptime_s=1, disk_free_mb=1 << 62, disk_size_mb=2, clk=9, queue=0,
        temperature_mc=1 << 60, clock_off_ms=-(1 << 62), scans=1 << 40,
        devices=(DeviceTelemetry("a", "printer", "ready"),),
    )  # fmt: skip
    row = dict(zip(COLUMNS, row_of("d-1", told), strict=True))
    assert (row["clk"], row["temperature_mc"]) == (2, 2**31 - 1)
    assert (row["disk_free_mb"], row["clock_off_ms"]) == (2**53, -(2**53))
    assert row["devices"] == '[{"id":"a","kind":"printer","state":"ready","fault":null}]'


def test_a_box_that_stopped_backing_up_needs_somebody() -> None:
    rule, days = RULES["box_backup"], 86_400_000
    for age, is_bad in ((1, False), (3, False), (4, True)):
        found = readings(a_box(backup_ms=NOW_MS - age * days), NOW_MS)
        assert rule.is_bad(found["box_backup"].value) is is_bad
    assert "box_backup" not in readings(a_box(), NOW_MS)


def test_what_runs_out_for_the_whole_chain_is_an_alert_of_no_box() -> None:
    def look(instants: dict[str, int], live: dict[str, dict[str, Alert]]) -> list[Alert]:
        around = Around(chain=chain_readings(instants, NOW_MS))
        changes = judged(iter([a_box()]), live, RULES, NOW_MS, around)
        return [*changes.added, *changes.changed]

    day_ms = 86_400_000
    assert look({"crl": NOW_MS + 30 * day_ms, "ca_chain": NOW_MS + 3000 * day_ms}, {}) == []
    [opened] = look({"crl": NOW_MS + 7 * day_ms, "unknown": 0}, {})
    assert (opened.dev, opened.store_id, opened.rule, opened.value) == ("", "", "crl", 7)
    [closed] = look({"crl": NOW_MS + 30 * day_ms}, {"": {"crl": replace(opened, id=1)}})
    assert (closed.state, closed.closed_because) == ("closed", "recovered")
    [since] = look({"restore": NOW_MS - 14 * day_ms}, {})
    assert (since.rule, since.value) == ("restore", 14)
