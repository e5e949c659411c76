"""Waves: which stores a release of prices or of software reaches in which. Pure.

One planner for both: how far a wave goes on is each one's own matter (`cloud/release/move.py`,
`rollout.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from hashlib import sha256
from itertools import pairwise
from typing import Any

from shared.kernel.errors import RefusedError
from shared.kernel.wall_clock import instant_ms

CANARY_MIN = 3
ALL_PERCENT = 100
KINDS_MAX = 20
"""A canary has one store of each of so many kinds of box."""
MINUTE_MS = 60_000
SOAK_S = 900


@dataclass(frozen=True, slots=True)
class WavePlan:
    """One wave; exactly one of `percent` (of all stores so far), `group` and `stores` is given."""

    name: str
    percent: int | None = None
    group: str | None = None
    stores: tuple[str, ...] | None = None
    soak_s: int = SOAK_S
    offset_min: int = 0


Plan = tuple[WavePlan, ...]
DEFAULT: Plan = (
    WavePlan("canary", 1),
    WavePlan("10 %", 10),
    WavePlan("50 %", 50),
    WavePlan("100 %", 100),
)
AT_ONCE: Plan = (WavePlan("100 %", 100, soak_s=0),)
UNDO: Plan = (WavePlan("canary", 1, soak_s=120), WavePlan("100 %", 100, soak_s=0))
"""What is taken back was sold by before: fast, but never by all stores at once unseen."""
_PERCENT = re.compile(r"([1-9][0-9]?|100)%?")


def plan_of(rows: Iterable[Mapping[str, Any]]) -> Plan:
    """Waves as they were asked for or stored; RefusedError `release.plan`."""
    return checked(
        tuple(
            WavePlan(
                row["name"],
                row.get("percent"),
                row.get("group") or None,
                tuple(row["stores"]) if row.get("stores") else None,
                row.get("soak_s", SOAK_S),
                row.get("offset_min", 0),
            )
            for row in rows
        )
    )


def checked(plan: Plan) -> Plan:
    """The plan, whose shares grow; RefusedError `release.plan` with the wave's number from 1."""
    reached = 0
    for number, wave in enumerate(plan, start=1):
        given = sum(each is not None for each in (wave.percent, wave.group, wave.stores))
        if given != 1 or (wave.percent is not None and wave.percent <= reached):
            raise RefusedError("release.plan", wave=number)
        reached = wave.percent or reached
    if not plan:
        raise RefusedError("release.plan", wave=0)
    return plan


def whole(plan: Plan) -> Plan:
    """The plan, whose last wave says what it does: it takes every store that is left.

    RefusedError `release.plan_end` for one that names a few, and would take all.
    """
    if plan[-1].percent != ALL_PERCENT:
        raise RefusedError("release.plan_end", wave=len(plan))
    return plan


def is_at_once(plan: Plan) -> bool:
    """Whether the first wave takes every store."""
    return len(plan) == 1 or plan[0].percent == ALL_PERCENT


def shares_of(waves: str, soak_s: int) -> Plan:
    """Read "1%,10%,50%,100%"; RefusedError `software.plan` unless they grow up to 100."""
    found = [_PERCENT.fullmatch(each.strip()) for each in waves.split(",")]
    percents = [int(each[1]) for each in found if each is not None]
    grows = all(a < b for a, b in pairwise(percents))
    if len(percents) != len(found) or not grows or percents[-1] != ALL_PERCENT or soak_s < 0:
        raise RefusedError("software.plan", waves=waves[:40])
    return tuple(WavePlan(f"{percent} %", percent, soak_s=soak_s) for percent in percents)


def order_of(seed: int | str, kinds: Mapping[str, str]) -> list[str]:
    """Stores in the order in which shares take them: other ones come first for each `seed`.

    `kinds` says each store's kind of box ("": unknown); the first store of each kind comes
    before all others, so that a small first wave still meets every kind.
    """
    shuffled = sorted(kinds, key=lambda store: sha256(f"{seed}:{store}".encode()).digest())
    first: dict[str, str] = {}
    for store in shuffled:
        if kinds[store] and len(first) < KINDS_MAX:
            first.setdefault(kinds[store], store)
    leaders = set(first.values())
    return sorted(shuffled, key=lambda store: store not in leaders)


def kinds_in(kinds: Mapping[str, str]) -> int:
    """How many kinds of box there are, as far as a canary cares."""
    return min(len({kind for kind in kinds.values() if kind}), KINDS_MAX)


def stores_of(
    plan: Plan, n: int, kinds: Mapping[str, str], taken: Sequence[str], order: Sequence[str]
) -> list[str]:
    """The stores of wave `n` by share; `taken` have had their wave. The last wave takes the rest.

    A first wave by share has at least three stores, and one for each kind of box.
    """
    percent = plan[n].percent
    gone = set(taken)
    rest = [store for store in order if store not in gone]
    if n == len(plan) - 1 or percent is None:
        return rest
    wanted = -(-len(kinds) * percent // 100)
    if n == 0:
        wanted = max(wanted, CANARY_MIN, kinds_in(kinds))
    return rest[: max(0, wanted - len(gone))]


def stand_ins(kinds: Mapping[str, str], order: Sequence[str]) -> list[str]:
    """Who goes first where the wave that was to has none of the release's stores.

    As many as a first wave by share has at least: a release never begins with all of them.
    """
    return list(order[: max(CANARY_MIN, kinds_in(kinds))])


def waves_of(plan: Plan, kinds: Mapping[str, str], seed: int | str) -> list[list[str]]:
    """All stores dealt into the waves of a plan of shares; waves without stores are left out."""
    order, taken = order_of(seed, kinds), list[str]()
    waves = []
    for n in range(len(plan)):
        waves.append(stores_of(plan, n, kinds, taken, order))
        taken += waves[-1]
    return [wave for wave in waves if wave]


def starts_at_ms(starts_local: str | None, offset_min: int, zone: tzinfo) -> int:
    """When a store of a wave begins to sell by it, UTC ms; 0: at once.

    A time that the store's clock skips is the first instant after the gap, one that it shows
    twice the first of them; the offset is real time. Raises RefusedError `time.local`.
    """
    if not starts_local:
        return 0
    return instant_ms(starts_local, zone) + offset_min * MINUTE_MS
