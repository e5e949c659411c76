"""What the desk measures; names end in their unit."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

COMMAND_SECONDS = Histogram(
    "tillbox_command_seconds",
    "From a command's arrival at its lane's queue to the view pushed.",
    ["command"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
COMMAND_FAILURES = Counter(
    "tillbox_command_failures", "Commands that a lane could not carry out.", ["command", "code"]
)
QUEUE_DEPTH = Gauge("tillbox_lane_queue_depth", "Commands that wait for a lane.", ["lane"])
