"""The worker process put together: journal batches in, announcements out.

Any number of workers may run; they share the batches by a `$share` subscription and meet only in
PostgreSQL.  A worker keeps nothing of its own, so killing one loses nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from cloud.archivist import ArchiveMeters, ArchivistThread, hq_key, key_of
from cloud.backup_keeper import BackupKeeper, BackupMeters
from cloud.clock import SystemClock, random_bytes
from cloud.db import Database, incarnation
from cloud.deployment import share_group
from cloud.desired import CHANNEL, Letter, demand_signatures, renew
from cloud.fleet import standing
from cloud.fleet.consumer import AnswerHello, FleetConsumer
from cloud.fleet.contact_store import StreamHead
from cloud.fleet.works import FleetNews, FleetWorks, login_of
from cloud.health import HealthPort
from cloud.ingest.ack import AckSender
from cloud.ingest.consumer import JournalConsumer
from cloud.ingest.service import NO_HEAD, Verdict
from cloud.migrations.state import require_migrated
from cloud.mqtt import BrokerLink, LinkEvents, Route
from cloud.posters import POSTERS
from cloud.publication.announce import Announcer
from cloud.release_works import releases_of
from cloud.settings import Settings
from cloud.software.runner import SoftwareThread
from cloud.software.store import save_reports
from shared.kernel.errors import RetailError, UnavailableError
from shared.kernel.ids import DeviceId
from shared.wire import topics
from shared.wire.message import AckCode, CloudBirth, message_bytes

LISTEN_S = 0.25
LOOK_MS = 5_000
"""How often the worker looks without being called: repairs a lost NOTIFY."""
RETRY_S = 1.0
DRAIN_S = 10.0
IDLE_MS = 60_000
"""A worker that is frozen inside a transaction holds its streams no longer than this."""
LOCK_WAIT_MS = 3_000
"""Batches of a stream whose row somebody holds must not use up the threads of all others."""
EXIT_STUCK = 70

_log = structlog.get_logger("cloud.worker")


class Meters:
    """What the worker counts."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.connected = Gauge(
            "tillbox_mqtt_connected", "1 while the broker answers", registry=registry
        )
        self._batches = Counter(
            "tillbox_ingest_batches", "Batches by answer", ["code"], registry=registry
        )
        self._entries = Counter("tillbox_ingest_entries", "Entries stored", registry=registry)
        self._messages = Counter(
            "tillbox_mqtt_messages",
            "Messages by route and outcome",
            ["route", "outcome"],
            registry=registry,
        )

    def batch(self, code: str, stored: int) -> None:
        """Count a batch."""
        self._batches.labels(code).inc()
        self._entries.inc(stored)

    def telemetry(self, outcome: str, count: int) -> None:
        """Count boxes whose telemetry was `written` or `lost`."""
        self._messages.labels("telemetry", outcome).inc(count)

    def report(self, outcome: str, count: int) -> None:
        """Count boxes whose report was `written` or `lost`."""
        self._messages.labels("report", outcome).inc(count)

    def message(self, route: str, outcome: str) -> None:
        """Count a message."""
        self._messages.labels(route, outcome).inc()


