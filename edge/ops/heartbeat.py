"""How late the event loop is: the one thing that every till page waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from prometheus_client import Gauge, Histogram

from edge.ops.systemd import ALIVE, Notifier

BEAT_S = 0.1
LAG = Histogram(
    "tillbox_event_loop_lag_seconds",
    "How late a wake-up of the event loop came",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
LAG_MAX = Gauge("tillbox_event_loop_lag_max_seconds", "The latest of them since the start")


class Heartbeat:
    """A coroutine that sleeps, sees how late it wakes, and tells systemd that it did."""

    def __init__(self, notifier: Notifier, is_alive: Callable[[], bool] = lambda: True) -> None:
        self._notifier = notifier
        self._is_alive = is_alive
        self.lag_max_s = 0.0

    async def run(self) -> None:
        """Beat until cancelled."""
        now = asyncio.get_running_loop().time
        period_s = self._notifier.period_s
        told_at = now() - (period_s or 0)
        while True:
            wanted = now() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._note(now() - wanted)
            if period_s is not None and now() - told_at >= period_s and self._is_alive():
                told_at = now()
                self._notifier.tell(ALIVE)

    def _note(self, lag_s: float) -> None:
        lag_s = max(0.0, lag_s)
        LAG.observe(lag_s)
        if lag_s > self.lag_max_s:
            self.lag_max_s = lag_s
            LAG_MAX.set(lag_s)
