"""The worker's part in the fleet's care: reports, telemetry and results in, alerts out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from cloud.clock import random_bytes
from cloud.db import Database
from cloud.fleet.alert_watch import AlertWatch
from cloud.fleet.outlet import NoOutlet, Outlet, Webhook, post
from cloud.fleet.remote import ResultConsumer
from cloud.fleet.reports import OnSoftware, ReportConsumer
from cloud.fleet.shut_out import ShutOut, ShutOutParts
from cloud.fleet.telemetry import TelemetryConsumer
from cloud.mqtt import BrokerLogin, Route, take_over
from cloud.pki.folder import ca_of
from cloud.pki.probe import shown_until_ms
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
        self._shut_out = ShutOut(
            ShutOutParts(
                database=database,
                clock=clock,
                ca=ca_of(settings, random_bytes),
                crl_file=settings.broker_crl_file,
                pid_file=settings.broker_pid_file,
                kick=partial(take_over, login_of(settings)),
                broker_until_ms=partial(
                    shown_until_ms, *settings.device_broker(has_certificate=True)
                ),
            )
        )

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

    def standing_changed(self, dev: str) -> None:
        """A box was retired, revoked or reinstated; returns at once."""
        self._shut_out.changed(dev)

    def start(self) -> None:
        """Begin; the tables have room for today's telemetry once this returns."""
        self._shut_out.start()
        self.watch.start()
        self.telemetry.start()
        self.reports.start()

    def stop(self) -> None:
        """Write what is in hand, end the look in hand."""
        self.reports.stop()
        self.telemetry.stop()
        self.watch.stop()
        self._shut_out.stop()


def login_of(settings: Settings) -> BrokerLogin:
    """A worker's way to the internal listener."""
    return BrokerLogin(
        settings.broker_host,
        settings.broker_port,
        settings.broker_user or None,
        settings.broker_password or None,
        settings.broker_in_flight,
        settings.broker_ca_file,
    )


def _outlet(settings: Settings, database: Database, clock: Clock) -> Outlet:
    if not settings.alert_webhook_url:
        return NoOutlet()
    secret = settings.alert_webhook_secret
    return Webhook(database, clock, settings.alert_webhook_url, secret, post)
