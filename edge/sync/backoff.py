"""Waiting times after failures: full jitter, so that ten thousand boxes never act at once."""

from __future__ import annotations

WAIT_MS_MAX = 300_000
STEADY_MS = 60_000
"""A connection that held so long was a good one."""
_DOUBLINGS_MAX = 16


def full_jitter_ms(failures: int, base_ms: int, jitter: float) -> int:
    """Uniform in 0 to `base_ms` * 2^failures, at most 300 s; `jitter` is uniform in [0, 1)."""
    ceiling_ms = min(WAIT_MS_MAX, base_ms << min(failures, _DOUBLINGS_MAX))
    return int(ceiling_ms * jitter)


def failures_after(failures: int, lasted_ms: int | None) -> int:
    """Failures in a row, after a connection that lasted so long; None: it never came up.

    One that ended soon counts as failed. Otherwise a broker that drops whom it has let in would be
    called again at once for ever, and two boxes of one name would throw each other out without end.
    """
    return 0 if lasted_ms is not None and lasted_ms >= STEADY_MS else failures + 1
