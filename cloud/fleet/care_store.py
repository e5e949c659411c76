"""SQL of maintenance windows and of notes about stores."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from cloud.fleet.window import Window

LISTED_MAX = 500
_ADD_WINDOW = text("""
    INSERT INTO maintenance_window (target, target_id, from_ms, to_ms, days, from_local, to_local,
        note, made_by, made_at_ms)
    VALUES (:target, :target_id, :from_ms, :to_ms, :days, :from_local, :to_local, :note, :by,
        :at_ms) RETURNING id""")
_END_WINDOW = text("""
    UPDATE maintenance_window SET ended_by = :by, ended_at_ms = :at_ms
    WHERE id = :id AND ended_at_ms IS NULL""")
# One that is over is history and no longer read with every look at the boxes.
_LIVE_WINDOWS = text("""
    SELECT target, target_id, from_ms, to_ms, days, from_local, to_local, id
    FROM maintenance_window WHERE ended_at_ms IS NULL AND coalesce(to_ms, :now_ms + 1) > :now_ms""")
_WINDOWS = text("""
    SELECT id, target, target_id, from_ms, to_ms, days, from_local, to_local, note, made_by,
        made_at_ms, ended_by, ended_at_ms,
        ended_at_ms IS NULL AND coalesce(to_ms, :now_ms + 1) > :now_ms AS is_live
    FROM maintenance_window ORDER BY is_live DESC, id DESC LIMIT :most""")
_ZONES = text("SELECT store_id, time_zone FROM store")
_GROUPS = text("SELECT store_id, group_id FROM store_group_member")
_ADD_NOTE = text("""
    INSERT INTO store_note (store_id, at_ms, by, note) VALUES (:store_id, :at_ms, :by, :note)
    RETURNING id""")
_NOTES = text("""
    SELECT id, store_id, at_ms, by, note FROM store_note
    WHERE store_id = :store_id AND removed_at_ms IS NULL ORDER BY id DESC LIMIT :most""")
_REMOVE_NOTE = text("""
    UPDATE store_note SET removed_by = :by, removed_at_ms = :at_ms
    WHERE id = :id AND store_id = :store_id AND removed_at_ms IS NULL""")


def add_window(connection: Connection, window: Window, note: str, by: str, at_ms: int) -> int:
    """Add a window; its id."""
    values = {
        "target": window.target,
        "target_id": window.target_id,
        "from_ms": window.from_ms,
        "to_ms": window.to_ms,
        "days": list(window.days),
        "from_local": window.from_local,
        "to_local": window.to_local,
        "note": note,
        "by": by,
        "at_ms": at_ms,
    }
    return int(connection.execute(_ADD_WINDOW, values).scalar_one())


def end_window(connection: Connection, window_id: int, by: str, at_ms: int) -> bool:
    """End a window; False where there is none that still counts."""
    values = {"id": window_id, "by": by, "at_ms": at_ms}
    return connection.execute(_END_WINDOW, values).rowcount == 1


def live_windows(connection: Connection, now_ms: int) -> list[Window]:
    """Windows that are, or are still to come."""
    return [Window(*row) for row in connection.execute(_LIVE_WINDOWS, {"now_ms": now_ms})]


def windows(connection: Connection, now_ms: int) -> list[dict[str, Any]]:
    """The newest windows, those that count first."""
    rows = connection.execute(_WINDOWS, {"now_ms": now_ms, "most": LISTED_MAX})
    return [dict(row) for row in rows.mappings()]


def zones(connection: Connection) -> dict[str, str]:
    """The time zone (IANA) of each store."""
    return {row[0]: row[1] for row in connection.execute(_ZONES)}


def groups(connection: Connection) -> dict[str, list[str]]:
    """The groups of each store that is in any."""
    found: dict[str, list[str]] = {}
    for store_id, group_id in connection.execute(_GROUPS):
        found.setdefault(store_id, []).append(group_id)
    return found


def add_note(connection: Connection, store_id: str, note: str, by: str, at_ms: int) -> int:
    """Write a note about a store; its id."""
    values = {"store_id": store_id, "note": note, "by": by, "at_ms": at_ms}
    return int(connection.execute(_ADD_NOTE, values).scalar_one())


def notes(connection: Connection, store_id: str) -> list[dict[str, Any]]:
    """What people noted about a store, the newest first."""
    rows = connection.execute(_NOTES, {"store_id": store_id, "most": LISTED_MAX})
    return [dict(row) for row in rows.mappings()]


def remove_note(connection: Connection, store_id: str, note_id: int, by: str, at_ms: int) -> bool:
    """Take a note away; False where there is none."""
    values = {"id": note_id, "store_id": store_id, "by": by, "at_ms": at_ms}
    return connection.execute(_REMOVE_NOTE, values).rowcount == 1
