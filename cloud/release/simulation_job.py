"""The margin effect of a release: recorded sales of its busiest stores, priced again.

A background job with progress in the database; a process that dies leaves it to another one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection

from cloud.db import Database
from cloud.records import zone_of
from cloud.release import preview_store, simulation_store
from cloud.release.moves import next_price
from cloud.simulation.replay import NewPrice
from cloud.simulation.report import Offers, Scope, Section, SimulationReport
from cloud.simulation.service import Progress, simulate_stores
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError
from shared.price.document import parse_offer
from shared.publication.revision import Record

DAYS = 7
POLL_S = 2.0
STOP_S = 15.0
BEAT_MS = 1_000
UNEXPECTED = "internal"

_log = structlog.get_logger("cloud.release")


@dataclass(slots=True)
class SimulationJob:
    """Does one simulation after the other; `is_stopping` ends the one under way."""

    database: Database
    clock: Clock
    is_stopping: threading.Event

    def run_next(self) -> bool:
        """Do one that waits; False when none does."""
        with self.database.begin() as connection:
            release_id = simulation_store.claim(connection, self.clock.now_ms())
        if release_id is None:
            return False
        try:
            told = self._simulate(release_id)
        except RetailError as error:
            told = _failed(error.code)
        except Exception:  # noqa: BLE001 - one odd release must not stop the others: log, tell
            _log.exception("release.simulation_failed", release=release_id)
            told = _failed(UNEXPECTED)
        if told is not None:
            with self.database.begin() as connection:
                simulation_store.end(connection, release_id, told)
        return True

    def _simulate(self, release_id: int) -> dict[str, Any] | None:
        """What came out; None when it was broken off."""
        with self.database.begin() as connection:
            scope = scope_of(connection, release_id, self.clock.now_ms())
        if scope is None:
            return {"state": "done", "because": None, "from_on": None, "to_on": None, "totals": []}
        beaten_ms = 0
        for step in simulate_stores(self.database, scope):
            if isinstance(step, SimulationReport):
                return _told(step)
            if self.is_stopping.is_set():
                return None
            if self.clock.mono_ms() - beaten_ms >= BEAT_MS or step.done == step.total:
                beaten_ms = self.clock.mono_ms()
                self._beat(release_id, step)
        raise AssertionError("a simulation ends with its report")

    def _beat(self, release_id: int, step: Progress) -> None:
        with self.database.begin() as connection:
            now_ms = self.clock.now_ms()
            simulation_store.beat(connection, release_id, now_ms, step.done, step.total)


class SimulationThread:
    """Looks for simulations that wait; `start` and `stop` once each."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._stopping = threading.Event()
        self._job = SimulationJob(database, clock, self._stopping)
        self._thread = threading.Thread(target=self._run, name="simulations", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the day of sales that is under way; what is cut off is begun anew."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)
        self._job.database.close()

    def _run(self) -> None:
        while not self._stopping.wait(POLL_S):
            try:
                while not self._stopping.is_set() and self._job.run_next():
                    pass
            except RetailError as error:
                _log.warning("release.simulation_waiting", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop of the thread: log and go on
                _log.exception("release.simulation_failed")


def scope_of(connection: Connection, release_id: int, now_ms: int) -> Scope | None:
    """The last days with sales of the release's busiest stores; None: there are no sales."""
    to_on = simulation_store.last_day(connection)
    if to_on is None:
        return None
    from_on: date = to_on - timedelta(days=DAYS - 1)
    stores = simulation_store.busiest(connection, release_id, from_on, to_on)
    if not stores:
        return None
    sides = {
        store_id: preview_store.offers(connection, release_id, zone_of(store_id))
        for store_id in stores
    }
    return Scope(
        from_on,
        to_on,
        _offers({store_id: before for store_id, (before, _) in sides.items()}),
        _offers({store_id: after for store_id, (_, after) in sides.items()}),
        {store_id: _prices(connection, release_id, store_id, now_ms) for store_id in stores},
    )


def _offers(records: dict[str, dict[str, Record]]) -> dict[str, Offers]:
    """Each store's offers; stores with the same ones share a tuple, which is prepared once."""
    known: dict[str, Offers] = {}
    found: dict[str, Offers] = {}
    for store_id, by_id in records.items():
        key = repr(sorted((offer_id, each.body) for offer_id, each in by_id.items()))
        if key not in known:
            bodies = (each.body for _, each in sorted(by_id.items()))
            known[key] = tuple(parse_offer(body) for body in bodies if body is not None)
        found[store_id] = known[key]
    return found


def _prices(
    connection: Connection, release_id: int, store_id: str, now_ms: int
) -> dict[str, NewPrice]:
    """The prices that a store gets; the store's own goes before its zone's and the chain's."""
    found: dict[str, NewPrice] = {}
    for change in preview_store.store_prices(connection, release_id, store_id):
        price = next_price(change, now_ms)
        if price is not None:
            found[price[0]] = NewPrice(price[1], price[2])
    return found


def _told(report: SimulationReport) -> dict[str, Any]:
    return {
        "state": "done",
        "because": None,
        "from_on": report.from_on,
        "to_on": report.to_on,
        "totals": [_effect(section) for section in report.totals],
    }


def _effect(section: Section) -> dict[str, Any]:
    tally = section.tally
    return {
        "currency": section.currency,
        "baskets": tally.baskets,
        "touched": tally.change.winners + tally.change.losers,
        "net_before_minor": tally.today.due_minor,
        "net_after_minor": tally.draft.due_minor,
        "margin_before_minor": tally.today.margin.margin_minor,
        "margin_after_minor": tally.draft.margin.margin_minor,
        "lines": tally.lines,
        "lines_without_cost": tally.draft.margin.lines_without_cost,
        "paying_more": tally.change.losers,
        "paying_less": tally.change.winners,
    }


def _failed(code: str) -> dict[str, Any]:
    return {"state": "failed", "because": code, "from_on": None, "to_on": None, "totals": []}
