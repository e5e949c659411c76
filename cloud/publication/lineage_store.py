"""SQL of lineages: where each store's line of revisions ends, and what its boxes should want.

Reads `store`, `device` and the releases in flight beside its own tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.db import copy_rows
from cloud.desired import announce, lock_changes
from cloud.publication.lineage import Held, Line
from shared.publication.manifest import parse_manifest

_LINES = text("""
    SELECT store_id, lineage.inc, lineage.scopes, lineage.kinds, made.manifest,
           array_remove(ARRAY['', 'zone:' || zone_id, 'store-' || store_id], NULL) AS wanted
    FROM store LEFT JOIN lineage USING (store_id)
    LEFT JOIN zone_revision made ON made.zone = 'store-' || store_id AND made.rev = lineage.rev
    WHERE store_id = ANY (:stores)
    ORDER BY length(store_id), store_id""")
_OUT = text("""
    SELECT store_id, release_id, had.state, had.at_ms, had.rev
    FROM release_store had JOIN release_flight flight USING (release_id)
    WHERE flight.state = 'flying' AND had.state IN ('held', 'active')
      AND store_id = ANY (:stores)
    ORDER BY had.at_ms, had.rev""")
_NEXT_REV = text("SELECT coalesce(max(rev), 0) + 1 FROM publication")
_ADD_PUBLICATION = text("""
    INSERT INTO publication (rev, at_ms, by, note, release_id)
    VALUES (:rev, :at_ms, :by, :note, :release_id)""")
_STAGE_LINES = text("""
    CREATE TEMP TABLE IF NOT EXISTS moved_line (
        store_id text NOT NULL, rev integer NOT NULL, now_rev integer, inc text NOT NULL,
        scopes text[] NOT NULL, digest text, records integer, kinds jsonb NOT NULL
    ) ON COMMIT DROP""")
# A revision that replaces nothing for now leaves `now_rev` as it is.
_PUT_LINES = text("""
    INSERT INTO lineage AS kept (store_id, rev, now_rev, inc, scopes, digest, records, kinds)
    SELECT store_id, rev, coalesce(now_rev, 0), inc, scopes, coalesce(digest, ''),
           coalesce(records, 0), kinds
    FROM moved_line ORDER BY store_id
    ON CONFLICT (store_id) DO UPDATE SET rev = excluded.rev, inc = excluded.inc,
        now_rev = CASE excluded.now_rev WHEN 0 THEN kept.now_rev ELSE excluded.now_rev END,
        digest = CASE excluded.now_rev WHEN 0 THEN kept.digest ELSE excluded.digest END,
        records = CASE excluded.now_rev WHEN 0 THEN kept.records ELSE excluded.records END,
        scopes = excluded.scopes, kinds = kept.kinds || excluded.kinds""")
# Of what is past only the last revision stays: a box may be on its way to it.
_PRUNE = text("""
    DELETE FROM zone_revision old USING lineage
    WHERE lineage.store_id = ANY (:stores) AND old.zone = 'store-' || lineage.store_id
      AND old.rev < (
        SELECT max(rev) FROM zone_revision kept
        WHERE kept.zone = old.zone AND kept.rev < lineage.now_rev)""")
_STAGE_OUT = text("""
    CREATE TEMP TABLE IF NOT EXISTS moved_out (
        release_id bigint NOT NULL, store_id text NOT NULL, rev integer NOT NULL,
        at_ms bigint NOT NULL, state text NOT NULL) ON COMMIT DROP""")
_PUT_OUT = text("""
    INSERT INTO release_store AS kept (release_id, store_id, rev, at_ms, state)
    SELECT release_id, store_id, rev, at_ms, state FROM moved_out
    ON CONFLICT (release_id, store_id) DO UPDATE SET gone_rev = NULL,
        rev = excluded.rev, at_ms = excluded.at_ms, state = excluded.state""")
_WITHDRAW = text("""
    UPDATE release_store SET state = 'withdrawn', gone_rev = gone.rev
    FROM unnest(CAST(:stores AS text[]), CAST(:revs AS integer[])) gone (store_id, rev)
    WHERE release_id = :release_id AND release_store.store_id = gone.store_id""")
_HEAD = """jsonb_build_object('zone', made.zone, 'rev', made.rev, 'sha256', made.manifest_sha,
        'sig', made.sig, 'at', {at})"""
# The documents of boxes: what is active now, and what waits in the order of its revisions. Asked
# store by store through keys: no statistics know yet what this transaction has just written.
_DESIRE = text(f"""
    WITH asked AS MATERIALIZED (
        SELECT store_id, 'store-' || store_id AS zone
        FROM unnest(CAST(:stores AS text[])) store_id),
    head AS MATERIALIZED (
        SELECT asked.store_id, kept.inc, made.catalog, (
            SELECT jsonb_agg({_HEAD.format(at="held.at_ms")} ORDER BY made.rev)
            FROM release_store held JOIN zone_revision made
              ON made.zone = asked.zone AND made.rev = held.rev
            WHERE held.store_id = asked.store_id AND held.state = 'held'
              AND held.release_id = ANY (:flying)) AS next
        FROM asked CROSS JOIN LATERAL (
            SELECT inc, now_rev FROM lineage WHERE store_id = asked.store_id OFFSET 0) kept
        CROSS JOIN LATERAL (
            SELECT {_HEAD.format(at="0")} AS catalog FROM zone_revision made
            WHERE made.zone = asked.zone AND made.rev = kept.now_rev OFFSET 0) made)
    INSERT INTO desired AS kept (dev, gen, inc, catalog, next, changed_at_ms)
    SELECT device.dev, 1, head.inc, head.catalog, head.next, :at_ms
    FROM head CROSS JOIN LATERAL (
        SELECT dev FROM device WHERE store_id = head.store_id AND status = 'active'
          AND (:dev = '' OR dev = :dev) OFFSET 0) device
    ORDER BY device.dev
    ON CONFLICT (dev) DO UPDATE SET inc = excluded.inc, catalog = excluded.catalog,
        next = excluded.next, gen = kept.gen + CAST(:is_news AS integer),
        changed_no = CASE WHEN :is_news THEN nextval('desired_changed_no')
                          ELSE kept.changed_no END,
        changed_at_ms = CASE WHEN :is_news THEN excluded.changed_at_ms
                             ELSE kept.changed_at_ms END""")  # noqa: S608 - constants
_FLYING = text("SELECT release_id FROM release_flight WHERE state = 'flying'")
_RIPEN = text("""
    UPDATE release_store held SET state = 'active' FROM release_flight flight
    WHERE held.state = 'held' AND held.at_ms <= :now_ms
      AND flight.release_id = held.release_id AND flight.state = 'flying'
    RETURNING held.store_id, held.rev""")
_MOVE_ON = text("""
    WITH ripe AS (
        SELECT store_id, max(rev) AS rev
        FROM unnest(CAST(:stores AS text[]), CAST(:revs AS integer[])) each (store_id, rev)
        GROUP BY store_id),
    named AS (
        SELECT each.store_id, jsonb_object_agg(kind, each.rev) AS kinds
        FROM unnest(CAST(:stores AS text[]), CAST(:revs AS integer[])) each (store_id, rev)
        JOIN zone_revision made ON made.zone = 'store-' || each.store_id AND made.rev = each.rev
        CROSS JOIN unnest(made.kinds) kind
        GROUP BY each.store_id)
    UPDATE lineage SET now_rev = made.rev, digest = made.digest, records = made.records,
        kinds = lineage.kinds || coalesce(named.kinds, '{}')
    FROM ripe JOIN zone_revision made
      ON made.zone = 'store-' || ripe.store_id AND made.rev = ripe.rev
    LEFT JOIN named ON named.store_id = ripe.store_id
    WHERE lineage.store_id = ripe.store_id""")
_REVISION_COLUMNS = (
    *("zone", "rev", "manifest_sha", "sig", "digest", "records", "manifest"),
    *("at_ms", "made_at_ms", "kinds"),
)


@dataclass(frozen=True, slots=True)
class MovedLine:
    """Where a store's line ends after a move; `now_*` None where what is active stays."""

    store_id: str
    rev: int
    inc: str
    scopes: tuple[str, ...]
    kinds: dict[str, int]
    now_rev: int | None = None
    digest: str | None = None
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Out:
    """A release that a store has now; `at_ms` 0 where it is active at once."""

    release_id: int
    store_id: str
    rev: int
    at_ms: int
    is_held: bool


