"""Gauges that are read when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector


@dataclass(frozen=True, slots=True)
class BoxGauges:
    """Where the numbers come from."""

    head_seq: Callable[[], int]
    acked_seq: Callable[[], int]
    active_revision: Callable[[], int]
    print_queue: Callable[[], int]
    is_short_of_room: Callable[[], bool]
    damaged_seq: Callable[[], int | None]


class BoxCollector(Collector):
    """The box's own gauges; `register` once, `unregister` at the end."""

    def __init__(self, gauges: BoxGauges) -> None:
        self._gauges = gauges

    def register(self) -> None:
        """Be asked from now on."""
        REGISTRY.register(self)

    def unregister(self) -> None:
        """Be asked no more."""
        REGISTRY.unregister(self)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample of each gauge."""
        gauges = self._gauges
        head, acked = gauges.head_seq(), gauges.acked_seq()
        yield GaugeMetricFamily("tillbox_journal_head_seq", "Last journal entry.", head)
        yield GaugeMetricFamily("tillbox_unsynced_entries", "Entries to send.", head - acked)
        yield GaugeMetricFamily(
            "tillbox_catalog_active_revision",
            "Revision that new baskets are priced with.",
            gauges.active_revision(),
        )
        yield GaugeMetricFamily(
            "tillbox_print_queue_depth", "Print-outs that wait.", gauges.print_queue()
        )
        yield GaugeMetricFamily(
            "tillbox_disk_short",
            "1 once the disk was full and the room set aside was given up.",
            int(gauges.is_short_of_room()),
        )
        damaged = gauges.damaged_seq()
        yield GaugeMetricFamily(
            "tillbox_journal_damaged_seq",
            "First journal entry that does not fit, by the last look at all of them; -1 for none.",
            -1 if damaged is None else damaged,
        )
