"""SQL of the archive's state as a whole."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.db import driver

INCARNATION = "archive_incarnation"
SEEN = "SELECT value FROM deployment WHERE key = %s"
NOTE = """
INSERT INTO deployment (key, value) VALUES (%s, %s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value"""
ANALYZE = "ANALYZE entry, sale, posting"
COUNTS = """
SELECT s.*, g.*, t.n, t.day, d.at_ms, d.is_ok
FROM (SELECT count(*), coalesce(sum(head_seq + 1), 0)::bigint,
        coalesce(sum(sealed_seq + 1), 0)::bigint, coalesce(sum(safe_seq + 1), 0)::bigint
    FROM stream) s
CROSS JOIN (SELECT count(*), count(*) FILTER (WHERE verified_at_ms IS NULL),
        count(*) FILTER (WHERE flaw IS NOT NULL), coalesce(sum(bytes), 0)::bigint
    FROM segment) g
LEFT JOIN (SELECT n, day::text FROM tree ORDER BY n DESC LIMIT 1) t ON true
LEFT JOIN (SELECT at_ms, is_ok FROM restore_drill ORDER BY id DESC LIMIT 1) d ON true"""
# Looked at every minute, so it counts no segments but the few that nobody has read back well.
ALARMS = """
SELECT (SELECT coalesce(sum(head_seq - safe_seq), 0)::bigint FROM stream),
    (SELECT count(*) FROM segment WHERE verified_at_ms IS NULL AND flaw IS NOT NULL),
    (SELECT max(n) FROM tree),
    (SELECT is_ok FROM restore_drill ORDER BY id DESC LIMIT 1)"""


def analyze(connection: Connection) -> None:
    """Look at the tables of facts as wholes: autovacuum looks at each partition alone."""
    driver(connection).execute(ANALYZE)


def seen_incarnation(connection: Connection) -> str | None:
    """Which life of the database the archivist saw last."""
    found = driver(connection).execute(SEEN, (INCARNATION,)).fetchone()
    return None if found is None else str(found[0])


def note_incarnation(connection: Connection, found: str) -> None:
    """Keep which life it is now."""
    driver(connection).execute(NOTE, (INCARNATION, found))


def counts(connection: Connection) -> tuple[Any, ...]:
    """The counts of `ArchiveStatus`, in its order."""
    found = driver(connection).execute(COUNTS).fetchone()
    assert found is not None, "counts are always there"
    return tuple(found)


def alarms(connection: Connection) -> tuple[int, int, int | None, bool | None]:
    """Unsafe entries, flawed segments, the newest tree, how the last drill went."""
    found = driver(connection).execute(ALARMS).fetchone()
    assert found is not None, "counts are always there"
    unsafe, flawed, tree_n, drill_ok = found
    return unsafe, flawed, tree_n, drill_ok
