"""Guessing is bounded in number and in memory."""

from __future__ import annotations

from cloud import limiter
from cloud.limiter import KEYS_MAX, FailureLimiter


def test_a_key_waits_until_its_oldest_failure_is_old_enough() -> None:
    guard = FailureLimiter(failures_max=3, window_ms=100)
    for at_ms in (0, 10, 20):
        assert guard.wait_ms("ann", at_ms) == 0
        guard.failed("ann", at_ms)
    assert guard.wait_ms("ann", 30) == 70
    assert guard.wait_ms("bob", 30) == 0
    assert guard.wait_ms("ann", 100) == 0


def test_success_forgets_failures() -> None:
    guard = FailureLimiter(failures_max=1, window_ms=100)
    guard.failed("ann", 0)
    guard.succeeded("ann")
    assert guard.wait_ms("ann", 1) == 0


def test_strangers_cannot_fill_the_memory() -> None:
    guard = FailureLimiter(failures_max=2, window_ms=100)
    for number in range(KEYS_MAX + 50):
        guard.failed(str(number), 0)
    assert len(guard._failures) <= limiter.KEYS_MAX
