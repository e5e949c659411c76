"""When a box needs somebody: rules with two thresholds, and what becomes of an alert. Pure.

An alert opens once its figure has been beyond `open_at` for `hold_s`, and closes once it has been
on the good side of `close_at` for as long: between the two thresholds nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

State = Literal["pending", "open", "acknowledged", "closed"]
Because = Literal["recovered", "rule_off", "box_gone"]
STALE_MS = 600_000
"""Telemetry older than this says nothing about now."""
_LONG_DETAIL = 200
PEOPLE = "staff"
"""The kind under which a box tells, among its devices, that somebody tries PINs."""
_USABLE = frozenset({"ready", "degraded", "connecting"})


@dataclass(frozen=True, slots=True)
class Rule:
    """`is_above`: bad is a figure of at least `open_at`, well one of at most `close_at`.

    Else bad is at most `open_at`, well at least `close_at`. `unit` says what the figures are.
    """

    id: str
    unit: str
    is_above: bool
    open_at: int
    close_at: int
    hold_s: int
    is_on: bool = True

    def is_bad(self, value: int) -> bool:
        """Whether a figure is beyond the threshold."""
        return value >= self.open_at if self.is_above else value <= self.open_at

    def is_well(self, value: int) -> bool:
        """Whether a figure is well on the good side."""
        return value <= self.close_at if self.is_above else value >= self.close_at

    def is_sound(self) -> bool:
        """Whether the thresholds lie apart in the right order."""
        apart = self.open_at - self.close_at
        return (apart > 0 if self.is_above else apart < 0) and 0 <= self.hold_s <= 86_400  # noqa: PLR2004 - a day

    def worse(self, one: int, other: int) -> int:
        """The worse of two figures."""
        return max(one, other) if self.is_above else min(one, other)


RULES = {
    rule.id: rule
    for rule in (
        Rule("silent", "s", is_above=True, open_at=900, close_at=120, hold_s=0),
        Rule("unsynced_age", "s", is_above=True, open_at=1800, close_at=60, hold_s=60),
        Rule("disk_low", "percent", is_above=False, open_at=10, close_at=15, hold_s=60),
        Rule("card_worn", "percent", is_above=True, open_at=80, close_at=70, hold_s=0),
        Rule("hot", "mc", is_above=True, open_at=80_000, close_at=72_000, hold_s=120),
        Rule("undervolted", "flag", is_above=True, open_at=1, close_at=0, hold_s=120),
        Rule("clock_untrusted", "quality", is_above=False, open_at=0, close_at=1, hold_s=900),
        Rule("clock_off", "ms", is_above=True, open_at=60_000, close_at=10_000, hold_s=120),
        Rule("device_failed", "count", is_above=True, open_at=1, close_at=0, hold_s=300),
        Rule("pin_guessed", "flag", is_above=True, open_at=1, close_at=0, hold_s=0),
        Rule("certificate", "days", is_above=False, open_at=14, close_at=21, hold_s=0),
        Rule("scan_slow", "ms", is_above=True, open_at=300, close_at=150, hold_s=300),
        Rule("sync_slow", "ms", is_above=True, open_at=30_000, close_at=10_000, hold_s=600),
        Rule("release_refused", "flag", is_above=True, open_at=1, close_at=0, hold_s=60),
        Rule("box_backup", "days", is_above=True, open_at=4, close_at=2, hold_s=0),
        Rule("restore", "days", is_above=True, open_at=14, close_at=13, hold_s=0),
        Rule("crl", "days", is_above=False, open_at=7, close_at=14, hold_s=0),
        Rule("ca_device", "days", is_above=False, open_at=365, close_at=400, hold_s=0),
        Rule("ca_chain", "days", is_above=False, open_at=365, close_at=400, hold_s=0),
        Rule("broker_certificate", "days", is_above=False, open_at=21, close_at=30, hold_s=0),
    )
}
"""The rules as they come; people change thresholds, hold and whether they are on."""
CHAIN_RULES = frozenset({"crl", "ca_device", "ca_chain", "broker_certificate", "restore"})
"""Those that concern the chain and no box: days until an instant, or since it (`is_above`)."""
CHAIN = ""
"""Stands for the box and the store in an alert of those."""
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """What is known of a box in service; times UTC ms, None for never or not told.

    `telemetry` is a row of the newest one. A box in an offline drill is silent on purpose.
    """

    dev: str
    store_id: str
    contact_ms: int | None
    unsynced: int
    journal_ms: int | None
    error: str | None
    is_in_drill: bool
    telemetry: Mapping[str, Any] | None
    backup_ms: int | None = None
    """When it last handed a backup in; a box that never did is told on the page of backups."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure of a rule, and what belongs to it for people (codes, ids)."""

    value: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert; `id` 0 until it is stored. See the table `alert`."""

    dev: str
    store_id: str
    rule: str
    state: State
    since_ms: int
    value: int
    worst: int
    detail: str = ""
    opened_at_ms: int | None = None
    calm_since_ms: int | None = None
    closed_at_ms: int | None = None
    closed_because: Because | None = None
    id: int = 0


def readings(facts: BoxFacts, now_ms: int, *, can_hear: bool = True) -> dict[str, Reading]:
    """The figures of a box by rule; a rule of which nothing is known is left out.

    Without `can_hear` nobody is silent: it is head office that does not listen.
    """
    found: dict[str, Reading] = {}
    if facts.contact_ms is not None and can_hear and not facts.is_in_drill:
        found["silent"] = Reading(max(0, now_ms - facts.contact_ms) // 1000)
    waits_ms = 0
    if facts.unsynced and facts.journal_ms is not None:
        waits_ms = max(0, now_ms - facts.journal_ms)
    if can_hear and not facts.is_in_drill:
        found["unsynced_age"] = Reading(waits_ms // 1000)
    if facts.contact_ms is not None:
        found["release_refused"] = Reading(int(facts.error is not None), facts.error or "")
    if facts.backup_ms is not None:
        found["box_backup"] = Reading(max(0, now_ms - facts.backup_ms) // DAY_MS)
    told = facts.telemetry
    if told is not None and now_ms - int(told["at_ms"]) <= STALE_MS:
        found.update(_told(told))
    return found


def chain_readings(instants: Mapping[str, int], now_ms: int) -> dict[str, Reading]:
    """The figures of the rules that concern no box, from their instants (UTC ms)."""
    return {
        rule: Reading(
            (now_ms - at_ms) // DAY_MS if RULES[rule].is_above else (at_ms - now_ms) // DAY_MS
        )
        for rule, at_ms in instants.items()
        if rule in CHAIN_RULES
    }


def _told(told: Mapping[str, Any]) -> Iterator[tuple[str, Reading]]:
    if told["disk_size_mb"]:
        yield "disk_low", Reading(told["disk_free_mb"] * 100 // told["disk_size_mb"])
    yield "clock_untrusted", Reading(told["clk"])
    plain = (
        ("card_worn", told["wear_percent"]),
        ("hot", told["temperature_mc"]),
        ("undervolted", told["is_undervolted"]),
        ("certificate", told["certificate_days"]),
        ("scan_slow", told["scan_p99_ms"]),
        ("sync_slow", told["sync_p99_ms"]),
        ("clock_off", None if told["clock_off_ms"] is None else abs(told["clock_off_ms"])),
    )
    yield from ((rule, Reading(int(value))) for rule, value in plain if value is not None)
    failed = [
        f"{d['id']}:{d['fault']}" for d in told["devices"] if d["kind"] != PEOPLE and _is_failed(d)
    ]
    guessed = [str(d["fault"]) for d in told["devices"] if d["kind"] == PEOPLE and _is_failed(d)]
    yield "pin_guessed", Reading(len(guessed), " ".join(guessed)[:_LONG_DETAIL])
    yield "device_failed", Reading(len(failed), " ".join(failed)[:_LONG_DETAIL])


def _is_failed(device: Mapping[str, Any]) -> bool:
    """A device that nobody plugged in is absent without a fault."""
    return device["state"] not in _USABLE and device["fault"] is not None


def step(
    rule: Rule, alert: Alert | None, reading: Reading | None, now_ms: int, *, is_muted: bool
) -> Alert | None:
    """What an alert becomes; the same object where nothing changes.

    None in place of a pending one: there was nothing. `is_muted`: none may open now.
    """
    if not rule.is_on:
        return _ended(alert, now_ms, "rule_off")
    if reading is None or alert is None:
        return alert if reading is None else _first(rule, reading, now_ms, is_muted=is_muted)
    if alert.state == "pending":
        return _pending(rule, alert, reading, now_ms, is_muted=is_muted)
    return _standing(rule, alert, reading, now_ms)


def gone(alert: Alert, now_ms: int) -> Alert | None:
    """What an alert of a box becomes that is not in service any more."""
    return _ended(alert, now_ms, "box_gone")


def _ended(alert: Alert | None, now_ms: int, because: Because) -> Alert | None:
    if alert is None or alert.state == "pending":
        return None
    return replace(alert, state="closed", closed_at_ms=now_ms, closed_because=because)


def _first(rule: Rule, reading: Reading, now_ms: int, *, is_muted: bool) -> Alert | None:
    if not rule.is_bad(reading.value):
        return None
    value, detail = reading.value, reading.detail
    fresh = Alert("", "", rule.id, "pending", now_ms, value, value, detail)
    return _pending(rule, fresh, reading, now_ms, is_muted=is_muted)


def _pending(
    rule: Rule, alert: Alert, reading: Reading, now_ms: int, *, is_muted: bool
) -> Alert | None:
    if not rule.is_bad(reading.value):
        return None
    if is_muted or now_ms - alert.since_ms < rule.hold_s * 1000:
        return alert
    worst = rule.worse(alert.worst, reading.value)
    return replace(
        alert,
        state="open",
        opened_at_ms=now_ms,
        value=reading.value,
        worst=worst,
        detail=reading.detail,
    )


def _standing(rule: Rule, alert: Alert, reading: Reading, now_ms: int) -> Alert:
    if not rule.is_well(reading.value):
        worst = rule.worse(alert.worst, reading.value)
        # What grows with every look, such as a silence, is not written with every look.
        is_much_worse = abs(worst - alert.worst) * 10 > abs(alert.worst)
        is_same = alert.calm_since_ms is None and reading.detail == alert.detail
        if is_same and not is_much_worse:
            return alert
        value, detail = reading.value, reading.detail
        return replace(alert, calm_since_ms=None, worst=worst, value=value, detail=detail)
    since = now_ms if alert.calm_since_ms is None else alert.calm_since_ms
    if now_ms - since >= rule.hold_s * 1000:
        ended = _ended(alert, now_ms, "recovered")
        assert ended is not None
        return replace(ended, value=reading.value)
    return alert if alert.calm_since_ms is not None else replace(alert, calm_since_ms=since)
