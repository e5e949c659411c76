"""Asks every device how it is, so that one whose answer fails hides no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import structlog

from edge.device.ports import DeviceReport, Reporting, SelfTesting

Ask = Callable[[], tuple[DeviceReport, ...]]
DEFECT = "device.work_failed"
_log = structlog.get_logger(__name__)


class Reports:
    """Remembers each one's last answer: it stands, as failed, while the next cannot be had."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[DeviceReport, ...]] = {}
        self._failing: set[int] = set()

    def of(self, asks: Iterable[Ask]) -> tuple[DeviceReport, ...]:
        """What they answer, in this order, which is the same each time."""
        found: list[DeviceReport] = []
        for place, ask in enumerate(asks):
            try:
                answer = ask()
            except Exception:  # noqa: BLE001 - a defect of one adapter, told at its own row
                answer = self._as_failed(place)
            else:
                self._last[place] = answer
                self._failing.discard(place)
            found += answer
        return tuple(found)

    def _as_failed(self, place: int) -> tuple[DeviceReport, ...]:
        if place not in self._failing:
            self._failing.add(place)
            _log.exception("device.report_failed", place=place)
        return tuple(
            replace(each, state=replace(each.state, state="failed", last_fault=DEFECT))
            for each in self._last.get(place, ())
        )


def self_tests_of(devices: Iterable[Reporting]) -> dict[str, Callable[[], str]]:
    """By id the tests of those that have one; who cannot say its id is told by its row alone."""
    found: dict[str, Callable[[], str]] = {}
    for device in devices:
        if not isinstance(device, SelfTesting):
            continue
        try:
            found[device.report().id] = device.self_test
        except Exception:  # noqa: BLE001 - a defect of one adapter must not end the others' tests
            _log.exception("device.report_failed")
    return found
