"""Counters of the device room."""

from __future__ import annotations

from prometheus_client import Counter

SCANS = Counter("tillbox_scans_total", "Codes delivered by scanners", ["device"])
PRINT_JOBS = Counter("tillbox_print_jobs_total", "Print jobs by outcome", ["outcome"])
DEVICE_FAULTS = Counter("tillbox_device_faults_total", "Device faults by code", ["device", "code"])
