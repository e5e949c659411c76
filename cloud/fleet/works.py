"""The worker's part in the fleet's care: telemetry in, results in, alerts out."""

from __future__ import annotations

from collections.abc import Callable

from cloud.db import Database
from cloud.fleet.alert_watch import AlertWatch
from cloud.fleet.outlet import NoOutlet, Outlet, Webhook, post
from cloud.fleet.remote import ResultConsumer
from cloud.fleet.telemetry import TelemetryConsumer
from cloud.mqtt import Route
from cloud.settings import Settings
from shared.kernel.clock import Clock
from shared.wire import topics


class FleetWorks:
    """Made once for each worker; `start` before its link does, `stop` after."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Clock,
        is_connected: Callable[[], bool],
        count: Callable[[str, int], None],
    ) -> None:
        """`is_connected` says whether the broker is heard; `count` how telemetry fares."""
        self.telemetry = TelemetryConsumer(database, clock, count)
        self.watch = AlertWatch(database, clock, _outlet(settings, database, clock), is_connected)
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
            Route("results", topics.shared_results(group), self._results.on_result),
        )

    def start(self) -> None:
        """Begin; the tables have room for today's telemetry once this returns."""
        self.watch.start()
        self.telemetry.start()

    def stop(self) -> None:
        """Write what is in hand, end the look in hand."""
        self.telemetry.stop()
        self.watch.stop()


def _outlet(settings: Settings, database: Database, clock: Clock) -> Outlet:
    if not settings.alert_webhook_url:
        return NoOutlet()
    secret = settings.alert_webhook_secret
    return Webhook(database, clock, settings.alert_webhook_url, secret, post)
