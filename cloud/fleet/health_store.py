"""SQL of the fleet's health table: paged, filtered and counted by the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import like_literal

SILENT_MS = 900_000
PAGE_MAX = 200
STATES = ("all", "online", "offline", "silent", "alert", "untold")
SORTS = {
    "store": "store_id, dev",
    "contact": "contact_at_ms NULLS FIRST, store_id, dev",
    "disk": "disk_free_percent NULLS LAST, store_id, dev",
    "temperature": "temperature_mc DESC NULLS LAST, store_id, dev",
    "unsynced": "unsynced DESC, store_id, dev",
    "scan": "scan_p99_ms DESC NULLS LAST, store_id, dev",
    "alerts": "alerts DESC, store_id, dev",
}
"""Orders by name; what wants somebody comes first."""
COLUMNS = (
    "store_id", "store_name", "dev", "online", "contact_at_ms", "unsynced", "alerts", "rules",
    "sw", "told_at_ms", "uptime_s", "disk_free_mb", "disk_free_percent", "wear_percent",
    "temperature_mc", "is_undervolted", "clk", "clock_off_ms", "memory_mb", "load_milli",
    "certificate_days", "scan_p50_ms", "scan_p99_ms", "sync_p50_ms", "sync_p99_ms",
    "devices_failed", "error",
)  # fmt: skip
_BOXES = """
WITH box AS (
    SELECT d.dev, d.store_id, store.name AS store_name, d.created_at_ms,
        coalesce(s.online, false) AS online,
        greatest(s.last_contact_at_ms, t.at_ms) AS contact_at_ms,
        coalesce(s.unsynced, 0) AS unsynced, coalesce(s.sw, '') AS sw, s.error,
        t.at_ms AS told_at_ms, t.uptime_s, t.disk_free_mb, t.wear_percent, t.temperature_mc,
        CASE WHEN t.disk_size_mb > 0 THEN t.disk_free_mb * 100 / t.disk_size_mb END
            AS disk_free_percent,
        t.is_undervolted, t.clk, t.clock_off_ms, t.memory_mb, t.load_milli, t.certificate_days,
        t.scan_p50_ms, t.scan_p99_ms, t.sync_p50_ms, t.sync_p99_ms,
        coalesce(jsonb_array_length(jsonb_path_query_array(t.devices,
            '$[*] ? (@.state != "ready" && @.state != "degraded" && @.state != "connecting"
                && @.fault != null)')), 0) AS devices_failed,
        coalesce(a.alerts, 0) AS alerts, coalesce(a.rules, '{}') AS rules
    FROM device d JOIN store USING (store_id)
    LEFT JOIN box_state s ON s.dev = d.dev
    LEFT JOIN telemetry t ON t.dev = d.dev
    LEFT JOIN (
        SELECT dev, count(*) AS alerts, array_agg(rule ORDER BY rule) AS rules FROM alert
        WHERE state IN ('open', 'acknowledged') GROUP BY dev) a ON a.dev = d.dev
    WHERE d.status = 'active'),
wanted AS (
    SELECT * FROM box
    WHERE (:search = '' OR store_id ILIKE :search OR store_name ILIKE :search OR dev ILIKE :search)
        AND (:group_id = '' OR EXISTS (SELECT FROM store_group_member m
            WHERE m.group_id = :group_id AND m.store_id = box.store_id))
        AND (:dev = '' OR dev = :dev))
"""
_IS = """
    CASE :state WHEN 'online' THEN online WHEN 'offline' THEN NOT online
        WHEN 'silent' THEN coalesce(contact_at_ms, 0) < :silent_ms
        WHEN 'alert' THEN alerts > 0 WHEN 'untold' THEN told_at_ms IS NULL ELSE true END"""
_ROWS = {
    name: text(f"{_BOXES} SELECT {', '.join(COLUMNS)} FROM wanted WHERE {_IS} ORDER BY {order}"  # noqa: S608 - our own names
               " LIMIT :most OFFSET :skip")
    for name, order in SORTS.items()
}  # fmt: skip
# For ten thousand boxes compiling the question takes ten times as long as answering it.
_NOT_COMPILED = text("SET LOCAL jit = off")
_COUNTS = text(f"""{_BOXES} SELECT count(*) AS boxes, count(*) FILTER (WHERE online) AS online,
    count(*) FILTER (WHERE NOT online) AS offline,
    count(*) FILTER (WHERE coalesce(contact_at_ms, 0) < :silent_ms) AS silent,
    count(*) FILTER (WHERE alerts > 0) AS alert,
    count(*) FILTER (WHERE told_at_ms IS NULL) AS untold,
    count(*) FILTER (WHERE {_IS}) AS found FROM wanted""")  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class HealthQuestion:
    """Which boxes, in which of `SORTS`; "" asks for all. `state` is one of `STATES`."""

    now_ms: int
    search: str = ""
    state: str = "all"
    group_id: str = ""
    dev: str = ""
    sort: str = "store"

    def values(self) -> dict[str, Any]:
        """Parameters of the statements."""
        literal = like_literal(self.search.strip())
        return {
            "search": f"%{literal}%" if literal else "",
            "state": self.state,
            "group_id": self.group_id,
            "dev": self.dev,
            "silent_ms": self.now_ms - SILENT_MS,
        }


def counts(connection: Connection, question: HealthQuestion) -> dict[str, int]:
    """How many boxes there are of each kind, and how many `found` with the state asked for."""
    connection.execute(_NOT_COMPILED)
    return dict(connection.execute(_COUNTS, question.values()).mappings().one())


def rows(
    connection: Connection, question: HealthQuestion, most: int, skip: int
) -> Iterator[dict[str, Any]]:
    """Boxes in service."""
    connection.execute(_NOT_COMPILED)
    values = {**question.values(), "most": most, "skip": skip}
    for row in connection.execute(_ROWS[question.sort], values).mappings():
        yield dict(row)
