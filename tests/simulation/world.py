"""One seed: a few stores, their boxes, the cloud, a day of bad luck, then an hour of calm."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from edge.sync.backoff import WAIT_MS_MAX
from edge.sync.uplink import HELLO_EVERY_MS
from tests.simulation.agenda import Agenda
from tests.simulation.box import Box, Sale, Tablet
from tests.simulation.cloud import Cloud, Workers
from tests.simulation.journal import Disk, new_life
from tests.simulation.network import Network
from tests.simulation.oracle import Oracle, ViolationError
from tests.simulation.variant import RECOMMENDED, Variant
from tests.simulation.weather import DAY_MS, HOUR_MS, MINUTE_MS, Weather
from tests.simulation.wire import Wire

CALM_MS = 10 * MINUTE_MS + HELLO_EVERY_MS + WAIT_MS_MAX
"""Ten minutes; a box that was halted says its next hello later, and the longest wait is on top."""
LOOK_EVERY_MS = 5_000
OPENING_MS, CLOSING_MS = 8 * HOUR_MS, DAY_MS
SALES_PER_DAY = (40, 200)
DISK_DISASTERS = frozenset(
    {"disk image restored", "journal destroyed", "disk cloned", "box swapped"}
)
BYTES_EVERY = 10
"""Each tenth seed sends real bytes."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a seed came to.  `broken` is the rule that did not hold, None when all is well."""

    seed: int
    broken: str | None
    because: str
    steps: int
    entries: int
    sales: int
    calm_ms: int
    """How long after the last fault everything was in order."""
    counts: Counter[str]
    burnt: Counter[str]
    trace: list[str]


