"""Questions about releases, answered in the shapes of the API."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from cloud.context import Principal
from cloud.db import Database, like_literal
from cloud.publication import engine
from cloud.release import facts_store, preview_store, simulation_store, store
from cloud.release.facts import facts_of, view_of
from cloud.release.facts_store import Counts, StoreQuery
from cloud.release.guard import GuardSetting
from cloud.release.lookup import POLICY, find, guard_settings, may_approve, policy_of
from cloud.release.move import (
    WHOLE_PERCENT,
    Facts,
    ReleaseView,
    Wait,
    is_unproven,
    next_move,
    soaked_at_ms,
)
from cloud.release.progress import progress_of
from cloud.release.schemas import ReleaseFilter, StoreFilter
from cloud.release.state import OUT, State, verbs_of
from cloud.release.store import Release, WaveRow
from shared.release.plan import WavePlan

CSV_COLUMNS = ("scope", "kind", "key", "old", "new")
STORE_COLUMNS = (
    *("store_id", "name", "wave", "state", "because", "rev", "at_ms"),
    *("stored_at_ms", "active_at_ms", "shown_at_ms"),
)
ROW_COLUMNS = (
    *("release_id", "note", "state", "because", "created_by", "created_at_ms", "approved_by"),
    *("approved_at_ms", "starts_local", "changes", "stores", "wave", "waves_count", "undoes"),
)
CSV_ROWS_MAX = 20_000
EVIDENCE = ("evidence", "evidence_person")
"""What a wave waits for that has not shown enough."""


def releases(
    database: Database, asked: ReleaseFilter, principal: Principal, now_ms: int
) -> dict[str, Any]:
    """A page of releases."""
    with database.begin() as connection:
        found, total = store.page(
            connection, asked.state, asked.q, size=asked.size, skip=(asked.page - 1) * asked.size
        )
        ids = [release.release_id for release in found if release.ended is None]
        counts = facts_store.progress(connection, ids, now_ms)
        rows = [
            _row(connection, release, principal, counts.get(release.release_id, {}))
            for release in found
        ]
    return {"releases": rows, "total": total, "page": asked.page, "size": asked.size}


def release_rows(database: Database, asked: ReleaseFilter) -> list[list[Any]]:
    """The table of releases, for a file."""
    with database.begin() as connection:
        found, _ = store.page(connection, asked.state, asked.q, size=CSV_ROWS_MAX, skip=0)
    rows = ({**asdict(each), "waves_count": len(each.plan)} for each in found)
    return [[row[name] for name in ROW_COLUMNS] for row in rows]


def release(
    database: Database, release_id: int, principal: Principal, now_ms: int
) -> dict[str, Any]:
    """One release in full; MissingError `release.unknown`."""
    with database.begin() as connection:
        found = find(connection, release_id)
        counts = facts_store.progress(connection, [release_id], now_ms)[release_id]
        settings = guard_settings(connection)
        view = view_of(connection, found, now_ms)
        facts = facts_of(connection, found, view, (), now_ms)
        next_at_ms = _next_at_ms(view, facts, now_ms) if found.state in OUT else None
        return {
            **_row(connection, found, principal, counts),
            "waves": _waves(found, store.waves(connection, release_id), counts, next_at_ms),
            "guards": _guards(settings, facts_store.looks(connection, release_id)),
            "events": store.events(connection, release_id),
            "conflicts": _conflicts(connection, found),
            "waits": _waits(view, facts, now_ms),
        }


def stores(database: Database, release_id: int, asked: StoreFilter, now_ms: int) -> dict[str, Any]:
    """A page of a release's stores; MissingError `release.unknown`."""
    rows, total, counts = _stores(database, release_id, asked, now_ms, asked.size)
    return {
        "stores": rows,
        "total": total,
        "page": asked.page,
        "size": asked.size,
        "counts": counts,
    }


def store_rows(
    database: Database, release_id: int, asked: StoreFilter, now_ms: int
) -> list[list[Any]]:
    """The table of a release's stores, for a file."""
    asked = asked.model_copy(update={"page": 1})
    rows, _, _ = _stores(database, release_id, asked, now_ms, CSV_ROWS_MAX)
    return [[row[name] for name in STORE_COLUMNS] for row in rows]


def preview(database: Database, release_id: int) -> dict[str, Any]:
    """What it changes, and how far its simulation is; MissingError `release.unknown`."""
    with database.begin() as connection:
        find(connection, release_id)
        told = store.preview(connection, release_id)
        told.pop("progress", None)
        return {**told, "simulation": simulation_store.find(connection, release_id)}


def change_rows(database: Database, release_id: int) -> Iterator[tuple[str, ...]]:
    """Every change as a row of `CSV_COLUMNS`, read while it is consumed."""
    with database.begin() as connection:
        yield from preview_store.change_rows(connection, release_id)


def policy(database: Database) -> dict[str, Any]:
    """The policy that counts and who set it."""
    with database.begin() as connection:
        kept = store.setting(connection, POLICY)
        told = asdict(policy_of(connection))
    for name in ("plan", "undo_plan"):
        told[name] = [_plan_told(WavePlan(**wave)) for wave in told[name]]
    by, at_ms = ("", 0) if kept is None else kept[1:]
    return {**told, "changed_by": by, "changed_at_ms": at_ms}


