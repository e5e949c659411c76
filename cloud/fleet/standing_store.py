"""SQL of a box's standing: its status, its journal streams, and who did what to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

EVENTS_MAX = 50
PREVIOUS_MAX = 16
DAY_STREAMS = 4
"""Newest journals of a store in which its last business day is looked for."""

_LOCK = text("""
    SELECT device.dev, device.store_id, device.status FROM device
    JOIN store USING (store_id) WHERE device.dev = :dev FOR UPDATE""")
_OTHER_ACTIVE = text("""
    SELECT dev FROM device WHERE store_id = :store_id AND status = 'active' AND dev <> :dev""")
_SET_STATUS = text("UPDATE device SET status = :status WHERE dev = :dev")
_TOKEN_HASH = text("SELECT token_hash FROM claim WHERE dev = :dev")
_WAS_HEARD = text("""
    SELECT EXISTS (SELECT FROM box_state WHERE dev = :dev)
        OR EXISTS (SELECT FROM stream WHERE dev = :dev AND head_seq >= 0)""")
_ADD_EVENT = text("""
    INSERT INTO fleet_event (at_ms, dev, store_id, action, by, reason)
    VALUES (:at_ms, :dev, :store_id, :action, :by, :reason)""")
_EVENTS = text("""
    SELECT at_ms, dev, store_id, action, by, reason FROM fleet_event
    WHERE dev = :dev ORDER BY id DESC LIMIT :most""")
_COUNT = text("""
    SELECT count(*) FROM fleet_event
    WHERE dev = :dev AND action = :action AND at_ms > :since_ms""")
_STREAMS = text("""
    SELECT encode(stream_id, 'hex') AS stream, ordinal, cause, status, head_seq,
        greatest(edge_head, head_seq) AS edge_head_seq, safe_seq, opened_at_ms, rx_at_ms
    FROM stream WHERE dev = :dev ORDER BY ordinal DESC""")
_PREVIOUS = text("""
    SELECT encode(stream_id, 'hex') AS stream, head_seq AS seq,
        coalesce(encode(head_hash, 'hex'), '') AS hash,
        encode(device.journal_pub, 'hex') AS journal_pub, device.dev
    FROM stream JOIN device USING (dev)
    WHERE stream.store_id = :store_id AND stream.status IN ('open', 'fork')
    ORDER BY ordinal DESC LIMIT :most""")
# The primary key is read backwards: a day ago at most there is an opening or a close.
_NEWEST_DAY = text("""
    SELECT found.type, found.body FROM (
        SELECT stream_id FROM stream WHERE store_id = :store_id AND head_seq >= 0
        ORDER BY ordinal DESC LIMIT :most) newest
    CROSS JOIN LATERAL (
        SELECT type, body, at_ms FROM entry
        WHERE entry.stream_id = newest.stream_id AND entry.store_id = :store_id
            AND type IN ('day.opened', 'day.closed')
        ORDER BY seq DESC LIMIT 1) found
    ORDER BY found.at_ms DESC LIMIT 1""")


@dataclass(frozen=True, slots=True)
class Standing:
    """A box and its status: `active`, `retiring` or `revoked`."""

    dev: str
    store_id: str
    status: str


@dataclass(frozen=True, slots=True)
class FleetEvent:
    """What was done to a box, when (UTC ms), by whom and why."""

    at_ms: int
    dev: str
    store_id: str
    action: str
    by: str
    reason: str


def lock_standing(connection: Connection, dev: str) -> Standing | None:
    """A box's status, and nobody changes it or enrols another of its store meanwhile."""
    row = connection.execute(_LOCK, {"dev": dev}).one_or_none()
    return None if row is None else Standing(*row)


def other_active(connection: Connection, box: Standing) -> str | None:
    """Another box of the store that is in service."""
    found = connection.execute(_OTHER_ACTIVE, {"store_id": box.store_id, "dev": box.dev})
    dev: str | None = found.scalars().first()
    return dev


def set_status(connection: Connection, dev: str, status: str) -> None:
    """Change a box's status."""
    connection.execute(_SET_STATUS, {"dev": dev, "status": status})


def claim_of(connection: Connection, dev: str) -> bytes | None:
    """The hash of the token that a box was enrolled with."""
    found = connection.execute(_TOKEN_HASH, {"dev": dev}).scalar_one_or_none()
    return None if found is None else bytes(found)


def was_heard(connection: Connection, dev: str) -> bool:
    """Whether a box has been in contact since it was enrolled."""
    return bool(connection.execute(_WAS_HEARD, {"dev": dev}).scalar_one())


def add_event(connection: Connection, event: FleetEvent) -> None:
    """Write down what was done."""
    connection.execute(_ADD_EVENT, asdict(event))


def events(connection: Connection, dev: str) -> list[FleetEvent]:
    """What was done to a box, the newest first."""
    rows = connection.execute(_EVENTS, {"dev": dev, "most": EVENTS_MAX})
    return [FleetEvent(*row) for row in rows]


def count(connection: Connection, dev: str, action: str, since_ms: int) -> int:
    """How often something was done to a box since an instant."""
    values = {"dev": dev, "action": action, "since_ms": since_ms}
    return int(connection.execute(_COUNT, values).scalar_one())


def streams(connection: Connection, dev: str) -> list[dict[str, Any]]:
    """A box's journal lives, the newest first."""
    return [dict(row) for row in connection.execute(_STREAMS, {"dev": dev}).mappings()]


def open_streams(connection: Connection, store_id: str) -> list[dict[str, Any]]:
    """A store's journals that may still be continued: {stream, seq, hash, journal_pub, dev}."""
    values = {"store_id": store_id, "most": PREVIOUS_MAX}
    return [dict(row) for row in connection.execute(_PREVIOUS, values).mappings()]


def newest_day(connection: Connection, store_id: str) -> tuple[str, bytes] | None:
    """Type and body of the last opening or close of a business day that a store has sent."""
    values = {"store_id": store_id, "most": DAY_STREAMS}
    row = connection.execute(_NEWEST_DAY, values).one_or_none()
    return None if row is None else (str(row[0]), bytes(row[1]))
