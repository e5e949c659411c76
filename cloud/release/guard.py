"""Guards: what stops a release, by figures that stores and boxes send. Pure.

A guard trips where its share (basis points) or count reaches the threshold and at least `least`
cases were seen; it always says what it saw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

WHOLE_BP = 10_000
EVIDENCE_MAX = 5
TRIPPED = "tripped"
SMALL_WAVE = 3
"""In a wave of so many stores one failure is enough."""
DIGEST_ERRORS = ("replica.digest", "publication.digest", "publication.hash", "replica.records")
ERROR_GRACE_MS = 90_000
"""A box tries again and tells within this: what it says sooner may be of before, or pass."""


class GuardId(StrEnum):
    """Every guard."""

    ZERO_LINES = "zero_lines"
    OVERRIDES = "overrides"
    MARGIN = "margin"
    VOIDS = "voids"
    DIGEST = "digest"
    FAILURES = "failures"
    SALES_DROP = "sales_drop"


@dataclass(frozen=True, slots=True)
class GuardSetting:
    """One guard; `action` is `roll_back` or `halt`, `unit` `bp` or `count`."""

    guard: GuardId
    threshold: int
    unit: str
    least: int
    window_s: int
    is_on: bool = True
    action: str = "roll_back"


DEFAULTS = (
    GuardSetting(GuardId.ZERO_LINES, 1_000, "bp", 3, 1_800),
    GuardSetting(GuardId.OVERRIDES, 1_500, "bp", 10, 1_800),
    GuardSetting(GuardId.MARGIN, 1, "bp", 20, 1_800),
    GuardSetting(GuardId.VOIDS, 2_000, "bp", 10, 1_800),
    GuardSetting(GuardId.DIGEST, 1, "count", 1, 3_600),
    GuardSetting(GuardId.FAILURES, 100, "bp", 3, 600),
    GuardSetting(GuardId.SALES_DROP, 5_000, "bp", 30, 1_800),
)
"""`margin` is the loss as a share of cost; `window_s` of `failures` is how long a box may take."""


class Signal(NamedTuple):
    """Sums of sales; money in minor units of the store's currency, net without tax."""

    sales: int = 0
    lines: int = 0
    zero_lines: int = 0
    overridden_lines: int = 0
    refunds: int = 0
    voids: int = 0
    costed_lines: int = 0
    costed_net_minor: int = 0
    cost_minor: int = 0


NOTHING = Signal()


@dataclass(frozen=True, slots=True)
class Rate:
    """Sales of a store now and over as long a time before, and at both times yesterday."""

    now: int
    before: int
    yesterday: int = 0
    yesterday_before: int = 0


@dataclass(frozen=True, slots=True)
class BoxFact:
    """A box of a store that has the release. `late_ms`: for so long it has not stored it."""

    store_id: str
    wave_stores: int
    error: str | None = None
    is_stored: bool = False
    is_online: bool = True
    late_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sight:
    """All that guards look at.

    `sales` are those priced by the release, by window (seconds) and store; `rates` of stores
    that sell by it, `control` of those that do not have it yet, both by window.
    """

    sales: Mapping[int, Mapping[str, Signal]]
    boxes: Sequence[BoxFact] = ()
    rates: Mapping[int, Mapping[str, Rate]] | None = None
    control: Mapping[int, Rate] | None = None


class Seen(NamedTuple):
    """One piece of evidence; an empty store means all together."""

    store_id: str
    value: int
    text: str


@dataclass(frozen=True, slots=True)
class Look:
    """What a guard found: `state` is ok, tripped, no_data or off."""

    guard: GuardId
    state: str
    value: int | None = None
    evidence: tuple[Seen, ...] = ()


class _Case(NamedTuple):
    """Of how many something was so; `weight` is what a share is taken of."""

    store_id: str
    cases: int
    weight: int
    text: str


def look_all(settings: Iterable[GuardSetting], sight: Sight) -> list[Look]:
    """Every guard's look."""
    return [_look(each, sight) if each.is_on else Look(each.guard, "off") for each in settings]


def _look(setting: GuardSetting, sight: Sight) -> Look:
    match setting.guard:
        case GuardId.DIGEST:
            return _digest(setting, sight.boxes)
        case GuardId.FAILURES:
            return _failures(setting, sight.boxes)
        case GuardId.SALES_DROP:
            return _sales_drop(setting, sight)
        case GuardId.MARGIN:
            return _margin(setting, sight.sales.get(setting.window_s, {}))
        case _:
            count = COUNTED[setting.guard]
            found = sight.sales.get(setting.window_s, {})
            return _share(setting, [count(store, each) for store, each in found.items()])


def _zero(store_id: str, seen: Signal) -> _Case:
    return _Case(store_id, seen.zero_lines, seen.lines, f"{seen.zero_lines}/{seen.lines}")


def _overridden(store_id: str, seen: Signal) -> _Case:
    text = f"{seen.overridden_lines}/{seen.lines}"
    return _Case(store_id, seen.overridden_lines, seen.lines, text)


