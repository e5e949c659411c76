"""SQL of versions and rollouts. Reads `device`, `store` and `desired` beside its own tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import Connection, text

from cloud.db import driver
from shared.release.description import Release, Wheel
from shared.wire.message import SoftwareReport

SILENT_MS = 3_600_000
"""A box that was not heard of for so long holds up nobody."""
_ADD = text("""
    INSERT INTO software (version, python, requires, vectors, notes, wheels, added_by, added_at_ms)
    VALUES (:version, :python, :requires, :vectors, :notes, CAST(:wheels AS jsonb), :by, :at_ms)
    ON CONFLICT (version) DO NOTHING""")
_FIND = text("SELECT * FROM software WHERE version = :version")
_NEXT_NO = text("SELECT nextval(pg_get_serial_sequence('software_rollout', 'id'))")
_ADD_ROLLOUT = text("""
    INSERT INTO software_rollout (
        id, version, sha256, sig, percents, soak_s, hours, note, state, created_by, created_at_ms)
    VALUES (:id, :version, :sha256, :sig, :percents, :soak_s, :hours, :note, 'rolling', :by,
            :at_ms)""")
_ADD_TARGETS = text("""
    INSERT INTO software_target (rollout_id, store_id, wave)
    SELECT :id, told.store_id, told.wave
    FROM unnest(CAST(:stores AS text[]), CAST(:waves AS integer[])) told (store_id, wave)
    ON CONFLICT DO NOTHING""")
# A kind of box: its hardware, and the software that it comes from.
_KINDS = text("""
    SELECT DISTINCT ON (store_id) store_id,
        btrim(coalesce(box.model, '') || ' ' || coalesce(state.running, box.sw, ''))
    FROM device LEFT JOIN box_state box USING (dev, store_id)
    LEFT JOIN software_state state USING (dev)
    WHERE status = 'active' ORDER BY store_id, dev""")
_LIVE = text("""
    SELECT * FROM software_rollout WHERE state IN ('rolling', 'halted') FOR UPDATE""")
_ROLLOUT = text("SELECT * FROM software_rollout WHERE id = :id FOR UPDATE")
_LAST_DONE = text("""
    SELECT * FROM software_rollout WHERE state = 'done' ORDER BY id DESC LIMIT 1""")
_BRING = text("""
    UPDATE software_target SET brought_at_ms = :at_ms
    WHERE rollout_id = :id AND wave = :wave AND brought_at_ms IS NULL""")
_LATECOMERS = text("""
    INSERT INTO software_target (rollout_id, store_id, wave, brought_at_ms)
    SELECT DISTINCT CAST(:id AS bigint), device.store_id, :wave, CAST(:at_ms AS bigint)
    FROM device WHERE status = 'active' AND NOT EXISTS (
        SELECT FROM software_target target
        WHERE target.rollout_id = :id AND target.store_id = device.store_id)
    ON CONFLICT DO NOTHING""")
_SET = text("""
    UPDATE software_rollout SET state = :state, because = :because, wave = :wave,
        wave_at_ms = :wave_at_ms, quiet_at_ms = :quiet_at_ms, ended_at_ms = :ended_at_ms
    WHERE id = :id""")
# A box that runs the version and trusts it is done, whatever else it says. One that works on a
# release for hours, or that refused it, has failed; one that waits for its shop has not. What it
# says just after it was told may still be of the try before.
STANDING = """
    CASE WHEN state.dev IS NULL THEN 'untold'
         WHEN state.running = :version AND state.trusted = :version THEN 'current'
         WHEN state.wanted = :version AND state.state = 'failed'
              AND (state.since_ms >= target.brought_at_ms
                   OR state.at_ms - target.brought_at_ms > 120000)
              THEN CASE WHEN target.is_excused THEN 'excused' ELSE 'failed' END
         WHEN state.at_ms < :heard_ms THEN 'silent'
         WHEN state.state IN ('watch', 'commit') THEN 'watching'
         WHEN state.state IN ('idle', 'failed')
              OR starts_with(coalesce(state.error, ''), 'release.held.') THEN 'waiting'
         WHEN state.at_ms - target.brought_at_ms > :stalled_ms
              AND state.at_ms - state.since_ms > :stalled_ms
              THEN CASE WHEN target.is_excused THEN 'excused' ELSE 'failed' END
         ELSE 'working' END"""
_COUNTS = text(f"""
    SELECT target.wave, target.brought_at_ms IS NOT NULL AS is_brought,
           coalesce({STANDING}, 'untold') AS standing, count(DISTINCT target.store_id) AS stores
    FROM software_target target
    LEFT JOIN device ON device.store_id = target.store_id AND device.status = 'active'
    LEFT JOIN software_state state ON state.dev = device.dev
    WHERE target.rollout_id = :id GROUP BY 1, 2, 3""")  # noqa: S608 - constants of this module
_FAILURES = text(f"""
    SELECT target.store_id, coalesce(state.error, 'release.stalled') AS error
    FROM software_target target
    JOIN device ON device.store_id = target.store_id AND device.status = 'active'
    JOIN software_state state ON state.dev = device.dev
    WHERE target.rollout_id = :id AND target.brought_at_ms IS NOT NULL AND {STANDING} = 'failed'
    ORDER BY state.at_ms DESC LIMIT 20""")  # noqa: S608 - the same
_EXCUSE = text(f"""
    UPDATE software_target target SET is_excused = true
    FROM device JOIN software_state state ON state.dev = device.dev
    WHERE target.rollout_id = :id AND device.store_id = target.store_id
      AND device.status = 'active' AND {STANDING} = 'failed'""")  # noqa: S608 - the same
_TO_TELL = text("""
    SELECT device.dev FROM software_target target
    JOIN device ON device.store_id = target.store_id AND device.status = 'active'
    LEFT JOIN desired ON desired.dev = device.dev
    WHERE target.rollout_id = :id AND target.brought_at_ms IS NOT NULL
      AND (desired.software ->> 'sha256') IS DISTINCT FROM :sha256""")
# Those that have not put it in place yet shall not; those that run it are left to their watch.
_TO_SPARE = text("""
    SELECT desired.dev FROM desired LEFT JOIN software_state state ON state.dev = desired.dev
    WHERE desired.software ->> 'sha256' = :sha256 AND state.running IS DISTINCT FROM :version""")
_EVENT = text("""
    INSERT INTO software_event (rollout_id, at_ms, by, what, reason, evidence)
    VALUES (:id, :at_ms, :by, :what, :reason, CAST(:evidence AS jsonb))""")
_REPORTS = """
    INSERT INTO software_state (dev, running, wanted, state, since_ms, error, trusted, at_ms)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[],
                         %s::text[], %s::bigint[])
    ON CONFLICT (dev) DO UPDATE SET running = excluded.running, wanted = excluded.wanted,
        state = excluded.state, since_ms = excluded.since_ms, error = excluded.error,
        trusted = excluded.trusted, at_ms = excluded.at_ms"""


@dataclass(frozen=True, slots=True)
class Rollout:
    """A row of `software_rollout`; see its migration."""

    id: int
    version: str
    sha256: str
    sig: str
    percents: tuple[int, ...]
    soak_s: int
    hours: str
    note: str
    state: str
    because: str
    wave: int
    wave_at_ms: int | None
    quiet_at_ms: int | None
    created_by: str
    created_at_ms: int
    ended_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Terms:
    """From when on a box counts as silent (UTC ms), and for how long it may work on a release."""

    heard_ms: int
    stalled_ms: int


@dataclass(frozen=True, slots=True)
class WaveCount:
    """How many stores of a wave are in a state."""

    wave: int
    is_brought: bool
    standing: str
    stores: int


def add(connection: Connection, release: Release, by: str, at_ms: int) -> bool:
    """Add a version; False when it is there already. The release's number is not kept."""
    wheels = [[w.name, w.sha256, w.size, w.arch] for w in release.wheels]
    values = {
        "version": release.version,
        "python": release.python,
        "requires": release.requires,
        "vectors": release.vectors,
        "notes": release.notes,
        "wheels": orjson.dumps(wheels).decode(),
        "by": by,
        "at_ms": at_ms,
    }
    return bool(connection.execute(_ADD, values).rowcount)


