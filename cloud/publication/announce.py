"""Put the desired documents where the boxes find them: retained, one per box.

A lost announcement is repaired three ways: the message is retained, everything is announced again
after each connection to the broker, and a box whose hello names another revision is told again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection

from cloud.db import Database, driver
from shared.kernel.errors import UnavailableError
from shared.kernel.ids import DeviceId
from shared.wire.topics import down_desired

CHANNEL = "tillbox_publication"
CHUNK = 200
FULL_QUEUE_WAIT_S = 0.05
FULL_QUEUE_TRIES = 200

DOCUMENTS = """
SELECT d.dev, d.doc, d.changed_rev FROM desired d JOIN device v ON v.dev = d.dev
WHERE v.status = 'active' AND d.changed_rev > %s ORDER BY d.changed_rev, d.dev"""
RETIRING = """
SELECT v.dev, d.doc FROM device v LEFT JOIN desired d ON d.dev = v.dev
WHERE v.status = 'retiring'"""
DOCUMENT = """
SELECT v.status, d.doc FROM device v LEFT JOIN desired d ON d.dev = v.dev
WHERE v.status <> 'revoked' AND v.dev = %s"""
ACTIVE, RETIRED = "active", "retiring"
NOTHING_PUBLISHED = {"v": 1, "gen": 0, "inc": "", "catalog": None}

_log = structlog.get_logger("cloud.publication")

Publish = Callable[[str, bytes], bool]
"""Topic and payload, to be retained; False when the broker is away or has enough."""


@dataclass(slots=True)
class Announcer:
    """Announces desired documents; `announced_rev` is the newest publication that went out."""

    database: Database
    publish: Publish
    announced_rev: int = -1
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def announce_all(self) -> int:
        """Announce to every box, as after a connection to the broker; answers how many."""
        with self._turn:
            self.announced_rev = -1
            return self._announce_retiring() + self._announce()

    def announce_new(self) -> int:
        """Announce what publications changed since the last time: costs what changed.

        Raises UnavailableError `broker.unreachable` when the broker takes no more; the next call
        begins where this one ended.
        """
        with self._turn:
            return self._announce()

    def announce_one(self, dev: DeviceId) -> None:
        """Announce to a box whose standing changed."""
        found = self._document(dev)
        if found is not None:
            self._send(dev, _told(*found))

    def check(self, dev: DeviceId, stored_rev: int) -> None:
        """Announce again to a box that has another revision than it should, or is to retire."""
        found = self._document(dev)
        if found is None:
            return
        status, doc = found
        wanted = None if doc is None else (doc.get("catalog") or {}).get("rev")
        if status != ACTIVE or wanted != stored_rev:
            self.publish(down_desired(dev), orjson.dumps(_told(status, doc)))

    def _document(self, dev: DeviceId) -> tuple[str, dict[str, Any] | None] | None:
        with self.database.begin() as connection:
            found = driver(connection).execute(DOCUMENT, (dev,)).fetchone()
        return None if found is None else (found[0], found[1])

    def _announce_retiring(self) -> int:
        with self.database.begin() as connection:
            rows = driver(connection).execute(RETIRING).fetchall()
        for dev, doc in rows:
            self._send(DeviceId(dev), _told(RETIRED, doc))
        return len(rows)

    def _announce(self) -> int:
        count, newest = 0, self.announced_rev
        with self.database.begin() as connection:
            for dev, doc, rev in _documents(connection, self.announced_rev):
                self._send(dev, doc)
                # Rows come in the order of their publication: all older ones are out by now.
                self.announced_rev, newest = max(self.announced_rev, rev - 1), rev
                count += 1
        self.announced_rev = max(self.announced_rev, newest)
        if count:
            _log.info("publication.announced", boxes=count, rev=newest)
        return count

    def _send(self, dev: DeviceId, doc: dict[str, Any]) -> None:
        payload, topic = orjson.dumps(doc), down_desired(dev)
        for _ in range(FULL_QUEUE_TRIES):
            if self.publish(topic, payload):
                return
            time.sleep(FULL_QUEUE_WAIT_S)
        raise UnavailableError("broker.unreachable")


def _told(status: str, doc: dict[str, Any] | None) -> dict[str, Any]:
    """The document; one that is not in service gets its status, and no prices: it may not fetch."""
    told = doc or NOTHING_PUBLISHED
    return told if status == ACTIVE else {**told, "catalog": None, "status": status}


def _documents(
    connection: Connection, after_rev: int
) -> Iterator[tuple[DeviceId, dict[str, Any], int]]:
    with driver(connection).cursor(name="announce") as cursor:
        cursor.itersize = CHUNK
        for dev, doc, rev in cursor.execute(DOCUMENTS, (after_rev,)):
            yield DeviceId(dev), doc, rev
