"""Simulate stores: read their recorded days, on several cores where there are some."""

from __future__ import annotations

import signal
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from cloud.db import Database
from cloud.simulation import store
from cloud.simulation.body import Sale, read_sale
from cloud.simulation.replay import UNKNOWN_ITEM, ItemFacts, Shop, basket_of, repriced
from cloud.simulation.report import Offers, Scope, SimulationReport, report_of
from cloud.simulation.simulate import Pair, Rules, simulate_pairs
from cloud.simulation.store import Place, StoreDay
from cloud.simulation.tally import StoreTally
from shared.kernel.errors import RefusedError, UnavailableError
from shared.price.offer_book import OfferBook

DAYS_AHEAD = 2
"""Store-days given to each process in advance: enough to keep it busy, few enough to hold."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the books' sales have been priced again."""

    done: int
    total: int


def simulate_stores(
    database: Database, scope: Scope, jobs: int = 1
) -> Iterator[Progress | SimulationReport]:
    """Progress after each day of a store, then the report, which is the same for any `jobs`.

    Raises RefusedError `simulation.dates` or `store.unknown`, UnavailableError
    `simulation.process` when one of the processes died, and as `Database.begin` does.
    """
    if scope.to_on < scope.from_on:
        raise RefusedError(
            "simulation.dates", **{"from": scope.from_on.isoformat(), "to": scope.to_on.isoformat()}
        )
    with database.begin() as connection:
        places = _places(connection, scope)
        days = store.store_days(connection, scope.from_on, scope.to_on, scope.draft)
    tallies = {store_id: StoreTally() for store_id in places}
    total, done = sum(day.baskets for day in days), 0
    yield Progress(0, total)
    for day, tally in _tallies(database, scope, places, days, jobs):
        tallies[day.store_id].merge(tally)
        done += day.baskets
        yield Progress(done, total)
    currencies = {store_id: place.currency for store_id, place in places.items()}
    yield report_of(scope, tallies, currencies)


def _places(connection: Connection, scope: Scope) -> dict[str, Place]:
    known = store.places(connection)
    for store_id in scope.draft:
        if store_id not in known:
            raise RefusedError("store.unknown", store_id=store_id[:40])
    return {store_id: known[store_id] for store_id in sorted(scope.draft)}


def _tallies(
    database: Database, scope: Scope, places: dict[str, Place], days: list[StoreDay], jobs: int
) -> Iterator[tuple[StoreDay, StoreTally]]:
    """Each day with its sums, in the order of the days."""
    if min(jobs, len(days)) <= 1:
        replayer = _Replayer(database, scope, places)
        for day in days:
            yield day, replayer.day(day)
        return
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, (database.url, scope, places))
    try:
        yield from _in_turn(pool, iter(days), jobs * DAYS_AHEAD)
    except BrokenProcessPool:
        raise UnavailableError("simulation.process") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _in_turn(
    pool: ProcessPoolExecutor, days: Iterator[StoreDay], ahead: int
) -> Iterator[tuple[StoreDay, StoreTally]]:
    waiting: deque[tuple[StoreDay, Future[StoreTally]]] = deque()
    waiting.extend((day, pool.submit(_replay, day)) for day in islice(days, ahead))
    while waiting:
        day, future = waiting.popleft()
        tally = future.result()
        waiting.extend((next_day, pool.submit(_replay, next_day)) for next_day in islice(days, 1))
        yield day, tally


class _Replayer:
    """Prices days of stores again; keeps the rule books and the items that it has met."""

    def __init__(self, database: Database, scope: Scope, places: dict[str, Place]) -> None:
        self._database = database
        self._scope = scope
        self._places = places
        self._books: dict[int, OfferBook] = {}
        self._items: dict[str, ItemFacts] = {}
        self._unreadable = 0

    def day(self, day: StoreDay) -> StoreTally:
        """Sums of one store's business day."""
        rules = Rules(
            self._book(self._scope.today[day.store_id]), self._book(self._scope.draft[day.store_id])
        )
        self._unreadable = 0
        with self._database.begin() as connection:
            tally = simulate_pairs(self._baskets(connection, day), rules)
        tally.unreadable = self._unreadable
        return tally

    def _book(self, offers: Offers) -> OfferBook:
        """The book of a rule set, made once for all stores that share its tuple."""
        book = self._books.get(id(offers))
        if book is None:
            book = self._books[id(offers)] = OfferBook.of(offers)
        return book

    def _baskets(self, connection: Connection, day: StoreDay) -> Iterator[Pair]:
        prices = self._scope.prices.get(day.store_id, {})
        zone = ZoneInfo(self._places[day.store_id].time_zone)
        shop = Shop(day.store_id, zone, self._items)
        with closing(store.sale_bodies(connection, day.store_id, day.day)) as chunks:
            for bodies in chunks:
                sales = list(self._readable(bodies))
                self._learn(connection, {line.gtin for sale in sales for line in sale.lines})
                for sale in sales:
                    draft = repriced(sale, prices) if prices else sale
                    after = None if draft is sale else basket_of(draft, shop)
                    yield basket_of(sale, shop), after

    def _readable(self, bodies: Iterable[bytes]) -> Iterator[Sale]:
        for body in bodies:
            try:
                yield read_sale(body)
            except RefusedError:
                self._unreadable += 1

    def _learn(self, connection: Connection, gtins: set[str]) -> None:
        new = sorted(gtins - self._items.keys())
        if new:
            self._items.update(dict.fromkeys(new, UNKNOWN_ITEM))
            self._items.update(store.item_facts(connection, new))


_replayer: _Replayer | None = None
"""Of a process of the pool."""


def _start(url: str, scope: Scope, places: dict[str, Place]) -> None:
    global _replayer  # noqa: PLW0603 - a pool's process has no other place for what it keeps
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it and ends the pool
    _replayer = _Replayer(Database(url, connections=1), scope, places)


def _replay(day: StoreDay) -> StoreTally:
    assert _replayer is not None
    return _replayer.day(day)
