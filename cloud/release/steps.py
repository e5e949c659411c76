"""Carries out a release's moves: each in the caller's transaction, all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.publication import engine
from cloud.publication.engine import Act, Publisher
from cloud.release import facts_store, store
from cloud.release.facts import GUARD_ROLLS_BACK, instants_of
from cloud.release.move import (
    Finish,
    Halt,
    Move,
    Queue,
    RollBack,
    RolledBack,
    StartWave,
    Wait,
)
from cloud.release.progress import progress_of
from cloud.release.state import State
from cloud.release.store import Event, Release, Turn
from shared.release.plan import order_of, stand_ins, stores_of

NOBODY = ""
PERSON = "person:"


@dataclass(frozen=True, slots=True)
class Doer:
    """Who acts (empty: the machinery), when (UTC ms) and why."""

    at_ms: int
    by: str = NOBODY
    reason: str = ""

    def event(self, action: str, **params: int | str) -> Event:
        """What is written down of it."""
        return Event(self.at_ms, self.by, action, self.reason, params)

    def act(self, note: str) -> Act:
        """What the publication writes down of it."""
        return Act(self.by, self.at_ms, note)


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction on its way."""

    publisher: Publisher
    connection: Connection
    release: Release
    doer: Doer


def carry_out(step: Step, move: Move) -> None:
    """Do what a release does next; `Wait` does nothing."""
    match move:
        case StartWave(n):
            start_wave(step, n)
        case Queue(behind):
            event = step.doer.event("queued", behind=", ".join(map(str, behind)))
            _turn(step, Turn(State.QUEUED, "conflict"), event)
        case Halt(trip):
            event = step.doer.event("halted", guard=trip.guard, value=trip.value)
            by = (GUARD_ROLLS_BACK if trip.rolls_back else "halt:") + trip.guard
            halt(step, Turn(State.HALTED, trip.guard, by), event)
        case RollBack():
            roll_back(step)
        case RolledBack(returning):
            _keep_progress(step)
            engine.drop(step.publisher, step.connection, step.release.release_id, give_back=True)
            event = step.doer.event("rolled_back", returning=returning)
            _turn(step, Turn(State.ROLLED_BACK, step.release.because), event)
        case Finish():
            finish(step)
        case Wait():
            pass


def start_wave(step: Step, n: int) -> int:
    """Choose the wave's stores and bring it to them; the newest revision made (0: none)."""
    connection, release = step.connection, step.release
    release_id, at_ms, plan = release.release_id, step.doer.at_ms, release.plan[n]
    store.end_waves(connection, release_id, n - 1, at_ms)
    store.join_stores(connection, release_id)
    chosen = _chosen(connection, release, n)
    zones = store.waiting_zones(connection, release_id)
    instants = instants_of(plan, release.starts_local, {each: zones[each] for each in chosen})
    store.start_wave(connection, release_id, n, at_ms, instants)
    rev = 0
    if instants:
        act = step.doer.act(release.note)
        rev = engine.bring(step.publisher, connection, release_id, instants, act).rev
    event = step.doer.event("wave", n=n, name=plan.name, stores=len(instants))
    _turn(step, Turn(State.ROLLING), event)
    return rev


def halt(step: Step, turn: Turn, event: Event) -> None:
    """Nothing more goes out, and stores that wait for their instant do not reach it."""
    held = facts_store.held(step.connection, step.release.release_id, step.doer.at_ms)
    if held:
        _withdraw(step, held)
    _turn(step, turn, event)


def pause(step: Step) -> None:
    """No further wave begins, and stores that wait for their instant do not reach it."""
    held = facts_store.held(step.connection, step.release.release_id, step.doer.at_ms)
    if held:
        _withdraw(step, held)
    _turn(step, Turn(State.PAUSED), step.doer.event("paused", held=len(held)))


def resume(step: Step) -> None:
    """Go on; stores that lost it get it again, those whose instant has passed at once."""
    connection, release_id, at_ms = step.connection, step.release.release_id, step.doer.at_ms
    again = facts_store.put_off(connection, release_id)
    if again:
        act = step.doer.act(step.release.note)
        instants = {each.store_id: each.at_ms for each in again}
        engine.bring(step.publisher, connection, release_id, instants, act)
        store.restart_waves(connection, release_id, {each.n for each in again}, at_ms)
    late = sum(each.at_ms <= at_ms for each in again)
    event = step.doer.event("resumed", again=len(again), late=late)
    _turn(step, Turn(State.ROLLING), event)


def roll_back(step: Step) -> None:
    """Take it back from every store that has it, by revisions with the old content."""
    connection, release_id = step.connection, step.release.release_id
    having = list(engine.having(connection, release_id))
    if having:
        _withdraw(step, having)
    store.withdraw_waves(connection, release_id, step.doer.at_ms)
    event = step.doer.event("rolling_back", stores=len(having))
    _turn(step, Turn(State.ROLLING_BACK, step.release.because), event)


def finish(step: Step) -> None:
    """Every store has it for good."""
    release = step.release
    store.end_waves(step.connection, release.release_id, release.wave, step.doer.at_ms)
    act = step.doer.act(release.note)
    engine.settle(step.publisher, step.connection, release.release_id, act)
    if release.undoes is not None:  # head office still says what the tills say no more
        for source in step.publisher.sources:
            source.give_back(step.connection, release.undoes)
    _keep_progress(step)
    _turn(step, Turn(State.DONE), step.doer.event("done"))


def _keep_progress(step: Step) -> None:
    release_id = step.release.release_id
    counts = facts_store.progress(step.connection, [release_id], step.doer.at_ms)[release_id]
    store.keep_progress(step.connection, release_id, progress_of(counts.values()))


def _withdraw(step: Step, stores: list[str]) -> None:
    act = step.doer.act(step.release.note)
    engine.withdraw(step.publisher, step.connection, step.release.release_id, stores, act)


def _turn(step: Step, turn: Turn, event: Event) -> None:
    store.turn(step.connection, step.release.release_id, turn, event)


def _chosen(connection: Connection, release: Release, n: int) -> list[str]:
    """The stores of wave `n`: by name, by group or by share; the last wave takes the rest.

    Where nobody would have it before the last wave, some stores stand in for those that were named.
    """
    placed = store.placed(connection, release.release_id)
    kinds = facts_store.kinds(connection, release.release_id)
    order = order_of(release.release_id, kinds)
    taken = [store_id for store_id, wave in placed.items() if wave >= 0]
    named, is_last = _named(connection, release, n), n == len(release.plan) - 1
    if named is None or is_last:
        return stores_of(release.plan, n, kinds, taken, order)
    chosen = [store_id for store_id, wave in placed.items() if wave < 0 and store_id in named]
    return chosen if chosen or taken else stand_ins(kinds, order)


def _named(connection: Connection, release: Release, n: int) -> set[str] | None:
    """Whom wave `n` names, itself or by a group; None: it takes a share."""
    plan = release.plan[n]
    if plan.stores is not None:
        return set(plan.stores)
    return None if plan.group is None else set(store.group_stores(connection, plan.group))
