"""Two scanners that are exactly alike, and a keyboard, on the real libudev and evdev.

Run inside `umockdev-wrapper` with a folder to work in; prints one JSON document of what happened.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from edge.clock import SystemClock
from edge.device.binding import Binding
from edge.device.binding_store import BindingStore
from edge.device.udev import UdevDiscovery
from edge.device.wiring_scanner import Scanners, build_scanners
from edge.settings import parse_settings
from tests.integration.edge.mocked.bus import Bus, UsbKeyboard

WITHIN_S = 10


def until(is_true: Callable[[], object]) -> float:
    """Seconds until it was so."""
    began = time.monotonic()
    while not is_true():
        if time.monotonic() - began > WITHIN_S:
            raise TimeoutError
        time.sleep(0.002)
    return time.monotonic() - began


def states(scanners: Scanners) -> dict[str, str]:
    return {each.id: each.state.state for each in scanners.reports()}


def main(folder: Path) -> dict[str, object]:
    files = folder / "umockdev"
    files.mkdir()
    bus = Bus(files)
    alike = [UsbKeyboard(n, f"1-{n}") for n in (1, 2)]
    keyboard = UsbKeyboard(3, "1-3", "046d", "c31c", name="Office keyboard")
    for device in (*alike, keyboard):
        bus.plug_in(device)
    bindings = tuple(
        Binding(f"scanner-{n}", n, "keyboard", f"platform-lab-usb-0:1-{n}:1.0", "", "0c2e:0200")
        for n in (1, 2)
    )
    BindingStore(folder).save(bindings)
    clock = SystemClock()
    settings = parse_settings(folder, {"box": {"lanes": 2}})
    # The daemon that makes udev's messages is the testbed itself.
    discovery = UdevDiscovery(clock, control=folder)
    scanners = build_scanners(settings, clock, lambda _: None, discovery)
    heard: list[tuple[int, str]] = []
    scanners.start(lambda lane, code: heard.append((lane, code)), lambda lane, what: None)
    both = {"scanner-1": "ready", "scanner-2": "ready"}
    until(lambda: states(scanners) == both)
    bus.type(alike[1], "6901234567892")
    until(lambda: len(heard) == 1)
    bus.type(alike[0], "4006381333931")
    until(lambda: len(heard) == 2)
    bus.pull_out(alike[0])
    gone_s = until(lambda: states(scanners)["scanner-1"] == "absent")
    again = UsbKeyboard(4, alike[0].port)  # the kernel gives it the next node
    bus.plug_in(again)
    back_s = until(lambda: states(scanners) == both)
    bus.type(again, "42")
    until(lambda: len(heard) == 3)
    addresses = sorted(each.address for each in scanners.adapters())
    for scanner in scanners.by_lane.values():
        scanner.stop()
    return {
        "heard": heard,
        "gone_s": gone_s,
        "back_s": back_s,
        "end": states(scanners),
        "addresses": addresses,
    }


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1])), sys.stdout)
