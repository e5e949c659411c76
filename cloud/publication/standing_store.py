"""SQL that judges every store as `converge` does, so that only a page of them is read.

`tests/integration/cloud/test_matrix.py` holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, TextClause, text

from cloud.publication.converge import (
    COLUMN_OF,
    SILENT_AFTER_MS,
    Column,
    ConvergenceState,
)
from shared.publication.manifest import MANIFEST_VERSION

WHOLE = "whole"
"""The standing of a store as such, beside those of its columns."""
BEHIND = "behind"
_RECORDS = tuple(column for column in Column if column is not Column.SOFTWARE)


def _kinds_of(column: Column) -> list[str]:
    return sorted(kind for kind, each in COLUMN_OF.items() if each is column)


def _behind(target: str) -> str:
    return f"""
        WHEN is_refusing THEN 'refused'
        WHEN coalesce(stored_rev >= {target}, false) THEN 'staged'
        ELSE 'lagging'"""


def _judged(name: str) -> str:
    target, later = f"{name}_rev", f"{name}_later"
    return f"""
    CASE WHEN {target} IS NULL THEN 'current'
        WHEN NOT coalesce(active_rev >= {target}, false) THEN
            CASE WHEN is_silent THEN 'silent' {_behind(target)} END
        WHEN {later} IS NOT NULL THEN
            CASE WHEN coalesce(stored_rev >= {later}, false) THEN 'staged'
                WHEN is_silent THEN 'silent' {_behind(later)} END
        WHEN coalesce(shown_rev >= {target}, false) THEN 'current'
        ELSE 'not_shown' END AS {name}"""


def _target(column: Column) -> str:
    """The newest revision that changed a column; 0 where only a later one does."""
    named = ", ".join(f"CAST(lineage.kinds->>'{kind}' AS integer)" for kind in _kinds_of(column))
    later = f"CASE WHEN later.{column} IS NOT NULL THEN 0 END"
    return f"coalesce(greatest({named}), {later}) AS {column}_rev"


def _later(column: Column) -> str:
    kinds = f"CAST(ARRAY{_kinds_of(column)} AS text[])"
    return f"min(had.rev) FILTER (WHERE made.kinds && {kinds}) AS {column}"


_SOFTWARE = f"""
    CASE WHEN wanted IS NULL OR coalesce(running = wanted, false) THEN 'current'
        WHEN is_silent THEN 'silent'
        WHEN step = 'failed' THEN 'refused'
        WHEN step = 'swap' THEN 'staged'
        ELSE 'lagging' END AS {Column.SOFTWARE}"""
_STANDINGS = ",".join([*map(_judged, (WHOLE, *_RECORDS)), _SOFTWARE])
_EVERY = f"""
    WITH later AS MATERIALIZED (
        SELECT had.store_id, min(had.rev) AS whole, {",".join(map(_later, _RECORDS))}
        FROM release_store had JOIN release_flight flight USING (release_id)
        JOIN zone_revision made ON made.zone = 'store-' || had.store_id AND made.rev = had.rev
        WHERE had.state = 'held' AND flight.state = 'flying'
        GROUP BY had.store_id),
    found AS MATERIALIZED (
        SELECT store.store_id, box.stored_rev, box.active_rev, box.shown_rev,
            lineage.now_rev AS {WHOLE}_rev, later.whole AS {WHOLE}_later,
            {",".join(map(_target, _RECORDS))},
            {",".join(f"later.{each} AS {each}_later" for each in _RECORDS)},
            box.last_contact_at_ms IS NULL
                OR :now_ms - box.last_contact_at_ms > {SILENT_AFTER_MS} AS is_silent,
            box.error IS NOT NULL
                OR coalesce(box.reads < {MANIFEST_VERSION}, false) AS is_refusing,
            desired.software->>'version' AS wanted, software.running, software.state AS step
        FROM store
        LEFT JOIN lineage USING (store_id)
        LEFT JOIN later USING (store_id)
        LEFT JOIN device ON device.store_id = store.store_id AND device.status = 'active'
        LEFT JOIN box_state box ON box.dev = device.dev
        LEFT JOIN desired ON desired.dev = device.dev
        LEFT JOIN software_state software ON software.dev = device.dev
        WHERE (:word = '' OR store.store_id = :word OR store.name ILIKE :pattern)
          AND (:group_id = '' OR EXISTS (
            SELECT FROM store_group_member member
            WHERE member.group_id = :group_id AND member.store_id = store.store_id))),
    judged AS MATERIALIZED (
        SELECT store_id, {WHOLE}_rev AS target_rev, stored_rev, active_rev, shown_rev,
            {_STANDINGS}
        FROM found)
    """  # noqa: S608 - constants
_NAMES = ", ".join(f"({n}, {name})" for n, name in enumerate((WHOLE, *Column)))
# Counted by the set of a store's standings first: thousands of stores share a few dozen of them.
_COUNTS = f"""
    {_EVERY}, shapes AS (
        SELECT {", ".join((WHOLE, *Column))}, count(*) AS stores,
            count(*) FILTER (WHERE stored_rev >= target_rev) AS stored,
            count(*) FILTER (WHERE active_rev >= target_rev) AS active,
            count(*) FILTER (WHERE shown_rev >= target_rev) AS shown
        FROM judged GROUP BY {", ".join((WHOLE, *Column))})
    SELECT each.n, each.name, sum(stores), sum(stored), sum(active), sum(shown)
    FROM shapes CROSS JOIN LATERAL (VALUES {_NAMES}) each (n, name)
    GROUP BY 1, 2"""  # noqa: S608 - constants
_PAGE = """
    UNION ALL (
        SELECT -1, store_id, 0, 0, 0, 0 FROM judged WHERE {wanted}
        ORDER BY length(store_id), store_id LIMIT :size OFFSET :skip)"""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which stores: "" for every word and group; the instant of now, UTC ms."""

    now_ms: int
    word: str = ""
    pattern: str = "%"
    group_id: str = ""

    def values(self) -> dict[str, Any]:
        """As statements want it."""
        return {
            "now_ms": self.now_ms,
            "word": self.word,
            "pattern": self.pattern,
            "group_id": self.group_id,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """Which stores of those that are asked for: a standing in a column, "" for any of both."""

    column: str = ""
    state: str = ""
    size: int = 0
    skip: int = 0


NO_PAGE = Page()


@dataclass(slots=True)
class Standings:
    """How many stores are in which standing (as such under `WHOLE`, and by column).

    `reached` counts those that have (`stored`), sell by (`active`) and show what they should;
    `stores` are those of the page, by id.
    """

    counts: dict[str, dict[str, int]]
    reached: dict[str, int]
    stores: list[str]


def standings(connection: Connection, asked: Asked, page: Page = NO_PAGE) -> Standings:
    """Count and find in one look at every store."""
    names = (WHOLE, *(column.value for column in Column))
    reached = dict.fromkeys(("total", "stored", "active", "shown"), 0)
    found = Standings({name: {} for name in names}, reached, [])
    values = {**asked.values(), "state": page.state, "size": page.size, "skip": page.skip}
    for n, name, *numbers in connection.execute(_statement(page), values):
        if n < 0:
            found.stores.append(name)
            continue
        found.counts[names[n]][name] = int(numbers[0])
        if n == 0:
            for level, more in zip(reached, numbers, strict=True):
                reached[level] += int(more)
    found.stores.sort(key=lambda store_id: (len(store_id), store_id))
    return found


def _statement(page: Page) -> TextClause:
    if not page.size:
        return text(_COUNTS)
    column = Column(page.column).value if page.column else WHOLE  # never a text of somebody
    wanted = {
        "": "true",
        BEHIND: f"{column} <> '{ConvergenceState.CURRENT}'",
    }.get(page.state, f"{column} = :state")
    return text(_COUNTS + _PAGE.format(wanted=wanted))
