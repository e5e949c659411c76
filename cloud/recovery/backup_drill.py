"""The rehearsal of a restore from backups: a server of its own, compared with what lives.

The newest base backup is unpacked and the WAL behind it replayed.

What the living database holds at one instant must be in the restored one, journal by journal:
every entry's number, hash and body go into the digests.  The books of a store are compared where
none of its journals went on meanwhile.  What the restored one names among published objects must
have a copy, and some of the copies are opened.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.backup import store
from cloud.backup.base import bases_of
from cloud.backup.names import wal_name
from cloud.backup.recover import Recovery, recovered
from cloud.backup.restore import Progress, Target, prepare
from cloud.backup.sealed_files import Vault
from cloud.backup.store import Run
from cloud.db import Database, driver
from cloud.ingest.posting import Poster
from cloud.recovery.digest import BITS, NOTHING, Digest, digests_of, tables_of
from cloud.recovery.object_drill import damaged_copies, objects_without_copy
from shared.kernel.errors import RefusedError, RetailError, UnavailableError

DRILL = "drill"
ARCHIVED_WITHIN_MS = 120_000
SHOWN_MAX = 100
_STREAMS = """
SELECT encode(e.stream_id, 'hex'), e.store_id, count(*), max(e.seq),
    sum(hashtextextended(e.seq || encode(e.hash, 'hex') || e.body::text, 0))::text
FROM entry e GROUP BY 1, 2"""
_STREAMS_UP_TO = """
SELECT encode(e.stream_id, 'hex'), e.store_id, count(*), max(e.seq),
    sum(hashtextextended(e.seq || encode(e.hash, 'hex') || e.body::text, 0))::text
FROM entry e JOIN unnest(%s::bytea[], %s::bigint[]) AS living(stream_id, head)
    ON living.stream_id = e.stream_id AND e.seq <= living.head
GROUP BY 1, 2"""
_HEADS = "SELECT encode(stream_id, 'hex'), head_seq FROM stream WHERE head_seq >= 0"
_SWITCH = "SELECT pg_current_wal_insert_lsn()::text, pg_walfile_name(pg_switch_wal())"


@dataclass(frozen=True, slots=True)
class StreamDigest:
    """A journal as a database holds it: its store, highest entry, digest of all entries."""

    store_id: str
    head: int
    digest: Digest


Streams = dict[str, StreamDigest]


@dataclass(frozen=True, slots=True)
class DrillParts:
    """The living database, what it published, where the backups lie and what opens them."""

    vault: Vault
    private: bytes
    recovery: Recovery
    posters: Sequence[Poster]
    objects: ObjectStore
    scratch: Path | None = None
    """The folder that a server may be restored in; None takes the machine's temporary one."""


