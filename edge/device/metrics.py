"""Counters of the device room."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

SCANS = Counter("tillbox_scans_total", "Codes delivered by scanners", ["device"])
PRINT_JOBS = Counter("tillbox_print_jobs_total", "Print jobs by outcome", ["outcome"])
DEVICE_FAULTS = Counter("tillbox_device_faults_total", "Device faults by code", ["device", "code"])
SCAN_QUEUE_SECONDS = Histogram(
    "tillbox_scan_queue_seconds",
    "From the last key of a code, as the kernel stamps it, until its lane has it in its queue",
    buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1, 5),
)
CHARACTERS_LOST = Counter(
    "tillbox_print_characters_lost_total", "Characters that no printer's set had: struck as a box"
)
