"""A rollout of software over the stores, wave by wave: what to do next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FAILURES_MAX = 3
FAILURE_SHARE_PERCENT = 1
STALLED_MS = 3 * 3_600_000
"""How long a box may work on a release before it counts as failed (waiting is not working)."""


@dataclass(frozen=True, slots=True)
class WaveFacts:
    """How the stores that have been given the release fare.

    `wave` counts from 0 (-1 before the first), `brought` its and all earlier stores, `done` those
    that trust it, `failed` those that refused it or went back, `silent` those not heard of for a
    while, which hold up nobody but the end; `is_last` whether no store is left. `soaked_ms` is how
    long all others have been done.
    """

    wave: int
    brought: int
    done: int
    failed: int
    is_last: bool
    soaked_ms: int
    silent: int = 0

    @property
    def is_quiet(self) -> bool:
        """Whether every box that is heard of has come to an end with it, one of them at least."""
        return self.done > 0 and self.done + self.failed + self.silent >= self.brought


@dataclass(frozen=True, slots=True)
class Move:
    """What to do: start the next `wave`, `halt`, `finish`, or `wait`; `because` is a code."""

    what: Literal["wave", "halt", "finish", "wait"]
    because: str = ""


def next_move(facts: WaveFacts, soak_s: int) -> Move:
    """What a rolling release does next."""
    if facts.wave < 0:
        return Move("wave")
    if has_failed(facts):
        return Move("halt", "software.failures")
    if not facts.is_quiet and facts.brought:
        return Move("wait", "software.installing")
    if facts.is_last:
        return Move("wait", "software.silent") if facts.silent else Move("finish")
    if facts.soaked_ms < soak_s * 1000:
        return Move("wait", "software.soaking")
    return Move("wave")


def has_failed(facts: WaveFacts) -> bool:
    """Whether too many boxes could not live with it: one of a canary, else 1 % or three."""
    if not facts.failed:
        return False
    is_canary = facts.wave == 0
    share = facts.failed * 100 > facts.brought * FAILURE_SHARE_PERCENT
    return is_canary or facts.failed >= FAILURES_MAX or share