def lines(
    connection: Connection, stores: Collection[str], inc: str, *, keeps_scopes: bool = False
) -> list[Line]:
    """The lines of stores; `inc` is the incarnation of now.

    With `keeps_scopes` a store that changed its price zone stays in the one that its tills have.
    """
    asked = {"stores": list(stores)}
    out: dict[str, list[Sequence[Any]]] = {}
    for store_id, *row in connection.execute(_OUT, asked):
        out.setdefault(store_id, []).append(row)
    rows = [list(row) for row in connection.execute(_LINES, asked)]
    for row in rows if keeps_scopes else ():
        row[-1] = row[2] or row[-1]
    return [_line(row, out.get(row[0], ()), inc) for row in rows]


def next_rev(connection: Connection) -> int:
    """The number of the next revision."""
    return int(connection.execute(_NEXT_REV).scalar_one())


def add_publication(connection: Connection, values: dict[str, Any]) -> None:
    """Write down that revisions of one number were made: rev, at_ms, by, note, release_id."""
    connection.execute(_ADD_PUBLICATION, values)


def add_revisions(connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Write down revisions, in the order of the table's columns."""
    copy_rows(connection, "zone_revision", _REVISION_COLUMNS, rows)


def put_lines(connection: Connection, moved: Sequence[MovedLine]) -> None:
    """Write down where lines end now."""
    connection.execute(_STAGE_LINES)
    connection.execute(text("TRUNCATE moved_line"))
    columns = ("store_id", "rev", "now_rev", "inc", "scopes", "digest", "records", "kinds")
    rows = (
        (
            *(each.store_id, each.rev, each.now_rev, each.inc, list(each.scopes)),
            *(each.digest, each.records, orjson.dumps(each.kinds).decode()),
        )
        for each in moved
    )
    copy_rows(connection, "moved_line", columns, rows)
    connection.execute(_PUT_LINES)
    connection.execute(_PRUNE, {"stores": [each.store_id for each in moved]})


def put_out(connection: Connection, moved: Iterable[Out]) -> None:
    """Write down which stores have which releases now."""
    connection.execute(_STAGE_OUT)
    connection.execute(text("TRUNCATE moved_out"))
    rows = (
        (
            *(each.release_id, each.store_id, each.rev, each.at_ms),
            "held" if each.is_held else "active",
        )
        for each in moved
    )
    copy_rows(connection, "moved_out", ("release_id", "store_id", "rev", "at_ms", "state"), rows)
    connection.execute(_PUT_OUT)


def put_withdrawn(connection: Connection, release_id: int, revs: dict[str, int]) -> None:
    """Write down which revision took a release back from each store."""
    values = {"release_id": release_id, "stores": list(revs), "revs": list(revs.values())}
    connection.execute(_WITHDRAW, values)


def desire(
    connection: Connection,
    stores: Collection[str],
    at_ms: int,
    *,
    dev: str = "",
    is_news: bool = True,
) -> None:
    """Let the active boxes of stores (or one of them) want what their lines say.

    Without `is_news` nobody is told: the boxes come to it by themselves.
    """
    lock_changes(connection)
    values = {
        "stores": list(stores),
        "flying": flying(connection),
        "at_ms": at_ms,
        "dev": dev,
        "is_news": is_news,
    }
    connection.execute(_DESIRE, values)
    if is_news:
        announce(connection)


def flying(connection: Connection) -> list[int]:
    """The releases in flight."""
    return [int(release_id) for (release_id,) in connection.execute(_FLYING)]


def ripen(connection: Connection, now_ms: int) -> list[str]:
    """Let what waited for an instant that has come be what is active; answers the stores."""
    ripe = [
        (str(store_id), int(rev))
        for store_id, rev in connection.execute(_RIPEN, {"now_ms": now_ms})
    ]
    if not ripe:
        return []
    stores, revs = zip(*ripe, strict=True)
    connection.execute(_MOVE_ON, {"stores": list(stores), "revs": list(revs)})
    return sorted(set(stores))


def _line(row: Sequence[Any], out: Iterable[Sequence[Any]], inc: str) -> Line:
    store_id, made_inc, scopes, kinds, manifest, wanted = row
    held = [
        Held(release_id, at_ms, rev) for release_id, state, at_ms, rev in out if state == "held"
    ]
    return Line(
        store_id=store_id,
        scopes=tuple(wanted),
        active=frozenset(each[0] for each in out if each[1] != "held"),
        held=tuple(held),
        manifest=None if manifest is None else parse_manifest(bytes(manifest)),
        kinds=kinds or {},
        must_renew=scopes is not None and (scopes != wanted or made_inc != inc),
    )
