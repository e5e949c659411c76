"""SQL that takes over a table of the catalogue: stage it, compare it, write what differs.

Reads `store` for the stores' clocks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, TextClause, text

from cloud.db import copy_rows, lock_for_transaction
from cloud.item.master import MasterItem
from cloud.item.store import FIELDS, NAMES
from cloud.item.table import DatedRow
from cloud.table_import import Author
from shared.item.pack_code import PackCode

ITEM_LOCK = 7_461_014
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STAGE = text("""
    CREATE TEMP TABLE incoming_item (
        line integer NOT NULL, gtin text NOT NULL, name text NOT NULL, department text NOT NULL,
        category text NOT NULL, brand text NOT NULL, package_size text NOT NULL,
        is_weighed boolean NOT NULL, plu text, tags text[] NOT NULL, tax_bp integer NOT NULL,
        is_promotable boolean NOT NULL, min_price_minor integer NOT NULL,
        min_margin_bp integer, cost_minor integer, uom text NOT NULL, codes text[] NOT NULL,
        age_limit integer NOT NULL, shelf_life_days integer NOT NULL, tax_class text NOT NULL,
        image text NOT NULL) ON COMMIT DROP""")
_STAGE_DATED = text("""
    CREATE TEMP TABLE incoming_dated (
        line integer NOT NULL, gtin text NOT NULL, from_local text NOT NULL, name text,
        tax_class text, tax_bp integer) ON COMMIT DROP""")
# A PLU or a code may move from one item to another within one table.
_PLU_TAKEN = text("""
    SELECT incoming.line, incoming.plu, item.gtin
    FROM incoming_item incoming
    JOIN item ON item.plu = incoming.plu AND item.gtin <> incoming.gtin
    WHERE NOT EXISTS (SELECT FROM incoming_item moved WHERE moved.gtin = item.gtin)
    ORDER BY incoming.line""")
_CODE_TAKEN = text("""
    SELECT incoming.line, kept.code, kept.gtin
    FROM incoming_item incoming CROSS JOIN unnest(incoming.codes) cell
    JOIN item_code kept ON kept.code = split_part(cell, '*', 1) AND kept.gtin <> incoming.gtin
    WHERE NOT EXISTS (SELECT FROM incoming_item moved WHERE moved.gtin = kept.gtin)
    ORDER BY incoming.line""")
_CODE_IS_ITEM = text("""
    SELECT incoming.line, item.gtin
    FROM incoming_item incoming CROSS JOIN unnest(incoming.codes) cell
    JOIN item ON item.gtin = split_part(cell, '*', 1) ORDER BY incoming.line""")
_ITEM_IS_CODE = text("""
    SELECT incoming.line, incoming.gtin, kept.gtin
    FROM incoming_item incoming JOIN item_code kept ON kept.code = incoming.gtin
    WHERE NOT :states_codes
       OR NOT EXISTS (SELECT FROM incoming_item moved WHERE moved.gtin = kept.gtin)
    ORDER BY incoming.line""")
_UNKNOWN = text("""
    SELECT line, gtin FROM incoming_dated
    WHERE NOT EXISTS (SELECT FROM item WHERE item.gtin = incoming_dated.gtin)
      AND NOT EXISTS (SELECT FROM incoming_item WHERE incoming_item.gtin = incoming_dated.gtin)
    ORDER BY line""")
# What was planned for a time that has come is how the item is now: the table speaks of that.
_SETTLE = text("""
    WITH due AS (
        DELETE FROM item_dated USING incoming_item
        WHERE item_dated.gtin = incoming_item.gtin AND from_local <= :now_local
        RETURNING item_dated.*),
    newest AS (
        SELECT gtin, (array_agg(name ORDER BY from_local DESC)
                      FILTER (WHERE name IS NOT NULL))[1] AS name,
               (array_agg(tax_class ORDER BY from_local DESC)
                FILTER (WHERE tax_class IS NOT NULL))[1] AS tax_class,
               (array_agg(tax_bp ORDER BY from_local DESC)
                FILTER (WHERE tax_bp IS NOT NULL))[1] AS tax_bp
        FROM due GROUP BY gtin)
    UPDATE item SET name = coalesce(newest.name, item.name),
                    tax_class = coalesce(newest.tax_class, item.tax_class),
                    tax_bp = coalesce(newest.tax_bp, item.tax_bp)
    FROM newest WHERE item.gtin = newest.gtin""")
_DIFF_DATED = text("""
    INSERT INTO import_diff
    SELECT incoming.line, kept.gtin IS NULL, incoming.gtin,
           coalesce(beside.name, item.name, ''),
           jsonb_build_object('effective_from',
                              jsonb_build_array(kept.from_local, incoming.from_local))
           || CASE WHEN kept.name IS DISTINCT FROM incoming.name
                   THEN jsonb_build_object('name', jsonb_build_array(kept.name, incoming.name))
                   ELSE '{}' END
           || CASE WHEN kept.tax_class IS DISTINCT FROM incoming.tax_class
                   THEN jsonb_build_object('tax_class',
                                           jsonb_build_array(kept.tax_class, incoming.tax_class))
                   ELSE '{}' END
           || CASE WHEN kept.tax_bp IS DISTINCT FROM incoming.tax_bp
                   THEN jsonb_build_object('tax_bp',
                                           jsonb_build_array(kept.tax_bp, incoming.tax_bp))
                   ELSE '{}' END
    FROM incoming_dated incoming LEFT JOIN item_dated kept USING (gtin, from_local)
    LEFT JOIN item ON item.gtin = incoming.gtin
    LEFT JOIN incoming_item beside ON beside.gtin = incoming.gtin
    WHERE (kept.name, kept.tax_class, kept.tax_bp)
          IS DISTINCT FROM (incoming.name, incoming.tax_class, incoming.tax_bp)""")
_DRAFT = text("""
    INSERT INTO item_draft SELECT DISTINCT key FROM import_diff
    ON CONFLICT (gtin) DO UPDATE SET gtin = excluded.gtin""")
_DROP_DATED = text("""
    DELETE FROM item_dated USING incoming_dated incoming
    WHERE item_dated.gtin = incoming.gtin AND item_dated.from_local = incoming.from_local""")
_ADD_DATED = text("""
    INSERT INTO item_dated (gtin, from_local, name, tax_class, tax_bp)
    SELECT gtin, from_local, name, tax_class, tax_bp FROM incoming_dated
    WHERE num_nonnulls(name, tax_class, tax_bp) > 0""")
_CODES_CHANGED = "(import_diff.is_new OR import_diff.cells ? 'codes')"
_DROP_CODES = text(
    "DELETE FROM item_code USING import_diff JOIN incoming_item USING (line)"  # noqa: S608 - constants
    f" WHERE item_code.gtin = incoming_item.gtin AND {_CODES_CHANGED}"
)
_ADD_CODES = text(
    "INSERT INTO item_code (code, gtin)"  # noqa: S608 - constants
    " SELECT split_part(cell, '*', 1), incoming_item.gtin"
    " FROM import_diff JOIN incoming_item USING (line) CROSS JOIN unnest(incoming_item.codes) cell"
    f" WHERE {_CODES_CHANGED}"
)
_REMEMBER = text("""
    INSERT INTO item_history (gtin, is_new, changes, from_local, changed_by, changed_at_ms, reason)
    SELECT key, is_new AND NOT is_later,
           CASE WHEN is_new AND NOT is_later THEN '{}' ELSE cells - 'effective_from' END,
           coalesce(cells #>> '{effective_from,1}', ''), :name, :at_ms, :reason
    FROM import_diff CROSS JOIN LATERAL (SELECT cells ? 'effective_from') later(is_later)
    ORDER BY line""")


def stage(connection: Connection, rows: Iterable[tuple[int, MasterItem]]) -> None:
    """Put the rows of a table into a temporary one; nobody else takes over items meanwhile."""
    lock_for_transaction(connection, ITEM_LOCK)
    connection.execute(_STAGE)
    copy_rows(
        connection,
        "incoming_item",
        ("line", *FIELDS),
        ((line, *map(_copied, _values(item))) for line, item in rows),
    )


def stage_dated(connection: Connection, rows: Iterable[tuple[int, DatedRow]]) -> None:
    """Put the later changes of a table into a temporary one."""
    connection.execute(_STAGE_DATED)
    copy_rows(
        connection,
        "incoming_dated",
        ("line", "gtin", "from_local", "name", "tax_class", "tax_bp"),
        (
            (line, row.gtin, row.change.from_local, row.change.name, row.change.tax_class,
             row.change.tax_bp)
            for line, row in rows
        ),
    )  # fmt: skip


def taken_plus(connection: Connection) -> list[tuple[int, str, str]]:
    """(line, PLU, GTIN of the other item) of staged rows whose PLU another item keeps."""
    return [(line, plu, gtin) for line, plu, gtin in connection.execute(_PLU_TAKEN)]


def taken_codes(connection: Connection) -> list[tuple[int, str, str]]:
    """(line, code, GTIN of the other item) of staged codes that another item keeps."""
    return [(line, code, gtin) for line, code, gtin in connection.execute(_CODE_TAKEN)]


def codes_of_items(connection: Connection) -> list[tuple[int, str]]:
    """(line, code) of staged codes that are items of their own."""
    return [(line, code) for line, code in connection.execute(_CODE_IS_ITEM)]


def items_of_codes(connection: Connection, fields: Sequence[str]) -> list[tuple[int, str, str]]:
    """(line, GTIN, GTIN of the other item) of staged items whose code another item keeps."""
    found = connection.execute(_ITEM_IS_CODE, {"states_codes": "codes" in fields})
    return [(line, code, gtin) for line, code, gtin in found]


def unknown_items(connection: Connection) -> list[tuple[int, str]]:
    """(line, GTIN) of staged later changes of items that nobody knows."""
    return [(line, gtin) for line, gtin in connection.execute(_UNKNOWN)]


def now_local(connection: Connection, at_ms: int) -> str:
    """What the clock of the store that is furthest ahead shows, to the minute."""
    zones = connection.execute(text("SELECT DISTINCT time_zone FROM store")).scalars()
    now = EPOCH + timedelta(milliseconds=at_ms)
    local = [now.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for zone in zones]
    return max(local, default=now.replace(tzinfo=None)).isoformat(timespec="minutes")


def settle(connection: Connection, local: str) -> None:
    """Let staged items be what was planned for times up to `local`."""
    connection.execute(_SETTLE, {"now_local": local})


def compare(connection: Connection, fields: Sequence[str], *, shows_new: bool) -> None:
    """Fill `import_diff`: items that exist are compared in these `fields`.

    `shows_new` says whether the cells of new items are told too.
    """
    parameters = {"fields": _given(fields), "shows_new": shows_new}
    connection.execute(_diff(fields), parameters)
    connection.execute(_DIFF_DATED)


def write(connection: Connection, fields: Sequence[str], author: Author) -> None:
    """Write what differs, as drafts, and remember who changed it and why.

    Items that exist change in these `fields` only. A draft that is there already is written
    again, so that a publication which is just taking the older state of the item notices.
    """
    connection.execute(_upsert(fields))
    if "codes" in fields:
        connection.execute(_DROP_CODES)
        connection.execute(_ADD_CODES)
    connection.execute(_DROP_DATED)
    connection.execute(_ADD_DATED)
    connection.execute(_DRAFT)
    connection.execute(
        _REMEMBER, {"name": author.name, "at_ms": author.at_ms, "reason": author.reason}
    )


_values = attrgetter(*FIELDS)


def _copied(value: object) -> object:
    """The driver writes lists as arrays, and tuples as rows."""
    if not isinstance(value, tuple):
        return value
    return [each.text if isinstance(each, PackCode) else each for each in value]


def _given(fields: Sequence[str]) -> list[str]:
    assert set(fields) <= set(FIELDS)
    return [name for name in fields if name != "gtin"]


def _diff(fields: Sequence[str]) -> TextClause:
    given = _given(fields)
    old = ", ".join(f"item.{name}" for name in given)
    new = ", ".join(f"incoming.{name}" for name in given)
    return text(
        "INSERT INTO import_diff"  # noqa: S608 - constants
        " SELECT incoming.line, item.gtin IS NULL, incoming.gtin, incoming.name, found.cells"
        " FROM incoming_item incoming LEFT JOIN item ON item.gtin = incoming.gtin"
        " CROSS JOIN LATERAL ("
        "  SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(old.value, new.value)), '{}')"
        "  FROM jsonb_each(to_jsonb(incoming)) new LEFT JOIN jsonb_each(to_jsonb(item)) old"
        "       USING (key)"
        "  WHERE (item.gtin IS NOT NULL OR :shows_new) AND key = ANY(:fields)"
        "    AND old.value IS DISTINCT FROM new.value AND (item.gtin IS NOT NULL"
        "         OR new.value NOT IN ('\"\"', 'null', '[]', '0', 'false'))) found(cells)"
        f" WHERE item.gtin IS NULL OR ({old}) IS DISTINCT FROM ({new})"
    )


def _upsert(fields: Sequence[str]) -> TextClause:
    put = ", ".join(f"{name} = excluded.{name}" for name in _given(fields))
    names = ", ".join(f"incoming.{name}" for name in FIELDS)
    return text(
        f"INSERT INTO item ({NAMES})"  # noqa: S608 - constants
        f" SELECT {names} FROM incoming_item incoming JOIN import_diff USING (line)"
        f" ON CONFLICT (gtin) DO UPDATE SET {put}"
    )