@dataclass(slots=True)
class BackupDrill:
    """What came back, how long each part took (ms), and each difference as where and code."""

    streams: int = 0
    entries: int = 0
    tables: int = 0
    objects: int = 0
    bytes: int = 0
    segments: int = 0
    base: str = ""
    reaches_ms: int = 0
    unpack_ms: int = 0
    replay_ms: int = 0
    took_ms: int = 0
    differences: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        """Whether the backups alone bring back what lives."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class _Living:
    """The living database at one instant; everything in it was written before `lsn`."""

    streams: Streams
    books: Mapping[tuple[str, str], Digest]
    at_ms: int
    lsn: str
    base: str
    """The newest base backup that was made, by name; "" before the first."""
    copied_ms: int | None
    """When what is published was last copied."""


def backup_drill(
    database: Database, parts: DrillParts, progress: Progress = lambda *_: None
) -> BackupDrill:
    """Run a drill and keep its outcome, also where the restore itself fails.

    RefusedError `backup.wal_off` where PostgreSQL archives nothing: then there is no instant to
    restore to. UnavailableError `backup.wal_late` where the newest WAL does not come.
    """
    clock = parts.vault.clock
    began_ms = clock.mono_ms()
    living = _living(database, parts)
    folder = Path(tempfile.mkdtemp(prefix="tillbox-drill-", dir=parts.scratch))
    told = BackupDrill(reaches_ms=living.at_ms)
    try:
        _restore_and_compare(told, living, parts, (folder / "server", progress))
    except RetailError as error:
        told.differences.append(("", error.code))
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        told.took_ms = clock.mono_ms() - began_ms
        _keep(database, told, clock.now_ms())
    return told


def _restore_and_compare(
    told: BackupDrill, living: _Living, parts: DrillParts, to: tuple[Path, Progress]
) -> None:
    clock, (folder, progress) = parts.vault.clock, to
    begun_ms = clock.mono_ms()
    target = Target(to_lsn=living.lsn)
    prepared = prepare(parts.vault, parts.private, target, folder, progress)
    told.base, told.bytes, told.segments = prepared.base.name, prepared.bytes, prepared.segments
    told.unpack_ms = clock.mono_ms() - begun_ms
    if living.base and living.base not in {each.name for each in bases_of(parts.vault)}:
        told.differences.append((living.base, "drill.base"))
    begun_ms = clock.mono_ms()
    with recovered(parts.recovery, prepared, is_rehearsal=True) as restored:
        told.replay_ms = clock.mono_ms() - begun_ms
        with restored.begin() as connection:
            found = _streams(connection, living.streams)
            heads: dict[str, int] = dict(driver(connection).execute(_HEADS).fetchall())
            books = digests_of(connection, tables_of(parts.posters))
            named, bare = objects_without_copy(
                connection, parts.vault, parts.objects, living.copied_ms
            )
    _compare(told, living, (found, heads, books))
    told.objects = len(named)
    told.differences += [(name, "drill.object") for name in sorted(bare)]
    told.differences += damaged_copies(parts.vault, parts.private, named - bare, clock.now_ms())


def _living(database: Database, parts: DrillParts) -> _Living:
    at_ms = parts.vault.clock.now_ms()
    with database.snapshot() as connection:
        if not store.archiver(connection).is_on:
            raise RefusedError("backup.wal_off")
        streams = _streams(connection, None)
        books = digests_of(connection, tables_of(parts.posters))
        base = store.last_run(connection, "base", only_ok=True)
        copied_ms = store.objects_copied_ms(connection)
    with database.begin() as connection:
        row = driver(connection).execute(_SWITCH).fetchone()
    assert row is not None
    lsn, file = row
    _wait_for_wal(parts, str(file))
    name = "" if base is None else base.name
    return _Living(streams, books, at_ms, str(lsn), name, copied_ms)


def _wait_for_wal(parts: DrillParts, file: str) -> None:
    """PostgreSQL archives in order: once this file is there, all before it are."""
    clock, name = parts.vault.clock, wal_name(file)
    until_ms = clock.mono_ms() + ARCHIVED_WITHIN_MS
    while not any(each.name == name for each in parts.vault.stash.files(name)):
        if clock.mono_ms() > until_ms:
            raise UnavailableError("backup.wal_late", file=file)
        parts.recovery.wait(0.2)


def _streams(connection: Connection, up_to: Streams | None) -> Streams:
    below = driver(connection)
    if up_to is None:
        rows = below.execute(_STREAMS)
    else:
        ids = [bytes.fromhex(each) for each in up_to]
        rows = below.execute(_STREAMS_UP_TO, (ids, [each.head for each in up_to.values()]))
    return {
        stream: StreamDigest(store_id, head, Digest(count, int(total) % (1 << BITS)))
        for stream, store_id, count, head, total in rows
    }


def _compare(
    told: BackupDrill,
    living: _Living,
    restored: tuple[Streams, Mapping[str, int], Mapping[tuple[str, str], Digest]],
) -> None:
    streams, heads, books = restored
    for stream, expected in sorted(living.streams.items()):
        if streams.get(stream) != expected:
            told.differences.append((stream, "drill.stream"))
    # What was committed between the look and the mark in the log is in the restored one alone.
    went_on = {
        each.store_id for stream, each in living.streams.items() if heads.get(stream) != each.head
    }
    quiet = {each.store_id for each in living.streams.values()} - went_on
    keys = {key for key in living.books.keys() | books.keys() if key[1] in quiet}
    for key in sorted(keys):
        if living.books.get(key, NOTHING) != books.get(key, NOTHING):
            told.differences.append((" ".join(key), "drill.table"))
    told.streams = len(streams)
    told.entries = sum(each.digest.rows for each in streams.values())
    told.tables = len(keys)


def _keep(database: Database, told: BackupDrill, now_ms: int) -> None:
    report: dict[str, Any] = asdict(told) | {"differences": told.differences[:SHOWN_MAX]}
    run = Run(
        kind=DRILL,
        at_ms=now_ms,
        took_ms=told.took_ms,
        is_ok=told.is_ok,
        name=told.base,
        bytes=told.bytes,
        reaches_ms=told.reaches_ms,
        report=report,
    )
    with database.begin() as connection:
        store.add_run(connection, run)
