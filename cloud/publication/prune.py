"""Lets go of what no box and no person asks for any more, once a day.

Objects stay while a manifest names them: those of what stores sell by, of what waits and of what
was before (`lineage_store` keeps no others). Large ones, which lie in the object store, stay
`LARGE_KEPT_MS` longer. What releases changed, and in which wave a store was, is kept for
`KEPT_MS`; that there was a release, for ever.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from cloud.archive.objects import ObjectStore
from cloud.db import Database, lock_for_transaction
from cloud.publication.engine import PUBLICATION_LOCK

KEPT_MS = 400 * 86_400_000
ROWS_MAX = 200_000
"""Of a table in one run; the next one goes on."""
LARGE_KEPT_MS = 35 * 86_400_000
"""A database that is restored from a copy no older than this finds what its manifests name; an
address that was given out for an object holds for minutes."""
LARGE_MAX = 500
"""Large objects let go in one run."""
LARGE_AT_ONCE = 20
"""Of these, while no publication goes on: a push never waits for more deletions."""

# Version 1 of a manifest names its pieces as objects, and the snapshot alone.
_NAMED = """
    SELECT CASE jsonb_typeof(piece) WHEN 'array' THEN piece->>2 ELSE piece->>'sha256' END
    FROM (
        SELECT CAST(convert_from(manifest, 'UTF8') AS jsonb) AS told
        FROM zone_revision {where}) made
    CROSS JOIN LATERAL jsonb_array_elements(
        coalesce(told->'snapshots', jsonb_build_array(told->'snapshot'))
        || coalesce(told->'deltas', '[]')) piece"""
_NEWEST = text("SELECT coalesce(max(rev), 0) FROM publication")
_UNNAMED = text(f"""
    (SELECT sha256 FROM piece UNION SELECT sha256 FROM scope_snapshot
        UNION SELECT sha256 FROM large_piece)
    EXCEPT {_NAMED.format(where="")} LIMIT {ROWS_MAX}""")  # noqa: S608 - constants
_STILL = text(f"""
    SELECT gone FROM unnest(CAST(:gone AS text[])) gone
    EXCEPT {_NAMED.format(where="WHERE rev > :rev")}""")  # noqa: S608 - constants
_DROP_SNAPSHOTS = text("DELETE FROM scope_snapshot WHERE sha256 = ANY (:gone)")
_DROP_PIECES = text("DELETE FROM piece WHERE sha256 = ANY (:gone)")
_MARK = text("""
    UPDATE large_piece SET unnamed_at_ms = :now_ms
    WHERE sha256 = ANY (:gone) AND unnamed_at_ms IS NULL""")
# Whoever names an object anew puts it anew, which takes the mark off.
_DUE = text("""
    DELETE FROM large_piece WHERE sha256 IN (
        SELECT sha256 FROM large_piece
        WHERE sha256 = ANY (:gone) AND unnamed_at_ms < :before_ms
        ORDER BY unnamed_at_ms LIMIT :most)
    RETURNING sha256""")
# A newer release says of an open one what it may not bring back: that is kept as long.
_OLD = """
    SELECT release_id FROM release_flight
    WHERE state IN ('settled', 'dropped') AND at_ms < :before_ms AND release_id < coalesce(
        (SELECT min(release_id) FROM release_flight WHERE state IN ('frozen', 'flying')),
        9223372036854775807)"""
_FORGET = tuple(
    text(f"""
    DELETE FROM {table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {table} WHERE release_id IN ({_OLD}) LIMIT {ROWS_MAX}))""")  # noqa: S608 - constants
    for table in ("release_change", "release_wave_store")
)


def prune(database: Database, objects: ObjectStore, now_ms: int) -> int:
    """Drop objects that no manifest names, and what old releases changed; how many objects.

    What is looked for long holds up nobody: only what was made meanwhile is looked at alone.
    Raises UnavailableError `objects.unavailable`; nothing is lost by it.
    """
    with database.snapshot() as connection:
        newest = int(connection.execute(_NEWEST).scalar_one())
        unnamed = [str(name) for (name,) in connection.execute(_UNNAMED)]
    with database.begin() as connection:
        for statement in _FORGET:
            connection.execute(statement, {"before_ms": now_ms - KEPT_MS})
    if not unnamed:
        return 0
    with database.begin() as connection:
        lock_for_transaction(connection, PUBLICATION_LOCK)
        asked = {"gone": unnamed, "rev": newest}
        gone = [str(name) for (name,) in connection.execute(_STILL, asked)]
        small = _drop(connection, gone, now_ms)
    large = 0
    while large < LARGE_MAX:
        with database.begin() as connection:
            lock_for_transaction(connection, PUBLICATION_LOCK)
            count = _let_go(connection, objects, gone, now_ms)
        large += count
        if count < LARGE_AT_ONCE:
            break
    return small + large


def _drop(connection: Connection, gone: list[str], now_ms: int) -> int:
    connection.execute(_DROP_SNAPSHOTS, {"gone": gone})
    connection.execute(_MARK, {"gone": gone, "now_ms": now_ms})
    return int(connection.execute(_DROP_PIECES, {"gone": gone}).rowcount)


def _let_go(connection: Connection, objects: ObjectStore, gone: list[str], now_ms: int) -> int:
    """Delete large objects that nothing has named for long; cut off, the next run goes on."""
    asked = {"gone": gone, "before_ms": now_ms - LARGE_KEPT_MS, "most": LARGE_AT_ONCE}
    due = [str(name) for (name,) in connection.execute(_DUE, asked)]
    for name in due:
        objects.delete(name)
    return len(due)
