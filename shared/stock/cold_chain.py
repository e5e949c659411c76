"""Whether a cooled place is cold enough: limits, patience, and what an open door excuses.

All pure: temperatures in thousandths of a degree Celsius, times in milliseconds of a clock that
never goes back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

ColdVerdict = Literal["broken", "restored"]
MARGIN_MILLI = 300
"""So far within its limits a place must be again: a sensor's noise must not end an alarm."""
RESTORED_AFTER_MS = 120_000


@dataclass(frozen=True, slots=True)
class ColdRule:
    """Out of `min_milli` to `max_milli` for `patience_ms` breaks the cold chain.

    While the door has been open in that time, `door_grace_ms` more are allowed.
    """

    min_milli: int
    max_milli: int
    patience_ms: int
    door_grace_ms: int = 0


@dataclass(frozen=True, slots=True)
class ColdState:
    """`out_since_ms` is when it left its limits, `in_since_ms` when it came back into them.

    `worst_milli` is the temperature furthest out since then; `was_door_open` in that time.
    """

    is_broken: bool = False
    out_since_ms: int | None = None
    in_since_ms: int | None = None
    worst_milli: int | None = None
    was_door_open: bool = False


def broken_limit(celsius_milli: int, rule: ColdRule) -> int | None:
    """The limit that a temperature breaks, None within both."""
    if celsius_milli > rule.max_milli:
        return rule.max_milli
    return rule.min_milli if celsius_milli < rule.min_milli else None


def step_cold(
    before: ColdState, celsius_milli: int | None, rule: ColdRule, now_ms: int, *, is_door_open: bool
) -> tuple[ColdState, ColdVerdict | None]:
    """The state after a moment, and the verdict where it has just changed.

    None for a temperature that nobody knows: what was warm is taken to be warm still, what was
    cold is left alone.
    """
    state = _measured(before, celsius_milli, rule, now_ms)
    out_ms = state.out_since_ms
    if out_ms is None:
        return state, None
    state = replace(state, was_door_open=state.was_door_open or is_door_open)
    if state.is_broken:
        back_ms = state.in_since_ms
        if back_ms is not None and now_ms - back_ms >= RESTORED_AFTER_MS:
            return ColdState(worst_milli=state.worst_milli), "restored"
        return state, None
    patience_ms = rule.patience_ms + (rule.door_grace_ms if state.was_door_open else 0)
    if now_ms - out_ms >= patience_ms:
        return replace(state, is_broken=True), "broken"
    return state, None


def _measured(
    before: ColdState, celsius_milli: int | None, rule: ColdRule, now_ms: int
) -> ColdState:
    if celsius_milli is None:
        return replace(before, in_since_ms=None)
    is_out = broken_limit(celsius_milli, rule) is not None
    if before.out_since_ms is None:
        return ColdState(out_since_ms=now_ms, worst_milli=celsius_milli) if is_out else ColdState()
    if before.is_broken:
        is_in = _is_well_within(celsius_milli, rule)
        since_ms = before.in_since_ms if before.in_since_ms is not None else now_ms
        worst = _worse(before.worst_milli, celsius_milli, rule)
        return replace(before, in_since_ms=since_ms if is_in else None, worst_milli=worst)
    if not is_out:
        return ColdState()
    return replace(before, worst_milli=_worse(before.worst_milli, celsius_milli, rule))


def _is_well_within(celsius_milli: int, rule: ColdRule) -> bool:
    margin = min(MARGIN_MILLI, (rule.max_milli - rule.min_milli) // 4)
    return rule.min_milli + margin <= celsius_milli <= rule.max_milli - margin


def _worse(before_milli: int | None, celsius_milli: int, rule: ColdRule) -> int:
    if before_milli is None:
        return celsius_milli
    return max(before_milli, celsius_milli, key=lambda each: _outside(each, rule))


def _outside(celsius_milli: int, rule: ColdRule) -> int:
    return max(celsius_milli - rule.max_milli, rule.min_milli - celsius_milli)
