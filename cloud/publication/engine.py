"""Releases on their way: frozen, brought to stores one by one, taken back, or made the base.

Every function works inside the caller's transaction and may be called again after a crash: what
is done already is left as it is. One at a time: each waits for `PUBLICATION_LOCK`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from cloud.db import incarnation, lock_for_transaction, notify
from cloud.publication import flight_store, legacy, lineage_store, newcomer
from cloud.publication.compile import tombstone
from cloud.publication.flight_store import Conflict, Having, StagedLine
from cloud.publication.lineage import plan_begin, plan_bring, plan_withdraw
from cloud.publication.mover import Act, Mover, Publisher
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.wire.codec import record_line

__all__ = ["Act", "Conflict", "Having", "Publisher"]

PUBLICATION_LOCK = 7_461_002
CHANNEL = "tillbox_publication"
REMEMBERED_MS = 35 * 24 * 3600 * 1000
"""How long it is known which store had a release that is over: boxes may be far behind."""


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a release changes: records in all and by kind, the scopes, and the stores reached."""

    changes: int
    by_kind: dict[str, int]
    scopes: tuple[str, ...]
    stores: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """The number of the first revisions that were made (0: none had to be), and how many stores."""

    rev: int
    stores: int


def freeze(publisher: Publisher, connection: Connection, release_id: int, at_ms: int) -> Frozen:
    """Let a release take every draft of all masters; again: what it took the first time.

    Without stores there was nothing new. Must run in `Database.alone(PUBLICATION_LOCK, ...)`: what
    others change meanwhile is then neither read nor taken. Raises RefusedError
    `publication.frozen` for one that is on its way already.
    """
    lock_for_transaction(connection, PUBLICATION_LOCK)
    legacy.learn_lines(publisher, connection)
    if flight_store.state_of(connection, release_id) is None:
        flight_store.add_flight(connection, release_id, at_ms)
        flight_store.freeze_lines(connection, release_id, list(_draft_lines(publisher, connection)))
        for source in publisher.sources:
            source.take(connection, release_id)
    return _frozen(connection, release_id)


def invert(
    publisher: Publisher, connection: Connection, release_id: int, of_release: int, at_ms: int
) -> Frozen:
    """Freeze a release that brings back what a finished one changed, where it is still so."""
    lock_for_transaction(connection, PUBLICATION_LOCK)
    legacy.learn_lines(publisher, connection)
    if flight_store.state_of(connection, release_id) is None:
        flight_store.add_flight(connection, release_id, at_ms, undoes=of_release)
        flight_store.freeze_lines(connection, release_id, _lines_back(connection, of_release))
    return _frozen(connection, release_id)


def conflicts(connection: Connection, release_id: int) -> tuple[Conflict, ...]:
    """Releases in flight that change some of the same records: this one has to wait for them."""
    return flight_store.conflicts(connection, release_id)


def reached(connection: Connection, release_id: int) -> list[str]:
    """The stores for which a release changes something, new ones included."""
    return flight_store.reached(connection, release_id)


def having(connection: Connection, release_id: int) -> dict[str, Having]:
    """The stores that have a release now, or hold it for its instant."""
    return flight_store.having(connection, release_id)


def bring(
    publisher: Publisher,
    connection: Connection,
    release_id: int,
    stores: Mapping[str, int],
    act: Act,
) -> Moved:
    """Bring a release to stores, each from an instant on (UTC ms; 0 or past: at once).

    Stores that have it are left out. Raises RefusedError `publication.conflict` while another
    release in flight changes the same records, `publication.next_full` when too many revisions
    would wait at a store, `publication.frozen` for one that is over; UnavailableError
    `objects.unavailable`.
    """
    lock_for_transaction(connection, PUBLICATION_LOCK)
    state = flight_store.state_of(connection, release_id)
    if state not in {flight_store.FROZEN, flight_store.FLYING}:
        raise RefusedError("publication.frozen")
    _take_off(publisher, connection, release_id, state)
    ripen(connection, act.at_ms)
    has = flight_store.having(connection, release_id)
    wanted = {
        store_id: at_ms if at_ms > act.at_ms else 0
        for store_id, at_ms in stores.items()
        if store_id not in has
    }
    if not wanted:
        return Moved(0, 0)
    mover = _mover(publisher, connection, release_id, act)
    mover.move(list(wanted), lambda line: plan_bring(line, release_id, wanted[line.store_id]))
    notify(connection, CHANNEL, str(mover.first_rev))
    return Moved(mover.first_rev, mover.stores)


