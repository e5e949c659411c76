"""SQL of alerts: rules, what they are judged by, what became of them, what is told outside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.db import driver
from cloud.fleet.alert import RULES, Alert, BoxFacts, Rule

KEPT_MS = 400 * 86_400_000
PAGE_MAX = 500
_LIVE_COLUMNS = """dev, store_id, rule, state, since_ms, value, worst, detail, opened_at_ms,
    calm_since_ms, closed_at_ms, closed_because, id"""
_LIVE = f"SELECT {_LIVE_COLUMNS} FROM alert WHERE state <> 'closed'"  # noqa: S608 - our own names
_RULES = text("SELECT rule, is_on, open_at, close_at, hold_s FROM alert_rule")
_RULE_AUTHORS = text("SELECT rule, changed_by, changed_at_ms FROM alert_rule")
_PUT_RULE = text("""
    INSERT INTO alert_rule (rule, is_on, open_at, close_at, hold_s, changed_by, changed_at_ms)
    VALUES (:rule, :is_on, :open_at, :close_at, :hold_s, :by, :at_ms)
    ON CONFLICT (rule) DO UPDATE SET is_on = excluded.is_on, open_at = excluded.open_at,
        close_at = excluded.close_at, hold_s = excluded.hold_s,
        changed_by = excluded.changed_by, changed_at_ms = excluded.changed_at_ms""")
# One pass over the boxes in service; the newest batch of a box's journals says since when it waits.
_FACTS = """
SELECT d.dev, d.store_id, greatest(s.last_contact_at_ms, t.at_ms), coalesce(s.unsynced, 0),
    j.rx_at_ms, s.error, c.dev IS NOT NULL, t.at_ms, t.disk_free_mb, t.disk_size_mb, t.clk,
    t.wear_percent, t.temperature_mc, t.is_undervolted, t.certificate_days, t.scan_p99_ms,
    t.sync_p99_ms, t.clock_off_ms, t.devices, b.at_ms
FROM device d
LEFT JOIN box_state s ON s.dev = d.dev
LEFT JOIN telemetry t ON t.dev = d.dev
LEFT JOIN (SELECT dev, max(rx_at_ms) AS rx_at_ms FROM stream WHERE status = 'open' GROUP BY dev) j
    ON j.dev = d.dev
LEFT JOIN (SELECT DISTINCT dev FROM command WHERE is_standing AND kind = 'offline_drill'
    AND state = 'waiting') c ON c.dev = d.dev
