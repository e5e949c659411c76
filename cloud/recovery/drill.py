"""The restore drill: bring everything back from the archive alone, and compare.

An archive that nobody has read a whole chain back from is a hope.  While the last drill failed no
box is told to forget anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection

from cloud.archive import segment_store, tree_store
from cloud.archive.objects import ObjectStore
from cloud.archive.packing import pack
from cloud.archive.register import read_register, register_lines
from cloud.archive.seal import AT_ONCE, Sealer
from cloud.archive.seal import Terms as SealTerms
from cloud.archive.service import ARCHIVIST_LOCK
from cloud.db import Database, connect, driver, sibling
from cloud.ingest.posting import Poster
from cloud.recovery.branch import branch_entries
from cloud.recovery.digest import NOTHING, Digest, digests_of, tables_of
from cloud.recovery.refill import Progress, Refill, Refilled, RefillTerms
from cloud.signing import HqKey
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, UnavailableError

HEADS = "SELECT encode(stream_id, 'hex'), head_seq, head_hash FROM stream WHERE head_seq >= 0"
RECORD = """
INSERT INTO restore_drill (at_ms, took_ms, is_ok, report) VALUES (%s, %s, %s, %s)"""

Heads = dict[str, tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A database at one instant: heads by stream (hex), digests by table and store, trees.

    `branches` are entries that are kept beside their stream.
    """

    heads: Heads
    digests: dict[tuple[str, str], Digest]
    roots: dict[int, bytes]
    branches: frozenset[tuple[str, int, bytes]]

    def ends(self) -> dict[str, int]:
        """The highest sequence number of each stream, whichever branch has it."""
        found = {stream: seq for stream, (seq, _) in self.heads.items()}
        for stream, seq, _ in self.branches:
            found[stream] = max(seq, found.get(stream, -1))
        return found


@dataclass(frozen=True, slots=True)
class Office:
    """The living database, its archive and the key of headquarters."""

    database: Database
    objects: ObjectStore
    posters: Sequence[Poster]
    clock: Clock
    key: HqKey
    terms: SealTerms = field(default_factory=SealTerms)


@dataclass(slots=True)
class DrillReport:
    """What came back, and each difference as a text of where and a dotted code."""

    streams: int = 0
    entries: int = 0
    tables: int = 0
    trees: int = 0
    took_ms: int = 0
    differences: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_ok(self) -> bool:
        """Whether the archive alone is as good as the database."""
        return not self.differences


def drill(
    office: Office, into: str | None = None, progress: Progress = lambda *_: None
) -> DrillReport:
    """Run a drill and keep its outcome.

    `into` names an empty database; without it one is made beside the living one and dropped
    again. Raises UnavailableError when the archive, the database or the archivist is not to be
    had: that says nothing about the archive, and nothing is kept.
    """
    from cloud.migrations.run import migrate  # noqa: PLC0415 - Alembic loads slowly

    started_ms, at_ms = office.clock.mono_ms(), office.clock.now_ms()
    report = DrillReport()
    living = _seal_all(office, report)
    with _scratch(office.database, into, f"tillbox_drill_{at_ms}") as scratch:
        migrate(scratch)
        key = bytes.fromhex(office.key.public_hex)
        refill = Refill(
            scratch, office.objects, office.posters, RefillTerms(key, at_ms, living.ends())
        )
        done = refill.run(progress)
        with scratch.begin() as connection:
            restored = snapshot_of(connection, office.posters)
    _judge(report, living, restored, done)
    report.took_ms = office.clock.mono_ms() - started_ms
    with office.database.begin() as connection:
        told = orjson.dumps(asdict(report)).decode()
        driver(connection).execute(RECORD, (at_ms, report.took_ms, report.is_ok, told))
    return report


def snapshot_of(connection: Connection, posters: Sequence[Poster]) -> Snapshot:
    """Everything that a restore must bring back, as the transaction sees it."""
    rows = driver(connection).execute(HEADS).fetchall()
    return Snapshot(
        heads={stream: (seq, bytes(found)) for stream, seq, found in rows},
        digests=digests_of(connection, tables_of(posters)),
        roots={tree.head.n: tree.head.root for tree in tree_store.trees(connection)},
        branches=frozenset(branch_entries(connection)),
    )


def _seal_all(office: Office, report: DrillReport) -> Snapshot:
    """Seal each stream up to its head of one instant, and say what there was at that instant."""
    now_ms = office.clock.now_ms()
    with office.database.try_session_lock(ARCHIVIST_LOCK) as is_held:
        if not is_held:
            raise UnavailableError("archive.busy")
        with office.database.snapshot() as connection:
            living = snapshot_of(connection, office.posters)
            due = segment_store.due_streams(connection, AT_ONCE.entries, now_ms)
            register = read_register(connection, now_ms)
        lines = register_lines(register, office.key)
        office.objects.put(pack(lines), office.terms.keep_until_ms(now_ms))
        sealer = Sealer(office.database, office.objects, office.terms)
        for stream in due:
            try:
                for _ in sealer.seal(stream, now_ms):
                    pass
            except CorruptError as error:
                report.differences.append((stream.stream_id.hex(), error.code))
    return living


@contextmanager
def _scratch(living: Database, into: str | None, name: str) -> Iterator[Database]:
    """A database for the drill; one that we made is dropped, whatever happens."""
    if into is not None:
        with closing(Database(into)) as opened:
            yield opened
        return
    with closing(connect(living.url, autocommit=True)) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            with closing(Database(sibling(living.url, name))) as opened:
                yield opened
        finally:
            server.execute(f'DROP DATABASE "{name}" (FORCE)'.encode())


def _judge(report: DrillReport, living: Snapshot, restored: Snapshot, done: Refilled) -> None:
    """Fill the report; whatever is in one and not the same in the other is a difference."""
    differences = report.differences
    differences += done.problems
    if not done.has_register:
        differences.append(("", "drill.register"))
    # The archive does not know which of two branches came first; having both is what counts.
    heads = {
        stream: head
        for stream, head in living.heads.items()
        if (stream, *head) not in restored.branches
    }
    _compare(differences, heads, restored.heads, "drill.head")
    roots = {str(n): root for n, root in living.roots.items()}
    _compare(differences, roots, {str(n): root for n, root in restored.roots.items()}, "drill.tree")
    keys = living.digests.keys() | restored.digests.keys()
    for table, store_id in sorted(keys):
        expected = living.digests.get((table, store_id), NOTHING)
        if restored.digests.get((table, store_id), NOTHING) != expected:
            differences.append((f"{table} {store_id}", "drill.table"))
    report.streams = len(restored.heads)
    report.entries = done.entries
    report.tables = len(keys)
    report.trees = len(restored.roots)


def _compare(
    differences: list[tuple[str, str]],
    expected: Mapping[str, Any],
    found: Mapping[str, Any],
    code: str,
) -> None:
    """Everything expected is there and the same; a tree that came meanwhile does not matter."""
    differences += [(key, code) for key in sorted(expected) if found.get(key) != expected[key]]