class Worker:
    """One worker; `start` and `stop` once each."""

    def __init__(self, settings: Settings, on_stuck: Callable[[], None] | None = None) -> None:
        self._settings = settings
        self._on_stuck = on_stuck or _exit_stuck
        self._clock = SystemClock()
        self._stopping = threading.Event()
        self._incarnation = ""
        self._attendant = threading.Thread(target=self._attend, name="attendant", daemon=True)
        self.meters = Meters()
        self.database = Database(
            settings.database_url,
            connections=settings.ingest_threads + 3,
            lock_wait_ms=LOCK_WAIT_MS,
            idle_ms=IDLE_MS,
        )
        self.health = HealthPort(
            (settings.worker_host, settings.worker_port), self._checks, self.meters.registry
        )
        self.link: BrokerLink | None = None
        self._announcer = Announcer(self.database, self._publish_retained, self._letter())
        self._works = FleetWorks(
            settings,
            self.database,
            self._clock,
            FleetNews(self._is_connected, self.meters.telemetry, self.meters.report, save_reports),
        )
        self._archivist = ArchivistThread(
            settings, self.database, self._clock, ArchiveMeters(self.meters.registry)
        )
        self._backups = BackupKeeper(
            settings, self.database, self._clock, BackupMeters(self.meters.registry)
        )
        self._releases = releases_of(settings, self._clock, lambda: key_of(settings))
        self._software = SoftwareThread(self.database, self._clock)

    def start(self) -> None:
        """Check the database, then listen to the broker.

        Raises UnavailableError when the database is away or not migrated, or the port is taken.
        """
        require_migrated(self.database)
        if self._announcer.letter is not None:
            with self.database.begin() as connection:
                demand_signatures(connection)
        self._read_incarnation()
        self.health.start()
        self._works.start()
        self.link = self._build_link(share_group(self.database, random_bytes))
        self.link.start()
        self._attendant.start()
        self._archivist.start()
        self._backups.start()
        self._software.start()
        for thread in self._releases:
            thread.start()
        _log.info("worker.started", health_port=self.health.port)

    def stop(self) -> bool:
        """Finish what is under way; False when something had to be left."""
        self._stopping.set()
        is_drained = self.link is None or self.link.stop(DRAIN_S)
        if self._attendant.is_alive():
            self._attendant.join(timeout=DRAIN_S)
        for thread in self._releases:
            thread.stop()
        self._software.stop()
        self._works.stop()
        self._archivist.stop()
        self._backups.stop()
        self.health.stop()
        self.database.close()
        _log.info("worker.stopped", drained=is_drained)
        return is_drained

    def _build_link(self, group: str) -> BrokerLink:
        settings = self._settings
        acks = AckSender(self._publish_ack, lambda: self._incarnation, self._clock)
        journal = JournalConsumer(self.database, POSTERS, acks, self._clock, self.meters.batch)
        fleet = FleetConsumer(
            self.database, self._clock, _hello_answer(acks), self._announcer.check
        )
        routes = (
            Route("journal", topics.shared_journal(group), journal.on_message),
            Route("hello", topics.shared_hello(group), fleet.on_hello),
            # Retained messages never come through a shared subscription.
            Route("state", topics.ALL_STATE, fleet.on_state),
            *self._works.routes(group),
        )
        events = LinkEvents(self._on_connected, self.meters.message, self._on_stuck)
        return BrokerLink(login_of(settings), routes, events, settings.ingest_threads)

    def _on_connected(self) -> None:
        self._publish_birth()
        self._announcer.announce_all()

    def _publish_birth(self) -> None:
        birth = CloudBirth(self._incarnation, self._clock.now_ms())
        self._publish_retained(topics.CLOUD_BIRTH, message_bytes(birth))

    def _publish_ack(self, topic: str, payload: bytes, expiry_s: int) -> bool:
        return self.link is not None and self.link.publish(topic, payload, expiry_s=expiry_s)

    def _publish_retained(self, topic: str, payload: bytes) -> bool:
        return self.link is not None and self.link.publish(topic, payload, is_retained=True)

    def _read_incarnation(self) -> bool:
        with self.database.begin() as connection:
            found = incarnation(connection)
            if found != self._incarnation:
                renew(connection, found)
        is_new, self._incarnation = found != self._incarnation, found
        return is_new

    def _attend(self) -> None:
        """Announce what is published, and notice when the database was restored beneath us."""
        while not self._stopping.is_set():
            try:
                self._listen()
            except RetailError as error:
                _log.warning("worker.waiting", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop of the attendant: log, count, go on
                self.meters.message("attendant", "failed")
                _log.exception("worker.attendant_failed")
            self._stopping.wait(RETRY_S)

    def _listen(self) -> None:
        looked_at = self._clock.mono_ms()
        for notice in self.database.listen(CHANNEL, standing.CHANNEL, poll_s=LISTEN_S):
            if self._stopping.is_set():
                return
            if notice is not None and notice[0] == standing.CHANNEL:
                self._announce_standing(DeviceId(notice[1]))
                continue
            is_due = self._clock.mono_ms() - looked_at >= LOOK_MS
            if is_due and self._read_incarnation():
                _log.error("worker.database_restored", incarnation=self._incarnation)
                if self._is_connected():  # else the next connection does it
                    self._on_connected()  # numbers of changes went back with the database
            if (is_due or notice is not None) and self._is_connected():
                self._announcer.announce_new()
            if is_due:
                looked_at = self._clock.mono_ms()
                if self._is_connected():
                    self._announcer.keep_fresh()

    def _letter(self) -> Letter | None:
        """How documents are signed. Sales come in without the key as well."""
        try:
            key = hq_key(self._settings)
        except RetailError as error:
            _log.error("worker.documents_unsigned", because=str(error))
            return None
        return Letter(key.sign, self._clock)

    def _announce_standing(self, dev: DeviceId) -> None:
        self._works.standing_changed(dev)
        if self._is_connected():  # else all are announced with the next connection
            self._announcer.announce_one(dev)

    def _is_connected(self) -> bool:
        return self.link is not None and self.link.is_connected()

    def _checks(self) -> Mapping[str, bool]:
        is_connected = self._is_connected()
        self.meters.connected.set(is_connected)
        return {"broker": is_connected, "database": self._database_answers()}

    def _database_answers(self) -> bool:
        try:
            self.database.ping()
        except UnavailableError:
            return False
        return True


def run(settings: Settings) -> int:
    """Run a worker until SIGTERM or SIGINT; answers the process' exit code.

    Raises UnavailableError when it cannot start.
    """
    asked_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.set())
    worker = Worker(settings)
    try:
        worker.start()
        asked_to_stop.wait()
    finally:
        is_drained = worker.stop()
    return 0 if is_drained else 1


def _hello_answer(acks: AckSender) -> AnswerHello:
    def answer(dev: DeviceId, stream: str, head: StreamHead | None) -> None:
        if head is None:
            acks.send(dev, stream, Verdict(AckCode.REVOKED, *NO_HEAD))
            return
        seq, head_hash, safe_seq, safe_hash = head
        verdict = Verdict(AckCode.OK, seq, head_hash, safe_seq=safe_seq, safe_hash=safe_hash)
        acks.send(dev, stream, verdict)

    return answer


def _exit_stuck() -> None:
    # A thread that hangs cannot be ended; the supervisor starts a new process, and the boxes send
    # again whatever was not acknowledged.
    os._exit(EXIT_STUCK)
