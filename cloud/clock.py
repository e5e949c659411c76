"""The server's clock and its source of randomness: the only two in the cloud."""

from __future__ import annotations

import secrets
import time

from shared.kernel.clock import ClockQuality

TOKEN_BYTES = 32


class SystemClock:
    """The machine's own clock; servers keep NTP time."""

    def now_ms(self) -> int:
        """UTC milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        """Milliseconds since some fixed instant; never goes back."""
        return time.monotonic_ns() // 1_000_000

    def quality(self) -> ClockQuality:
        """Servers are taken to be synchronised."""
        return ClockQuality.NTP


def monotonic_s() -> float:
    """Seconds for measuring durations, as fine as the machine has them."""
    return time.perf_counter()


def random_bytes(count: int) -> bytes:
    """`count` bytes that nobody can guess."""
    return secrets.token_bytes(count)


def session_token() -> str:
    """A new bearer token: 256 bits as URL-safe text."""
    return secrets.token_urlsafe(TOKEN_BYTES)
