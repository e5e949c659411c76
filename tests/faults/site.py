"""A box without a broker, under a clock that is set by hand; documents are put into its hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from edge.clock import SystemClock
from edge.journal.signer import KEY_FILE, load_or_create
from edge.journal.store import Journal
from edge.replica.store import ActivationResult, Replica
from edge.sync.link import Received
from edge.sync.service import SyncHooks, SyncParts, SyncService
from edge.trusted_time import TIME_FILE, TrustedTime
from shared.kernel.clock import ClockQuality
from shared.publication.revision import Record, RecordKind
from shared.wire.message import DesiredCatalog, DesiredState, message_bytes
from shared.wire.topics import down_desired
from tests.builders import a_gtin
from tests.fakes.cloud import INC, FakeObjects, FakePublisher
from tests.integration.edge.boxes import an_identity

SECRET = "s3"
NOON = 1_795_320_000_000
HOUR = 3_600_000
YEAR = 365 * 24 * HOUR


@dataclass
class HandClock:
    """A clock that is set by hand, on a machine that was switched on at some time."""

    wall_ms: int = NOON
    since_boot_ms: int = 100_000
    is_ntp: bool = True

    def now_ms(self) -> int:
        return self.wall_ms

    def mono_ms(self) -> int:
        return self.since_boot_ms

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP if self.is_ntp else ClockQuality.UNSYNCED

    def passes(self, ms: int) -> None:
        self.wall_ms += ms
        self.since_boot_ms += ms


class NtpClock(SystemClock):
    """The machine's clock, which NTP keeps."""

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP


def until(is_true: Callable[[], object], within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not is_true():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.005)


@dataclass
class Site:
    """The box, and what became of it."""

    folder: Path
    clock: HandClock | SystemClock
    objects: FakeObjects
    office: FakePublisher
    boot: str = "boot-1"
    gen: int = 0
    activated: list[ActivationResult] = field(default_factory=list)

    def start(self) -> Site:
        identity = an_identity(
            hq_pub=self.office.public_hex, cloud_url=self.objects.url, secret=SECRET
        )
        self.objects.token = f"{identity.dev}.{SECRET}"
        signer = load_or_create(self.folder / KEY_FILE)
        self.journal = Journal(self.folder / "journal.db", identity, self.clock, signer)
        self.replica = Replica(self.folder / "replica")
        self.time = TrustedTime(self.clock, self.folder / TIME_FILE, self.boot)
        self.journal.open()
        self.time.open()
        self.replica.open()
        parts = SyncParts(
            identity=identity,
            journal=self.journal,
            replica=self.replica,
            time=self.time,
            clock=self.clock,
            jitter=lambda: 0.02,
            work_dir=self.folder / "fetch",
            lanes=1,
        )
        self.sync = SyncService(parts, SyncHooks(set, self.activated.append, lambda _: None))
        self.sync.start()
        return self

    def stop(self) -> None:
        self.sync.stop()
        self.replica.close()
        self.journal.close()

    def restart(self, boot: str = "boot-1") -> None:
        self.stop()
        self.boot = boot
        self.start()

    def hear(self, now: DesiredCatalog, *later: DesiredCatalog, gen: int = 0) -> None:
        self.gen = gen or self.gen + 1
        state = DesiredState(self.gen, INC, now, next=later)
        topic = down_desired(an_identity().dev)
        self.sync.received(Received(topic, message_bytes(state)))

    def stages(self, *revisions: int) -> None:
        until(lambda: {each.rev for each in self.replica.staged()} >= set(revisions))

    def sells_by(self, revision: int) -> None:
        until(lambda: self.replica.active_revision() == revision)

    def price(self) -> int:
        prices = self.replica.dated_prices(a_gtin(1), self.replica.active_revision())
        return prices[0].regular_minor

    def report(self) -> tuple[int, int, int, str | None]:
        catalog = self.sync._reporter._catalog()
        return catalog.next_rev, catalog.next_at, catalog.clk, catalog.held

    def error(self) -> str | None:
        return self.sync._reporter._catalog().error


def costs(minor: int) -> Record:
    return Record(RecordKind.PRICE, a_gtin(1), {"prices": [[0, minor, None]]})
