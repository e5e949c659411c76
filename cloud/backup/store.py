"""SQL of backups: what was made, what was rehearsed, what boxes handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

_ADD_RUN = text("""
    INSERT INTO backup_run (kind, at_ms, took_ms, is_ok, name, bytes, reaches_ms, report)
    VALUES (:kind, :at_ms, :took_ms, :is_ok, :name, :bytes, :reaches_ms,
        CAST(:report AS jsonb))""")
_LAST = text("""
    SELECT kind, at_ms, took_ms, is_ok, name, bytes, reaches_ms, report FROM backup_run
    WHERE kind = :kind AND (is_ok OR NOT :only_ok) ORDER BY at_ms DESC, id DESC LIMIT 1""")
_RUNS = text("""
    SELECT kind, at_ms, took_ms, is_ok, name, bytes, reaches_ms, report FROM backup_run
    ORDER BY at_ms DESC, id DESC LIMIT :most""")
_BASES = text("SELECT name FROM backup_run WHERE kind = 'base' AND is_ok")
_FORGET = text("DELETE FROM backup_run WHERE at_ms < :before_ms")
_ADD_BOX = text("""
    INSERT INTO box_backup (dev, at_ms, name, bytes, stick)
    VALUES (:dev, :at_ms, :name, :bytes, :stick)
    ON CONFLICT (dev, at_ms) DO UPDATE SET name = excluded.name, bytes = excluded.bytes,
        stick = excluded.stick""")
_OLD_BOX = text("""
    DELETE FROM box_backup WHERE dev = :dev AND at_ms < (
        SELECT min(at_ms) FROM (SELECT at_ms FROM box_backup WHERE dev = :dev
            ORDER BY at_ms DESC LIMIT :keep) newest)
    RETURNING name""")
_LAST_BOX = text("""
    SELECT max(at_ms) FROM box_backup WHERE dev = :dev""")
_BOXES = text("""
    SELECT d.dev, d.store_id, s.name AS store_name, d.created_at_ms, b.at_ms, b.bytes, b.stick,
        b.name
    FROM device d JOIN store s USING (store_id)
    LEFT JOIN LATERAL (SELECT at_ms, bytes, stick, name FROM box_backup WHERE dev = d.dev
        ORDER BY at_ms DESC LIMIT 1) b ON true
    WHERE d.status = 'active' AND (:dev = '' OR d.dev = :dev)
    ORDER BY b.at_ms NULLS FIRST, d.store_id LIMIT :most""")
_COUNT = text("""
    SELECT count(*), count(*) FILTER (WHERE b.at_ms >= :since_ms)
    FROM device d LEFT JOIN (SELECT dev, max(at_ms) AS at_ms FROM box_backup GROUP BY dev) b
        ON b.dev = d.dev
    WHERE d.status = 'active'""")
# What the database says lies in the object store: what manifests name, versions of the
# software with their wheels, pictures of goods (which an import may name and nobody uploaded).
_OBJECTS = text("""
    SELECT sha256 FROM large_piece WHERE unnamed_at_ms IS NULL AND made_at_ms <= :made_ms
    UNION SELECT wheel->>1 FROM software, jsonb_array_elements(wheels) wheel
        WHERE added_at_ms <= :made_ms
    UNION SELECT vectors FROM software
        WHERE added_at_ms <= :made_ms AND vectors ~ '^[0-9a-f]{64}$'
    UNION SELECT sha256 FROM software_rollout WHERE created_at_ms <= :made_ms""")
_PICTURES = text("""
    SELECT DISTINCT substr(image, 8) FROM item
    WHERE image ~ '^sha256:[0-9a-f]{64}$' AND NOT EXISTS (
        SELECT FROM item_history later
        WHERE later.gtin = item.gtin AND later.changed_at_ms > :made_ms)""")
_KEEP_COPIED = text("""
    INSERT INTO deployment (key, value) VALUES ('objects_copied_at_ms', :at_ms)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value""")
_COPIED = text("SELECT value FROM deployment WHERE key = 'objects_copied_at_ms'")
_KEEP_KEYS = text("""
    INSERT INTO deployment (key, value) VALUES ('backup_keys', :value)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value""")
_KEYS = text("SELECT value FROM deployment WHERE key = 'backup_keys'")
_ARCHIVER = text("""
    SELECT current_setting('archive_mode') <> 'off', last_archived_wal,
        (extract(epoch FROM last_archived_time) * 1000)::bigint,
        (extract(epoch FROM last_failed_time) * 1000)::bigint
    FROM pg_stat_archiver""")


@dataclass(frozen=True, slots=True)
class Run:
    """One run: `base` (a backup was made) or `drill` (one was restored and compared).

    `reaches_ms` is the instant that it stands for (UTC); `report` says more.
    """

    kind: str
    at_ms: int
    took_ms: int
    is_ok: bool
    name: str = ""
    bytes: int = 0
    reaches_ms: int | None = None
    report: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Archiver:
    """What PostgreSQL says of its archiving; times UTC ms."""

    is_on: bool
    last_wal: str | None
    last_ms: int | None
    failed_ms: int | None

    @property
    def is_failing(self) -> bool:
        """Whether the newest try failed: WAL piles up on the server's disk."""
        return self.failed_ms is not None and self.failed_ms > (self.last_ms or 0)


