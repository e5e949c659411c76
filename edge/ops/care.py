"""The care of a box's devices: watch, self-test, health page and metrics, made and run as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import REGISTRY, Collector

from edge.device.ports import DeviceCondition, DeviceReport
from edge.ops.devices_api import DevicesRoom
from edge.ops.facts import FactWriter
from edge.ops.fault_book import FaultBook
from edge.ops.self_test import PASSED, Premises, SelfTest, SelfTestParts, Test, disk_test
from edge.ops.watch import DeviceWatch, WatchParts
from edge.sqlite import Writer
from shared.kernel.clock import Clock, ClockQuality


@dataclass(frozen=True, slots=True)
class CareParts:
    """What the care works with.

    `reports` and `device_tests` are the devices'; `damaged` is the journal entry that a look at all
    of them found damaged; `self_test_at` is "HH:MM" in the store's `zone`, "" for never.
    """

    reports: Callable[[], tuple[DeviceReport, ...]]
    device_tests: Callable[[], Mapping[str, Test]]
    facts: FactWriter
    desk_file: Writer
    clock: Clock
    premises: Premises
    damaged: Callable[[], int | None]
    data_dir: Path
    self_test_at: str
    zone: str


class DeviceCare:
    """Started after the devices, stopped before them."""

    def __init__(self, parts: CareParts) -> None:
        self._parts = parts
        self.premises = parts.premises
        self.book = FaultBook(parts.desk_file)
        self.watch = DeviceWatch(WatchParts(parts.reports, parts.facts.put, self.book, parts.clock))
        self.self_test = SelfTest(
            SelfTestParts(
                reports=parts.reports,
                device_tests=parts.device_tests,
                box_tests=self._box_tests(),
                put=parts.facts.put,
                book=self.book,
                clock=parts.clock,
                premises=parts.premises,
                at=parts.self_test_at,
                zone=parts.zone,
                told=self.watch.touch,
                folder=parts.data_dir,
            )
        )
        self._collector = DeviceCollector(lambda: self.watch.seen().reports)

    def start(self) -> None:
        """Watch from now on."""
        self.watch.start()
        self.self_test.start()
        self._collector.register()

    def stop(self) -> None:
        """Watch no more; safe to call twice."""
        self._collector.unregister()
        self.self_test.stop()
        self.watch.stop()

    def room(self) -> DevicesRoom:
        """What the health page asks."""
        parts = self._parts
        return DevicesRoom(
            watch=self.watch,
            book=self.book,
            self_test=self.self_test,
            facts_waiting=parts.facts.depth,
            now_ms=parts.clock.now_ms,
        )

    def status(self, lane: int) -> dict[str, Any]:
        """The strip's word on the devices; at once, for the event loop asks.

        `others` are those in trouble that the lane's strip does not name by themselves: its own,
        or the whole store's, but neither its scanner nor a printer.
        """
        seen, last = self.watch.seen(), self.self_test.last()
        others = [
            each
            for each in seen.reports
            if each.id in seen.troubled
            and each.lane in {0, lane}
            and each.kind != "printer"
            and (each.kind != "scanner" or each.lane != lane)
        ]
        tested = "none" if last is None else ("passed" if last.is_passed else "failed")
        return {
            "revision": seen.revision,
            "troubled": len(seen.troubled),
            "others": len(others),
            "self_test": "seen" if tested == "failed" and last and last.is_seen else tested,
        }

    def _box_tests(self) -> dict[str, Test]:
        parts = self._parts
        return {
            "box:disk": lambda: disk_test(parts.data_dir, parts.clock.mono_ms()),
            "box:journal": lambda: PASSED if parts.damaged() is None else "journal.damaged",
            "box:clock": lambda: (
                "clock.unsynced" if parts.clock.quality() is ClockQuality.UNSYNCED else PASSED
            ),
        }


class DeviceCollector(Collector):
    """Each device's state and counters, read from memory when Prometheus asks."""

    def __init__(self, reports: Callable[[], tuple[DeviceReport, ...]]) -> None:
        self._reports = reports
        self._is_registered = False

    def register(self) -> None:
        """Be asked from now on."""
        REGISTRY.register(self)
        self._is_registered = True

    def unregister(self) -> None:
        """Be asked no more; safe to call twice."""
        if self._is_registered:
            REGISTRY.unregister(self)
            self._is_registered = False

    def collect(self) -> Iterator[Metric]:
        """One sample for each device and state, 1 for the state that it is in."""
        states = GaugeMetricFamily(
            "tillbox_device_state",
            "1 for the state that a device is in.",
            labels=["device", "kind", "lane", "state"],
        )
        since = GaugeMetricFamily(
            "tillbox_device_state_since_seconds", "Since when, Unix time.", labels=["device"]
        )
        counted = CounterMetricFamily(
            "tillbox_device_events", "What a device counts.", labels=["device", "what"]
        )
        for each in self._reports():
            for state in get_args(DeviceCondition):
                labels = [each.id, each.kind, str(each.lane), state]
                states.add_metric(labels, int(each.state.state == state))
            since.add_metric([each.id], each.state.since_ms / 1000)
            for what, count in each.counters.items():
                counted.add_metric([each.id, what], count)
        yield from (states, since, counted)
