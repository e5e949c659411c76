"""Publishing: drafts become a signed revision of each zone that they touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, groupby, islice

from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.db import Database, incarnation, lock_for_transaction, notify
from cloud.desired import announce
from cloud.publication import store
from cloud.publication.compile import (
    Change,
    Revision,
    Sum,
    ZoneHead,
    ZoneRevision,
    candidates_of,
    changes_of,
    compile_revision,
    sum_of,
    sum_of_hashes,
)
from cloud.publication.store import Publication, SignedManifest
from cloud.records import CHAIN, RecordSource, zone_of
from cloud.signing import HqKey
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.publication.manifest import manifest_bytes, signing_statement
from shared.publication.revision import Record, record_bytes

PUBLICATION_LOCK = 7_461_002
CHANNEL = "tillbox_publication"
PUTS_AT_ONCE = 8
ZONES_AT_ONCE = 32
"""Bounds what is in memory: each of them may have a snapshot."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """What publishing needs of the process."""

    database: Database
    objects: ObjectStore
    hq_key: HqKey
    sources: Sequence[RecordSource]


@dataclass(frozen=True, slots=True)
class Publish:
    """Who publishes, when and why."""

    by: str
    at_ms: int
    note: str


@dataclass(frozen=True, slots=True)
class Published:
    """A finished publication and how many stores it reaches."""

    rev: int
    at_ms: int
    stores: int


@dataclass(slots=True)
class _Run:
    """One publication under way."""

    publisher: Publisher
    connection: Connection
    revision: Revision
    changes: dict[str, list[Change]]
    chain_lines: list[bytes] | None = None
    sums: dict[str, Sum] = field(default_factory=dict)

    def changes_in(self, zone: str) -> list[Change]:
        """What changes for a zone: its own records and those of the whole chain."""
        both = self.changes.get(CHAIN, []) + self.changes.get(zone, [])
        return sorted(both, key=lambda change: change.key[1:])

    def total(self, head: ZoneHead) -> Sum:
        """What the zone's records will sum to."""
        if head.manifest is not None:
            return head.sum() + sum_of(self.changes_in(head.zone))
        return self._sum_in(CHAIN) + self._sum_in(head.zone)

    def snapshot_lines(self, zone: str) -> Iterator[bytes]:
        """Every record line of a zone."""
        if self.chain_lines is None:
            self.chain_lines = list(self._lines_in(CHAIN))
        return chain(self.chain_lines, self._lines_in(zone))

    def store_and_sign(self, compiled: ZoneRevision) -> SignedManifest:
        """Put the new object and the manifest; uses no database, so zones may go side by side."""
        manifest, objects = compiled.manifest, self.publisher.objects
        objects.put(compiled.piece)
        data = manifest_bytes(manifest)
        name = objects.put(data)
        signature = self.publisher.hq_key.sign(signing_statement(sha256(data)))
        return SignedManifest(manifest, name, signature.hex(), data)

    def _lines_in(self, scope: str) -> Iterable[bytes]:
        fresh = [change.line for change in self.changes.get(scope, ()) if change.new is not None]
        if len(fresh) == self._sum_in(scope).records:  # as at the first publication
            return fresh
        return map(record_bytes, self._records_in(scope))

    def _records_in(self, scope: str) -> Iterator[Record]:
        for source in self.publisher.sources:
            if scope == CHAIN:
                yield from source.chain_records(self.connection)
            else:
                yield from source.zone_records(self.connection, scope)

    def _sum_in(self, scope: str) -> Sum:
        if scope not in self.sums:
            self.sums[scope] = sum_of_hashes(store.hashes_of(self.connection, scope))
        return self.sums[scope]


def publish(publisher: Publisher, command: Publish) -> Published:
    """Make a revision of all drafts, one publication at a time.

    Raises RefusedError `publication.nothing` when no store would get anything new,
    UnavailableError `objects.unavailable`.
    """
    published = publisher.database.alone(
        PUBLICATION_LOCK, lambda connection: _publish(publisher, connection, command)
    )
    if published is None:
        raise RefusedError("publication.nothing")
    return published


def welcome(connection: Connection, store_id: str, dev: str) -> None:
    """Let a new box want what its store sells by, if anything was published for it."""
    # Whoever comes second sees the other: the publication the box, or the box the publication.
    lock_for_transaction(connection, PUBLICATION_LOCK)
    signed = store.zone_head(connection, zone_of(store_id))
    if signed is not None:
        inc = incarnation(connection)
        store.desire(connection, store_id=store_id, signed=signed, inc=inc, dev=dev)
        notify(connection, CHANNEL, str(signed.manifest.rev))
        announce(connection)


def _publish(publisher: Publisher, connection: Connection, command: Publish) -> Published | None:
    changes = _changes(publisher.sources, connection)
    stores, heads = store.zones(connection), store.heads(connection)
    by_scope = _by_scope(changes)
    reached = [
        zone for zone in stores if CHAIN in by_scope or zone in by_scope or zone not in heads
    ]
    if not reached:
        if not changes:  # drafts that were taken back say what is published already
            _mark(publisher, connection, store.next_rev(connection) - 1)
        return None
    revision = Revision(store.next_rev(connection), incarnation(connection))
    store.add_publication(
        connection, Publication(revision.rev, command.at_ms, command.by, command.note)
    )
    store.put_hashes(connection, changes)
    run = _Run(publisher, connection, revision, by_scope)
    with ThreadPoolExecutor(max_workers=PUTS_AT_ONCE) as pool:
        for some in _batched(reached, ZONES_AT_ONCE):
            compiled = [_compile_zone(run, heads.get(zone, ZoneHead(zone))) for zone in some]
            for zone, signed in zip(some, pool.map(run.store_and_sign, compiled), strict=True):
                store.add_zone_revision(connection, signed)
                store.desire(connection, store_id=stores[zone], signed=signed, inc=revision.inc)
    _mark(publisher, connection, revision.rev)
    notify(connection, CHANNEL, str(revision.rev))
    announce(connection)
    return Published(revision.rev, command.at_ms, len(reached))


def _changes(sources: Iterable[RecordSource], connection: Connection) -> list[Change]:
    candidates = candidates_of(draft for source in sources for draft in source.drafts(connection))
    keys = (candidate.key for candidate in candidates)
    return changes_of(candidates, store.known_hashes(connection, keys))


def _by_scope(changes: Iterable[Change]) -> dict[str, list[Change]]:
    by_scope = groupby(changes, key=lambda change: change.key[0])
    return {scope: list(found) for scope, found in by_scope}


def _compile_zone(run: _Run, head: ZoneHead) -> ZoneRevision:
    return compile_revision(
        head,
        run.revision,
        run.changes_in(head.zone),
        run.total(head),
        lambda: run.snapshot_lines(head.zone),
    )


def _mark(publisher: Publisher, connection: Connection, rev: int) -> None:
    for source in publisher.sources:
        source.mark_published(connection, rev)


def _batched(names: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(names)
    while some := list(islice(rest, size)):
        yield some
