"""Counters and gauges of the second copies."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

BATCHES = Counter(
    "tillbox_salvage_batches_total", "Batches of other journals by the cloud's answer", ["outcome"]
)
MIRROR_BEHIND = Gauge("tillbox_mirror_behind_entries", "Entries that are not on the mirror yet")
MIRROR_HEALTHY = Gauge("tillbox_mirror_healthy", "1 while every entry reaches the mirror at once")
MIRROR_FAULTS = Counter("tillbox_mirror_faults_total", "Times that the mirror failed", ["why"])