def find(connection: Connection, version: str) -> Release | None:
    """A version as it was added, without a number."""
    row = connection.execute(_FIND, {"version": version}).mappings().one_or_none()
    if row is None:
        return None
    wheels = tuple(Wheel(*each) for each in row["wheels"])
    return Release(0, version, row["python"], wheels, row["requires"], row["vectors"], row["notes"])


def next_no(connection: Connection) -> int:
    """The number of the next description."""
    return int(connection.execute(_NEXT_NO).scalar_one())


def add_rollout(connection: Connection, rollout: Rollout) -> None:
    """Add a rollout, rolling."""
    values = {
        "id": rollout.id,
        "version": rollout.version,
        "sha256": rollout.sha256,
        "sig": rollout.sig,
        "percents": list(rollout.percents),
        "soak_s": rollout.soak_s,
        "hours": rollout.hours,
        "note": rollout.note,
        "by": rollout.created_by,
        "at_ms": rollout.created_at_ms,
    }
    connection.execute(_ADD_ROLLOUT, values)


def add_targets(connection: Connection, rollout_id: int, waves: Sequence[Sequence[str]]) -> None:
    """Deal stores into waves, all at once."""
    pairs = [(store, number) for number, wave in enumerate(waves) for store in wave]
    stores, numbers = [store for store, _ in pairs], [number for _, number in pairs]
    values = {"id": rollout_id, "stores": stores, "waves": numbers}
    connection.execute(_ADD_TARGETS, values)


