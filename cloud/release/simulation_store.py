"""SQL of simulations that wait, run or are done; each is the work of one process at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, text

LOST_MS = 60_000
"""One that has not been heard of for so long is taken up again by somebody else."""
STORES_MAX = 20
_ASK = text("""
    INSERT INTO release_simulation (release_id, state) VALUES (:release_id, 'waiting')
    ON CONFLICT (release_id) DO NOTHING""")
_CLAIM = text("""
    UPDATE release_simulation SET state = 'running', beat_at_ms = :now_ms, done = 0
    WHERE release_id = (
        SELECT release_id FROM release_simulation
        WHERE state = 'waiting' OR state = 'running' AND beat_at_ms < :now_ms - :lost_ms
        ORDER BY release_id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING release_id""")
_BEAT = text("""
    UPDATE release_simulation SET beat_at_ms = :now_ms, done = :done, total = :total
    WHERE release_id = :release_id""")
_END = text("""
    UPDATE release_simulation SET state = :state, because = :because, from_on = :from_on,
        to_on = :to_on, totals = CAST(:totals AS jsonb)
    WHERE release_id = :release_id""")
_FIND = text("""
    SELECT state, because, done, total, from_on, to_on, totals FROM release_simulation
    WHERE release_id = :release_id""")
# The stores of a release with the most sales in the days that are looked at.
_BUSIEST = text("""
    SELECT sale.store_id FROM sale JOIN release_wave_store placed
        ON placed.store_id = sale.store_id AND placed.release_id = :release_id
    WHERE business_date BETWEEN :from_on AND :to_on
    GROUP BY sale.store_id ORDER BY count(*) DESC, sale.store_id LIMIT :most""")
# Store by store, which the index answers; over all at once it would read every sale.
_LAST_DAY = text("""
    SELECT max(newest.day) FROM store CROSS JOIN LATERAL (
        SELECT max(business_date) AS day FROM sale WHERE sale.store_id = store.store_id) newest""")
NONE: dict[str, Any] = {
    "state": "none",
    "because": None,
    "done": 0,
    "total": 0,
    "from_on": None,
    "to_on": None,
    "totals": [],
}


def ask(connection: Connection, release_id: int) -> None:
    """Have a release simulated."""
    connection.execute(_ASK, {"release_id": release_id})


def claim(connection: Connection, now_ms: int) -> int | None:
    """Take up the oldest one that waits or was left; its release."""
    found = connection.execute(_CLAIM, {"now_ms": now_ms, "lost_ms": LOST_MS})
    release_id: int | None = found.scalar_one_or_none()
    return release_id


def beat(connection: Connection, release_id: int, now_ms: int, done: int, total: int) -> None:
    """Say that somebody is at it."""
    told = {"release_id": release_id, "now_ms": now_ms, "done": done, "total": total}
    connection.execute(_BEAT, told)


def end(connection: Connection, release_id: int, told: dict[str, Any]) -> None:
    """It is `done` or `failed`: `state`, `because`, `from_on`, `to_on`, `totals`."""
    totals = orjson.dumps(told["totals"]).decode()
    connection.execute(_END, {"release_id": release_id, **told, "totals": totals})


def find(connection: Connection, release_id: int) -> dict[str, Any]:
    """How far it is."""
    row = connection.execute(_FIND, {"release_id": release_id}).mappings().one_or_none()
    return NONE if row is None else dict(row)


def busiest(connection: Connection, release_id: int, from_on: date, to_on: date) -> list[str]:
    """The stores to simulate."""
    asked = {"release_id": release_id, "from_on": from_on, "to_on": to_on, "most": STORES_MAX}
    return [str(store_id) for (store_id,) in connection.execute(_BUSIEST, asked)]


def last_day(connection: Connection) -> date | None:
    """The last business date with sales."""
    found: date | None = connection.execute(_LAST_DAY).scalar_one()
    return found
