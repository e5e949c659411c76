"""SQL of releases: their states, waves, events and settings.

Reads `store`, `device`, `box_state` and the tables in which the publication keeps
what it froze and brought (`release_change`, `release_store`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.db import copy_rows, like_literal, notify
from cloud.release.policy import Because
from cloud.release.state import MOVING, State
from shared.release.plan import Plan, plan_of

CHANNEL = "tillbox_release"
COLUMNS = (
    "release_id, note, state, because, created_by, created_at_ms, approved_by, approved_at_ms,"
    " starts_local, plan, changes, stores, by_kind, needs_approval, wave, since_ms, halted_by,"
    " undoes, preview->'progress'"
)
_ADD = text("""
    INSERT INTO release (note, state, created_by, created_at_ms, starts_local, plan, since_ms,
        undoes)
    VALUES (:note, 'review', :by, :at_ms, :starts_local, CAST(:plan AS jsonb), :at_ms, :undoes)
    RETURNING release_id""")
_FILL = text("""
    UPDATE release SET changes = :changes, stores = :stores, by_kind = CAST(:by_kind AS jsonb),
        needs_approval = CAST(:needs AS jsonb), preview = CAST(:preview AS jsonb)
    WHERE release_id = :release_id""")
_PAGE = """
    FROM release WHERE (:state = '' OR state = :state)
        AND (:q = '' OR note ILIKE :like OR created_by ILIKE :like)"""
_SET = text("""
    UPDATE release SET state = :state, because = :because, since_ms = :at_ms,
        halted_by = coalesce(:halted_by, halted_by)
    WHERE release_id = :release_id""")
_KEEP = text("""
    UPDATE release SET preview = jsonb_set(preview, '{progress}', CAST(:progress AS jsonb))
    WHERE release_id = :release_id""")
_APPROVE = text("""
    UPDATE release SET approved_by = :by, approved_at_ms = :at_ms
    WHERE release_id = :release_id""")
_EVENT = text("""
    INSERT INTO release_event (release_id, at_ms, by, action, reason, params)
    VALUES (:release_id, :at_ms, :by, :action, :reason, CAST(:params AS jsonb))""")
_EVENTS = text("""
    SELECT at_ms, by, action, reason, params FROM release_event
    WHERE release_id = :release_id ORDER BY id LIMIT 500""")
# The stores that its records are for; one that joins meanwhile is put to the others.
_JOIN = text("""
    INSERT INTO release_wave_store (release_id, store_id, n, at_ms)
    SELECT :release_id, store_id, -1, 0 FROM store
    WHERE EXISTS (
        SELECT FROM release_change WHERE release_id = :release_id
            AND scope IN ('', 'store-' || store_id, 'zone:' || zone_id))
    ON CONFLICT (release_id, store_id) DO NOTHING""")
_PLACED = text("""
    SELECT store_id, n FROM release_wave_store WHERE release_id = :release_id ORDER BY store_id""")
_PLACE = text("""
    UPDATE release_wave_store placed SET n = :n, at_ms = told.at_ms
    FROM unnest(CAST(:stores AS text[]), CAST(:instants AS bigint[])) told (store_id, at_ms)
    WHERE placed.release_id = :release_id AND placed.store_id = told.store_id""")
_ZONES = text("""
    SELECT store.store_id, store.time_zone FROM store
    JOIN release_wave_store placed USING (store_id)
    WHERE placed.release_id = :release_id AND placed.n < 0""")
_WAVES = text("""
    SELECT n, started_at_ms, done_at_ms, withdrawn_at_ms, first_at_ms, last_at_ms
    FROM release_wave WHERE release_id = :release_id ORDER BY n""")
_START = text("""
    UPDATE release_wave SET started_at_ms = :at_ms, first_at_ms = :first, last_at_ms = :last
    WHERE release_id = :release_id AND n = :n""")
# Their boxes get a new revision: they have as long to store it as the first time.
_RESTART = text("""
    UPDATE release_wave SET started_at_ms = :at_ms, last_at_ms = greatest(last_at_ms, :at_ms)
    WHERE release_id = :release_id AND n = ANY (:waves)""")
_END = text("""
    UPDATE release_wave SET done_at_ms = coalesce(done_at_ms, :at_ms)
    WHERE release_id = :release_id AND n <= :n""")
_BACK = text("""
    UPDATE release_wave SET withdrawn_at_ms = :at_ms
    WHERE release_id = :release_id AND started_at_ms IS NOT NULL AND withdrawn_at_ms IS NULL""")
_MOVING = text("SELECT release_id FROM release WHERE state = ANY(:states) ORDER BY release_id")
_UNDOING = text("""
    SELECT min(release_id) FROM release
    WHERE undoes = :release_id AND state = ANY(:states)""")
_GROUP = text("SELECT store_id FROM store_group_member WHERE group_id = :group_id")


@dataclass(frozen=True, slots=True)
class Release:
    """One release as it is stored."""

    release_id: int
    note: str
    state: State
    because: str | None
    created_by: str
    created_at_ms: int
    approved_by: str | None
    approved_at_ms: int | None
    starts_local: str | None
    plan: Plan
    changes: int
    stores: int
    by_kind: dict[str, int]
    needs_approval: tuple[Because, ...]
    wave: int
    since_ms: int
    halted_by: str | None
    undoes: int | None
    ended: dict[str, int] | None = None
    """How far its stores were when it ended."""


@dataclass(frozen=True, slots=True)
class New:
    """A release that somebody hands in."""

    by: str
    at_ms: int
    note: str
    starts_local: str | None
    plan: Plan
    undoes: int | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened: who did it (empty: nobody), what, why."""

    at_ms: int
    by: str
    action: str
    reason: str = ""
    params: Mapping[str, int | str] | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A new state; `because` is a short code, `halted_by` who stopped it (`guard:<id>`)."""

    state: State
    because: str | None = None
    halted_by: str | None = None


@dataclass(frozen=True, slots=True)
class WaveRow:
    """A wave's instants, UTC ms."""

    n: int
    started_at_ms: int | None
    done_at_ms: int | None
    withdrawn_at_ms: int | None
    first_at_ms: int | None
    last_at_ms: int | None


