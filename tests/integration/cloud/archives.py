"""An archive over a real database and a real folder, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from cloud.archive.objects import ObjectStore
from cloud.archive.seal import Terms
from cloud.archive.service import Archivist, Pass
from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import Verdict, ingest
from cloud.posters import POSTERS
from cloud.signing import HqKey
from tests.fakes.box_stream import START_MS, BoxStream
from tests.lab.cloud_api import SettableClock

HQ = HqKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(slots=True)
class Office:
    """Head office's database and archive, and a way to reach both."""

    database: Database
    objects: ObjectStore
    clock: SettableClock = field(default_factory=lambda: SettableClock(START_MS))
    key: HqKey | None = HQ
    terms: Terms = field(default_factory=Terms)

    @property
    def archivist(self) -> Archivist:
        return Archivist(self.database, self.objects, self.clock, self.terms, self.key)

    def archivist_with(self, on_restored: Callable[[], None]) -> Archivist:
        return replace(self.archivist, on_restored=on_restored)

    def archive(self, **how: bool) -> Pass:
        done = self.archivist.run(at_once=True, **how)
        assert done is not None
        return done

    def send(self, box: BoxStream, first: int, last: int) -> Verdict:
        arrival = read_arrival(box.dev, box.batch(first, last))
        return ingest(
            database=self.database, arrival=arrival, posters=POSTERS, now_ms=self.clock.at_ms
        )

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.database.begin() as connection:
            return [tuple(row) for row in connection.execute(text(statement), values)]

    def run(self, statement: str, **values: Any) -> int:
        with self.database.begin() as connection:
            return connection.execute(text(statement), values).rowcount

    def safe(self, box: BoxStream) -> tuple[int, bytes]:
        ((seq, found),) = self.rows(
            "SELECT safe_seq, safe_hash FROM stream WHERE stream_id = :s", s=box.stream_id
        )
        return seq, bytes(found or b"")

    def segments(self, box: BoxStream) -> list[tuple[int, int]]:
        statement = "SELECT from_seq, to_seq FROM segment WHERE stream_id = :s ORDER BY 1"
        return [(row[0], row[1]) for row in self.rows(statement, s=box.stream_id)]


def empty(database: Database) -> None:
    """Leave the tables and nothing in them: an archive is about all of a database."""
    tables = "SELECT string_agg(tablename, ', ') FROM pg_tables WHERE schemaname = 'public'"
    with database.begin() as connection:
        names = connection.execute(
            text(f"{tables} AND tablename NOT IN ('alembic_version', 'audit')")
        )
        connection.execute(text(f"TRUNCATE {names.scalar_one()} CASCADE"))
