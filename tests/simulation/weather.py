"""Which faults strike when: drawn once per seed, most seeds with a few of each kind."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log
from typing import TYPE_CHECKING

from tests.simulation.box import Box

if TYPE_CHECKING:
    from tests.simulation.world import World

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SEALING = "segments sealed"
OUTAGE_MS = (MINUTE_MS, 8 * HOUR_MS)
KEEP_MS = (HOUR_MS, 6 * HOUR_MS)
"""Entries younger than that are not pruned; scaled from weeks, so that a day sees it happen."""


class Weather:
    """Shares of messages and bookings that go wrong, and the plan of everything else."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._agenda = world.agenda
        rng = world.agenda.rng
        self.without: frozenset[str] = frozenset()
        self.loss = rng.choice((0.0, 0.01, 0.03, 0.2))
        self.doubling = rng.choice((0.0, 0.02, 0.1))
        self.lateness = rng.choice((0.0, 0.02, 0.1))
        self.cut_while_booking = rng.choice((0.0, 0.004, 0.02))

    def plan(self) -> None:
        """Put the day's faults on the agenda."""
        world = self._world
        for box in world.boxes:
            self._often(2.5, "partition", self._part, box)
            self._often(1.2, "power cut", self._cut, box)
            self._often(0.7, "clock jump", self._jump_clock, box)
            self._often(0.15, "disk full", self._fill_disk, box)
            self._often(0.10, "device revoked", self._revoke, box)
            self._often(0.2, "disk image restored", self._take_image, box)
            self._often(0.10, "journal destroyed", self._destroy, box)
            self._often(0.1, "box swapped", self._swap, box)
            self._often(0.2, "disk cloned", self._clone, box)
            self._often(2.0, "", box.hand_in)
            self._often(2.0, "", self._prune, box)
        self._often(1.5, "broker restart", self._restart_broker)
        self._often(1.5, "deaf worker", self._deafen)
        self._often(0.8, "database away", self._lose_database)
        self._often(0.7, "cloud restored from a backup", self._restore_cloud)
        self._often(self._agenda.rng.choice((3, 12, 48)), "", self._seal)
        world.workers.crash_share = world.agenda.rng.choice((0.0, 0.005, 0.02))

    def end(self) -> None:
        """All faults are over, and people have done what the alarms asked of them."""
        world = self._world
        self.loss = self.doubling = self.lateness = self.cut_while_booking = 0.0
        world.workers.crash_share = 0.0
        world.workers.deaf.clear()
        world.workers.is_database_away = False
        world.network.start_broker()
        for dev, status in world.cloud.devices.items():
            world.cloud.devices[dev] = "active" if status == "revoked" else status
        world.cloud.refill()
        for box in world.boxes:
            box.parted_until_ms = box.full_until_ms = 0
            box.boot()
            box.allow_lives()
            box.hand_in()

    def _often(self, mean: float, kind: str, do: Callable[..., None], *args: object) -> None:
        """Let something happen at random moments, so many times a day on average."""
        agenda, at_ms = self._agenda, 0.0
        while (at_ms := at_ms + agenda.rng.expovariate(mean) * DAY_MS) < DAY_MS:
            if kind:
                agenda.at(int(at_ms), self._strike, kind, do, *args)
            else:
                agenda.at(int(at_ms), do, *args)

    def _strike(self, kind: str, do: Callable[..., None], *args: object) -> None:
        if kind not in self.without:
            self._agenda.fault(kind, *(a.name for a in args if isinstance(a, Box)))
            do(*args)

    def _span(self, span_ms: tuple[int, int]) -> int:
        """A duration; short ones are as likely as long ones."""
        low, high = log(span_ms[0]), log(span_ms[1])
        return int(exp(low + self._agenda.rng.random() * (high - low)))

    def _part(self, box: Box) -> None:
        box.part(self._span(OUTAGE_MS))

    def _cut(self, box: Box) -> None:
        box.cut_power(self._span((10_000, 2 * HOUR_MS)))

    def _jump_clock(self, box: Box) -> None:
        jump_ms = (-HOUR_MS, HOUR_MS, -20 * 365 * DAY_MS, 10 * 365 * DAY_MS, 0)
        box.clock_off_ms = self._agenda.rng.choice(jump_ms)

    def _fill_disk(self, box: Box) -> None:
        box.full_until_ms = self._agenda.now_ms + self._span((MINUTE_MS, HOUR_MS))
        box.has_ballast = True

    def _revoke(self, box: Box) -> None:
        """By mistake; the mistake is found."""
        if self._world.cloud.devices[box.dev] == "active":
            self._world.cloud.devices[box.dev] = "revoked"
            self._agenda.after(self._span((MINUTE_MS, 4 * HOUR_MS)), self._reinstate, box)

    def _reinstate(self, box: Box) -> None:
        if self._world.cloud.devices[box.dev] == "revoked":
            self._world.cloud.devices[box.dev] = "active"

    def _take_image(self, box: Box) -> None:
        """Somebody keeps an image of the disk and puts it back hours later."""
        wait_ms = self._span((5 * MINUTE_MS, 8 * HOUR_MS))
        if self._agenda.now_ms + wait_ms < DAY_MS:
            self._agenda.after(wait_ms, self._world.set_back, box, box.disk.copy())

    def _destroy(self, box: Box) -> None:
        self._world.destroy(box)

    def _clone(self, box: Box) -> None:
        self._world.clone(box)

    def _swap(self, box: Box) -> None:
        self._world.swap(box)

    def _prune(self, box: Box) -> None:
        box.prune(self._span(KEEP_MS))

    def _seal(self) -> None:
        if SEALING not in self.without:
            self._world.cloud.seal()

    def _restart_broker(self) -> None:
        world = self._world
        world.network.stop_broker(world.boxes)
        self._agenda.after(self._span((1_000, 20 * MINUTE_MS)), world.network.start_broker)

    def _deafen(self) -> None:
        workers = self._world.workers
        deaf = int(self._agenda.rng.random() * workers.COUNT)
        workers.deaf.add(deaf)
        self._agenda.after(self._span((MINUTE_MS, 30 * MINUTE_MS)), workers.deaf.discard, deaf)

    def _lose_database(self) -> None:
        workers = self._world.workers
        workers.is_database_away = True
        self._agenda.after(self._span((10_000, 20 * MINUTE_MS)), self._find_database)

    def _find_database(self) -> None:
        self._world.workers.is_database_away = False

    def _restore_cloud(self) -> None:
        """The database goes back in time; somewhat later the archive fills what it can."""
        world = self._world
        back_ms = self._span((5 * MINUTE_MS, 12 * HOUR_MS))
        to_ms = max(self._agenda.now_ms - back_ms, 0)
        before = set(world.cloud.effects)
        world.cloud.restore(to_ms)
        world.oracle.went_back(before, set(world.cloud.effects), world.holders())
        for box in world.boxes:
            if box.is_linked:
                box.cloud_born(300_000)
        if self._agenda.chance(0.5):  # as the manual says: before the boxes are let in again
            world.cloud.refill()
        else:
            self._agenda.after(self._span((MINUTE_MS, 3 * HOUR_MS)), world.cloud.refill)