def guards(database: Database) -> dict[str, Any]:
    """Every guard as it is set."""
    with database.begin() as connection:
        return {
            "guards": [
                {**asdict(each), "guard": each.guard.value} for each in guard_settings(connection)
            ]
        }


def _stores(
    database: Database, release_id: int, asked: StoreFilter, now_ms: int, size: int
) -> tuple[list[dict[str, Any]], int, dict[str, int]]:
    query = StoreQuery(
        asked.state,
        -1 if asked.wave is None else asked.wave,
        asked.q,
        f"%{like_literal(asked.q)}%",
        size,
        (asked.page - 1) * asked.size,
    )
    with database.begin() as connection:
        find(connection, release_id)
        return facts_store.stores(connection, release_id, query, now_ms)


def _row(
    connection: Connection, release: Release, principal: Principal, counts: Counts
) -> dict[str, Any]:
    may = may_approve(connection, release, principal) if release.state is State.REVIEW else False
    return {
        "release_id": release.release_id,
        "note": release.note,
        "state": release.state.value,
        "because": release.because,
        "created_by": release.created_by,
        "created_at_ms": release.created_at_ms,
        "approved_by": release.approved_by,
        "approved_at_ms": release.approved_at_ms,
        "changes": release.changes,
        "by_kind": release.by_kind,
        "stores": release.stores,
        "starts_local": release.starts_local,
        "wave": release.wave,
        "waves_count": len(release.plan),
        "progress": release.ended or progress_of(counts.values()),
        "needs_approval": bool(release.needs_approval),
        "undoes": release.undoes,
        "may": [
            verb.value for verb in verbs_of(release.state, principal.permissions, may_approve=may)
        ],
    }


def _waves(
    release: Release, rows: Sequence[WaveRow], counts: Counts, next_at_ms: int | None
) -> list[dict[str, Any]]:
    return [
        {
            "n": row.n,
            **_plan_told(plan),
            "state": _wave_state(release, row, counts.get(row.n, {})),
            "stores": sum(counts.get(row.n, {}).values()),
            "started_at_ms": row.started_at_ms,
            "done_at_ms": row.done_at_ms,
            "first_at_ms": row.first_at_ms,
            "last_at_ms": row.last_at_ms,
            "next_at_ms": next_at_ms if row.n == release.wave and row.done_at_ms is None else None,
            "progress": progress_of([counts.get(row.n, {})]),
        }
        for plan, row in zip(release.plan, rows, strict=True)
    ]


def _next_at_ms(view: ReleaseView, facts: Facts, now_ms: int) -> int | None:
    """When the next wave may begin; None while nobody knows: it has to show more."""
    soaked = soaked_at_ms(view, facts.next_first_at_ms)
    return None if now_ms >= soaked and is_unproven(view, facts, now_ms) else soaked


def _plan_told(plan: WavePlan) -> dict[str, Any]:
    named = None if plan.stores is None else list(plan.stores)
    return {**asdict(plan), "stores": named}


def _wave_state(release: Release, row: WaveRow, counts: dict[str, int]) -> str:
    if row.started_at_ms is None:
        return "waiting"
    if row.withdrawn_at_ms is not None:
        return "withdrawn"
    if row.done_at_ms is not None or release.wave > row.n:
        return "done"
    return "rolling" if counts.get("brought") else "soaking"


def _guards(
    settings: Iterable[GuardSetting], looks: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    told = []
    for setting in settings:
        look = looks.get(setting.guard.value, {})
        told.append(
            {
                **asdict(setting),
                "guard": setting.guard.value,
                "value": look.get("value"),
                "state": look.get("state", "no_data") if setting.is_on else "off",
                "at_ms": look.get("at_ms"),
                "evidence": look.get("evidence", []),
            }
        )
    return told


def _conflicts(connection: Connection, release: Release) -> list[dict[str, Any]]:
    if release.state not in {State.REVIEW, State.APPROVED, State.QUEUED}:
        return []
    found = []
    for conflict in engine.conflicts(connection, release.release_id):
        other = store.find(connection, conflict.release_id)
        keys = [f"{kind} {key}" for _, kind, key in conflict.keys]
        note = "" if other is None else other.note
        found.append({"release_id": conflict.release_id, "note": note, "keys": keys})
    return found


def _waits(view: ReleaseView, facts: Facts, now_ms: int) -> dict[str, Any] | None:
    move = next_move(view, facts, now_ms)
    if not isinstance(move, Wait) or move.why == "ended":
        return None
    return {"why": move.why, "until_ms": move.until_ms, "evidence": _evidence(view, facts, move)}


def _evidence(view: ReleaseView, facts: Facts, move: Wait) -> dict[str, int] | None:
    if move.why not in EVIDENCE:
        return None
    wave, wanted = view.waves[view.wave], view.evidence
    return {
        "sales": facts.seen.sales,
        "sales_wanted": wanted.sales,
        "boxes": facts.seen.boxes,
        "boxes_wanted": -(-wanted.boxes_percent * wave.stores // WHOLE_PERCENT),
    }
