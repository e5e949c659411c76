"""The command `tillbox-edge self-test`: by the running box, or without it."""

from __future__ import annotations

import json
import os
import time
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from edge.clock import SystemClock
from edge.device.ports import DeviceReport
from edge.device.wiring import Devices, build_devices
from edge.ops.errand import ask
from edge.ops.self_test import PASSED, disk_test, result_of, run_tests
from edge.settings import load_settings
from edge.texts import load_texts

_PAUSE_S = 0.1
_PATIENCE = (40, 300)
_SETTLING = 50


def self_test(options: Namespace) -> int:
    """Try everything; 0 when all passed.  See `tillbox-edge self-test --help`."""
    folder: Path = options.data
    settings = load_settings(folder)
    name = f"{os.getpid()}-{SystemClock().now_ms()}"
    found = ask(folder, name, lambda: time.sleep(_PAUSE_S), _PATIENCE)
    is_running = found is not None
    if found is None:
        found = _alone(build_devices(settings, SystemClock()), folder)
    is_passed = all(result == PASSED for result in found.values())
    if options.json:
        said = {"ok": is_passed, "running": is_running, "results": found}
        _say(json.dumps(said, ensure_ascii=False))
    else:
        _say_all(found, load_texts(settings.box.locale))
    return 0 if is_passed else 1


def _alone(devices: Devices, folder: Path) -> dict[str, str]:
    """Without a running box: start the devices for this, and let them go again."""
    clock = SystemClock()
    devices.start(lambda *_: None)
    try:
        for _ in range(_SETTLING):
            if not any(_is_unsettled(each) for each in devices.reports()):
                break
            time.sleep(_PAUSE_S)
        states = {each.id: result_of(each) for each in devices.reports()}
        tests = {
            **devices.self_tests(),
            "box:disk": lambda: disk_test(folder, clock.mono_ms()),
        }
        return {**states, **run_tests(tests, clock.mono_ms)}
    finally:
        devices.stop()


def _is_unsettled(report: DeviceReport) -> bool:
    return report.state.state == "connecting"


def _say_all(found: Mapping[str, str], texts: Mapping[str, str]) -> None:
    width = max(map(len, found), default=0)
    for name, result in sorted(found.items(), key=lambda each: (each[1] == PASSED, each[0])):
        words = texts.get(f"device.fault.{result}", "")
        _say(f"{name:{width}}  {result}" + (f"  {words}" if words else ""))


def _say(text: str) -> None:
    print(text)  # noqa: T201
