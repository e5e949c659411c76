"""Takes in reports: how far each box is with what head office desires.

A report is the acknowledgement of the desired state and says the whole of it each time, so reports
are gathered: a push to ten thousand stores comes back as ten thousand reports within seconds. One
that is lost with a killed worker is said again within a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from sqlalchemy import Connection

from cloud.db import Database, notify_each
from cloud.fleet import contact_store
from cloud.fleet.consumer import LIVE_CHANNEL
from cloud.fleet.gather import Gathering
from cloud.mqtt import Message
from shared.kernel.clock import Clock
from shared.wire.message import Report, SoftwareReport, parse_message
from shared.wire.topics import device_of

FLUSH_EVERY_S = 0.1
OnSoftware = Callable[[Connection, list[tuple[str, SoftwareReport, int]]], None]
"""Devices, each with its word on its software, and when it came (UTC ms)."""
Told = tuple[Report, int]
"""A report and when it came (UTC ms)."""


def _nobody(*_: object) -> None:
    """Nobody asks."""


class ReportConsumer:
    """Parses and gathers; `start` and `stop` once each, `on_report` from any thread.

    `on_software` takes what a report says of the box's software, in the report's transaction.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        count: Callable[[str, int], None],
        on_software: OnSoftware = _nobody,
    ) -> None:
        """`count` is told how many were "written" or "lost"."""
        self._database = database
        self._clock = clock
        self._on_software = on_software
        self._gathering = Gathering("reports", FLUSH_EVERY_S, self._save, count)
        self.start, self.stop = self._gathering.start, self._gathering.stop
        self.flush = self._gathering.flush

    def on_report(self, message: Message) -> None:
        """Remember a report; returns at once. RefusedError as `parse_message`."""
        report = parse_message(Report, message.payload)
        self._gathering.put(device_of(message.topic), (report, self._clock.now_ms()))

    def _save(self, rows: list[tuple[str, Told]]) -> None:
        with self._database.begin() as connection:
            contact_store.save_reports(
                connection, [_values(dev, report, at_ms) for dev, (report, at_ms) in rows]
            )
            words = [
                (dev, report.software, at_ms)
                for dev, (report, at_ms) in rows
                if report.software is not None
            ]
            if words:
                self._on_software(connection, words)
            notices = (orjson.dumps({"kind": "box", "dev": dev}).decode() for dev, _ in rows)
            notify_each(connection, LIVE_CHANNEL, notices)


def _values(dev: str, report: Report, at_ms: int) -> dict[str, Any]:
    catalog = report.catalog
    return {
        "dev": dev,
        "now": at_ms,
        "unsynced": report.unsynced,
        "stored": catalog.stored,
        "active": catalog.active,
        "shown": min(catalog.shown.values(), default=None),
        "stored_at": catalog.stored_at or None,
        "active_at": catalog.active_at or None,
        "shown_at": catalog.shown_at or None,
        "error": catalog.error,
        "next_rev": catalog.next_rev or None,
        "next_at": catalog.next_at or None,
        "held": catalog.held,
        "clk": catalog.clk,
        "gen": report.gen,
    }
