"""Publishing: drafts become a signed revision of each zone that they touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby

from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.db import Database, incarnation, notify
from cloud.publication import store
from cloud.publication.compile import (
    Change,
    Revision,
    Sum,
    ZoneHead,
    ZoneRevision,
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
from shared.publication.revision import record_bytes

PUBLICATION_LOCK = 7_461_002
CHANNEL = "tillbox_publication"


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
    chain_lines: list[bytes] | None = field(default=None)
    chain_total: Sum | None = field(default=None)

    def changes_in(self, zone: str) -> list[Change]:
        """What changes for a zone: its own records and those of the whole chain."""
        both = self.changes.get(CHAIN, []) + self.changes.get(zone, [])
        return sorted(both, key=lambda change: change.key[1:])

    def total(self, head: ZoneHead) -> Sum:
        """What the zone's records will sum to."""
        if head.manifest is not None:
            return head.sum() + sum_of(self.changes_in(head.zone))
        if self.chain_total is None:
            self.chain_total = sum_of_hashes(store.hashes_of(self.connection, CHAIN))
        return self.chain_total + sum_of_hashes(store.hashes_of(self.connection, head.zone))

    def snapshot_lines(self, zone: str) -> Iterator[bytes]:
        """Every record line of a zone."""
        sources = self.publisher.sources
        if self.chain_lines is None:
            of_chain = (source.chain_records(self.connection) for source in sources)
            self.chain_lines = list(map(record_bytes, chain.from_iterable(of_chain)))
        of_zone = (source.zone_records(self.connection, zone) for source in sources)
        return chain(self.chain_lines, map(record_bytes, chain.from_iterable(of_zone)))


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
    signed = store.zone_head(connection, zone_of(store_id))
    if signed is not None:
        inc = incarnation(connection)
        store.desire(connection, store_id=store_id, signed=signed, inc=inc, dev=dev)
        notify(connection, CHANNEL, str(signed.rev))


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
    for zone in reached:
        signed = _publish_zone(run, heads.get(zone, ZoneHead(zone)))
        store.desire(connection, store_id=stores[zone], signed=signed, inc=revision.inc)
    _mark(publisher, connection, revision.rev)
    notify(connection, CHANNEL, str(revision.rev))
    return Published(revision.rev, command.at_ms, len(reached))


def _changes(sources: Iterable[RecordSource], connection: Connection) -> list[Change]:
    drafts = [draft for source in sources for draft in source.drafts(connection)]
    keys = [(draft.scope, draft.record.kind.value, draft.record.key) for draft in drafts]
    return changes_of(drafts, store.known_hashes(connection, keys))


def _by_scope(changes: Iterable[Change]) -> dict[str, list[Change]]:
    by_scope = groupby(changes, key=lambda change: change.key[0])
    return {scope: list(found) for scope, found in by_scope}


def _publish_zone(run: _Run, head: ZoneHead) -> SignedManifest:
    compiled = compile_revision(
        head,
        run.revision,
        run.changes_in(head.zone),
        run.total(head),
        lambda: run.snapshot_lines(head.zone),
    )
    signed = _store_and_sign(run.publisher, compiled)
    store.add_zone_revision(
        run.connection,
        signed,
        digest=compiled.manifest.digest,
        records=compiled.manifest.records,
    )
    return signed


def _store_and_sign(publisher: Publisher, compiled: ZoneRevision) -> SignedManifest:
    """Objects first: a manifest never names one that is not there."""
    publisher.objects.put(compiled.piece)
    data = manifest_bytes(compiled.manifest)
    name = publisher.objects.put(data)
    signature = publisher.hq_key.sign(signing_statement(sha256(data)))
    return SignedManifest(
        compiled.manifest.zone, compiled.manifest.rev, name, signature.hex(), data
    )


def _mark(publisher: Publisher, connection: Connection, rev: int) -> None:
    for source in publisher.sources:
        source.mark_published(connection, rev)
