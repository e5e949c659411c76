"""One light box: desired state in, journal and reports out, exactly as the real one says them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass

from cloud.lightbox.catalog import Cloud, LightCatalog
from cloud.lightbox.identity import LightIdentity
from cloud.lightbox.journal import SOFTWARE, LightJournal
from cloud.lightbox.link import LightEars, LightLink, LightLogin
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError
from shared.publication.manifest import MANIFEST_VERSION
from shared.wire import topics
from shared.wire.message import (
    Ack,
    AckCode,
    Birth,
    CatalogReport,
    DesiredCatalog,
    DesiredState,
    Hello,
    Report,
    Telemetry,
    message_bytes,
    parse_message,
)

RESEND_S = 10.0
FLUSH_S = 2.0
RETRY_S = 2.0
PERIOD_S = 60.0
DISK_MB = 16_000
MODEL = "light box"


@dataclass(frozen=True, slots=True)
class LightParts:
    """What all boxes of a process share; `heard` counts what happens, by a short name."""

    clock: Clock
    cloud: Cloud
    broker: tuple[str, int]
    heard: Callable[[str], None]
    sales_per_s: float = 0.0
    """Of each box, around the clock."""
    jitter: Callable[[], float] = lambda: 0.5
    spoilt: Container[int] = ()
    """Revisions by which everything costs nothing."""


class LightBox:
    """A box without devices, without disk; everything on one event loop."""

    def __init__(self, identity: LightIdentity, parts: LightParts) -> None:
        self.identity = identity
        self._parts = parts
        self.catalog = LightCatalog(identity, parts.cloud)
        self.journal = LightJournal(identity)
        self._desired: DesiredState | None = None
        self._wanted = asyncio.Event()
        self._active_rev, self._active_at, self._stored_at = 0, 0, 0
        self._error: str | None = None
        self._not_before: dict[int, int] = {}
        self._conn = 0
        self._sent_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        self.link = self._make_link()

    @property
    def active_rev(self) -> int:
        """What it sells by; 0 before the first."""
        return self._active_rev

    async def connect(self) -> None:
        """Open the line and begin to work; raises OSError."""
        await self.link.open()
        if not self._tasks:
            for work in (self._converge_for_ever, self._report_for_ever, self._sell_for_ever):
                self._tasks.add(asyncio.create_task(work()))

    async def stop(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.link.close()

    def _make_link(self) -> LightLink:
        dev, (host, port) = self.identity.dev, self._parts.broker
        will = (topics.up_state(dev), message_bytes(Birth(online=False, conn=1)))
        heard = (topics.down_desired(dev), topics.down_ack(dev))
        login = LightLogin(host, port, dev, self.identity.secret, heard, will)
        return LightLink(login, LightEars(self._came_up, self._received, self._went_down))

    def _came_up(self) -> None:
        self._conn += 1
        birth = Birth(online=True, conn=self._conn, boot=1, sw=SOFTWARE)
        self.link.publish(topics.up_state(self.identity.dev), message_bytes(birth), retain=True)
        self._say_hello()
        self._parts.heard("connected")

    def _went_down(self) -> None:
        self._parts.heard("disconnected")

    def _say_hello(self) -> None:
        journal = self.journal
        hello = Hello(
            dev=self.identity.dev,
            stream=self.identity.stream.hex(),
            seq=journal.seq,
            hash=journal.hash.hex() if journal.seq >= 0 else "",
            acked=journal.acked,
            boot=1,
            conn=self._conn,
            sw=SOFTWARE,
            clk=2,
            t=self._parts.clock.now_ms(),
            stored_rev=self.catalog.stored_rev,
            active_rev=self._active_rev,
            unsynced=journal.unsynced,
            model=MODEL,
            reads=MANIFEST_VERSION,
        )
        self.link.publish(topics.up_hello(self.identity.dev), message_bytes(hello))

    def _received(self, topic: str, payload: bytes) -> None:
        try:
            if topic == topics.down_desired(self.identity.dev):
                self._desired = parse_message(DesiredState, payload)
                self._parts.heard("desired")
                self._wanted.set()
            else:
                self._acknowledged(parse_message(Ack, payload))
        except RetailError as error:
            self._parts.heard(error.code)

    def _acknowledged(self, ack: Ack) -> None:
        self.journal.begin_after(ack.head, ack.hh)
        if ack.code in {AckCode.OK, AckCode.DUP}:
            self.journal.acknowledge(ack.head)
            self._sent_at = 0.0
        else:
            self._parts.heard(f"ack_{ack.code.value}")

    async def _converge_for_ever(self) -> None:
        while True:
            wait_s = await self._converge()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wanted.wait()
            except TimeoutError:
                continue
            self._wanted.clear()

    async def _converge(self) -> float | None:
        """Do what is due; seconds until there is more, None when only a message brings more."""
        desired = self._desired
        if desired is None or desired.catalog is None:
            return None
        heads = (desired.catalog, *desired.next)
        try:
            for head in heads:
                await self._stage(head, desired.inc)
        except RetailError as error:
            self._parts.heard(error.code)
            self._error = error.code
            self._report()
            return RETRY_S * 2 * self._parts.jitter()
        self._error = None
        return self._activate(heads)

    async def _stage(self, head: DesiredCatalog, inc: str) -> None:
        if head.rev <= self.catalog.stored_rev and inc == self.catalog.stored_inc:
            return
        manifest = await self.catalog.stage(head, inc)
        self._not_before[head.rev] = manifest.at_ms
        self._stored_at = self._parts.clock.now_ms()
        self._parts.heard("stored")
        if self._at(head) > self._stored_at:  # else one report says that it is active, too
            self._report()

    def _activate(self, heads: tuple[DesiredCatalog, ...]) -> float | None:
        now_ms = self._parts.clock.now_ms()
        due = [head for head in heads if self._at(head) <= now_ms]
        if due and due[-1].rev != self._active_rev:
            self._active_rev, self._active_at = due[-1].rev, now_ms
            self._parts.heard("active")
            self._report()
        later = [at_ms for at_ms in map(self._at, heads) if at_ms > now_ms]
        return (min(later) - now_ms) / 1000 if later else None

    def _at(self, head: DesiredCatalog) -> int:
        """The instant of a revision: HQ signed one of the two that it is told."""
        return max(head.at, self._not_before.get(head.rev, 0))

    def _report(self) -> None:
        later = next((h for h in self._heads() if h.rev > self._active_rev), None)
        report = Report(
            t=self._parts.clock.now_ms(),
            catalog=CatalogReport(
                zone=self.identity.zone,
                stored=self.catalog.stored_rev,
                stored_at=self._stored_at,
                active=self._active_rev,
                active_at=self._active_at,
                shown={"1": self._active_rev},
                shown_at=self._active_at,
                error=self._error,
                next_rev=later.rev if later else 0,
                next_at=self._at(later) if later else 0,
            ),
            unsynced=self.journal.unsynced,
            lanes=1,
            gen=self._desired.gen if self._desired else 0,
        )
        self.link.publish(topics.up_report(self.identity.dev), message_bytes(report))

    def _heads(self) -> tuple[DesiredCatalog, ...]:
        if self._desired is None or self._desired.catalog is None:
            return ()
        return (self._desired.catalog, *self._desired.next)

    async def _report_for_ever(self) -> None:
        await asyncio.sleep(PERIOD_S * self._parts.jitter())
        while True:
            self._report()
            telemetry = Telemetry(
                t=self._parts.clock.now_ms(),
                uptime_s=self._parts.clock.mono_ms() // 1000,
                disk_free_mb=DISK_MB // 2,
                disk_size_mb=DISK_MB,
                clk=2,
                queue=self.journal.unsynced,
            )
            topic = topics.up_telemetry(self.identity.dev)
            self.link.publish(topic, message_bytes(telemetry), qos=0)
            await asyncio.sleep(PERIOD_S)

    async def _sell_for_ever(self) -> None:
        loop, rate = asyncio.get_running_loop(), self._parts.sales_per_s
        if not rate:
            return
        next_at = loop.time() + self._parts.jitter() / rate
        while True:
            await asyncio.sleep(min(FLUSH_S, max(next_at - loop.time(), 0.0)))
            while loop.time() >= next_at:
                self._sell()
                self._parts.heard("sold")
                next_at += 2 * self._parts.jitter() / rate
            self._push(loop.time())

    def _sell(self) -> None:
        now_ms, rev = self._parts.clock.now_ms(), self._active_rev
        if rev in self._parts.spoilt:
            self.journal.sell(now_ms, rev, unit_minor=0)
        else:
            self.journal.sell(now_ms, rev)

    def _push(self, now_s: float) -> None:
        """One batch in flight, sent again when its answer does not come."""
        if self._sent_at and now_s - self._sent_at < RESEND_S:
            return
        batch = self.journal.batch(self._parts.clock.now_ms())
        if batch and self.link.publish(topics.up_journal(self.identity.dev), batch):
            self._sent_at = now_s
