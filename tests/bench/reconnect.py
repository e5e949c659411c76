"""Ten thousand boxes find a broker that was away for ten minutes: how hard do they press it?

The product's own back-off decides when each box calls.  A second is a step; a broker takes so many
TLS connections per second and lets the rest run into the box's connect time-out.  Beside it stands
paho's own way of reconnecting: 1, 2, 4 ... 120 s, the same for every box.

A broker that is back within seconds meets more at once (4,300 calls in the worst second after 2 s,
220 after a minute), as a short pause is right for a single store; all are back within six minutes.

    python -m tests.bench.reconnect
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from rich.console import Console

from edge.mqtt import CONNECT_TIMEOUT_S
from edge.sync.backoff import failures_after, full_jitter_ms
from edge.sync.mqtt import RECONNECT_BASE_MS
from tests.bench.figure import Figure, show

BOXES = 10_000
OUTAGE_S = 600
CAPACITIES_PER_S = (100, 300, 600)
PEAK_GOAL_PER_S = 100
BACK_GOAL_S = 300
GIVEN_UP_AFTER_S = 3_600
SEED = 38
_SECOND_MS = 1_000
_PAHO_MAX_MS = 120_000

Wait = Callable[[int, float], int]
"""Failures in a row, a uniform number in [0, 1) -> ms until the next call."""


@dataclass(frozen=True, slots=True)
class Storm:
    """What the broker saw from its return on.

    `peak_per_s` calls in its worst second, `back_s` until the last box was in.
    """

    capacity_per_s: int
    peak_per_s: int
    back_s: int


def our_wait(failures: int, jitter: float) -> int:
    """As the box waits."""
    return full_jitter_ms(failures, RECONNECT_BASE_MS, jitter)


def paho_wait(failures: int, _jitter: float) -> int:
    """As paho waits by itself."""
    return min(_SECOND_MS << min(failures - 1, 16), _PAHO_MAX_MS)


def storm(
    capacity_per_s: int, wait: Wait = our_wait, boxes: int = BOXES, outage_s: int = OUTAGE_S
) -> Storm:
    """All boxes lose a connection that had held; `outage_s` later the broker is back."""
    rng = Random(SEED)  # noqa: S311 - jitter that can be replayed
    calls: dict[int, list[int]] = {}  # second -> failures so far of each box that calls in it
    first = failures_after(0, outage_s * _SECOND_MS) or 1
    for _ in range(boxes):
        calls.setdefault(wait(first, rng.random()) // _SECOND_MS, []).append(first)
    seen: Counter[int] = Counter()
    missing, second = boxes, 0
    while missing and second < outage_s + GIVEN_UP_AFTER_S:
        callers = calls.pop(second, [])
        taken = 0 if second < outage_s else min(len(callers), capacity_per_s)
        if second >= outage_s:
            seen[second] = len(callers)
        missing -= taken
        # A broker that is away refuses at once; one that is swamped does not answer in time.
        held_ms = 0 if second < outage_s else CONNECT_TIMEOUT_S * _SECOND_MS
        for failures in callers[taken:]:
            later = failures_after(failures, None)
            at_ms = second * _SECOND_MS + held_ms + wait(later, rng.random())
            calls.setdefault(max(at_ms // _SECOND_MS, second + 1), []).append(later)
        second += 1
    return Storm(capacity_per_s, max(seen.values(), default=0), second - outage_s)


def measure() -> list[Figure]:
    """Peak and time over the broker capacities; the worst of them counts."""
    ours = [storm(capacity) for capacity in CAPACITIES_PER_S]
    theirs = [storm(capacity, paho_wait) for capacity in CAPACITIES_PER_S]
    detail = "; ".join(f"{s.capacity_per_s}/s: peak {s.peak_per_s}, {s.back_s} s" for s in ours)
    return [
        Figure(
            f"{BOXES:,} boxes after {OUTAGE_S // 60} min without broker (simulated): worst second",
            "connects",
            max(each.peak_per_s for each in ours),
            PEAK_GOAL_PER_S,
            max(each.peak_per_s for each in theirs),
            "paho's own waits",
            detail,
        ),
        Figure(
            "the same: until the last box is back",
            "s",
            max(each.back_s for each in ours),
            BACK_GOAL_S,
            max(each.back_s for each in theirs),
            "paho's own waits, given up after an hour",
            "broker takes " + ", ".join(f"{each}/s" for each in CAPACITIES_PER_S),
        ),
    ]


if __name__ == "__main__":
    show(Console(width=200), measure())
