"""Many stores in every standing that there is, put into the database as they are."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import orjson
from sqlalchemy import text

from cloud.db import Database, copy_rows
from cloud.publication.converge import SILENT_AFTER_MS

KINDS = ("item", "price", "offer", "config", "staff")
ERRORS = (None, None, None, "replica.digest")
NOW_MS = 2_000_000_000_000
RELEASES, REVS = 3, 9
RELEASE = 900_001
TABLES = (
    "store, device, box_state, lineage, zone_revision, publication, release_store,"
    " release_flight, desired, software_state"
)
DEVICE = ("dev", "store_id", "secret_hash", "journal_pub", "status", "hw_fp", "created_at_ms")
BOX = (
    *("dev", "store_id", "online", "last_contact_at_ms", "stored_rev", "active_rev"),
    *("shown_rev", "error", "held", "reads"),
)
LINEAGE = ("store_id", "rev", "now_rev", "inc", "scopes", "digest", "records", "kinds")
REVISION = ("zone", "rev", "manifest_sha", "sig", "digest", "records", "manifest", "kinds")
SOFTWARE = ("dev", "running", "wanted", "state", "since_ms", "error", "trusted", "at_ms")


def fill(database: Database, count: int, seed: int = 7) -> None:
    """`count` stores, each in a standing of its own, around the instant `NOW_MS`."""
    random = Random(seed)  # noqa: S311 - test data
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for number in range(count):
        for table, row in _store(random, f"{number}"):
            rows.setdefault(table, []).append(row)
    with database.begin() as connection:
        connection.execute(text(f"TRUNCATE {TABLES} CASCADE"))
        publications = [(rev, NOW_MS - rev, "a", "", None) for rev in range(1, REVS + 1)]
        columns = ("rev", "at_ms", "by", "note", "release_id")
        copy_rows(connection, "publication", columns, publications)
        flights = [(RELEASE + n, "flying", 1) for n in range(RELEASES)]
        copy_rows(connection, "release_flight", ("release_id", "state", "at_ms"), flights)
        for table, columns in COLUMNS.items():
            copy_rows(connection, table, columns, rows.get(table, []))
        connection.execute(text("ANALYZE"))


COLUMNS: dict[str, tuple[str, ...]] = {
    "store": ("store_id", "name", "time_zone", "currency"),
    "device": DEVICE,
    "box_state": BOX,
    "lineage": LINEAGE,
    "zone_revision": REVISION,
    "release_store": ("release_id", "store_id", "rev", "at_ms", "state"),
    "desired": ("dev", "gen", "software"),
    "software_state": SOFTWARE,
}


def _store(random: Random, store_id: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    yield "store", (store_id, f"Store {store_id}", "UTC", "EUR")
    now_rev = random.choice((None, 1, 2, 3))
    if now_rev is not None:
        kinds = {kind: random.randint(1, now_rev) for kind in KINDS if random.random() < 0.7}
        told = orjson.dumps(kinds).decode()
        yield "lineage", (store_id, now_rev, now_rev, "i", [""], "", 0, told)
        yield from _waiting(random, store_id, now_rev)
    if random.random() < 0.9:
        yield from _box(random, store_id)


def _waiting(random: Random, store_id: str, now_rev: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for n in range(random.choice((0, 0, 1, 2, RELEASES))):
        rev = now_rev + 1 + n
        kinds = random.sample(KINDS, random.randint(1, 2))
        yield "zone_revision", (f"store-{store_id}", rev, "", "", "", 0, b"", kinds)
        held = (RELEASE + n, store_id, rev, NOW_MS + rev * 1_000, "held")
        yield "release_store", held


def _box(random: Random, store_id: str) -> Iterator[tuple[str, tuple[Any, ...]]]:
    dev = f"d-{store_id.rjust(16, 'a')}"
    yield "device", (dev, store_id, b"", b"", "active", "", 0)
    if random.random() < 0.8:
        age_ms = random.choice((None, 0, SILENT_AFTER_MS, SILENT_AFTER_MS + 1))
        heard = None if age_ms is None else NOW_MS - age_ms
        stored, active, shown = (random.choice((None, 0, 1, 2, 3, 4, 5)) for _ in range(3))
        held = random.choice((None, None, "clock.untrusted"))
        error, reads = random.choice(ERRORS), random.choice((None, 1, 2, 2))
        yield (
            "box_state",
            (dev, store_id, True, heard, stored, active, shown, error, held, reads),
        )
    if random.random() < 0.6:
        wanted = random.choice((None, {"version": "1.0"}, {"version": "2.0"}))
        yield "desired", (dev, 1, None if wanted is None else orjson.dumps(wanted).decode())
    if random.random() < 0.6:
        state = random.choice(("idle", "fetch", "swap", "failed", "watch"))
        error = random.choice((None, "release.held.basket"))
        yield "software_state", (dev, "1.0", "2.0", state, 0, error, "1.0", NOW_MS)
