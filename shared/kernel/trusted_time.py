"""Which instant a box may go by, whatever its clock shows. Pure: clocks and files are outside.

A box knows three things: what its wall clock shows, how much time has passed since it was
switched on, and the last instant that it believed. Prices go by `Mark.shown_ms`: it never goes
back because the wall clock does, so that an offer that is over stays over. What must not happen
too early goes by `sure_ms`, an instant of which it is known that it has passed.

Whom to believe: head office's signed answer first, then the kernel while NTP disciplines it, then
a wall clock that is at most a day ahead of the last instant that was believed. A clock that is
further ahead, or behind, is not believed: time goes on from the last believed instant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

JUMP_MAX_MS = 24 * 3600 * 1000
"""How far ahead of what was believed a wall clock may be without a second source."""
DISPUTE_MS = 10 * 60 * 1000
"""NTP that differs by more than this from what head office signed is not believed."""
STEP_MAX_MS = 60_000
"""NTP may correct itself, or head office, backwards by this much; beyond it is not believed."""
SLACK_MS = 2000
"""Two measurements of the same instant may differ by this much."""
TIME_TAG = b"tbt1"
NONCE_BYTES = 16


class TimeSource(IntEnum):
    """What the present instant rests on; the higher one is believed."""

    UNKNOWN = 0
    WALL = 1
    NTP = 2
    SIGNED = 3


@dataclass(frozen=True, slots=True)
class Wall:
    """One look at the machine's clocks: UTC ms, ms since it was switched on, and which boot."""

    utc_ms: int
    mono_ms: int
    boot: str
    is_ntp: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What is known of the time at one reading of the monotonic clock; all instants in UTC ms.

    `shown_ms` is the present for prices, `believed_ms` the last instant that had a source (0 for
    none), `verified_ms` the last that NTP or head office gave. `jumped_ms` is how far the wall
    clock was followed in this boot without a second source.
    """

    shown_ms: int
    mono_ms: int
    boot: str
    source: TimeSource = TimeSource.UNKNOWN
    believed_ms: int = 0
    verified_ms: int = 0
    jumped_ms: int = 0

    @property
    def is_trusted(self) -> bool:
        """Whether the present instant has a source."""
        return self.source is not TimeSource.UNKNOWN

    @property
    def sure_ms(self) -> int:
        """An instant that has surely passed."""
        return self.shown_ms if self.is_trusted else self.believed_ms


def first_mark(wall: Wall, floor_ms: int) -> Mark:
    """What a box knows that has no memory; it is not earlier than `floor_ms` (UTC ms)."""
    return observed(Mark(floor_ms, wall.mono_ms, wall.boot), wall)


def observed(mark: Mark, wall: Wall) -> Mark:
    """What is known after a look at the machine's clocks."""
    is_same_boot = mark.boot == wall.boot
    now = _carried_on(mark, wall) if is_same_boot else _after_boot(mark, wall)
    return _by_ntp(now, wall, mark.verified_ms) if wall.is_ntp else _by_wall(now, wall)


def heard(mark: Mark, wall: Wall, signed_ms: int) -> Mark:
    """What is known once head office has said what time it is. It may also set the time back."""
    now = observed(mark, wall)
    is_same = abs(now.shown_ms - signed_ms) <= SLACK_MS
    at_ms = max(signed_ms, now.shown_ms) if is_same else signed_ms
    return _verified(now, at_ms, TimeSource.SIGNED)


def time_statement(nonce: bytes, at_ms: int) -> bytes:
    """What head office signs (Ed25519) to say what time it is, in answer to a nonce."""
    return TIME_TAG + nonce + at_ms.to_bytes(8, "big")


def _carried_on(mark: Mark, wall: Wall) -> Mark:
    passed_ms = max(0, wall.mono_ms - mark.mono_ms)
    return replace(
        mark,
        shown_ms=mark.shown_ms + passed_ms,
        mono_ms=wall.mono_ms,
        believed_ms=mark.believed_ms + passed_ms if mark.believed_ms else 0,
        verified_ms=mark.verified_ms + passed_ms if mark.verified_ms else 0,
    )


def _after_boot(mark: Mark, wall: Wall) -> Mark:
    """How long the machine was off is not known: at least no time."""
    return replace(
        mark, mono_ms=wall.mono_ms, boot=wall.boot, source=TimeSource.UNKNOWN, jumped_ms=0
    )


def _by_ntp(now: Mark, wall: Wall, told_ms: int) -> Mark:
    """`told_ms` is what was last told for sure: time stands there until a step is caught up."""
    if now.source is TimeSource.SIGNED and abs(wall.utc_ms - now.shown_ms) > DISPUTE_MS:
        return now
    if wall.utc_ms < now.verified_ms - STEP_MAX_MS:
        return replace(now, source=TimeSource.UNKNOWN)
    return _verified(now, max(wall.utc_ms, told_ms), TimeSource.NTP)


def _by_wall(now: Mark, wall: Wall) -> Mark:
    if now.source in {TimeSource.NTP, TimeSource.SIGNED}:
        return now  # the time since then is measured, whatever the wall clock shows
    if not now.believed_ms:
        return replace(now, shown_ms=max(now.shown_ms, wall.utc_ms))
    ahead_ms = wall.utc_ms - now.believed_ms
    if -SLACK_MS <= ahead_ms <= JUMP_MAX_MS - now.jumped_ms:
        ahead_ms = max(0, ahead_ms)
        at_ms = now.believed_ms + ahead_ms
        return replace(
            now,
            shown_ms=at_ms,
            believed_ms=at_ms,
            source=TimeSource.WALL,
            jumped_ms=now.jumped_ms + ahead_ms,
        )
    if now.source is TimeSource.WALL:
        return now
    return replace(now, shown_ms=now.believed_ms)


def _verified(now: Mark, at_ms: int, source: TimeSource) -> Mark:
    return replace(
        now, shown_ms=at_ms, believed_ms=at_ms, verified_ms=at_ms, source=source, jumped_ms=0
    )
