"""Looks at all boxes every few seconds: opens and closes alerts, and tells the outlet.

One worker at a time looks. Each look is one transaction over what the database knows, so that a
killed worker leaves nothing half done and the next one goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection

from cloud.db import Database
from cloud.fleet import alert, alert_store, care_store, chain_store, remote, telemetry_store
from cloud.fleet.alert import Alert, BoxFacts, Reading, Rule
from cloud.fleet.outlet import Outlet
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

LOOK_EVERY_S = 10.0
HOUSEKEEPING_MS = 3_600_000
HEARD_AFTER_MS = 120_000
"""So long head office must have been at the broker before a silent box is one."""
WATCH_LOCK = 7_461_302
_JOIN_S = 15.0
_log = structlog.get_logger("cloud.fleet")


@dataclass(frozen=True, slots=True)
class Changes:
    """What a look came to: alerts to add, to change, and ids of pending ones that were nothing."""

    at_ms: int
    added: tuple[Alert, ...]
    changed: tuple[Alert, ...]
    dropped: tuple[int, ...]

    def news(self) -> Iterator[Alert]:
        """What people want to hear of."""
        for each in (*self.added, *self.changed):
            if self.at_ms in {each.opened_at_ms, each.closed_at_ms}:
                yield each


@dataclass(frozen=True, slots=True)
class Around:
    """What else counts: stores where none may open now, and whether head office listens."""

    muted: frozenset[str] = frozenset()
    can_hear: bool = True
    chain: Mapping[str, Reading] = field(default_factory=dict)
    """What concerns no box."""


class AlertWatch:
    """The thread that looks; `start` and `stop` once each."""

    def __init__(
        self, database: Database, clock: Clock, outlet: Outlet, is_connected: Callable[[], bool]
    ) -> None:
        self._database = database
        self._clock = clock
        self._outlet = outlet
        self._is_connected = is_connected
        self._connected_ms: int | None = None
        self._kept_house_ms: int | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        """Begin; telemetry has somewhere to go once this returns."""
        self._keep_house()
        self._thread.start()

    def stop(self) -> None:
        """End after the look in hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def turn(self) -> None:
        """Look once, unless another worker does, then tell the outlet what is due."""
        can_hear = self._can_hear()
        with self._database.try_session_lock(WATCH_LOCK) as is_ours:
            if is_ours:
                with self._database.begin() as connection:
                    look(connection, self._clock.now_ms(), self._outlet, can_hear=can_hear)
        self._outlet.deliver()
        self._keep_house()

    def _can_hear(self) -> bool:
        now_ms = self._clock.mono_ms()
        if not self._is_connected():
            self._connected_ms = None
        elif self._connected_ms is None:
            self._connected_ms = now_ms
        return self._connected_ms is not None and now_ms - self._connected_ms >= HEARD_AFTER_MS

    def _keep_house(self) -> None:
        now_ms = self._clock.mono_ms()
        if self._kept_house_ms is not None and now_ms - self._kept_house_ms < HOUSEKEEPING_MS:
            return
        with self._database.begin() as connection:
            at_ms = self._clock.now_ms()
            telemetry_store.keep_partitions(connection, at_ms)
            alert_store.forget(connection, at_ms)
            remote.forget(connection, at_ms)
        self._kept_house_ms = now_ms

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.turn()
            except RetailError as error:
                _log.warning("fleet.watch_waits", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop of the watch: log and go on
                _log.exception("fleet.watch_failed")


def look(connection: Connection, now_ms: int, outlet: Outlet, *, can_hear: bool = True) -> Changes:
    """Judge every box in service once; what came of it is kept in this transaction."""
    remote.expire(connection, now_ms)
    muted = _muted(connection, now_ms)
    facts = alert_store.facts(connection)
    live, rules = alert_store.live(connection), alert_store.rules(connection)
    chain = alert.chain_readings(chain_store.instants(connection), now_ms)
    changes = judged(facts, live, rules, now_ms, Around(muted, can_hear, chain))
    alert_store.write(connection, changes.added, changes.changed, changes.dropped)
    outlet.note(connection, changes.news(), now_ms)
    return changes


def judged(
    facts: Iterator[BoxFacts],
    live: dict[str, dict[str, Alert]],
    rules: Mapping[str, Rule],
    now_ms: int,
    around: Around,
) -> Changes:
    """Every box against every rule. Alerts of boxes that are not among them are closed. Pure."""
    added: list[Alert] = []
    changed: list[Alert] = []
    dropped: list[int] = []
    for dev, store_id, found in _figures(facts, now_ms, around):
        standing = live.pop(dev, {})
        is_muted = store_id in around.muted
        for name in found.keys() | standing.keys():
            if (rule := rules.get(name)) is None:
                continue
            before = standing.get(name)
            after = alert.step(rule, before, found.get(name), now_ms, is_muted=is_muted)
            if before is None and after is not None:
                added.append(replace(after, dev=dev, store_id=store_id))
            elif before is not None:
                _sort_in(before, after, changed, dropped)
    for alerts in live.values():
        for before in alerts.values():
            _sort_in(before, alert.gone(before, now_ms), changed, dropped)
    return Changes(now_ms, tuple(added), tuple(changed), tuple(dropped))


def _figures(
    facts: Iterator[BoxFacts], now_ms: int, around: Around
) -> Iterator[tuple[str, str, Mapping[str, Reading]]]:
    """Box, store and figures: of the chain first, then of every box."""
    yield alert.CHAIN, alert.CHAIN, around.chain
    for box in facts:
        yield box.dev, box.store_id, alert.readings(box, now_ms, can_hear=around.can_hear)


def _sort_in(before: Alert, after: Alert | None, changed: list[Alert], dropped: list[int]) -> None:
    if after is None:
        dropped.append(before.id)
    elif after is not before:
        changed.append(after)


def _muted(connection: Connection, now_ms: int) -> frozenset[str]:
    """Stores that are being worked on now."""
    windows = care_store.live_windows(connection, now_ms)
    if not windows:
        return frozenset()
    groups = care_store.groups(connection)
    return frozenset(
        store_id
        for store_id, zone in care_store.zones(connection).items()
        if any(
            each.is_open(now_ms, ZoneInfo(zone))
            for each in windows
            if each.reaches(store_id, groups.get(store_id, ()))
        )
    )