LEFT JOIN (SELECT dev, max(at_ms) AS at_ms FROM box_backup GROUP BY dev) b ON b.dev = d.dev
WHERE d.status = 'active'"""
_TOLD = (
    "at_ms", "disk_free_mb", "disk_size_mb", "clk", "wear_percent", "temperature_mc",
    "is_undervolted", "certificate_days", "scan_p99_ms", "sync_p99_ms", "clock_off_ms", "devices",
)  # fmt: skip
_ADD = """
INSERT INTO alert (dev, store_id, rule, state, since_ms, value, worst, detail, opened_at_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"""
# Somebody may acknowledge meanwhile: what is open stays acknowledged.
_CHANGE = """
UPDATE alert SET state = CASE WHEN state = 'acknowledged' AND %s = 'open' THEN state ELSE %s END,
    value = %s, worst = %s, detail = %s, opened_at_ms = %s, calm_since_ms = %s,
    closed_at_ms = %s, closed_because = %s
WHERE id = %s AND state <> 'closed'"""
_DROP = "DELETE FROM alert WHERE id = %s AND state = 'pending'"
_FORGET = text("DELETE FROM alert WHERE closed_at_ms < :before_ms")
_ACKNOWLEDGE = text("""
    UPDATE alert SET state = 'acknowledged', acknowledged_by = :by, acknowledged_at_ms = :at_ms,
        note = :note
    WHERE id = ANY(:ids) AND state = 'open' RETURNING id""")
_LIST = text("""
    SELECT a.id, a.dev, a.store_id, coalesce(store.name, '') AS store_name, a.rule, a.state,
        a.opened_at_ms, a.value, a.worst, a.detail, a.acknowledged_by, a.acknowledged_at_ms,
        a.note, a.closed_at_ms, a.closed_because
    FROM alert a LEFT JOIN store USING (store_id)
    WHERE a.opened_at_ms IS NOT NULL AND a.state = ANY(:states)
        AND (:rule = '' OR a.rule = :rule) AND (:dev = '' OR a.dev = :dev)
        AND (:search = '' OR a.store_id ILIKE :search OR store.name ILIKE :search)
    ORDER BY a.opened_at_ms DESC, a.id DESC LIMIT :most OFFSET :skip""")
_COUNTS = text("""
    SELECT rule, state, count(*) FROM alert WHERE state IN ('open', 'acknowledged')
    GROUP BY rule, state""")
_ADD_NOTICE = "INSERT INTO alert_notice (body, made_at_ms, due_at_ms) VALUES (%s, %s, %s)"
_DUE_NOTICES = text("""
    SELECT id, body, tries, made_at_ms FROM alert_notice WHERE due_at_ms <= :now_ms
    ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED""")
_LATER_NOTICES = text("""
    UPDATE alert_notice SET tries = tries + 1, due_at_ms = :due_at_ms, error = :error
    WHERE id = ANY(:ids)""")
_DONE_NOTICES = text("DELETE FROM alert_notice WHERE id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell outside; `made_at_ms` UTC."""

    id: int
    body: dict[str, Any]
    tries: int
    made_at_ms: int


@dataclass(frozen=True, slots=True)
class AlertQuestion:
    """Which alerts: `states` of State; "" asks for all; `search` is part of a store."""

    states: Sequence[str]
    rule: str = ""
    dev: str = ""
    search: str = ""


def rules(connection: Connection) -> dict[str, Rule]:
    """Every rule as it is set."""
    found = dict(RULES)
    for rule, is_on, open_at, close_at, hold_s in connection.execute(_RULES):
        if rule in found:
            found[rule] = replace(
                found[rule], is_on=is_on, open_at=open_at, close_at=close_at, hold_s=hold_s
            )
    return found


def rule_authors(connection: Connection) -> dict[str, tuple[str, int]]:
    """Who changed a rule last, and when (UTC ms)."""
    return {row[0]: (row[1], row[2]) for row in connection.execute(_RULE_AUTHORS)}


def put_rule(connection: Connection, rule: Rule, by: str, at_ms: int) -> None:
    """Change a rule."""
    values = {
        "rule": rule.id,
        "is_on": rule.is_on,
        "open_at": rule.open_at,
        "close_at": rule.close_at,
        "hold_s": rule.hold_s,
        "by": by,
        "at_ms": at_ms,
    }
    connection.execute(_PUT_RULE, values)


def live(connection: Connection) -> dict[str, dict[str, Alert]]:
    """What is pending or not closed, by box and rule."""
    found: dict[str, dict[str, Alert]] = {}
    for row in driver(connection).execute(_LIVE):
        found.setdefault(row[0], {})[row[2]] = Alert(*row)
    return found


def facts(connection: Connection) -> Iterator[BoxFacts]:
    """Every box in service."""
    for row in driver(connection).execute(_FACTS):
        told = None if row[7] is None else dict(zip(_TOLD, row[7:-1], strict=True))
        yield BoxFacts(*(*row[:7], told, row[-1]))


def write(
    connection: Connection, added: Iterable[Alert], changed: Iterable[Alert], dropped: Iterable[int]
) -> None:
    """Keep what became of alerts: new ones, changed ones, and pending ones that were nothing."""
    with driver(connection).cursor() as cursor:
        cursor.executemany(_DROP, [(each,) for each in dropped])
        cursor.executemany(_CHANGE, [_changed(each) for each in changed])
        cursor.executemany(_ADD, [_added(each) for each in added])


def forget(connection: Connection, now_ms: int) -> None:
    """Closed alerts are kept for `KEPT_MS`."""
    connection.execute(_FORGET, {"before_ms": now_ms - KEPT_MS})


def acknowledge(
    connection: Connection, ids: Sequence[int], by: str, note: str, at_ms: int
) -> list[int]:
    """Say that somebody is on it; those that were open."""
    values = {"ids": list(ids), "by": by, "note": note, "at_ms": at_ms}
    return list(connection.execute(_ACKNOWLEDGE, values).scalars())


def alerts(
    connection: Connection, question: AlertQuestion, most: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Alerts that were opened, the newest first."""
    literal = question.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {
        "states": list(question.states),
        "rule": question.rule,
        "dev": question.dev,
        "search": f"%{literal}%" if literal else "",
        "most": most,
        "skip": skip,
    }
    return [dict(row) for row in connection.execute(_LIST, values).mappings()]


def counts(connection: Connection) -> list[tuple[str, str, int]]:
    """How many stand, by rule and state."""
    return [(row[0], row[1], row[2]) for row in connection.execute(_COUNTS)]


def add_notices(connection: Connection, bodies: Iterable[Mapping[str, Any]], now_ms: int) -> None:
    """Have something told outside."""
    rows = [(orjson.dumps(body).decode(), now_ms, now_ms) for body in bodies]
    with driver(connection).cursor() as cursor:
        cursor.executemany(_ADD_NOTICE, rows)


def due_notices(connection: Connection, now_ms: int, most: int) -> list[Notice]:
    """What is to be told now, the oldest first; no other worker takes it meanwhile."""
    rows = connection.execute(_DUE_NOTICES, {"now_ms": now_ms, "most": most})
    return [Notice(*row) for row in rows]


def notices_done(connection: Connection, ids: Sequence[int]) -> None:
    """They were delivered, or nobody wants them any more."""
    connection.execute(_DONE_NOTICES, {"ids": list(ids)})


def notices_later(connection: Connection, ids: Sequence[int], due_at_ms: int, error: str) -> None:
    """They could not be delivered: again at `due_at_ms`."""
    values = {"ids": list(ids), "due_at_ms": due_at_ms, "error": error}
    connection.execute(_LATER_NOTICES, values)


def _added(alert: Alert) -> tuple[Any, ...]:
    head = (alert.dev, alert.store_id, alert.rule, alert.state, alert.since_ms)
    return (*head, alert.value, alert.worst, alert.detail, alert.opened_at_ms)


def _changed(alert: Alert) -> tuple[Any, ...]:
    figures = (alert.value, alert.worst, alert.detail, alert.opened_at_ms, alert.calm_since_ms)
    ended = (alert.closed_at_ms, alert.closed_because, alert.id)
    return (alert.state, alert.state, *figures, *ended)
