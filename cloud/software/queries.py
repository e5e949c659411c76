"""What the console and the command line show of the boxes' software."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import Database, like_literal
from cloud.software.schemas import BoxFilter
from cloud.software.store import SILENT_MS
from shared.kernel.errors import MissingError
from shared.release.description import ANY

ROLLOUTS_SHOWN = 20
EVENTS_SHOWN = 200
CSV_ROWS_MAX = 20_000
COLUMNS = (
    *("dev", "store_id", "store_name", "running", "wanted", "trusted", "state", "step", "error"),
    *("since_ms", "at_ms"),
)
_VERSIONS = text("""
    SELECT version, notes, python, requires, vectors, wheels, added_by, added_at_ms,
           (SELECT count(*) FROM software_state state JOIN device USING (dev)
            WHERE state.running = software.version AND device.status = 'active') AS boxes
    FROM software ORDER BY added_at_ms DESC, version DESC LIMIT 100""")
_ROLLOUTS = text("SELECT * FROM software_rollout ORDER BY id DESC LIMIT :most")
_WAVES = text("""
    SELECT target.rollout_id AS id, target.wave, count(DISTINCT target.store_id) AS stores,
           min(target.brought_at_ms) AS brought_at_ms,
           count(DISTINCT target.store_id) FILTER (
               WHERE state.running = rollout.version AND state.trusted = rollout.version)
               AS current,
           count(DISTINCT target.store_id) FILTER (
               WHERE target.brought_at_ms IS NOT NULL AND state.wanted = rollout.version
                 AND state.state = 'failed') AS failed
    FROM software_target target JOIN software_rollout rollout ON rollout.id = target.rollout_id
    LEFT JOIN device ON device.store_id = target.store_id AND device.status = 'active'
    LEFT JOIN software_state state ON state.dev = device.dev
    WHERE target.rollout_id = ANY(:ids) GROUP BY 1, 2 ORDER BY 1, 2""")
_EVENTS = text("""
    SELECT at_ms, by, what, reason, evidence FROM software_event WHERE rollout_id = :id
    ORDER BY id DESC LIMIT :most""")
# What a box should run is what its desired document says; without any, it is as it should be.
_BOXES = """
    WITH named AS (
        SELECT device.dev, device.store_id, store.name AS store_name,
               coalesce(state.running, '') AS running,
               coalesce(desired.software ->> 'version', '') AS wanted,
               coalesce(state.trusted, '') AS trusted, coalesce(state.state, '') AS step,
               CASE WHEN state.dev IS NULL THEN 'untold'
                    WHEN desired.software ->> 'version' = state.running
                         AND state.trusted = state.running THEN 'current'
                    WHEN state.state = 'failed' THEN 'failed'
                    WHEN desired.software ->> 'version' IS NULL
                         AND state.trusted = state.running THEN 'current'
                    WHEN state.at_ms < :heard_ms THEN 'silent'
                    WHEN state.state IN ('watch', 'commit') THEN 'watching'
                    WHEN state.state = 'idle'
                         OR starts_with(coalesce(state.error, ''), 'release.held.') THEN 'waiting'
                    ELSE 'working' END AS state,
               state.error, coalesce(state.since_ms, 0) AS since_ms, state.at_ms
        FROM device JOIN store USING (store_id)
        LEFT JOIN desired ON desired.dev = device.dev
        LEFT JOIN software_state state ON state.dev = device.dev
        WHERE device.status = 'active' AND (:q = '' OR store.name ILIKE :like
            OR device.store_id ILIKE :like OR state.running ILIKE :like))"""
_COUNTS = text(_BOXES + " SELECT state, count(*) FROM named GROUP BY 1")  # noqa: S608 - constants
_ROWS = """ SELECT * FROM named WHERE :state = '' OR state = :state
    ORDER BY store_id, dev LIMIT :size OFFSET :skip"""
_PAGE = text(_BOXES + _ROWS)


def software(database: Database) -> dict[str, Any]:
    """All versions, and the newest rollouts with their waves."""
    with database.begin() as connection:
        versions = [_version(dict(row)) for row in connection.execute(_VERSIONS).mappings()]
        return {"versions": versions, "rollouts": _rollouts(connection)}


def rollout(database: Database, rollout_id: int) -> dict[str, Any]:
    """One of the newest rollouts; MissingError `software.no_rollout`."""
    for each in software(database)["rollouts"]:
        if each["id"] == rollout_id:
            found: dict[str, Any] = each
            return found
    raise MissingError("software.no_rollout", rollout=rollout_id)


def events(database: Database, rollout_id: int) -> list[dict[str, Any]]:
    """What was done to a rollout, the newest first."""
    with database.begin() as connection:
        rows = connection.execute(_EVENTS, {"id": rollout_id, "most": EVENTS_SHOWN}).mappings()
        return [dict(row) for row in rows]


def boxes(database: Database, asked: BoxFilter, now_ms: int) -> dict[str, Any]:
    """A page of boxes."""
    with database.begin() as connection:
        values = _values(asked, now_ms)
        counts = {str(row[0]): int(row[1]) for row in connection.execute(_COUNTS, values)}
        rows = [dict(row) for row in connection.execute(_PAGE, values).mappings()]
    total = counts.get(asked.state, 0) if asked.state else sum(counts.values())
    page = {"page": asked.page, "size": asked.size}
    return {"boxes": rows, "total": total, **page, "counts": counts}


def box_rows(database: Database, asked: BoxFilter, now_ms: int) -> Iterator[list[Any]]:
    """The same as lines of a table, up to 20,000."""
    values = _values(asked, now_ms) | {"size": CSV_ROWS_MAX, "skip": 0}
    with database.begin() as connection:
        rows = connection.execute(_PAGE, values).mappings().all()
    return ([row[name] for name in COLUMNS] for row in rows)


def _rollouts(connection: Connection) -> list[dict[str, Any]]:
    rows = [dict(row) for row in connection.execute(_ROLLOUTS, {"most": ROLLOUTS_SHOWN}).mappings()]
    waves: dict[int, list[dict[str, Any]]] = {}
    asked = {"ids": [row["id"] for row in rows]}
    for wave in map(dict, connection.execute(_WAVES, asked).mappings()):
        waves.setdefault(wave.pop("id"), []).append(wave)
    return [_rollout(row, waves.get(row["id"], [])) for row in rows]


def _rollout(row: dict[str, Any], waves: list[dict[str, Any]]) -> dict[str, Any]:
    quiet_at_ms = row["quiet_at_ms"]
    soaks = row["state"] == "rolling" and quiet_at_ms is not None
    names = ("id", "version", "state", "because", "wave", "soak_s", "hours", "note")
    return {
        **{name: row[name] for name in names},
        "waves": waves,
        "soak_until_ms": quiet_at_ms + row["soak_s"] * 1000 if soaks else None,
        "created_by": row["created_by"],
        "created_at_ms": row["created_at_ms"],
        "ended_at_ms": row["ended_at_ms"],
    }


def _version(row: dict[str, Any]) -> dict[str, Any]:
    wheels = row.pop("wheels")
    arches = sorted({str(each[3]) for each in wheels} - {ANY}) or [ANY]
    size = sum(int(each[2]) for each in wheels)
    has_vectors = bool(row.pop("vectors"))
    more = {"arches": arches, "wheels": len(wheels), "size_bytes": size}
    return {**row, **more, "has_vectors": has_vectors}


def _values(asked: BoxFilter, now_ms: int) -> dict[str, Any]:
    return {
        "q": asked.q,
        "like": f"%{like_literal(asked.q)}%",
        "state": asked.state,
        "size": asked.size,
        "skip": (asked.page - 1) * asked.size,
        "heard_ms": now_ms - SILENT_MS,
    }