def add(connection: Connection, new: New) -> int:
    """A release in review, without content yet; its number."""
    found = connection.execute(
        _ADD,
        {
            "note": new.note,
            "by": new.by,
            "at_ms": new.at_ms,
            "starts_local": new.starts_local or None,
            "plan": _json(new.plan),
            "undoes": new.undoes,
        },
    )
    release_id = int(found.scalar_one())
    rows = ((release_id, n) for n in range(len(new.plan)))
    copy_rows(connection, "release_wave", ("release_id", "n"), rows)
    return release_id


def remove(connection: Connection, release_id: int) -> None:
    """Forget a release that has no content."""
    for table in ("release_wave", "release_wave_store", "release_event", "release"):
        connection.execute(
            text(f"DELETE FROM {table} WHERE release_id = :id"),  # noqa: S608 - fixed names
            {"id": release_id},
        )


def fill(connection: Connection, release_id: int, content: Mapping[str, Any]) -> None:
    """Say what it changes: `changes`, `stores`, `by_kind`, `needs`, `preview`."""
    connection.execute(
        _FILL,
        {
            "release_id": release_id,
            "changes": content["changes"],
            "stores": len(content["stores"]),
            "by_kind": _json(content["by_kind"]),
            "needs": _json([list(each) for each in content["needs"]]),
            "preview": _json(content["preview"]),
        },
    )
    rows = ((release_id, store_id, -1, 0) for store_id in content["stores"])
    columns = ("release_id", "store_id", "n", "at_ms")
    copy_rows(connection, "release_wave_store", columns, rows)


def find(connection: Connection, release_id: int) -> Release | None:
    """One release."""
    statement = text(f"SELECT {COLUMNS} FROM release WHERE release_id = :id")  # noqa: S608 - fixed
    row = connection.execute(statement, {"id": release_id}).one_or_none()
    return None if row is None else _release(row)