def withdraw(
    publisher: Publisher,
    connection: Connection,
    release_id: int,
    stores: Collection[str],
    act: Act,
) -> Moved:
    """Take a release back from stores at once: a new revision with what was there before."""
    lock_for_transaction(connection, PUBLICATION_LOCK)
    ripen(connection, act.at_ms)
    has = flight_store.having(connection, release_id)
    if flight_store.state_of(connection, release_id) != flight_store.FLYING:
        raise RefusedError("publication.frozen")
    wanted = [store_id for store_id in stores if store_id in has]
    if not wanted:
        return Moved(0, 0)
    mover = _mover(publisher, connection, release_id, act)
    mover.move(wanted, lambda line: plan_withdraw(line, release_id), is_back=True)
    notify(connection, CHANNEL, str(mover.first_rev))
    return Moved(mover.first_rev, mover.stores)


def settle(publisher: Publisher, connection: Connection, release_id: int, act: Act) -> None:
    """Make a release the base: every store has it. Stores that joined meanwhile get it first.

    Raises RefusedError `publication.unsettled` while stores hold it for its instant.
    """
    lock_for_transaction(connection, PUBLICATION_LOCK)
    if flight_store.state_of(connection, release_id) == flight_store.SETTLED:
        return
    everywhere = flight_store.reached(connection, release_id)
    bring(publisher, connection, release_id, dict.fromkeys(everywhere, 0), act)
    has = flight_store.having(connection, release_id)
    waiting = sum(each.is_held for each in has.values())
    if waiting:
        raise RefusedError("publication.unsettled", stores=waiting)
    flight_store.settle(connection, release_id)
    rev = flight_store.last_rev(connection, release_id)
    for source in publisher.sources:
        source.mark_published(connection, release_id, rev)
    flight_store.forget(connection, act.at_ms - REMEMBERED_MS)


def send(publisher: Publisher, connection: Connection, release_id: int, act: Act) -> Moved:
    """Bring what was frozen to the stores whose records it changes, at once, and make it the base.

    Nothing else goes along: a store that changed its price zone stays in the one that its tills
    have, and one that never had anything still begins with the base. What waits for an instant
    waits on. Raises as `bring` does.
    """
    lock_for_transaction(connection, PUBLICATION_LOCK)
    if flight_store.state_of(connection, release_id) != flight_store.FROZEN:
        raise RefusedError("publication.frozen")
    _take_off(publisher, connection, release_id, flight_store.FROZEN)
    ripen(connection, act.at_ms)
    stores = flight_store.changed(connection, release_id)
    mover = replace(_mover(publisher, connection, release_id, act), keeps_scopes=True)
    mover.move(stores, lambda line: plan_bring(line, release_id, 0))
    flight_store.settle(connection, release_id)
    for source in publisher.sources:
        source.mark_published(connection, release_id, flight_store.last_rev(connection, release_id))
    notify(connection, CHANNEL, str(mover.first_rev))
    return Moved(mover.first_rev, mover.stores)