def _voided(store_id: str, seen: Signal) -> _Case:
    back = seen.refunds + seen.voids
    return _Case(store_id, back, seen.sales + seen.voids, f"{back}/{seen.sales + seen.voids}")


COUNTED: dict[GuardId, Callable[[str, Signal], _Case]] = {
    GuardId.ZERO_LINES: _zero,
    GuardId.OVERRIDES: _overridden,
    GuardId.VOIDS: _voided,
}


def _share(setting: GuardSetting, found: Sequence[_Case]) -> Look:
    cases, weight = sum(each.cases for each in found), sum(each.weight for each in found)
    if not weight:
        return Look(setting.guard, "no_data")
    value = cases * WHOLE_BP // weight
    is_tripped = cases >= setting.least and value >= setting.threshold
    worst = sorted(found, key=lambda each: (-each.cases, each.store_id))[:EVIDENCE_MAX]
    evidence = [
        Seen(each.store_id, each.cases * WHOLE_BP // each.weight, each.text)
        for each in worst
        if each.cases and each.weight
    ]
    return Look(setting.guard, TRIPPED if is_tripped else "ok", value, tuple(evidence))


def _margin(setting: GuardSetting, found: Mapping[str, Signal]) -> Look:
    lines = sum(each.costed_lines for each in found.values())
    cost = sum(each.cost_minor for each in found.values())
    if not lines or not cost:
        return Look(setting.guard, "no_data")
    # Stores of two currencies: what decides is the sum of shares by cost, near enough for a brake.
    value = _loss_bp(sum(each.costed_net_minor for each in found.values()), cost)
    is_tripped = lines >= setting.least and value >= setting.threshold
    losses = [
        Seen(store, _loss_bp(each.costed_net_minor, each.cost_minor), f"{each.costed_lines}")
        for store, each in found.items()
        if each.cost_minor
    ]
    worst = sorted((each for each in losses if each.value), key=lambda seen: -seen.value)
    evidence = tuple(worst[:EVIDENCE_MAX])
    return Look(setting.guard, TRIPPED if is_tripped else "ok", value, evidence)


def _loss_bp(net_minor: int, cost_minor: int) -> int:
    return max(0, (cost_minor - net_minor) * WHOLE_BP // cost_minor)


def _digest(setting: GuardSetting, boxes: Sequence[BoxFact]) -> Look:
    if not boxes:
        return Look(setting.guard, "no_data")
    bad = [
        box for box in boxes if not box.is_stored and (box.error or "").startswith(DIGEST_ERRORS)
    ]
    evidence = tuple(Seen(box.store_id, 1, box.error or "") for box in bad[:EVIDENCE_MAX])
    is_tripped = len(bad) >= max(setting.threshold, 1)
    return Look(setting.guard, TRIPPED if is_tripped else "ok", len(bad), evidence)


def _failures(setting: GuardSetting, boxes: Sequence[BoxFact]) -> Look:
    if not boxes:
        return Look(setting.guard, "no_data")
    bad = [box for box in boxes if _has_failed(box, setting.window_s)]
    value = len(bad) * WHOLE_BP // len(boxes)
    is_small = any(box.wave_stores <= SMALL_WAVE for box in bad)
    is_many = len(bad) >= setting.least and value >= setting.threshold
    evidence = tuple(
        Seen(box.store_id, 1, box.error or f"{box.late_ms // 1000} s") for box in bad[:EVIDENCE_MAX]
    )
    return Look(setting.guard, TRIPPED if is_small or is_many else "ok", value, evidence)


def _has_failed(box: BoxFact, patience_s: int) -> bool:
    if box.is_stored or not box.is_online:
        return False
    patience_ms = patience_s * 1000 if box.error is None else ERROR_GRACE_MS
    return box.late_ms > patience_ms


def _sales_drop(setting: GuardSetting, sight: Sight) -> Look:
    """Sales against before, as those of other stores went, or against yesterday at this time.

    A Monday is no Sunday: how far today lay from yesterday before the release counts, too.
    """
    rates = (sight.rates or {}).get(setting.window_s, {})
    control = (sight.control or {}).get(setting.window_s, Rate(0, 0))
    sold = sum(rate.now for rate in rates.values())
    if control.before >= setting.least:
        expected = sum(rate.before for rate in rates.values()) * control.now // control.before
    else:
        expected = sum(rate.yesterday for rate in rates.values())
        yesterday_before = sum(rate.yesterday_before for rate in rates.values())
        if yesterday_before >= setting.least:
            expected = expected * sum(rate.before for rate in rates.values()) // yesterday_before
    if expected < setting.least:
        return Look(setting.guard, "no_data")
    value = max(0, (expected - sold) * WHOLE_BP // expected)
    state = TRIPPED if value >= setting.threshold else "ok"
    return Look(setting.guard, state, value, (Seen("", value, f"{sold}/{expected}"),))