class World:
    """Wires everything together."""

    def __init__(self, seed: int, variant: Variant, *, is_patient: bool) -> None:
        self.seed = seed
        self.variant = variant
        self.agenda = agenda = Agenda(seed)
        self.oracle = Oracle(agenda, is_patient=is_patient)
        self.cloud = Cloud(agenda, self.oracle, variant)
        self.workers = Workers(agenda, self.cloud)
        self.weather = Weather(self)
        wire = Wire(is_bytes=seed % BYTES_EVERY == 0)
        self.network = Network(agenda, self.weather, self.workers, wire)
        self.boxes: list[Box] = []
        self._ids = 0

    def run(self) -> int:
        """Let the day pass; milliseconds of calm until all was in order."""
        for n in range(self.agenda.rng.randint(3, 6)):
            self._enrol(f"d{n}")
        self.weather.plan()
        for hour in range(1, 25):
            self.agenda.run(hour * HOUR_MS)
            self.oracle.present(self.holders())
        self.weather.end()
        self.oracle.present(self.holders())
        while self.agenda.now_ms < DAY_MS + CALM_MS:
            self.agenda.run(self.agenda.now_ms + LOOK_EVERY_MS)
            if self.is_settled():
                self.oracle.judge(self.cloud)
                return self.agenda.now_ms - DAY_MS
        self.oracle.judge(self.cloud)
        open_ = [box.name for box in self.boxes if not self._is_settled(box)]
        raise ViolationError("calm, but not in order", str(open_))

    def entry_id(self) -> str:
        """An id that nobody else has."""
        self._ids += 1
        return f"e{self._ids}"

    def holders(self) -> list[set[str]]:
        """Whoever has sales: boxes, till pages, headquarters, the archive."""
        now_ms = self.agenda.now_ms
        held = [set(box.disk.ids) for box in self.boxes]
        held += [box.tablet.ids(now_ms) for box in self.boxes]
        held.append(set(self.cloud.effects))
        held.append(self.cloud.archive.ids())
        return held

    def is_settled(self) -> bool:
        """Whether every box has brought everything and knows it."""
        return all(self._is_settled(box) for box in self.boxes)

    def _is_settled(self, box: Box) -> bool:
        life, row = box.life, self.cloud.streams.get(box.life.stream)
        return (
            row is not None
            and box.state.cloud_head == life.head == row.head
            and life.head_hash == row.hashes[-1]
            and life.inc == self.cloud.inc
            and not box.courier.jobs
            and not box.courier.later
        )

    def _enrol(self, dev: str) -> None:
        first = new_life(self.agenda.rng.randbytes(16), is_first=True)
        self._register(dev, f"store {dev}")
        self._man(Box(self, dev, f"hw-{dev}", Disk(f"hw-{dev}", first)), 0)

    def _register(self, dev: str, store: str) -> None:
        self.cloud.devices[dev], self.cloud.stores[dev] = "active", store

    def _man(self, box: Box, from_ms: int) -> None:
        """Switch a box on and let people sell with it."""
        self.boxes.append(box)
        self.agenda.at(from_ms, box.boot)
        rng = self.agenda.rng
        for _ in range(rng.randint(*SALES_PER_DAY)):
            at_ms = self.agenda.between(OPENING_MS, CLOSING_MS)
            sale = Sale(self.entry_id(), "p" if rng.random() < 0.01 else "s")
            if at_ms > from_ms:
                self.agenda.at(at_ms, box.sell, sale)
        for _ in range(rng.randint(2, 10)):
            self.agenda.at(from_ms + self.agenda.between(MINUTE_MS, DAY_MS // 2), box.note)

    # Disasters that move whole disks

    def set_back(self, box: Box, image: Disk) -> None:
        """The disk is what it was hours ago; the box cannot know until it hears the cloud."""
        self.agenda.fault("old image runs", box.name)
        old = box.disk
        box.cut_power(30_000)
        box.disk = image
        box.is_tainted = True
        self._lost(old)

    def destroy(self, box: Box) -> None:
        """The journal's files are gone; mostly the mark beside them is not."""
        old = box.disk
        box.cut_power(30_000)
        empty = new_life(old.lives[0].stream, is_first=True)
        box.disk = Disk(box.hardware, empty)
        if self.agenda.chance(0.7):
            box.disk.mark = old.mark
        box.is_tainted = True
        self._lost(old)

    def clone(self, box: Box) -> None:
        """A copy of the disk in another machine; in some the hardware does not show."""
        shows = self.agenda.chance(0.5)
        hardware = f"{box.hardware}+{len(self.boxes)}" if shows else box.hardware
        twin = Box(self, box.dev, hardware, box.disk.copy())
        twin.name = f"{box.name}+{len(self.boxes)}"
        twin.is_tainted = not shows
        box.is_tainted = box.is_tainted or not shows
        self._man(twin, self.agenda.now_ms)

    def swap(self, box: Box) -> None:
        """Another box takes the store over, with the same tablets; the old one may come back."""
        if box.is_gone or box.is_retiring:
            return
        dev = f"{box.dev}s{len(self.boxes)}"
        box.cut_power(self.agenda.between(HOUR_MS, 8 * HOUR_MS))
        box.is_retiring = True
        self.cloud.devices[box.dev] = "retiring"
        self._register(dev, box.store)
        first = new_life(self.agenda.rng.randbytes(16), is_first=False)
        heir = Box(self, dev, f"hw-{dev}", Disk(f"hw-{dev}", first))
        heir.tablet, box.tablet = box.tablet, Tablet()
        self._man(heir, self.agenda.now_ms)
        self.agenda.after(self.agenda.between(MINUTE_MS, HOUR_MS), heir.hand_in)
        if self.agenda.chance(0.5):  # its card is dead
            box.is_gone = True
            self.boxes.remove(box)
            self._lost(box.disk)

    def _lost(self, old: Disk) -> None:
        self.oracle.overwritten(old, self.holders())


def run_seed(
    seed: int,
    variant: Variant = RECOMMENDED,
    *,
    is_patient: bool = False,
    without: frozenset[str] = frozenset(),
) -> Outcome:
    """Run one seed to its end or to the first rule that does not hold.

    `without` names kinds of faults that stay away.
    """
    world = World(seed, variant, is_patient=is_patient)
    world.weather.without = without
    broken, because, calm_ms = None, "", 0
    try:
        calm_ms = world.run()
    except ViolationError as violation:
        broken, because = violation.rule, str(violation)
    agenda, oracle = world.agenda, world.oracle
    return Outcome(
        seed=seed,
        broken=broken,
        because=because,
        steps=agenda.steps,
        entries=len(oracle.written),
        sales=len(oracle.promised),
        calm_ms=calm_ms,
        counts=agenda.counts,
        burnt=oracle.burnt,
        trace=agenda.trace_lines() if broken else [],
    )