def drop(publisher: Publisher, connection: Connection, release_id: int, *, give_back: bool) -> None:
    """Forget a release that no store has; with `give_back` its drafts wait again.

    Raises RefusedError `publication.still_out` while stores have it.
    """
    lock_for_transaction(connection, PUBLICATION_LOCK)
    state = flight_store.state_of(connection, release_id)
    if state in {None, flight_store.DROPPED}:
        return
    if state == flight_store.SETTLED:
        raise RefusedError("publication.frozen")
    has = flight_store.having(connection, release_id)
    if has:
        raise RefusedError("publication.still_out", stores=len(has))
    flight_store.set_state(connection, release_id, flight_store.DROPPED)
    if give_back:
        for source in publisher.sources:
            source.give_back(connection, release_id)


def ripen(connection: Connection, now_ms: int) -> int:
    """Note that what waited for an instant that has come is active; how many stores moved on.

    Nobody is told: the boxes do it by themselves.
    """
    lock_for_transaction(connection, PUBLICATION_LOCK)
    stores = lineage_store.ripen(connection, now_ms)
    if stores:
        lineage_store.desire(connection, stores, now_ms, is_news=False)
        notify(connection, CHANNEL, "")
    return len(stores)


def welcome(connection: Connection, store_id: str, dev: str) -> None:
    """Let a new box want what its store sells by, if anything was published for it."""
    # Whoever comes second sees the other: the publication the box, or the box the publication.
    lock_for_transaction(connection, PUBLICATION_LOCK)
    lineage_store.desire(connection, [store_id], 0, dev=dev)
    notify(connection, CHANNEL, "")


def begin(publisher: Publisher, connection: Connection, store_id: str, dev: str, act: Act) -> None:
    """Let a new box want what its store sells by; one that never had anything gets the base.

    Raises UnavailableError `objects.unavailable`.
    """
    lock_for_transaction(connection, PUBLICATION_LOCK)
    inc = incarnation(connection)
    (line,) = lineage_store.lines(connection, [store_id], inc)
    if line.manifest is None:
        legacy.learn_lines(publisher, connection)
        newcomer.lay(publisher, connection, store_id)
        if flight_store.scope_sums(connection, line.scopes):
            mover = _mover(publisher, connection, None, act)
            mover.move([store_id], lambda _: plan_begin())
    welcome(connection, store_id, dev)


def _take_off(publisher: Publisher, connection: Connection, release_id: int, state: str) -> None:
    if state == flight_store.FLYING:
        return
    for conflict in flight_store.conflicts(connection, release_id):
        raise RefusedError("publication.conflict", release_id=conflict.release_id)
    legacy.learn_lines(publisher, connection)
    flight_store.rebase(connection, release_id)
    flight_store.set_state(connection, release_id, flight_store.FLYING)


def _mover(publisher: Publisher, connection: Connection, release_id: int | None, act: Act) -> Mover:
    return Mover(
        publisher=publisher,
        connection=connection,
        release_id=release_id,
        act=act,
        inc=incarnation(connection),
        first_rev=lineage_store.next_rev(connection),
        touched=flight_store.touched(connection, lineage_store.flying(connection)),
    )


def _frozen(connection: Connection, release_id: int) -> Frozen:
    by_kind = flight_store.by_kind(connection, release_id)
    return Frozen(
        changes=sum(by_kind.values()),
        by_kind=by_kind,
        scopes=flight_store.scopes_of(connection, release_id),
        stores=tuple(flight_store.reached(connection, release_id)),
    )


def _draft_lines(publisher: Publisher, connection: Connection) -> Iterator[StagedLine]:
    for source in publisher.sources:
        for draft in source.drafts(connection):
            record = draft.record
            line = record_line(record)
            new = None if record.body is None else sha256(line)
            yield draft.scope, str(record.kind), record.key, new, line


def _lines_back(connection: Connection, release_id: int) -> Iterator[StagedLine]:
    for row in flight_store.undone(connection, release_id):
        line = row["old_line"] or tombstone(row["kind"], row["key"])
        yield row["scope"], row["kind"], row["key"], row["old_sha"], bytes(line)
