"""Add versions, begin rollouts, stop them: and the one turn that moves a rollout on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.db import Database
from cloud.desired import DesiredPart, desire_parts
from cloud.signing import HqKey
from cloud.software import store
from cloud.software.store import SILENT_MS, Rollout, Terms
from shared.kernel.canonical import sha256
from shared.kernel.errors import MissingError, RefusedError
from shared.release.description import Release, release_bytes, signing_statement
from shared.release.lock import is_window
from shared.release.plan import ALL_PERCENT, Plan, shares_of, waves_of
from shared.release.rollout import STALLED_MS, Move, WaveFacts, next_move

SOFTWARE_LOCK = 7_461_016
AUTOMATIC = "automatic"


@dataclass(frozen=True, slots=True)
class Doer:
    """Who does something, when (UTC ms), and why."""

    name: str
    at_ms: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Publish:
    """Bring a version to the stores: `waves` as "1%,10%,50%,100%", `hours` "02:00-05:00" or ""."""

    version: str
    waves: str
    soak_s: int
    hours: str
    note: str = ""


def add(database: Database, release: Release, put: Callable[[], None], doer: Doer) -> None:
    """Add a version; `put` stores its wheels first. RefusedError `software.exists`."""
    put()
    with database.begin() as connection:
        if not store.add(connection, release, doer.name, doer.at_ms):
            raise RefusedError("software.exists", version=release.version)


def publish(
    database: Database, objects: ObjectStore, hq_key: HqKey, command: Publish, doer: Doer
) -> int:
    """Sign a version anew and begin to bring it to the stores; answers the rollout's id.

    Raises MissingError `software.unknown`, RefusedError `software.plan`, `software.hours`,
    `software.no_stores` or `software.rolling`. A halted rollout is given up by the next one.
    """
    plan = shares_of(command.waves, command.soak_s)
    if not is_window(command.hours):
        raise RefusedError("software.hours", hours=command.hours[:20])
    with database.begin() as connection:
        _make_way(connection, doer)
        known = store.find(connection, command.version)
        if known is None:
            raise MissingError("software.unknown", version=command.version[:64])
        kinds = store.kinds(connection)
        if not kinds:
            raise RefusedError("software.no_stores")
        made = _signed(connection, objects, hq_key, known)
        rollout = _rollout(made, plan, command, doer)
        store.add_rollout(connection, rollout)
        waves = waves_of(plan, kinds, rollout.id)
        store.add_targets(connection, rollout.id, waves)
        _note(connection, rollout.id, "published", doer)
    return rollout.id


def halt(database: Database, rollout_id: int, doer: Doer) -> None:
    """Stop a rollout: no box that does not run it yet shall take it."""
    _change(database, rollout_id, ("rolling",), "halted", doer)


def resume(database: Database, rollout_id: int, doer: Doer) -> None:
    """Go on with a halted rollout where it stood."""
    _change(database, rollout_id, ("halted",), "rolling", doer)


def cancel(database: Database, rollout_id: int, doer: Doer) -> None:
    """Give a rollout up; what runs it goes on with it until another version is brought."""
    _change(database, rollout_id, ("rolling", "halted"), "cancelled", doer)


def turn(connection: Connection, now_ms: int) -> Move | None:
    """Move the rollout on by one step, if there is one, and tell the boxes. One transaction.

    May be cut off and done again at any point: a step is written down whole or not at all.
    """
    rollout = store.live(connection)
    if rollout is None or rollout.state == "halted":
        done = store.last_done(connection)
        if done is not None and rollout is None:
            store.bring_latecomers(connection, done.id, done.wave, now_ms)
            _tell(connection, done, now_ms)
        return None
    terms = Terms(now_ms - SILENT_MS, STALLED_MS)
    facts = _facts(store.counts(connection, rollout, terms), rollout, now_ms)
    move = next_move(facts, rollout.soak_s)
    quiet_at_ms = (rollout.quiet_at_ms or now_ms) if facts.is_quiet else None
    changed = _moved(replace(rollout, quiet_at_ms=quiet_at_ms, because=move.because), move, now_ms)
    if move.what == "wave":
        store.bring(connection, rollout.id, changed.wave, now_ms)
    elif facts.is_last:  # who was opened since joins in
        store.bring_latecomers(connection, rollout.id, rollout.wave, now_ms)
    if changed != rollout:
        store.save(connection, changed)
    if move.what != "wait":
        evidence = store.failures(connection, rollout, terms) if move.what == "halt" else ()
        _note(connection, rollout.id, move.what, Doer(AUTOMATIC, now_ms, move.because), evidence)
    if changed.state == "halted":
        _spare(connection, changed, now_ms)
    else:
        _tell(connection, changed, now_ms)
    return move


def _signed(
    connection: Connection, objects: ObjectStore, hq_key: HqKey, known: Release
) -> tuple[int, str, str, str]:
    """Number, version, SHA-256 and signature of a new description."""
    no = store.next_no(connection)
    data = release_bytes(replace(known, no=no))
    name = objects.put(data)
    return no, known.version, name, hq_key.sign(signing_statement(sha256(data))).hex()


def _rollout(made: tuple[int, str, str, str], plan: Plan, command: Publish, doer: Doer) -> Rollout:
    no, version, name, sig = made
    return Rollout(
        id=no,
        version=version,
        sha256=name,
        sig=sig,
        percents=tuple(wave.percent or ALL_PERCENT for wave in plan),
        soak_s=command.soak_s,
        hours=command.hours,
        note=command.note,
        state="rolling",
        because="",
        wave=-1,
        wave_at_ms=None,
        quiet_at_ms=None,
        created_by=doer.name,
        created_at_ms=doer.at_ms,
        ended_at_ms=None,
    )


def _make_way(connection: Connection, doer: Doer) -> None:
    before = store.live(connection)
    if before is None:
        return
    if before.state == "rolling":
        raise RefusedError("software.rolling", version=before.version)
    store.save(connection, replace(before, state="cancelled", ended_at_ms=doer.at_ms))
    _note(connection, before.id, "cancelled", doer)


def _change(
    database: Database, rollout_id: int, from_states: tuple[str, ...], to: str, doer: Doer
) -> None:
    with database.begin() as connection:
        rollout = store.rollout(connection, rollout_id)
        if rollout is None:
            raise MissingError("software.no_rollout", rollout=rollout_id)
        if rollout.state not in from_states:
            raise RefusedError("software.not_rolling", state=rollout.state)
        ended_at_ms = doer.at_ms if to == "cancelled" else None
        because = "software.stopped" if to == "halted" else ""
        changed = replace(rollout, state=to, because=because, ended_at_ms=ended_at_ms)
        store.save(connection, changed)
        _note(connection, rollout_id, {"rolling": "resumed"}.get(to, to), doer)
        if to == "rolling":
            store.excuse(connection, rollout, Terms(doer.at_ms - SILENT_MS, STALLED_MS))
        else:
            _spare(connection, changed, doer.at_ms)


def _facts(counts: list[store.WaveCount], rollout: Rollout, now_ms: int) -> WaveFacts:
    def total(*standings: str) -> int:
        return sum(
            each.stores
            for each in counts
            if each.is_brought
            and each.standing != "excused"
            and (not standings or each.standing in standings)
        )

    quiet_ms = now_ms - rollout.quiet_at_ms if rollout.quiet_at_ms else 0
    return WaveFacts(
        wave=rollout.wave,
        brought=total(),
        done=total("current"),
        failed=total("failed"),
        is_last=not any(each.wave > rollout.wave for each in counts),
        soaked_ms=quiet_ms,
        silent=total("silent", "untold"),
    )


def _moved(rollout: Rollout, move: Move, now_ms: int) -> Rollout:
    match move.what:
        case "wave":
            wave = rollout.wave + 1
            return replace(rollout, wave=wave, wave_at_ms=now_ms, quiet_at_ms=None)
        case "halt":
            return replace(rollout, state="halted")
        case "finish":
            return replace(rollout, state="done", ended_at_ms=now_ms)
        case "wait":
            return rollout


def _tell(connection: Connection, rollout: Rollout, now_ms: int) -> None:
    wanted = {
        "version": rollout.version,
        "sha256": rollout.sha256,
        "sig": rollout.sig,
        "window": rollout.hours,
    }
    devs = store.to_tell(connection, rollout)
    desire_parts(connection, DesiredPart.SOFTWARE, dict.fromkeys(devs, wanted), now_ms)


def _spare(connection: Connection, rollout: Rollout, now_ms: int) -> None:
    devs: Mapping[str, None] = dict.fromkeys(store.to_spare(connection, rollout))
    desire_parts(connection, DesiredPart.SOFTWARE, devs, now_ms)


def _note(
    connection: Connection,
    rollout_id: int,
    what: str,
    doer: Doer,
    evidence: object = (),
) -> None:
    event = {
        "at_ms": doer.at_ms,
        "by": doer.name,
        "what": what,
        "reason": doer.reason,
        "evidence": evidence,
    }
    store.add_event(connection, rollout_id, event)