def preview(connection: Connection, release_id: int) -> dict[str, Any]:
    """What was found out about it when it was handed in."""
    statement = text("SELECT preview FROM release WHERE release_id = :id")
    found: dict[str, Any] = connection.execute(statement, {"id": release_id}).scalar_one()
    return found


def page(
    connection: Connection, state: str, q: str, *, size: int, skip: int
) -> tuple[list[Release], int]:
    """Some releases, the newest first, and how many match."""
    asked = {"state": state, "q": q, "like": f"%{like_literal(q)}%"}
    total = connection.execute(text(f"SELECT count(*) {_PAGE}"), asked).scalar_one()
    statement = text(f"SELECT {COLUMNS} {_PAGE} ORDER BY release_id DESC LIMIT :size OFFSET :skip")
    rows = connection.execute(statement, {**asked, "size": size, "skip": skip})
    return [_release(row) for row in rows], int(total)


def moving(connection: Connection) -> list[int]:
    """Releases in which something can happen, the oldest first."""
    states = [state.value for state in MOVING]
    return [int(found) for (found,) in connection.execute(_MOVING, {"states": states})]


def undoing(connection: Connection, release_id: int) -> int | None:
    """The release under way that takes this one back, if there is one."""
    asked = {"release_id": release_id, "states": [state.value for state in MOVING]}
    found: int | None = connection.execute(_UNDOING, asked).scalar_one()
    return found


def turn(connection: Connection, release_id: int, turn: Turn, event: Event) -> None:
    """Let it be in a state from now on, and write down why."""
    told = {
        "release_id": release_id,
        "state": turn.state.value,
        "because": turn.because,
        "at_ms": event.at_ms,
        "halted_by": turn.halted_by,
    }
    connection.execute(_SET, told)
    add_event(connection, release_id, event)


def approve(connection: Connection, release_id: int, by: str, at_ms: int) -> None:
    """Somebody agrees."""
    connection.execute(_APPROVE, {"release_id": release_id, "by": by, "at_ms": at_ms})


def keep_progress(connection: Connection, release_id: int, progress: Mapping[str, int]) -> None:
    """Remember how far its stores were when it ended."""
    told = {"release_id": release_id, "progress": _json(progress)}
    connection.execute(_KEEP, told)


def note_trouble(connection: Connection, release_id: int, code: str) -> None:
    """Say why it does not go on, though it should."""
    statement = text(
        "UPDATE release SET because = :code WHERE release_id = :id"
        " AND because IS DISTINCT FROM :code"
    )
    connection.execute(statement, {"code": code, "id": release_id})


def add_event(connection: Connection, release_id: int, event: Event) -> None:
    """Write down what happened, and tell the consoles."""
    connection.execute(
        _EVENT,
        {
            "release_id": release_id,
            "at_ms": event.at_ms,
            "by": event.by,
            "action": event.action,
            "reason": event.reason,
            "params": _json(event.params or {}),
        },
    )
    tell(connection, release_id)


def tell(connection: Connection, release_id: int) -> None:
    """Tell runners and consoles once the transaction commits."""
    statement = text("SELECT state, wave FROM release WHERE release_id = :id")
    row = connection.execute(statement, {"id": release_id}).one()
    told = {"release_id": release_id, "state": row.state, "wave": row.wave}
    notify(connection, CHANNEL, _json(told))


def told_of(payload: str) -> int:
    """The release that a notice is about."""
    return int(orjson.loads(payload)["release_id"])


def events(connection: Connection, release_id: int) -> list[dict[str, Any]]:
    """What happened, the oldest first."""
    rows = connection.execute(_EVENTS, {"release_id": release_id}).mappings()
    return [dict(row) for row in rows]


def waves(connection: Connection, release_id: int) -> list[WaveRow]:
    """Its waves in their order."""
    return [WaveRow(*row) for row in connection.execute(_WAVES, {"release_id": release_id})]


def join_stores(connection: Connection, release_id: int) -> None:
    """Put stores that came after it was handed in to those that still wait."""
    connection.execute(_JOIN, {"release_id": release_id})


