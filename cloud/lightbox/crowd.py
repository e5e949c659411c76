"""A process full of light boxes: they connect in turn, stay, come back when they are dropped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloud.lightbox.box import LightBox, LightParts
from cloud.lightbox.catalog import Cloud
from cloud.lightbox.http import LightHttp
from cloud.lightbox.identity import LightIdentity
from shared.kernel.clock import Clock

CONNECTS_AT_ONCE = 20
LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class CrowdSettings:
    """Where the cloud is and how busy the boxes are; `broker` is host and port."""

    cloud_url: str
    broker: tuple[str, int]
    hq_pub: str
    sales_per_day: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What a process has counted, and how many of its boxes are connected."""

    connected: int
    counts: dict[str, int]


class CrowdProcess:
    """Some light boxes on one event loop, until `stop` is set."""

    def __init__(
        self,
        identities: Sequence[LightIdentity],
        settings: CrowdSettings,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._identities = identities
        self._settings = settings
        self._clock = clock
        self._jitter = jitter
        self._counts: Counter[str] = Counter()
        self._boxes: list[LightBox] = []
        self._spoilt: set[int] = set()

    def spoil(self, revision: int) -> None:
        """From now on everything costs nothing by this revision: a bad push to be noticed."""
        self._spoilt.add(revision)

    def seen(self) -> Seen:
        """What was counted so far."""
        return Seen(sum(box.link.is_up for box in self._boxes), dict(self._counts))

    async def run(self, stop: asyncio.Event) -> None:
        """Connect all, keep them connected, end."""
        http = LightHttp(self._settings.cloud_url)
        parts = self._parts(http)
        self._boxes = [LightBox(identity, parts) for identity in self._identities]
        gate = asyncio.Semaphore(CONNECTS_AT_ONCE)
        try:
            while not stop.is_set():
                await self._connect(gate)
                await self._wait(stop)
        finally:
            await asyncio.gather(*(box.stop() for box in self._boxes))
            http.close()

    async def _connect(self, gate: asyncio.Semaphore) -> None:
        down = [box for box in self._boxes if not (box.link.is_up or box.link.is_opening)]
        await asyncio.gather(*(self._connect_one(box, gate) for box in down))
        for box in self._boxes:
            box.link.keep_alive()

    async def _connect_one(self, box: LightBox, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                await box.connect()
            except OSError:
                self._counts["refused"] += 1

    async def _wait(self, stop: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await stop.wait()
        except TimeoutError:
            return

    def _parts(self, http: LightHttp) -> LightParts:
        settings = self._settings

        def heard(what: str) -> None:
            self._counts[what] += 1

        return LightParts(
            clock=self._clock,
            cloud=Cloud(http, settings.hq_pub),
            broker=settings.broker,
            heard=heard,
            sales_per_s=settings.sales_per_day / 86_400,
            jitter=self._jitter,
            spoilt=self._spoilt,
        )
