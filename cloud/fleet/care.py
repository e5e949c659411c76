"""What the console asks about the fleet's health, alerts, windows and notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cloud.db import Database
from cloud.fleet import alert_store, care_store, health_store, store, telemetry_store
from cloud.fleet.alert import RULES, Rule
from cloud.fleet.alert_store import AlertQuestion
from cloud.fleet.health_store import HealthQuestion
from cloud.fleet.window import Window, checked
from shared.kernel.errors import MissingError, RefusedError

CSV_MAX = 20_000
ACKNOWLEDGED_MAX = 1_000
NOTE_MAX = 1_000
_FIGURE_MAX = 10**12


@dataclass(frozen=True, slots=True)
class Signed:
    """Who does something, and when (UTC ms)."""

    by: str
    at_ms: int


def health(database: Database, question: HealthQuestion, most: int, skip: int) -> dict[str, Any]:
    """A page of the health table with its counts. RefusedError `fleet.question`."""
    if question.state not in health_store.STATES or question.sort not in health_store.SORTS:
        raise RefusedError("fleet.question")
    with database.snapshot() as connection:
        return {
            "counts": health_store.counts(connection, question),
            "boxes": list(health_store.rows(connection, question, most, skip)),
        }


def health_rows(database: Database, question: HealthQuestion) -> list[tuple[Any, ...]]:
    """The whole table in the order of `health_store.COLUMNS`, at most `CSV_MAX` rows."""
    found = health(database, question, CSV_MAX, 0)["boxes"]
    return [tuple(_cell(row[name]) for name in health_store.COLUMNS) for row in found]


def telemetry(database: Database, dev: str, from_ms: int) -> dict[str, Any]:
    """A box's newest word and its hours. MissingError `box.unknown`."""
    with database.snapshot() as connection:
        if store.credentials_of(connection, dev) is None:
            raise MissingError("box.unknown", dev=dev[:40])
        return {
            "latest": telemetry_store.latest(connection, dev),
            "hours": telemetry_store.hours(connection, dev, from_ms),
        }


def alerts(database: Database, question: AlertQuestion, most: int, skip: int) -> dict[str, Any]:
    """Alerts, the newest first, and how many stand by rule and state."""
    with database.snapshot() as connection:
        found = alert_store.alerts(connection, question, most + 1, skip)
        standing = [
            {"rule": rule, "state": state, "count": count}
            for rule, state, count in alert_store.counts(connection)
        ]
    return {"alerts": found[:most], "standing": standing, "has_more": len(found) > most}


def acknowledge(database: Database, ids: Sequence[int], note: str, who: Signed) -> int:
    """Say that somebody is on these alerts; how many were open."""
    with database.begin() as connection:
        return len(alert_store.acknowledge(connection, ids, who.by, note.strip(), who.at_ms))


def rules(database: Database) -> list[dict[str, Any]]:
    """Every rule as it is set, as it came, and who changed it."""
    with database.begin() as connection:
        found = alert_store.rules(connection)
        authors = alert_store.rule_authors(connection)
    return [_rule_row(rule, authors.get(rule.id)) for rule in found.values()]


def put_rule(database: Database, rule: Rule, who: Signed) -> None:
    """Change a rule. MissingError `alert.rule`, RefusedError `alert.thresholds`."""
    known = RULES.get(rule.id)
    if known is None:
        raise MissingError("alert.rule", rule=rule.id[:40])
    wanted = replace(
        known, is_on=rule.is_on, open_at=rule.open_at, close_at=rule.close_at, hold_s=rule.hold_s
    )
    figures = (wanted.open_at, wanted.close_at)
    if not wanted.is_sound() or any(abs(each) > _FIGURE_MAX for each in figures):
        raise RefusedError("alert.thresholds")
    with database.begin() as connection:
        alert_store.put_rule(connection, wanted, who.by, who.at_ms)


def windows(database: Database, now_ms: int) -> list[dict[str, Any]]:
    """The newest windows, those that count first."""
    with database.begin() as connection:
        return care_store.windows(connection, now_ms)


def add_window(database: Database, window: Window, note: str, who: Signed) -> int:
    """Add a window; its id. RefusedError as `window.checked`, MissingError `store.unknown`."""
    checked(window)
    with database.begin() as connection:
        if window.target == "store" and store.find_store(connection, window.target_id) is None:
            raise MissingError("store.unknown", store_id=window.target_id[:40])
        return care_store.add_window(connection, window, note.strip(), who.by, who.at_ms)


def end_window(database: Database, window_id: int, who: Signed) -> None:
    """End a window. MissingError `window.unknown`."""
    with database.begin() as connection:
        if not care_store.end_window(connection, window_id, who.by, who.at_ms):
            raise MissingError("window.unknown")


def notes(database: Database, store_id: str) -> list[dict[str, Any]]:
    """What people noted about a store, the newest first."""
    with database.begin() as connection:
        return care_store.notes(connection, store_id)


def add_note(database: Database, store_id: str, note: str, who: Signed) -> int:
    """Write a note; its id. RefusedError `note.empty`, MissingError `store.unknown`."""
    said = note.strip()
    if not said:
        raise RefusedError("note.empty")
    with database.begin() as connection:
        if store.find_store(connection, store_id) is None:
            raise MissingError("store.unknown", store_id=store_id[:40])
        return care_store.add_note(connection, store_id, said, who.by, who.at_ms)


def remove_note(database: Database, store_id: str, note_id: int, who: Signed) -> None:
    """Take a note away; it stays in the database. MissingError `note.unknown`."""
    with database.begin() as connection:
        if not care_store.remove_note(connection, store_id, note_id, who.by, who.at_ms):
            raise MissingError("note.unknown")


def _rule_row(rule: Rule, author: tuple[str, int] | None) -> dict[str, Any]:
    came = RULES[rule.id]
    by, at_ms = author or ("", None)
    return {
        "rule": rule.id,
        "unit": rule.unit,
        "is_above": rule.is_above,
        "is_on": rule.is_on,
        "open_at": rule.open_at,
        "close_at": rule.close_at,
        "hold_s": rule.hold_s,
        "came_open_at": came.open_at,
        "came_close_at": came.close_at,
        "came_hold_s": came.hold_s,
        "changed_by": by,
        "changed_at_ms": at_ms,
    }


def _cell(value: Any) -> Any:  # noqa: ANN401 - what a column holds
    return " ".join(value) if isinstance(value, list) else value
