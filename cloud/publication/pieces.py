"""Where published objects lie: small ones in the database, large ones in the object store.

A chain of ten thousand stores makes ten thousand small objects with some releases: rows of one
COPY instead of as many files or uploads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import Connection, text

from cloud.archive.objects import ObjectStore
from cloud.db import copy_rows, driver
from cloud.publication.compile import Packed, Sum, manifest_hex

SMALL_BYTES_MAX = 16 * 1024
PUTS_AT_ONCE = 8

_STAGE = text("""
    CREATE TEMP TABLE IF NOT EXISTS made_piece (
        sha256 text NOT NULL, data bytea NOT NULL) ON COMMIT DROP""")
_PUT = text("""
    INSERT INTO piece (sha256, data) SELECT sha256, data FROM made_piece
    ON CONFLICT (sha256) DO NOTHING""")
_COUNT = text("""
    INSERT INTO large_piece (sha256, made_at_ms) SELECT unnest(CAST(:names AS text[])), :at_ms
    ON CONFLICT (sha256) DO UPDATE SET unnamed_at_ms = NULL""")
_READ = text("SELECT sha256, data FROM piece WHERE sha256 = ANY (:names)")
_KNOWN = text("""
    SELECT scope, digest, sha256, size, records FROM scope_snapshot
    JOIN unnest(CAST(:scopes AS text[]), CAST(:digests AS text[])) asked (scope, digest)
    USING (scope, digest)""")
_KEEP = text("""
    INSERT INTO scope_snapshot (scope, digest, sha256, size, records)
    VALUES (:scope, :digest, :sha256, :size, :records) ON CONFLICT DO NOTHING""")
# The base of scopes with some releases in flight laid over it.
_LINES = """
    SELECT scope, line FROM (
        SELECT scope, kind, key, line FROM record base
        WHERE scope = ANY (%(scopes)s) AND NOT EXISTS (
            SELECT FROM release_change over
            WHERE over.release_id = ANY (%(releases)s) AND over.scope = base.scope
              AND over.kind = base.kind AND over.key = base.key)
        UNION ALL
        SELECT scope, kind, key, new_line FROM release_change
        WHERE release_id = ANY (%(releases)s) AND scope = ANY (%(scopes)s)
          AND new_sha IS NOT NULL) held (scope, kind, key, line)
    ORDER BY scope, kind, key"""
LINES_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class ScopePiece:
    """A snapshot of one scope: the object's SHA-256 (hex), its bytes and lines."""

    sha256: str
    size: int
    records: int


def put(
    connection: Connection, objects: ObjectStore, made: Mapping[str, bytes], at_ms: int
) -> None:
    """Store objects (by SHA-256, hex); UnavailableError `objects.unavailable`."""
    large = [data for data in made.values() if len(data) > SMALL_BYTES_MAX]
    if large:
        with ThreadPoolExecutor(max_workers=PUTS_AT_ONCE) as pool:
            names = list(pool.map(objects.put, large))
        connection.execute(_COUNT, {"names": names, "at_ms": at_ms})
    small = [(name, data) for name, data in made.items() if len(data) <= SMALL_BYTES_MAX]
    if small:
        connection.execute(_STAGE)
        connection.execute(text("TRUNCATE made_piece"))
        copy_rows(connection, "made_piece", ("sha256", "data"), small)
        connection.execute(_PUT)


def read_small(connection: Connection, names: Iterable[str]) -> dict[str, bytes]:
    """Those of the objects that lie in the database."""
    found = connection.execute(_READ, {"names": list(names)})
    return {str(name): bytes(data) for name, data in found}


def known_snapshots(
    connection: Connection, wanted: Iterable[tuple[str, Sum]]
) -> dict[tuple[str, str], ScopePiece]:
    """Snapshots that are made already, by scope and digest (hex)."""
    asked = [(scope, manifest_hex(total)) for scope, total in wanted]
    values = {"scopes": [each[0] for each in asked], "digests": [each[1] for each in asked]}
    found = connection.execute(_KNOWN, values)
    return {(scope, digest): ScopePiece(*row) for scope, digest, *row in found}


def keep_snapshots(connection: Connection, made: Mapping[tuple[str, str], ScopePiece]) -> None:
    """Let others with the same content share snapshots."""
    rows = [
        {
            "scope": scope,
            "digest": digest,
            "sha256": piece.sha256,
            "size": piece.size,
            "records": piece.records,
        }
        for (scope, digest), piece in made.items()
    ]
    if rows:
        connection.execute(_KEEP, rows)


def scope_lines(
    connection: Connection, scopes: Iterable[str], releases: Iterable[int]
) -> Iterator[tuple[str, bytes]]:
    """Scope and line of every record of scopes, with releases in flight laid over the base."""
    values = {"scopes": list(scopes), "releases": list(releases)}
    with driver(connection).cursor(name="scope_lines", binary=True) as cursor:
        cursor.execute(_LINES, values)
        while some := cursor.fetchmany(LINES_AT_ONCE):
            yield from some


def scope_piece(packed: Packed) -> ScopePiece:
    """An object as the snapshot of a scope."""
    return ScopePiece(packed.sha256, len(packed.data), packed.lines)
