"""A rollout of software over the stores, wave by wave: what to do next. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from shared.kernel.errors import RefusedError

FAILURES_MAX = 3
FAILURE_SHARE_PERCENT = 1
CANARY_STORES = 3
"""A first wave has at least as many stores, and in it one failure is enough to halt."""
STALLED_MS = 3 * 3_600_000
"""How long a box may work on a release before it counts as failed (waiting is not working)."""
WAVES_DEFAULT = (1, 10, 50, 100)
SOAK_S_DEFAULT = 24 * 3600
_PERCENT = re.compile(r"([1-9][0-9]?|100)%?")


@dataclass(frozen=True, slots=True)
class Plan:
    """Growing shares of the stores in percent, the last one 100, and how long each wave soaks."""

    percents: tuple[int, ...] = WAVES_DEFAULT
    soak_s: int = SOAK_S_DEFAULT


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


def plan_of(waves: str, soak_s: int) -> Plan:
    """Read "1%,10%,50%,100%"; RefusedError `software.plan` unless they grow up to 100."""
    found = [_PERCENT.fullmatch(each.strip()) for each in waves.split(",")]
    percents = tuple(int(each[1]) for each in found if each is not None)
    grows = all(a < b for a, b in pairwise(percents))
    if len(percents) != len(found) or not grows or percents[-1] != 100 or soak_s < 0:  # noqa: PLR2004 - percent
        raise RefusedError("software.plan", waves=waves[:40])
    return Plan(percents, soak_s)


def waves_of(plan: Plan, stores: Sequence[tuple[str, str]], seed: str) -> list[list[str]]:
    """Stores (id, kind of machine) dealt into waves; the first has one of each kind.

    The order follows from `seed` and the store's id: another rollout begins with others, and the
    same one never changes its mind.
    """
    order = sorted(stores, key=lambda store: _rank(seed, store[0]))
    firsts = {kind: store for store, kind in reversed(order)}
    head = [store for store, kind in order if firsts[kind] == store]
    queue = head + [store for store, _ in order if store not in set(head)]
    waves, taken = [], 0
    for number, percent in enumerate(plan.percents):
        upto = -(-len(queue) * percent // 100)
        if number == 0 and percent < 100:  # noqa: PLR2004 - percent
            upto = max(upto, CANARY_STORES, len(head))
        upto = max(min(upto, len(queue)), taken)
        if queue[taken:upto]:
            waves.append(queue[taken:upto])
        taken = upto
    return waves


def next_move(facts: WaveFacts, plan: Plan) -> Move:
    """What a rolling release does next."""
    if facts.wave < 0:
        return Move("wave")
    if has_failed(facts):
        return Move("halt", "software.failures")
    if not facts.is_quiet and facts.brought:
        return Move("wait", "software.installing")
    if facts.is_last:
        return Move("wait", "software.silent") if facts.silent else Move("finish")
    if facts.soaked_ms < plan.soak_s * 1000:
        return Move("wait", "software.soaking")
    return Move("wave")


def has_failed(facts: WaveFacts) -> bool:
    """Whether too many boxes could not live with it: one of a canary, else 1 % or three."""
    if not facts.failed:
        return False
    is_canary = facts.wave == 0
    share = facts.failed * 100 > facts.brought * FAILURE_SHARE_PERCENT
    return is_canary or facts.failed >= FAILURES_MAX or share


def _rank(seed: str, store: str) -> bytes:
    return hashlib.sha256(f"{seed}:{store}".encode()).digest()
