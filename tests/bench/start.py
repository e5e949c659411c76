"""Box process start -> ready to sell, with a stored catalogue."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from tests.bench.figure import Figure, spread
from tests.bench.lab_box import LabBox
from tests.bench.snapshot import IMPORTS

ROUNDS = 5
GOAL_S = 2.0


def measure(box: LabBox) -> Figure:
    """Start and stop the box a few times; the worst counts. Leaves it running."""
    took, bare = [], []
    for number in range(ROUNDS):
        if number:
            box.process.stop()
        began = time.perf_counter()
        box.start()
        took.append(time.perf_counter() - began)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", IMPORTS], check=True)
        bare.append(time.perf_counter() - began)
    return Figure(
        "box process start -> ready to sell, 100,000 items stored, worst",
        "s",
        max(took),
        GOAL_S,
        statistics.median(bare),
        "python importing the same libraries",
        spread(took, "s"),
    )
