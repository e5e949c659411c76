"""A small chain over the real engine, and a model of what its stores should hold."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from cloud.archive.objects import ObjectStore
from cloud.db import Database
from cloud.publication import engine
from cloud.publication.engine import PUBLICATION_LOCK, Act, Frozen, Moved, Publisher
from cloud.publication.serve import PieceCache, Shelf
from cloud.records import ScopedRecord
from cloud.signing import HqKey
from shared.kernel.canonical import sha256
from shared.publication.manifest import Manifest, parse_manifest, pieces_needed
from shared.publication.revision import (
    Record,
    RecordKind,
    digest_add,
    digest_hex,
    parse_record,
    record_bytes,
)
from shared.wire.objects import iter_lines

Content = dict[str, bytes]
"""Key and line of every record."""
Edits = Mapping[tuple[str, str], int | None]
"""Scope and key of prices, and what they become; None removes them."""
TABLES = (
    "store, desired, record, scope_sum, release_change, release_flight, release_draft,"
    " release_store, lineage, zone_revision, publication, scope_snapshot, piece"
)


@dataclass(slots=True)
class Drafts:
    """A source whose drafts are in memory."""

    waiting: dict[tuple[str, str], int | None] = field(default_factory=dict)
    name: str = "made"

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """See RecordSource."""
        del connection
        for (scope, key), minor in self.waiting.items():
            yield ScopedRecord(scope, Record(RecordKind.PRICE, key, body_of(minor)))

    def take(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        del connection, release_id
        self.waiting.clear()

    def give_back(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""

    def mark_published(self, connection: Connection, release_id: int, rev: int) -> None:
        """See RecordSource."""


@dataclass(slots=True)
class Box:
    """What a box of a store holds, and how it came to it."""

    rev: int = 0
    inc: str = ""
    content: Content = field(default_factory=dict)
    pieces: int = 0


class EngineChain:
    """Stores, releases and their boxes; `at_ms` is the time of all."""

    def __init__(self, database: Database, objects: ObjectStore, key: HqKey) -> None:
        self.drafts = Drafts()
        self.database = database
        self.publisher = Publisher(database, objects, key, (self.drafts,))
        self.shelf = Shelf(database, objects, PieceCache())
        self.at_ms = 1000
        self.releases = 0

    def clear(self, zones: Mapping[str, str | None]) -> None:
        """Begin anew with these stores and their price zones."""
        self.at_ms, self.releases = 1000, 0
        with self.database.begin() as connection:
            connection.execute(text(f"TRUNCATE {TABLES} CASCADE"))
            for store_id, zone_id in zones.items():
                if zone_id is not None:
                    connection.execute(
                        text("""
                        INSERT INTO price_zone (zone_id, name) VALUES (:zone, :zone)
                        ON CONFLICT DO NOTHING"""),
                        {"zone": zone_id},
                    )
                connection.execute(
                    text("""
                    INSERT INTO store (store_id, name, time_zone, currency, zone_id)
                    VALUES (:store, :store, 'UTC', 'EUR', :zone)"""),
                    {"store": store_id, "zone": zone_id},
                )

    def act(self) -> Act:
        return Act("test", self.at_ms)

    def freeze(self, edits: Edits) -> tuple[int, Frozen]:
        """A new release of these edits."""
        self.releases += 1
        release_id = self.releases
        self.drafts.waiting = dict(edits)
        frozen = self.database.alone(
            PUBLICATION_LOCK,
            lambda connection: engine.freeze(self.publisher, connection, release_id, self.at_ms),
        )
        return release_id, frozen

    def bring(self, release_id: int, stores: Mapping[str, int]) -> Moved:
        with self.database.begin() as connection:
            return engine.bring(self.publisher, connection, release_id, stores, self.act())

    def withdraw(self, release_id: int, stores: Collection[str]) -> Moved:
        with self.database.begin() as connection:
            return engine.withdraw(self.publisher, connection, release_id, stores, self.act())

    def settle(self, release_id: int) -> None:
        with self.database.begin() as connection:
            engine.settle(self.publisher, connection, release_id, self.act())

    def drop(self, release_id: int) -> None:
        with self.database.begin() as connection:
            engine.drop(self.publisher, connection, release_id, give_back=True)

    def ripen(self) -> int:
        with self.database.begin() as connection:
            return engine.ripen(connection, self.at_ms)

    def heads(self, store_id: str) -> list[Manifest]:
        """What a store should sell by: now, and later in turn."""
        with self.database.begin() as connection:
            rows = connection.execute(
                text("""
                SELECT made.manifest FROM lineage
                JOIN zone_revision made ON made.zone = 'store-' || store_id
                WHERE store_id = :store AND (made.rev = now_rev OR made.rev IN (
                    SELECT had.rev FROM release_store had JOIN release_flight flight
                      USING (release_id)
                    WHERE had.store_id = :store AND had.state = 'held'
                      AND flight.state = 'flying'))
                ORDER BY made.rev"""),
                {"store": store_id},
            )
            return [parse_manifest(bytes(data)) for (data,) in rows]

    def follow(self, box: Box, manifest: Manifest) -> None:
        """Let a box come to a revision; its content sums to what the manifest says."""
        needed = pieces_needed(manifest, box.rev, box.inc)
        box.pieces += len(needed)
        content = {} if needed and needed[0].from_rev == 0 else dict(box.content)
        for piece in needed:
            lines = list(iter_lines(io.BytesIO(self.read(piece.sha256))))
            assert len(lines) == piece.records
            for line in lines:
                record = parse_record(line)
                if record.body is None:
                    del content[record.key]
                else:
                    content[record.key] = line
        digest = 0
        for line in content.values():
            digest = digest_add(digest, sha256(line))
        assert (digest_hex(digest), len(content)) == (manifest.digest, manifest.records)
        box.rev, box.inc, box.content = manifest.rev, manifest.inc, content

    def read(self, name: str) -> bytes:
        """An object as a box gets it."""
        small = self.shelf.small(name)
        return b"".join(self.publisher.objects.chunks(name)) if small is None else small


def body_of(minor: int | None) -> dict[str, object] | None:
    """The body of a price record."""
    return None if minor is None else {"prices": [[0, minor, None]]}


def line_of(key: str, minor: int) -> bytes:
    """The line of a price record."""
    return record_bytes(Record(RecordKind.PRICE, key, body_of(minor)))
