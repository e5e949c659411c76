"""SQL of how far the stores of a release are, and what its guards saw.

Reads `store`, `device`, `box_state` and `release_store` beside the room's own tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, text

from cloud.publication.converge import TOO_OLD
from cloud.release.guard import BoxFact, Look
from shared.publication.manifest import MANIFEST_VERSION

ONLINE_MS = 180_000
_BOXES = """
    release_wave_store placed
    JOIN store USING (store_id)
    LEFT JOIN release_store brought USING (release_id, store_id)
    LEFT JOIN device ON device.store_id = placed.store_id AND device.status = 'active'
    LEFT JOIN box_state box ON box.dev = device.dev"""
_ONLINE = "(box.online AND box.last_contact_at_ms > :now_ms - :online_ms)"
_TOO_OLD = f"coalesce(box.reads < {MANIFEST_VERSION}, false)"
"""Its software cannot read what is published now: that says nothing about the release."""
_HAS = "brought.state IN ('held', 'active')"
_STATE = f"""
    CASE WHEN brought.state = 'withdrawn' THEN CASE
            (SELECT state FROM release WHERE release.release_id = placed.release_id)
            WHEN 'paused' THEN 'waiting' ELSE 'withdrawn' END
        WHEN brought.rev IS NULL THEN 'waiting'
        WHEN box.shown_rev >= brought.rev THEN 'shown'
        WHEN box.active_rev >= brought.rev THEN 'active'
        WHEN greatest(box.stored_rev, box.next_rev) >= brought.rev THEN 'stored'
        WHEN {_TOO_OLD} THEN 'too_old'
        WHEN NOT coalesce({_ONLINE}, false) THEN 'silent'
        WHEN box.error IS NOT NULL THEN 'failed'
        ELSE 'brought' END"""  # noqa: S608 - fixed text
_PROGRESS = text(f"""
    SELECT placed.release_id, placed.n, {_STATE} AS state, count(*) AS stores
    FROM {_BOXES}
    WHERE placed.release_id = ANY(:releases)
    GROUP BY 1, 2, 3""")  # noqa: S608 - fixed text
_STORES = f"""
    SELECT placed.store_id, store.name, placed.n AS wave, {_STATE} AS state,
        CASE WHEN {_STATE} = 'too_old' THEN '{TOO_OLD}' ELSE box.error END AS because,
        brought.rev, placed.at_ms,
        CASE WHEN greatest(box.stored_rev, box.next_rev) >= brought.rev
            THEN box.stored_at_ms END AS stored_at_ms,
        CASE WHEN box.active_rev >= brought.rev THEN box.active_at_ms END AS active_at_ms,
        CASE WHEN box.shown_rev >= brought.rev THEN box.shown_at_ms END AS shown_at_ms
    FROM {_BOXES}
    WHERE placed.release_id = :release_id"""  # noqa: S608 - fixed text
_FILTER = """
    (:state = '' OR found.state = :state) AND (:wave < 0 OR found.wave = :wave)
    AND (:q = '' OR found.store_id ILIKE :like OR found.name ILIKE :like)"""
_PAGE = text(f"""
    SELECT * FROM ({_STORES}) found WHERE {_FILTER}
    ORDER BY wave, store_id LIMIT :size OFFSET :skip""")  # noqa: S608 - fixed text
_COUNTS = text(f"""
    SELECT state, count(*) FILTER (WHERE {_FILTER}), count(*)
    FROM ({_STORES}) found GROUP BY state""")  # noqa: S608 - fixed text
_GUARDED = text(f"""
    SELECT placed.store_id, count(*) OVER (PARTITION BY placed.n), box.error,
        coalesce(greatest(box.stored_rev, box.next_rev) >= brought.rev, false),
        coalesce({_ONLINE}, false),
        :now_ms - coalesce(wave.started_at_ms, :now_ms)
    FROM {_BOXES} JOIN release_wave wave USING (release_id, n)
    WHERE placed.release_id = :release_id AND {_HAS} AND NOT {_TOO_OLD}""")  # noqa: S608 - fixed text
_RETURNING = text(f"""
    SELECT count(*) FROM {_BOXES}
    WHERE placed.release_id = :release_id AND brought.state = 'withdrawn' AND {_ONLINE}
        AND box.active_rev >= brought.rev AND box.active_rev < brought.gone_rev
    """)  # noqa: S608 - fixed text
_HELD = text("""
    SELECT store_id FROM release_store
    WHERE release_id = :release_id AND state = 'held' AND at_ms > :now_ms""")
# Of a release that is out only a pause takes anything back.
_PUT_OFF = text("""
    SELECT store_id, n, placed.at_ms
    FROM release_wave_store placed JOIN release_store brought USING (release_id, store_id)
    WHERE release_id = :release_id AND brought.state = 'withdrawn' AND n >= 0""")
_KINDS = text(f"""
    SELECT placed.store_id, btrim(coalesce(box.model, '') || ' ' || coalesce(box.sw, ''))
    FROM {_BOXES}
    WHERE placed.release_id = :release_id""")  # noqa: S608 - fixed text
_LOOK = text("""
    INSERT INTO release_guard AS kept (release_id, guard, state, value, at_ms, evidence)
    VALUES (:release_id, :guard, :state, :value, :at_ms, CAST(:evidence AS jsonb))
    ON CONFLICT (release_id, guard) DO UPDATE SET state = excluded.state,
        value = excluded.value, at_ms = excluded.at_ms, evidence = excluded.evidence
    WHERE kept.state <> 'tripped' AND (kept.state, kept.value, kept.evidence)
        IS DISTINCT FROM (excluded.state, excluded.value, excluded.evidence)""")
_LOOKS = text("""
    SELECT guard, state, value, at_ms, evidence FROM release_guard
    WHERE release_id = :release_id""")
_NAMES = text("SELECT store_id, name FROM store WHERE store_id = ANY(:stores)")


class PutOff(NamedTuple):
    """A store that lost a release to a pause: its wave, and its instant (UTC ms)."""

    store_id: str
    n: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class StoreQuery:
    """Which stores of a release are asked for; `wave` below 0: of all waves."""

    state: str = ""
    wave: int = -1
    q: str = ""
    like: str = "%"
    size: int = 50
    skip: int = 0


Counts = dict[int, dict[str, int]]
"""Stores by wave (-1: none yet) and state."""


def progress(connection: Connection, releases: list[int], now_ms: int) -> dict[int, Counts]:
    """How many stores of these releases are how far."""
    asked = {"releases": releases, "now_ms": now_ms, "online_ms": ONLINE_MS}
    found: dict[int, Counts] = {release_id: {} for release_id in releases}
    for release_id, n, state, stores in connection.execute(_PROGRESS, asked):
        found[release_id].setdefault(n, {})[state] = stores
    return found


def stores(
    connection: Connection, release_id: int, query: StoreQuery, now_ms: int
) -> tuple[list[dict[str, Any]], int, dict[str, int]]:
    """A page of a release's stores, how many match, and all by state."""
    asked = {
        "release_id": release_id,
        "now_ms": now_ms,
        "online_ms": ONLINE_MS,
        "state": query.state,
        "wave": query.wave,
        "q": query.q,
        "like": query.like,
    }
    paged = {**asked, "size": query.size, "skip": query.skip}
    rows = [dict(row) for row in connection.execute(_PAGE, paged).mappings()]
    counted = connection.execute(_COUNTS, asked).all()
    total = sum(matching for _, matching, _ in counted)
    return rows, total, {state: count for state, _, count in counted}


