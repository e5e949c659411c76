"""SQL of work items.

Open items are not stored: they are read from where they arise (`_SOURCES`), so none can be
forgotten and none outlives its cause. Stored is what people said and did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

# item, kind, store_id (null: the whole chain), code, at_ms. A box that speaks to us, says that it
# has entries for us, and whose journal has not moved for a quarter of an hour before is stuck:
# it halted itself (as when we went back further than it remembers), or we do not take its batches.
# A cold place is looked for 30 days back: goods that were warm for longer are nobody's question.
_SOURCES = """
    SELECT 'entry:' || encode(stream_id, 'hex') || ':' || seq AS item, 'entry' AS kind,
        store_id, flag AS code, at_ms
    FROM entry WHERE flag IS NOT NULL
    UNION ALL
    SELECT 'stream:' || encode(stream_id, 'hex'), 'stream', store_id, 'stream.fork',
        coalesce(rx_at_ms, 0)
    FROM stream WHERE status = 'fork'
    UNION ALL
    SELECT 'stuck:' || dev || ':' || moved_at_ms, 'stream', store_id, 'stream.stuck',
        last_contact_at_ms
    FROM (
        SELECT box.dev, box.store_id, box.last_contact_at_ms, coalesce((
            SELECT max(greatest(coalesce(stream.rx_at_ms, 0), stream.opened_at_ms))
            FROM stream WHERE stream.dev = box.dev), 0) AS moved_at_ms
        FROM box_state box WHERE box.online AND box.unsynced > 0) waiting
    WHERE last_contact_at_ms > moved_at_ms + 900000
    UNION ALL
    SELECT 'certificate:' || entry_id, 'certificate', store_id,
        coalesce(flaw, 'certificate.differs'), coalesce(checked_at_ms, 0)
    FROM day_certificate JOIN day_certificate_check USING (entry_id, store_id)
    WHERE state = 'differs'
    UNION ALL
    SELECT 'segment:' || encode(stream_id, 'hex') || ':' || from_seq, 'segment', store_id, flaw,
        sealed_at_ms
    FROM segment WHERE flaw IS NOT NULL
    UNION ALL
    SELECT 'cold:' || encode(stream_id, 'hex') || ':' || seq, 'cold', store_id,
        'cold_chain.broken', at_ms
    FROM entry broken
    WHERE type = 'cold_chain.broken' AND at_ms > (extract(epoch FROM now()) - 2592000) * 1000
        AND NOT EXISTS (
            SELECT FROM entry restored
            WHERE restored.type = 'cold_chain.restored' AND restored.store_id = broken.store_id
                AND restored.at_ms >= broken.at_ms
                AND substring(encode(restored.body, 'escape') FROM '"sensor":"[a-z0-9-]+"')
                    = substring(encode(broken.body, 'escape') FROM '"sensor":"[a-z0-9-]+"'))
    UNION ALL
    SELECT 'drill:' || id, 'drill', NULL, 'drill.failed', at_ms
    FROM restore_drill WHERE NOT is_ok"""
_FILTER = """
    (:store = '' OR found.store_id = :store) AND (:code = '' OR found.code = :code)
    AND found.at_ms >= :since_ms"""
_OPEN = f"""
    ({_SOURCES}) found
    WHERE NOT EXISTS (SELECT FROM work_done WHERE work_done.item = found.item)"""
_OPEN_PAGE = text(f"""
    SELECT found.*, false AS is_done, NULL AS how, NULL AS done_at_ms, NULL AS by, '' AS reason,
        (SELECT count(*) FROM work_note WHERE work_note.item = found.item) AS notes
    FROM {_OPEN} AND {_FILTER}
    ORDER BY at_ms DESC, item LIMIT :size OFFSET :skip""")  # noqa: S608 - fixed text
_DONE_PAGE = text(f"""
    SELECT item, kind, store_id, code, at_ms, true AS is_done, how, done_at_ms, by, reason,
        (SELECT count(*) FROM work_note WHERE work_note.item = found.item) AS notes
    FROM work_done found WHERE {_FILTER}
    ORDER BY done_at_ms DESC, item LIMIT :size OFFSET :skip""")  # noqa: S608 - fixed text
_OPEN_COUNT = text(f"SELECT count(*) FROM {_OPEN} AND {_FILTER}")  # noqa: S608 - fixed text
_DONE_COUNT = text(f"SELECT count(*) FROM work_done found WHERE {_FILTER}")  # noqa: S608 - fixed text
_ONE_OPEN = text(f"""
    SELECT found.*, false AS is_done, NULL AS how, NULL AS done_at_ms, NULL AS by, '' AS reason
    FROM {_OPEN} AND found.item = :item""")  # noqa: S608 - fixed text
_ONE_DONE = text("""
    SELECT item, kind, store_id, code, at_ms, true AS is_done, how, done_at_ms, by, reason
    FROM work_done WHERE item = :item""")
_ENTRY = text("""
    SELECT id AS entry_id, type AS entry_type, body, encode(hash, 'hex') AS hash
    FROM entry WHERE stream_id = decode(:stream, 'hex') AND store_id = :store AND seq = :seq""")
_DRILL = text("SELECT report FROM restore_drill WHERE id = :id")
_CERTIFICATE = text("""
    SELECT document FROM day_certificate
    WHERE entry_id = CAST(:id AS uuid) AND store_id = :store""")
_NOTES = text("SELECT at_ms, by, note FROM work_note WHERE item = :item ORDER BY id")
_ADD_NOTE = text("""
    INSERT INTO work_note (item, at_ms, by, note) VALUES (:item, :at_ms, :by, :note)""")
_ADD_DONE = text("""
    INSERT INTO work_done (item, kind, store_id, code, at_ms, how, done_at_ms, by, reason)
    VALUES (:item, :kind, :store_id, :code, :at_ms, :how, :done_at_ms, :by, :reason)
    ON CONFLICT (item) DO NOTHING""")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WorkQuery:
    """Which items: open or done, of a store, with a code, not older than `since_ms` (UTC)."""

    is_done: bool = False
    store_id: str = ""
    code: str = ""
    since_ms: int = 0
    page: int = 1
    size: int = 50


def page_of(connection: Connection, query: WorkQuery) -> tuple[list[Row], int]:
    """One page, the newest first, and how many there are."""
    wanted = {
        "store": query.store_id,
        "code": query.code,
        "since_ms": query.since_ms,
        "size": query.size,
        "skip": (query.page - 1) * query.size,
    }
    page, count = (_DONE_PAGE, _DONE_COUNT) if query.is_done else (_OPEN_PAGE, _OPEN_COUNT)
    rows = [dict(row) for row in connection.execute(page, wanted).mappings()]
    return rows, int(connection.execute(count, wanted).scalar_one())


def find(connection: Connection, item: str) -> Row | None:
    """An open item or a done one; None when there is none of that name."""
    for query in (_ONE_DONE, _ONE_OPEN):
        row = connection.execute(query, {"item": item}).mappings().first()
        if row is not None:
            return dict(row)
    return None


def entry_of(connection: Connection, store_id: str, stream: str, seq: int) -> Row:
    """The stored entry of an item: id, type, hash and body."""
    wanted = {"store": store_id, "stream": stream, "seq": seq}
    found = connection.execute(_ENTRY, wanted).mappings().first()
    return {} if found is None else dict(found)


def drill_report(connection: Connection, number: str) -> Mapping[str, Any] | None:
    """What a drill reported."""
    found: Mapping[str, Any] | None
    found = connection.execute(_DRILL, {"id": number}).scalar_one_or_none()
    return found


def certificate_text(connection: Connection, store_id: str, entry_id: str) -> str | None:
    """What a certificate of a store says."""
    wanted = {"id": entry_id, "store": store_id}
    found: str | None = connection.execute(_CERTIFICATE, wanted).scalar_one_or_none()
    return found


def notes_of(connection: Connection, item: str) -> list[Row]:
    """What people wrote about an item, the oldest first."""
    return [dict(row) for row in connection.execute(_NOTES, {"item": item}).mappings()]


def add_note(connection: Connection, item: str, at_ms: int, by: str, note: str) -> None:
    """Keep a note."""
    values = {"item": item, "at_ms": at_ms, "by": by, "note": note}
    connection.execute(_ADD_NOTE, values)


def add_done(connection: Connection, found: Row, done: Row) -> bool:
    """Say that an item is settled (`how`, `done_at_ms`, `by`, `reason`); False if it was."""
    return connection.execute(_ADD_DONE, {**found, **done}).rowcount == 1
