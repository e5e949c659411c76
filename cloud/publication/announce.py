"""Put the desired documents where the boxes find them: retained, one per box.

A lost announcement is repaired three ways: the message is retained, everything is announced again
after each connection to the broker, and a box whose hello names another revision is told again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from sqlalchemy import Connection

from cloud.db import Database, driver
from cloud.desired import DOCUMENT_COLUMNS, Letter, document
from shared.kernel.errors import UnavailableError
from shared.kernel.ids import DeviceId
from shared.wire.topics import down_desired

CHUNK = 200
FULL_QUEUE_WAIT_S = 0.05
FULL_QUEUE_TRIES = 200

DOCUMENTS = f"""
SELECT d.dev, d.changed_no, {DOCUMENT_COLUMNS} FROM desired d JOIN device v ON v.dev = d.dev
WHERE v.status = 'active' AND d.changed_no > %s ORDER BY d.changed_no"""  # noqa: S608 - constants
RETIRING = f"""
SELECT v.dev, d.dev IS NULL, {DOCUMENT_COLUMNS} FROM device v LEFT JOIN desired d ON d.dev = v.dev
WHERE v.status = 'retiring'"""  # noqa: S608 - constants
DOCUMENT = f"""
SELECT v.status, d.dev IS NULL, {DOCUMENT_COLUMNS}
FROM device v LEFT JOIN desired d ON d.dev = v.dev
WHERE v.status <> 'revoked' AND v.dev = %s"""  # noqa: S608 - constants
ACTIVE, RETIRED = "active", "retiring"
NOTHING_PUBLISHED = {"v": 1, "gen": 0, "inc": "", "catalog": None}

_log = structlog.get_logger("cloud.publication")

Publish = Callable[[str, bytes], bool]
"""Topic and payload, to be retained; False when the broker is away or has enough."""


@dataclass(slots=True)
class Announcer:
    """Announces desired documents; `announced_no` is the newest change that went out."""

    database: Database
    publish: Publish
    letter: Letter | None = None
    """How documents are signed; None on a machine without head office's key."""
    announced_no: int = -1
    _good_until_ms: int = 0
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def announce_all(self) -> int:
        """Announce to every box, as after a connection to the broker; answers how many."""
        with self._turn:
            self.announced_no = -1
            return self._announce_retiring() + self._announce()

    def announce_new(self) -> int:
        """Announce what changed since the last time, whichever room changed it.

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
        status, told = found
        if status != ACTIVE or _newest_rev(told) != stored_rev:
            self.publish(down_desired(dev), self._bytes_of(dev, _told(status, told)))

    def keep_fresh(self) -> None:
        """Announce to every box in time: signed documents that the broker keeps run out."""
        good_until_ms = 0 if self.letter is None else self.letter.until_ms()
        before_ms, self._good_until_ms = self._good_until_ms, good_until_ms
        if before_ms not in {0, good_until_ms}:
            self.announce_all()

    def _bytes_of(self, dev: str, told: dict[str, Any]) -> bytes:
        return orjson.dumps(told) if self.letter is None else self.letter.bytes_of(dev, told)

    def _document(self, dev: DeviceId) -> tuple[str, dict[str, Any]] | None:
        with self.database.begin() as connection:
            found = driver(connection).execute(DOCUMENT, (dev,)).fetchone()
        return None if found is None else (found[0], _document_of(found[1:]))

    def _announce_retiring(self) -> int:
        with self.database.begin() as connection:
            rows = driver(connection).execute(RETIRING).fetchall()
        for dev, *row in rows:
            self._send(DeviceId(dev), _told(RETIRED, _document_of(row)))
        return len(rows)

    def _announce(self) -> int:
        count, began = 0, time.monotonic()
        with self.database.begin() as connection:
            for dev, number, told in _documents(connection, self.announced_no):
                self._send(dev, told)
                # Rows come in the order of their changes: all older ones are out by now.
                self.announced_no = number
                count += 1
        if count:
            took_ms = int((time.monotonic() - began) * 1_000)
            _log.info(
                "publication.announced", boxes=count, change=self.announced_no, took_ms=took_ms
            )
        return count

    def _send(self, dev: DeviceId, told: dict[str, Any]) -> None:
        payload, topic = self._bytes_of(dev, told), down_desired(dev)
        for _ in range(FULL_QUEUE_TRIES):
            if self.publish(topic, payload):
                return
            time.sleep(FULL_QUEUE_WAIT_S)
        raise UnavailableError("broker.unreachable")


def _told(status: str, told: dict[str, Any]) -> dict[str, Any]:
    """The document; one that is not in service gets its status, and no prices: it may not fetch."""
    if status == ACTIVE:
        return told
    return {**told, "catalog": None, "next": [], "software": None, "status": status}


def _newest_rev(told: dict[str, Any]) -> int | None:
    heads = [told["catalog"], *told.get("next", ())]
    return None if heads[-1] is None else heads[-1]["rev"]


def _document_of(row: Sequence[Any]) -> dict[str, Any]:
    is_missing, *parts = row
    return NOTHING_PUBLISHED if is_missing else document(parts)


def _documents(
    connection: Connection, after_no: int
) -> Iterator[tuple[DeviceId, int, dict[str, Any]]]:
    with driver(connection).cursor(name="announce") as cursor:
        cursor.itersize = CHUNK
        for dev, number, *parts in cursor.execute(DOCUMENTS, (after_no,)):
            yield DeviceId(dev), number, document(parts)
