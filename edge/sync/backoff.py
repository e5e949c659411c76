"""Waiting times after failures: full jitter, so that ten thousand boxes never act at once."""

from __future__ import annotations

WAIT_MS_MAX = 300_000
_DOUBLINGS_MAX = 16


def full_jitter_ms(failures: int, base_ms: int, jitter: float) -> int:
    """Uniform in 0 to `base_ms` * 2^failures, at most 300 s; `jitter` is uniform in [0, 1)."""
    ceiling_ms = min(WAIT_MS_MAX, base_ms << min(failures, _DOUBLINGS_MAX))
    return int(ceiling_ms * jitter)
