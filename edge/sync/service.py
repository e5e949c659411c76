"""The sync room from outside: start it, tell it of sales, ask it about the cloud."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge.identity import Identity
from edge.journal.store import Journal
from edge.replica.store import ActivationResult, Replica
from edge.sync.activate import ActivateParts, Activator
from edge.sync.ask_time import TimeKeeper
from edge.sync.certificates import CertificateKeeper, CertificateParts
from edge.sync.fetch import ObjectFetcher
from edge.sync.gate import Gate
from edge.sync.link import Link, Received
from edge.sync.metrics import BAD_MESSAGES
from edge.sync.mqtt import MqttConfig, MqttLink
from edge.sync.plan import Plan
from edge.sync.push import CloudState, Uplink, UplinkParts
from edge.sync.replicate import ReplicateParts, Replicator
from edge.sync.report import Reporter, ReportParts
from edge.tls import BoxKeys, public_trust
from edge.trusted_time import TrustedTime
from edge.version import software_version
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError
from shared.publication.manifest import MANIFEST_VERSION
from shared.wire.message import (
    Ack,
    Birth,
    CloudBirth,
    DesiredState,
    Hello,
    SoftwareReport,
    message_bytes,
    parse_message,
)
from shared.wire.topics import CLOUD_BIRTH, down_ack, down_desired, up_hello, up_journal, up_state

CONNECTIONS_PER_BOOT = 1_000_000
"""Connection ordinals of a boot begin at boot times this, so that they never come again."""
SAME_CLOUD_SPREAD_MS = 1000
RECONNECT_S = 0.1
OTHER_CLOUD_SPREAD_MS = 300_000
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SyncParts:
    """What the service works with.

    `time` is what activations go by, `clock` the machine's, for the record. `jitter` gives uniform
    numbers in [0, 1), `nonce` so many unpredictable bytes; `work_dir` holds objects while they are
    fetched.
    """

    identity: Identity
    journal: Journal
    replica: Replica
    time: TrustedTime
    clock: Clock
    jitter: Callable[[], float]
    work_dir: Path
    lanes: int
    nonce: Callable[[int], bytes] = os.urandom
    keys: BoxKeys | None = None
    """Its certificates; without them the box has its secret alone."""
    model: str = ""
    """What the hardware calls itself."""


@dataclass(frozen=True, slots=True)
class SyncHooks:
    """What the service tells, each on one of its own threads.

    `desk_pins` gives the revisions that open baskets are priced with; `on_activated` must write
    the activation into the journal and bring it to the screens; `on_incarnation` hears of another
    cloud than the one that acknowledged the journal so far; `on_standing` whether this box is
    `active` or `retiring`; `on_desired` gets each desired document that is not an old one, for
    what it says of software, commands and telemetry. `software` is what a report says of software.
    """

    desk_pins: Callable[[], set[int]]
    on_activated: Callable[[ActivationResult], None]
    on_cloud_state: Callable[[CloudState], None]
    on_incarnation: Callable[[str], None] = lambda _: None
    on_standing: Callable[[str], None] = lambda _: None
    on_desired: Callable[[DesiredState], None] = lambda _: None
    software: Callable[[], SoftwareReport | None] = lambda: None


class SyncService:
    """Journal up, publications down; never in the way of selling."""

    def __init__(self, parts: SyncParts, hooks: SyncHooks) -> None:
        self._parts = parts
        self._hooks = hooks
        self._dev = parts.identity.dev
        self._conn = 0
        self._incarnation: str | None = None
        self._certificates = self._make_certificates(parts)
        self._link: Link = MqttLink(self._mqtt_config(), parts.jitter)
        trust = public_trust if parts.keys is None else parts.keys.https_trust
        self._fetcher = ObjectFetcher(parts.identity, parts.work_dir, parts.jitter, trust)
        self._plan = Plan(parts.identity.price_zone, parts.replica, parts.time)
        data_dir = None if parts.keys is None else parts.keys.folder.parent
        self._gate = Gate(parts.identity, parts.time, data_dir)
        self._time = TimeKeeper(parts.identity, parts.time, parts.jitter, parts.nonce)
        self._reporter = Reporter(
            ReportParts(
                identity=parts.identity,
                journal=parts.journal,
                replica=parts.replica,
                plan=self._plan,
                time=parts.time,
                clock=parts.clock,
                link=self._link,
                lanes=parts.lanes,
                software=hooks.software,
            )
        )
        self._uplink = Uplink(
            UplinkParts(
                identity=parts.identity,
                journal=parts.journal,
                clock=parts.clock,
                link=self._link,
                jitter=parts.jitter,
                say_hello=self._say_hello,
                on_cloud_state=hooks.on_cloud_state,
                on_synced=self._reporter.synced,
                on_incarnation=hooks.on_incarnation,
            )
        )
        self._replicator = Replicator(
            ReplicateParts(
                identity=parts.identity,
                plan=self._plan,
                replica=parts.replica,
                clock=parts.clock,
                fetcher=self._fetcher,
                reporter=self._reporter,
                jitter=parts.jitter,
                pins=hooks.desk_pins,
                on_staged=lambda: self._activator.wake(),  # noqa: PLW0108 - it is made below
            )
        )
        self._activator = Activator(
            ActivateParts(
                plan=self._plan,
                replica=parts.replica,
                time=parts.time,
                reporter=self._reporter,
                on_activated=hooks.on_activated,
                on_done=self._replicator.tidy,
            )
        )

    def start(self) -> None:
        """Begin; returns at once, with or without a network."""
        self._fetcher.forget()
        self._plan.load()
        self._uplink.start()
        self._time.start()
        if self._certificates is not None:
            self._certificates.start()
        self._activator.start()
        self._replicator.start()
        self._link.start(self)

    def stop(self) -> None:
        """End; what is unsent stays in the journal."""
        self._link.stop()
        if self._certificates is not None:
            self._certificates.stop()
        self._fetcher.close()
        self._replicator.stop()
        self._activator.stop()
        self._time.stop()
        self._uplink.stop()

    def notify(self) -> None:
        """Send new journal entries without waiting for more: a sale was completed."""
        self._uplink.hurry()

    def cloud_state(self) -> CloudState:
        """Return what is known of the cloud."""
        return self._uplink.cloud_state()

    def shown(self, lane: int, revision: int) -> None:
        """Report which revision a till has painted."""
        self._reporter.shown(lane, revision)

    def report(self) -> None:
        """Send what is reported, now: something of it has changed."""
        self._reporter.send()

    def tell(self, topic: str, payload: bytes, *, may_be_lost: bool = False) -> bool:
        """Send one message; False (and nothing queued) while there is no connection."""
        return self._link.publish(topic, payload, may_be_lost=may_be_lost)

    def hold_line(self, seconds: float) -> None:
        """Be without head office for so long; 0 ends that. For an exercise."""
        self._link.hold(seconds)

    def connected(self, conn: int) -> None:
        """Greet the cloud on a fresh connection (LinkHandler)."""
        self._conn = conn
        self._time.connected()
        self._uplink.connected()

    def disconnected(self) -> None:
        """Sell on (LinkHandler)."""
        self._uplink.disconnected()

    def received(self, message: Received) -> None:
        """Take a message to where it belongs; a bad one is counted (LinkHandler)."""
        try:
            self._dispatch(message)
        except RetailError as error:
            BAD_MESSAGES.labels(error.code).inc()
            _log.warning("sync.bad_message", topic=message.topic, because=str(error))

    def _dispatch(self, message: Received) -> None:
        if message.topic == down_ack(self._dev):
            ack = parse_message(Ack, message.payload)
            self._time.told(ack.t)
            self._uplink.acknowledged(ack)
        elif message.topic == down_desired(self._dev):
            if message.payload:
                self._desire(self._gate.admit(message.payload))
        elif message.topic == CLOUD_BIRTH and message.payload:
            self._cloud_born(parse_message(CloudBirth, message.payload), message)

    def _desire(self, state: DesiredState) -> None:
        if not self._plan.desire(state):
            _log.info("sync.old_document", gen=state.gen)
            return
        self._activator.wake()
        self._replicator.wake()
        self._hooks.on_standing(state.status)
        self._hooks.on_desired(state)

    def _cloud_born(self, birth: CloudBirth, message: Received) -> None:
        """A cloud that came up while this box was connected has not heard its hello."""
        old, self._incarnation = self._incarnation, birth.incarnation
        if message.is_retained:
            return
        is_other = old is not None and old != birth.incarnation
        self._uplink.hello_within(OTHER_CLOUD_SPREAD_MS if is_other else SAME_CLOUD_SPREAD_MS)

    def _say_hello(self) -> bool:
        parts = self._parts
        seq, entry_hash = parts.journal.head()
        acked = parts.journal.acked()
        hello = Hello(
            dev=self._dev,
            stream=parts.journal.stream,
            seq=seq,
            hash=entry_hash.hex(),
            acked=acked,
            boot=parts.journal.boot(),
            conn=self._conn,
            sw=software_version(),
            clk=int(parts.clock.quality()),
            t=parts.clock.now_ms(),
            stored_rev=parts.replica.stored_revision(),
            active_rev=parts.replica.active_revision(),
            unsynced=max(seq - acked, 0),
            model=parts.model,
            reads=MANIFEST_VERSION,
        )
        is_said = self._link.publish(up_hello(self._dev), message_bytes(hello))
        return is_said and self._reporter.send()

    def _mqtt_config(self) -> MqttConfig:
        identity, journal = self._parts.identity, self._parts.journal

        def state_bytes(is_online: bool, conn: int) -> bytes:  # noqa: FBT001 - see MqttConfig
            return message_bytes(Birth(is_online, conn, journal.boot(), software_version()))

        return MqttConfig(
            host=identity.broker_host,
            port=identity.broker_port,
            client_id=identity.dev,
            password=identity.secret,
            topics=(down_ack(identity.dev), down_desired(identity.dev), CLOUD_BIRTH),
            state_topic=up_state(identity.dev),
            state_bytes=state_bytes,
            first_conn=lambda: journal.boot() * CONNECTIONS_PER_BOOT + 1,
            single_topic=up_journal(identity.dev),
            way=None if self._certificates is None else self._certificates.way,
        )

    def _make_certificates(self, parts: SyncParts) -> CertificateKeeper | None:
        if parts.keys is None:
            return None
        return CertificateKeeper(
            CertificateParts(
                identity=parts.identity,
                keys=parts.keys,
                sign=parts.journal.sign,
                time=parts.time,
                jitter=parts.jitter,
                renewed=lambda: self._link.hold(RECONNECT_S),
            )
        )