def placed(connection: Connection, release_id: int) -> dict[str, int]:
    """Each of its stores with its wave; -1: none yet."""
    rows = connection.execute(_PLACED, {"release_id": release_id})
    return {str(store_id): int(n) for store_id, n in rows}


def waiting_zones(connection: Connection, release_id: int) -> dict[str, str]:
    """The stores without a wave, with their IANA time zones."""
    rows = connection.execute(_ZONES, {"release_id": release_id})
    return {str(store_id): str(zone) for store_id, zone in rows}


def group_stores(connection: Connection, group_id: str) -> set[str]:
    """The members of a store group."""
    return {str(store) for (store,) in connection.execute(_GROUP, {"group_id": group_id})}


def unknown_stores(connection: Connection, named: Collection[str]) -> list[str]:
    """Those of these stores that are not there."""
    return _unknown(connection, "store", "store_id", named)


def unknown_groups(connection: Connection, named: Collection[str]) -> list[str]:
    """Those of these store groups that are not there."""
    return _unknown(connection, "store_group", "group_id", named)


def _unknown(connection: Connection, table: str, column: str, named: Collection[str]) -> list[str]:
    if not named:
        return []
    statement = text(
        "SELECT told FROM unnest(CAST(:named AS text[])) told"  # noqa: S608 - fixed names
        f" WHERE NOT EXISTS (SELECT FROM {table} WHERE {column} = told) ORDER BY told"
    )
    return [str(each) for (each,) in connection.execute(statement, {"named": list(named)})]


def start_wave(
    connection: Connection, release_id: int, n: int, at_ms: int, instants: Mapping[str, int]
) -> None:
    """These stores are of wave `n` and begin at these instants (0: at once)."""
    told = {
        "release_id": release_id,
        "n": n,
        "stores": list(instants),
        "instants": list(instants.values()),
    }
    connection.execute(_PLACE, told)
    begins = [max(at_ms, each) for each in instants.values()] or [at_ms]
    span = {"at_ms": at_ms, "first": min(begins), "last": max(begins)}
    connection.execute(_START, {"release_id": release_id, "n": n, **span})
    connection.execute(
        text("UPDATE release SET wave = :n WHERE release_id = :id"), {"n": n, "id": release_id}
    )


def restart_waves(
    connection: Connection, release_id: int, waves: Collection[int], at_ms: int
) -> None:
    """Stores of these waves get it again from an instant on."""
    told = {"release_id": release_id, "waves": list(waves), "at_ms": at_ms}
    connection.execute(_RESTART, told)


def end_waves(connection: Connection, release_id: int, n: int, at_ms: int) -> None:
    """Waves up to `n` have stood their time."""
    if n >= 0:
        connection.execute(_END, {"release_id": release_id, "n": n, "at_ms": at_ms})


def withdraw_waves(connection: Connection, release_id: int, at_ms: int) -> None:
    """What was brought is taken back."""
    connection.execute(_BACK, {"release_id": release_id, "at_ms": at_ms})


def save_setting(connection: Connection, table: str, document: object, by: str, at_ms: int) -> None:
    """Add a setting that counts from now on; `table` is one of the module's callers' two."""
    statement = text(
        f"INSERT INTO {table} (document, changed_by, changed_at_ms)"  # noqa: S608 - fixed names
        " VALUES (CAST(:document AS jsonb), :by, :at_ms)"
    )
    connection.execute(statement, {"document": _json(document), "by": by, "at_ms": at_ms})


def setting(connection: Connection, table: str) -> tuple[Any, str, int] | None:
    """The setting that counts, who made it and when."""
    statement = text(
        f"SELECT document, changed_by, changed_at_ms FROM {table}"  # noqa: S608 - fixed names
        " ORDER BY id DESC LIMIT 1"
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


def _release(row: Sequence[Any]) -> Release:
    values = list(row)
    values[2] = State(values[2])
    values[9] = plan_of(values[9])
    values[13] = tuple(Because(*each) for each in values[13])
    return Release(*values)


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
