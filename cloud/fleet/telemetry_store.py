"""SQL of telemetry: each box's newest word, and its hours in one partition for each day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import driver, lock_for_transaction

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
KEPT_DAYS = 35
PARTITION_LOCK = 7_461_301
_PREFIX = "telemetry_hour_"
_NAME = re.compile(_PREFIX + r"\d{8}")

COLUMNS = (
    "dev", "told_at_ms", "uptime_s", "disk_free_mb", "disk_size_mb", "clk", "queue",
    "wear_percent", "temperature_mc", "is_undervolted", "clock_off_ms", "memory_mb", "load_milli",
    "certificate_days", "scan_p50_ms", "scan_p99_ms", "sync_p50_ms", "sync_p99_ms", "scans",
    "devices",
)  # fmt: skip
_KINDS = (
    "text", "bigint", "bigint", "bigint", "bigint", "smallint", "bigint",
    "integer", "integer", "boolean", "bigint", "integer", "integer",
    "integer", "integer", "integer", "integer", "integer", "bigint",
    "text",
)  # fmt: skip
_TOLD = ", ".join(f"%s::{kind}[]" for kind in _KINDS)
_PLAIN = ", ".join(COLUMNS[:-1])
_NEWEST = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
_WORST = (
    "wear_percent", "temperature_mc", "clock_off_ms", "memory_mb", "load_milli",
    "scan_p50_ms", "scan_p99_ms", "sync_p50_ms", "sync_p99_ms",
)  # fmt: skip
_WORST_COLUMNS = ", ".join(f"{name}_max" for name in _WORST)
_WORST_VALUES = ", ".join("abs(clock_off_ms)" if n == "clock_off_ms" else n for n in _WORST)
_WORST_KEPT = ", ".join(
    f"{name}_max = greatest(h.{name}_max, excluded.{name}_max)" for name in _WORST
)
# One statement for a whole batch: the newest rows and the hours, in the order of the boxes, so
# that two workers never wait for each other in a circle.
SAVE = f"""
WITH told AS (
    SELECT t.*, device.store_id FROM unnest({_TOLD}) AS t ({", ".join(COLUMNS)})
    JOIN device USING (dev) WHERE device.status <> 'revoked' ORDER BY dev),
newest AS (
    INSERT INTO telemetry ({_PLAIN}, devices, store_id, at_ms)
    SELECT {_PLAIN}, devices::jsonb, store_id, %s FROM told
    ON CONFLICT (dev) DO UPDATE SET {_NEWEST}, store_id = excluded.store_id,
        at_ms = excluded.at_ms)
INSERT INTO telemetry_hour AS h (hour_ms, store_id, dev, samples, disk_free_mb_min, queue_max,
    undervolted, clk_min, scans, {_WORST_COLUMNS})
SELECT %s, store_id, dev, 1, disk_free_mb, queue, coalesce(is_undervolted, false)::int, clk, scans,
    {_WORST_VALUES} FROM told
ON CONFLICT (dev, hour_ms) DO UPDATE SET samples = h.samples + 1,
    disk_free_mb_min = least(h.disk_free_mb_min, excluded.disk_free_mb_min),
    queue_max = greatest(h.queue_max, excluded.queue_max),
    undervolted = h.undervolted + excluded.undervolted,
    clk_min = least(h.clk_min, excluded.clk_min), scans = h.scans + excluded.scans,
    {_WORST_KEPT}"""  # noqa: S608 - put together from the names above

_PARTITIONS = text("""
    SELECT child.relname FROM pg_inherits
    JOIN pg_class child ON child.oid = inhrelid
    WHERE inhparent = 'telemetry_hour'::regclass""")
_HOURS = text("SELECT * FROM telemetry_hour WHERE dev = :dev AND hour_ms >= :from_ms"
              " ORDER BY hour_ms")  # fmt: skip
_LATEST = text("SELECT * FROM telemetry WHERE dev = :dev")


def save(connection: Connection, rows: Sequence[Sequence[Any]], now_ms: int) -> None:
    """Keep what boxes told: rows in the order of `COLUMNS`, at most one for each box.

    Boxes that nobody knows, or that were revoked, leave nothing behind.
    """
    columns = [list(column) for column in zip(*rows, strict=True)]
    hour_ms = now_ms - now_ms % HOUR_MS
    driver(connection).execute(SAVE, (*columns, now_ms, hour_ms), prepare=True)


def keep_partitions(connection: Connection, now_ms: int) -> None:
    """Have partitions for today and the next two days, drop those older than `KEPT_DAYS`."""
    lock_for_transaction(connection, PARTITION_LOCK)
    found = set(connection.execute(_PARTITIONS).scalars())
    today = datetime.fromtimestamp(now_ms // 1000, UTC).date()
    for ahead in range(3):
        name = f"{_PREFIX}{today + timedelta(ahead):%Y%m%d}"
        if name not in found:
            _add(connection, name, now_ms - now_ms % DAY_MS + ahead * DAY_MS)
    oldest = f"{_PREFIX}{today - timedelta(KEPT_DAYS):%Y%m%d}"
    for name in sorted(found):
        if _NAME.fullmatch(name) is not None and name < oldest:
            connection.execute(text(f"DROP TABLE {name}"))


def hours(connection: Connection, dev: str, from_ms: int) -> list[dict[str, Any]]:
    """A box's hours since an instant, oldest first."""
    found = connection.execute(_HOURS, {"dev": dev, "from_ms": from_ms})
    return [dict(row) for row in found.mappings()]


def latest(connection: Connection, dev: str) -> dict[str, Any] | None:
    """A box's newest word."""
    found = connection.execute(_LATEST, {"dev": dev}).mappings().one_or_none()
    return None if found is None else dict(found)


def _add(connection: Connection, name: str, from_ms: int) -> None:
    """Attached once it is there: that does not keep the other workers from writing."""
    to_ms = from_ms + DAY_MS
    made = f"CREATE TABLE {name} (LIKE telemetry_hour INCLUDING ALL) WITH (fillfactor = 60)"
    connection.execute(text(made))
    bounds = f"FOR VALUES FROM ({from_ms}) TO ({to_ms})"
    connection.execute(text(f"ALTER TABLE telemetry_hour ATTACH PARTITION {name} {bounds}"))
