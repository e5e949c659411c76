"""The worker's part in the fleet's care: reports, telemetry and results in, alerts out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cloud.db import Database
from cloud.fleet.alert_watch import AlertWatch
from cloud.fleet.outlet import NoOutlet, Outlet, Webhook, post
from cloud.fleet.remote import ResultConsumer
from cloud.fleet.reports import OnSoftware, ReportConsumer
from cloud.fleet.telemetry import TelemetryConsumer
from cloud.mqtt import Route
from cloud.settings import Settings
from shared.kernel.clock import Clock
from shared.wire import topics


@dataclass(frozen=True, slots=True)
class FleetNews:
    """What the works ask of the worker, and tell it.

    `is_connected` says whether the broker is heard; `telemetry` and `reports` count how many
    boxes' words were "written" or "lost"; `on_software` takes a box's word on its software.
    """

    is_connected: Callable[[], bool]
    telemetry: Callable[[str, int], None]
    reports: Callable[[str, int], None]
    on_software: OnSoftware


class FleetWorks:
    """Made once for each worker; `start` before its link does, `stop` after."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, news: FleetNews
    ) -> None:
        self.telemetry = TelemetryConsumer(database, clock, news.telemetry)
        self.reports = ReportConsumer(database, clock, news.reports, news.on_software)
        outlet = _outlet(settings, database, clock)
        self.watch = AlertWatch(database, clock, outlet, news.is_connected)
        self._results = ResultConsumer(database, clock)

    def routes(self, group: str) -> tuple[Route, ...]:
        """Which messages it takes, as one of `group`."""
        return (
            Route(
                "telemetry",
                topics.shared_telemetry(group),
                self.telemetry.on_telemetry,
                is_light=True,
            ),
            Route("report", topics.shared_report(group), self.reports.on_report, is_light=True),
            Route("results", topics.shared_results(group), self._results.on_result),
        )

    def start(self) -> None:
        """Begin; the tables have room for today's telemetry once this returns."""
        self.watch.start()
        self.telemetry.start()
        self.reports.start()

    def stop(self) -> None:
        """Write what is in hand, end the look in hand."""
        self.reports.stop()
        self.telemetry.stop()
        self.watch.stop()


def _outlet(settings: Settings, database: Database, clock: Clock) -> Outlet:
    if not settings.alert_webhook_url:
        return NoOutlet()
    secret = settings.alert_webhook_secret
    return Webhook(database, clock, settings.alert_webhook_url, secret, post)
