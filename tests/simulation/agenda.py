"""Virtual time: what happens next, and a short memory of what happened."""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Any

TRACE_EVENTS = 50


class Agenda:
    """Events in order of their moment (ms); at one moment in the order they were made."""

    __slots__ = ("_heap", "_made", "counts", "now_ms", "rng", "steps", "trace")

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)  # noqa: S311 - chance that can be replayed is what we are here for
        self.now_ms = 0
        self.steps = 0
        self.counts: Counter[str] = Counter()
        self.trace: deque[tuple[Any, ...]] = deque(maxlen=TRACE_EVENTS)
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._made = 0

    def at(self, at_ms: int, do: Callable[..., None], *args: Any) -> None:
        """Do something at a moment, not before now."""
        self._made += 1
        heapq.heappush(self._heap, (max(at_ms, self.now_ms), self._made, do, args))

    def after(self, wait_ms: int, do: Callable[..., None], *args: Any) -> None:
        """Do something later."""
        self.at(self.now_ms + wait_ms, do, *args)

    def run(self, until_ms: int) -> None:
        """Let everything happen up to a moment."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms:
            self.now_ms, _, do, args = heapq.heappop(heap)
            self.steps += 1
            do(*args)
        self.now_ms = until_ms

    def fault(self, kind: str, *about: Any) -> None:
        """Count and remember an injected fault."""
        self.counts[kind] += 1
        self.trace.append((self.now_ms, "FAULT", kind, *about))

    def note(self, *about: Any) -> None:
        """Remember an event for the trace of a failing seed."""
        self.trace.append((self.now_ms, *about))

    def chance(self, share: float) -> bool:
        """Whether something of that likelihood happens."""
        return self.rng.random() < share

    def between(self, low_ms: int, high_ms: int) -> int:
        """A whole number, evenly spread."""
        return low_ms + int(self.rng.random() * (high_ms - low_ms))

    def trace_lines(self) -> list[str]:
        """The last events, readable."""
        return [f"{_clock(at_ms)}  {' '.join(map(_text, rest))}" for at_ms, *rest in self.trace]


def _clock(at_ms: int) -> str:
    seconds, ms = divmod(at_ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}.{ms:03}"


def _text(value: Any) -> str:
    return value[:4].hex() if isinstance(value, bytes) else str(value)
