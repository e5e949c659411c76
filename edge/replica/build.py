"""Turn published objects into rows: a snapshot into a new file, a delta into an existing one.

Either way the result is counted and its digest compared before anyone may read it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from edge.identity import sync_folder
from edge.replica.schema import OPEN_REV, TABLES, RecordTable, row_of, stored_key, table_of
from shared.kernel.errors import CorruptError, RefusedError
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import DIGEST_MODULUS, EMPTY_DIGEST, digest_hex
from shared.wire.objects import iter_lines

_BATCH = 2000
_BODIES = frozenset({dict, type(None)})


@dataclass(frozen=True, slots=True)
class Contents:
    """What a catalogue file holds at its newest revision."""

    rev: int
    records: int
    digest: int


def build_snapshot(target: Path, manifest: Manifest, sources: Mapping[str, Path]) -> Contents:
    """Make the catalogue file `target` of the snapshot objects, durably, whole or not at all.

    `sources` maps their SHA-256 to files. Raises RefusedError when an object is none, CorruptError
    when it is not what was promised.
    """
    temporary = target.with_name(target.name + ".new")
    remove_catalog(temporary)
    try:
        contents = _write_snapshot(temporary, manifest, sources)
        _sync_file(temporary)
    except BaseException:
        remove_catalog(temporary)
        raise
    temporary.replace(target)
    sync_folder(target.parent)
    return contents


def apply_delta(
    writer: sqlite3.Connection, contents: Contents, piece: Piece, source: Path
) -> Contents:
    """Put a delta's records into the writer's open transaction; gives the new contents."""
    assert contents.rev == piece.from_rev
    digest, records, seen = contents.digest, contents.records, 0
    for kind, key, body, sha in _records(source):
        seen += 1
        table = table_of(kind)
        old = _close_row(writer, table, stored_key(kind, key), piece.to_rev)
        if old is not None:
            digest -= int.from_bytes(old, "big")
            records -= 1
        if body is not None:
            row = (*row_of(kind, key, body), piece.to_rev, OPEN_REV, sha)
            writer.execute(table.insert_sql, row)
            digest += int.from_bytes(sha, "big")
            records += 1
    _check_count(piece, seen)
    return Contents(piece.to_rev, records, digest % DIGEST_MODULUS)


def check_contents(contents: Contents, manifest: Manifest) -> None:
    """CorruptError `replica.digest` when box and cloud do not hold the same records."""
    same = (
        contents.rev == manifest.rev
        and contents.records == manifest.records
        and digest_hex(contents.digest) == manifest.digest
    )
    if not same:
        raise CorruptError("replica.digest", revision=manifest.rev, records=contents.records)


def put_contents(connection: sqlite3.Connection, contents: Contents) -> None:
    """Remember the newest contents in the catalogue file itself."""
    connection.execute(
        "INSERT OR REPLACE INTO contents(rev, records, digest) VALUES(?,?,?)",
        (contents.rev, contents.records, digest_hex(contents.digest)),
    )


def read_contents(connection: sqlite3.Connection) -> tuple[int, Contents]:
    """First revision that a catalogue file can show, and its newest contents."""
    rows = connection.execute("SELECT rev, records, digest FROM contents ORDER BY rev").fetchall()
    if not rows:
        raise CorruptError("replica.contents")
    rev, records, digest = rows[-1]
    return rows[0][0], Contents(rev, records, int(digest, 16))


def remove_catalog(path: Path) -> None:
    """Delete a catalogue file and SQLite's files beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _write_snapshot(path: Path, manifest: Manifest, sources: Mapping[str, Path]) -> Contents:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        # No one reads the file before it is renamed, so a crash may leave it in any state.
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        for table in TABLES.values():
            create_table(connection, table)
        connection.execute(
            "CREATE TABLE contents(rev INTEGER PRIMARY KEY, records INTEGER, digest TEXT) STRICT"
        )
        connection.execute("BEGIN")
        contents = Contents(manifest.snapshot.to_rev, 0, EMPTY_DIGEST)
        for piece in manifest.snapshots:
            contents = _fill(connection, contents, piece, sources[piece.sha256])
        if manifest.rev == contents.rev:
            check_contents(contents, manifest)
        for table in TABLES.values():
            create_indexes(connection, table)
        put_contents(connection, contents)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()
    return contents


def _sync_file(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def create_table(connection: sqlite3.Connection, table: RecordTable) -> None:
    """Make the table of one kind of record, without its indexes."""
    from sqlite_utils import Database  # noqa: PLC0415 - only a new snapshot needs it

    database = Database(connection)
    database.table(table.name).create(table.columns, not_null=set(table.not_null), strict=True)


def create_indexes(connection: sqlite3.Connection, table: RecordTable) -> None:
    """Make a table's indexes: faster once the rows are there."""
    for columns in table.indexes:
        name = "_".join((table.name, *columns))
        connection.execute(f"CREATE INDEX {name} ON {table.name}({', '.join(columns)})")


def _fill(
    connection: sqlite3.Connection, contents: Contents, piece: Piece, source: Path
) -> Contents:
    """Add the records of one of the snapshots; none of them is in another one."""
    digest, seen = contents.digest, 0
    records = _records(source)
    while batch := list(islice(records, _BATCH)):
        seen += len(batch)
        rows: dict[str, list[tuple[Any, ...]]] = {}
        for kind, key, body, sha in batch:
            if body is None:
                raise CorruptError("replica.tombstone", key=key)
            digest += int.from_bytes(sha, "big")
            row = (*row_of(kind, key, body), piece.to_rev, OPEN_REV, sha)
            rows.setdefault(kind, []).append(row)
        for kind, values in rows.items():
            connection.executemany(table_of(kind).insert_sql, values)
    _check_count(piece, seen)
    return Contents(piece.to_rev, contents.records + seen, digest % DIGEST_MODULUS)


def _records(source: Path) -> Iterator[tuple[str, str, dict[str, Any] | None, bytes]]:
    """Kind, key, body and SHA-256 of each line.

    A line is a record's canonical bytes, so its hash needs no second serialisation.
    """
    with source.open("rb") as stream:
        for line in iter_lines(stream):
            try:
                raw = orjson.loads(line)
                kind, key, body = raw["k"], raw["i"], raw["b"]
            except (ValueError, KeyError, TypeError):
                raise _no_record(line) from None
            if type(kind) is not str or type(key) is not str or type(body) not in _BODIES:
                raise _no_record(line)
            yield kind, key, body, hashlib.sha256(line).digest()


def _no_record(line: bytes) -> RefusedError:
    return RefusedError("publication.record", line=line[:80].decode(errors="replace"))


def _close_row(writer: sqlite3.Connection, table: RecordTable, key: str, rev: int) -> bytes | None:
    """End a key's live row; gives its hash, or None when the key is new."""
    found = writer.execute(table.live_sql, (key,)).fetchone()
    if found is None:
        return None
    writer.execute(table.close_sql, (rev, found[0]))
    old: bytes = found[1]
    return old


def _check_count(piece: Piece, seen: int) -> None:
    if seen != piece.records:
        raise CorruptError("replica.records", expected=piece.records, found=seen)