def boxes(connection: Connection, release_id: int, now_ms: int) -> list[BoxFact]:
    """The boxes of the stores that have it, for guards."""
    asked = {"release_id": release_id, "now_ms": now_ms, "online_ms": ONLINE_MS}
    return [BoxFact(*row) for row in connection.execute(_GUARDED, asked)]


def returning(connection: Connection, release_id: int, now_ms: int) -> int:
    """Boxes that are online and still sell by what was taken back."""
    asked = {"release_id": release_id, "now_ms": now_ms, "online_ms": ONLINE_MS}
    return int(connection.execute(_RETURNING, asked).scalar_one())


def held(connection: Connection, release_id: int, now_ms: int) -> list[str]:
    """Stores that have it and do not sell by it yet."""
    rows = connection.execute(_HELD, {"release_id": release_id, "now_ms": now_ms})
    return [str(store_id) for (store_id,) in rows]


def put_off(connection: Connection, release_id: int) -> list[PutOff]:
    """The stores from which a pause took a release that is out."""
    return [PutOff(*row) for row in connection.execute(_PUT_OFF, {"release_id": release_id})]


def kinds(connection: Connection, release_id: int) -> dict[str, str]:
    """The hardware and software of each store's box ("": not known)."""
    rows = connection.execute(_KINDS, {"release_id": release_id})
    return {str(store_id): str(kind) for store_id, kind in rows}


def save_looks(connection: Connection, release_id: int, looks: Iterable[Look], now_ms: int) -> None:
    """Keep what guards saw, where it differs; what made one trip stays."""
    rows = [
        {
            "release_id": release_id,
            "guard": look.guard.value,
            "state": look.state,
            "value": look.value,
            "at_ms": now_ms,
            "evidence": orjson.dumps([list(seen) for seen in look.evidence]).decode(),
        }
        for look in looks
    ]
    if rows:
        connection.execute(_LOOK, rows)


def looks(connection: Connection, release_id: int) -> dict[str, dict[str, Any]]:
    """Each guard's last look, with the names of the stores that it saw."""
    found = {
        row["guard"]: dict(row)
        for row in connection.execute(_LOOKS, {"release_id": release_id}).mappings()
    }
    wanted = {seen[0] for row in found.values() for seen in row["evidence"]}
    rows = connection.execute(_NAMES, {"stores": list(wanted)})
    names = {str(store_id): str(name) for store_id, name in rows}
    for row in found.values():
        row["evidence"] = [
            {
                "store_id": store_id,
                "name": names.get(store_id, ""),
                "value": value,
                "text": said,
                "at_ms": row["at_ms"],
            }
            for store_id, value, said in row["evidence"]
        ]
    return found