def kinds(connection: Connection) -> dict[str, str]:
    """Every store with a box in service, and the kind of box ("": not known)."""
    return {str(store): str(kind) for store, kind in connection.execute(_KINDS)}


def live(connection: Connection) -> Rollout | None:
    """The rollout that rolls or is halted, locked."""
    return _one(connection.execute(_LIVE).mappings().one_or_none())


def rollout(connection: Connection, rollout_id: int) -> Rollout | None:
    """A rollout, locked."""
    return _one(connection.execute(_ROLLOUT, {"id": rollout_id}).mappings().one_or_none())


def last_done(connection: Connection) -> Rollout | None:
    """What every store should have by now."""
    return _one(connection.execute(_LAST_DONE).mappings().one_or_none())


def save(connection: Connection, changed: Rollout) -> None:
    """Write down where a rollout stands."""
    names = ("id", "state", "because", "wave", "wave_at_ms", "quiet_at_ms", "ended_at_ms")
    connection.execute(_SET, {name: getattr(changed, name) for name in names})


def bring(connection: Connection, rollout_id: int, wave: int, at_ms: int) -> int:
    """Let a wave begin; how many stores it has."""
    values = {"id": rollout_id, "wave": wave, "at_ms": at_ms}
    return int(connection.execute(_BRING, values).rowcount)


def bring_latecomers(connection: Connection, rollout_id: int, wave: int, at_ms: int) -> int:
    """Stores that were opened since the rollout was made get it with its last wave."""
    values = {"id": rollout_id, "wave": wave, "at_ms": at_ms}
    return int(connection.execute(_LATECOMERS, values).rowcount)


def counts(connection: Connection, of: Rollout, terms: Terms) -> list[WaveCount]:
    """How the stores of a rollout fare, by wave."""
    rows = connection.execute(_COUNTS, _asked(of, terms))
    return [WaveCount(int(row[0]), bool(row[1]), str(row[2]), int(row[3])) for row in rows]


def failures(connection: Connection, of: Rollout, terms: Terms) -> list[tuple[str, str]]:
    """Stores that could not live with it, with the code of why, the newest first."""
    rows = connection.execute(_FAILURES, _asked(of, terms))
    return [(str(store), str(error)) for store, error in rows]


def excuse(connection: Connection, of: Rollout, terms: Terms) -> None:
    """Count the failures of by now no more: a person lets the rollout go on."""
    connection.execute(_EXCUSE, _asked(of, terms))


def to_tell(connection: Connection, of: Rollout) -> list[str]:
    """Boxes that should want it and do not: also one that was swapped in since."""
    found = connection.execute(_TO_TELL, {"id": of.id, "sha256": of.sha256})
    return [str(dev) for dev in found.scalars()]


def to_spare(connection: Connection, of: Rollout) -> list[str]:
    """Boxes that want it and do not run it."""
    found = connection.execute(_TO_SPARE, {"sha256": of.sha256, "version": of.version})
    return [str(dev) for dev in found.scalars()]


def add_event(connection: Connection, rollout_id: int, event: dict[str, Any]) -> None:
    """Write down what was done: `at_ms`, `by`, `what`, `reason`, `evidence`."""
    evidence: Iterable[Any] = event.get("evidence", ())
    values = {
        "id": rollout_id,
        "at_ms": event["at_ms"],
        "by": event["by"],
        "what": event["what"],
        "reason": event.get("reason", ""),
        "evidence": orjson.dumps(list(evidence)).decode(),
    }
    connection.execute(_EVENT, values)


def save_reports(connection: Connection, words: list[tuple[str, SoftwareReport, int]]) -> None:
    """Note what boxes say of their software, in one statement; each box is named once."""
    rows = [
        (dev, said.running, said.wanted, said.state, said.since, said.error, said.trusted, at_ms)
        for dev, said, at_ms in sorted(words, key=itemgetter(0))
    ]
    columns = [list(column) for column in zip(*rows, strict=True)]
    driver(connection).execute(_REPORTS, columns)


def _asked(of: Rollout, terms: Terms) -> dict[str, Any]:
    return {
        "id": of.id,
        "version": of.version,
        "heard_ms": terms.heard_ms,
        "stalled_ms": terms.stalled_ms,
    }


def _one(row: Any) -> Rollout | None:  # noqa: ANN401 - a row of the driver
    return None if row is None else Rollout(**{**row, "percents": tuple(row["percents"])})
