"""The status strip tells each part's state in one word."""

from typing import Any

import pytest

from edge.device.ports import DeviceState, PrinterStatus
from edge.ops.status import CloudContact, Conditions, status_of
from shared.kernel.clock import ClockQuality


def conditions(**changed: Any) -> Conditions:
    fields: dict[str, Any] = {
        "at_ms": 9,
        "software": "0.1.0",
        "cloud": CloudContact(online=True, since_ms=5, unsynced=3, was_ever_online=True),
        "printer": PrinterStatus("paper_low", 4),
        "print_queue": 2,
        "scanner": DeviceState("ready", 1),
        "last_scan_at_ms": 8,
        "clock": ClockQuality.NTP,
        "is_training": True,
        "is_secure": False,
    }
    return Conditions(**fields | changed)


def test_everything_is_told() -> None:
    assert status_of(conditions()) == {
        "t": 9,
        "box": {"state": "ok", "sw": "0.1.0"},
        "cloud": {"state": "ok", "since_ms": 5, "unsynced": 3},
        "printer": {"state": "paper_low", "since_ms": 4, "queued": 2, "helper": ""},
        "scanner": {"state": "ok", "last_at_ms": 8},
        "clock": {"state": "ok"},
        "training": True,
        "secure": False,
        "devices": {},
        "shelf": {},
    }


def test_offline_differs_from_never() -> None:
    once = CloudContact(online=False, since_ms=5, unsynced=3, was_ever_online=True)
    never = CloudContact(online=False, since_ms=5, unsynced=3, was_ever_online=False)
    assert status_of(conditions(cloud=once))["cloud"]["state"] == "offline"
    assert status_of(conditions(cloud=never))["cloud"]["state"] == "never"


@pytest.mark.parametrize(
    ("scanner", "state"),
    [
        (None, "absent"),
        (DeviceState("absent", 0), "absent"),
        (DeviceState("failed", 0), "absent"),
        (DeviceState("degraded", 0), "ok"),
        (DeviceState("ready", 0, "scanner.unbound"), "ok"),
        (DeviceState("absent", 0, "scanner.unbound"), "unpaired"),
    ],
)
def test_a_scanner_that_does_not_scan_is_absent(scanner: DeviceState | None, state: str) -> None:
    assert status_of(conditions(scanner=scanner))["scanner"]["state"] == state


def test_an_untrusted_clock_is_told() -> None:
    assert status_of(conditions(clock=ClockQuality.UNSYNCED))["clock"]["state"] == "unsynced"


def test_a_replaced_box_says_so() -> None:
    assert status_of(conditions(is_retiring=True))["box"]["state"] == "retiring"
