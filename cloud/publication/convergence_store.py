"""SQL of convergence: what each store should sell with beside what its box last reported.

Reads `store`, `device`, `box_state`, `desired` and `software_state`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

_ROWS = text("""
    SELECT store.store_id, store.name, lineage.now_rev AS target_rev, lineage.kinds,
           state.stored_rev, state.active_rev, state.shown_rev,
           state.stored_at_ms, state.active_at_ms, state.shown_at_ms,
           state.last_contact_at_ms, state.error, state.held, state.reads, device.dev,
           desired.software->>'version' AS wanted_software, software.running AS software,
           software.state AS software_state, software.error AS software_error
    FROM store
    LEFT JOIN lineage USING (store_id)
    LEFT JOIN device ON device.store_id = store.store_id AND device.status = 'active'
    LEFT JOIN box_state state ON state.dev = device.dev
    LEFT JOIN desired ON desired.dev = device.dev
    LEFT JOIN software_state software ON software.dev = device.dev
    WHERE (:dev = '' OR device.dev = :dev)
      AND (CAST(:stores AS text[]) IS NULL OR store.store_id = ANY (:stores))
    ORDER BY length(store.store_id), store.store_id""")
_LATER = text("""
    SELECT had.store_id, had.rev, had.at_ms, made.kinds
    FROM release_store had JOIN release_flight flight USING (release_id)
    JOIN zone_revision made ON made.zone = 'store-' || had.store_id AND made.rev = had.rev
    WHERE had.state = 'held' AND flight.state = 'flying' AND (
        :dev = '' OR had.store_id = (SELECT store_id FROM device WHERE dev = :dev))
      AND (CAST(:stores AS text[]) IS NULL OR had.store_id = ANY (:stores))
    ORDER BY had.rev""")
_MADE_AT = text("SELECT rev, at_ms FROM publication WHERE rev = ANY (:revs)")


def rows(
    connection: Connection, dev: str = "", stores: list[str] | None = None
) -> list[dict[str, Any]]:
    """One row per store: the one of a box (`dev`), those that are named, or all."""
    asked = {"dev": dev, "stores": stores}
    return [dict(row) for row in connection.execute(_ROWS, asked).mappings()]


def later(
    connection: Connection, dev: str = "", stores: list[str] | None = None
) -> list[tuple[str, int, int, list[str]]]:
    """Store, revision, instant (UTC ms) and kinds of everything that waits, by revision."""
    found = connection.execute(_LATER, {"dev": dev, "stores": stores})
    return [(str(store), int(rev), int(at_ms), list(kinds)) for store, rev, at_ms, kinds in found]


def made_at(connection: Connection, revs: set[int]) -> dict[int, int]:
    """When revisions were made and announced (UTC ms)."""
    found = connection.execute(_MADE_AT, {"revs": sorted(revs)})
    return {int(rev): int(at_ms) for rev, at_ms in found}


def target_rev(connection: Connection) -> int:
    """The newest publication's number; 0 before the first."""
    found = connection.execute(text("SELECT coalesce(max(rev), 0) FROM publication"))
    return int(found.scalar_one())


def has_more(connection: Connection, number: int) -> bool:
    """Whether more than a number of stores have revisions."""
    statement = text("SELECT EXISTS (SELECT FROM lineage OFFSET :number)")
    return bool(connection.execute(statement, {"number": number}).scalar_one())