def add_run(connection: Connection, run: Run) -> None:
    """Keep what a run came to."""
    connection.execute(
        _ADD_RUN,
        {
            "kind": run.kind,
            "at_ms": run.at_ms,
            "took_ms": run.took_ms,
            "is_ok": run.is_ok,
            "name": run.name,
            "bytes": run.bytes,
            "reaches_ms": run.reaches_ms,
            "report": orjson.dumps(run.report or {}).decode(),
        },
    )


def last_run(connection: Connection, kind: str, *, only_ok: bool = False) -> Run | None:
    """The newest run of a kind, or the newest good one."""
    row = connection.execute(_LAST, {"kind": kind, "only_ok": only_ok}).one_or_none()
    return None if row is None else Run(*row)


def runs(connection: Connection, most: int) -> list[Run]:
    """The newest runs."""
    return [Run(*row) for row in connection.execute(_RUNS, {"most": most})]


def known_bases(connection: Connection) -> set[str]:
    """Base backups that were made, by name."""
    return set(connection.execute(_BASES).scalars())


def forget_runs(connection: Connection, before_ms: int) -> None:
    """Drop what happened long ago."""
    connection.execute(_FORGET, {"before_ms": before_ms})


def add_box_backup(connection: Connection, dev: str, row: Mapping[str, Any]) -> None:
    """Note a box's backup: at_ms, name, bytes, stick."""
    connection.execute(_ADD_BOX, {"dev": dev, **row})


def drop_old_box_backups(connection: Connection, dev: str, keep: int) -> list[str]:
    """Forget all but the newest of a box; their names."""
    return list(connection.execute(_OLD_BOX, {"dev": dev, "keep": keep}).scalars())


def last_box_backup_ms(connection: Connection, dev: str) -> int | None:
    """When a box handed its last one in."""
    found: int | None = connection.execute(_LAST_BOX, {"dev": dev}).scalar_one()
    return found


def box_backups(connection: Connection, most: int, dev: str = "") -> list[dict[str, Any]]:
    """Boxes in service with their newest backup; those without one and the oldest first."""
    rows = connection.execute(_BOXES, {"most": most, "dev": dev})
    return [dict(row) for row in rows.mappings()]


def box_counts(connection: Connection, since_ms: int) -> tuple[int, int]:
    """Boxes in service, and how many of them handed one in since an instant."""
    row = connection.execute(_COUNT, {"since_ms": since_ms}).one()
    return int(row[0]), int(row[1])


def kept_keys(connection: Connection) -> Any:  # noqa: ANN401 - JSON
    """The list of keys as it was last told to boxes, None before the first."""
    found = connection.execute(_KEYS).scalar_one_or_none()
    return None if found is None else orjson.loads(found)


def keep_keys(connection: Connection, value: Mapping[str, Any]) -> None:
    """Keep the list of keys."""
    connection.execute(_KEEP_KEYS, {"value": orjson.dumps(value).decode()})


def named_objects(connection: Connection, made_ms: int) -> set[str]:
    """Objects that the database names and that were made by an instant (UTC ms)."""
    return set(connection.execute(_OBJECTS, {"made_ms": made_ms}).scalars())


def named_pictures(connection: Connection, made_ms: int) -> set[str]:
    """Pictures of goods that nobody changed since; whether anybody uploaded them is not said."""
    return set(connection.execute(_PICTURES, {"made_ms": made_ms}).scalars())


def objects_copied_ms(connection: Connection) -> int | None:
    """When the copies of what is published were last brought up to date (UTC ms)."""
    found = connection.execute(_COPIED).scalar_one_or_none()
    return None if found is None else int(found)


def keep_objects_copied(connection: Connection, at_ms: int) -> None:
    """Note that the copies have all that was published by an instant."""
    connection.execute(_KEEP_COPIED, {"at_ms": str(at_ms)})


def archiver(connection: Connection) -> Archiver:
    """How the WAL archive fares."""
    return Archiver(*connection.execute(_ARCHIVER).one())
