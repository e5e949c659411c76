"""A store box: the product's uplink and its decisions about lives, around a disk that is a model.

The machine can be switched off at any moment; what is not on its `disk` is then gone.  The till
page (`Tablet`) lives on another machine and keeps copies of what the cloud does not have yet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from edge.journal.store import MARK_EVERY_MS
from edge.sync import uplink
from edge.sync.backoff import failures_after, full_jitter_ms
from edge.sync.mqtt import RECONNECT_BASE_MS
from edge.sync.uplink import Greet, Send, UplinkState
from shared.journal.life import (
    FileEvidence,
    LifeCause,
    Position,
    cause_at_start,
    cause_of_fork,
    may_begin,
    prune_limit,
    salvaged_range,
)
from shared.wire.batch import BATCH_ENTRIES_MAX
from shared.wire.message import Ack
from tests.simulation.cloud import Batch
from tests.simulation.courier import Courier
from tests.simulation.journal import NO_SEQ, Disk, Entry, Life, new_life
from tests.simulation.oracle import CARBON_LAG_MS

if TYPE_CHECKING:
    from tests.simulation.world import World

HALF_OPEN_MS = 90_000
"""A dead connection is noticed after 1.5 keepalives."""
MINUTE_MS = 60_000
SHORT_CUT_MS = (5_000, 10 * MINUTE_MS)
CARBON_MS_MIN = 200


class Carbon(NamedTuple):
    """A copy of an entry at the till page, from `there_ms` on."""

    there_ms: int
    life: Life
    entry: Entry
    prev: bytes


class Tablet:
    """Copies of what is not acknowledged yet."""

    def __init__(self) -> None:
        self.carbons: dict[bytes, list[Carbon]] = {}

    def keep(self, carbon: Carbon) -> None:
        """Take a copy, which arrives a moment later, in order."""
        kept = self.carbons.setdefault(carbon.life.stream, [])
        if kept and kept[-1].there_ms > carbon.there_ms:
            carbon = carbon._replace(there_ms=kept[-1].there_ms)
        kept.append(carbon)

    def drop(self, life: Life, upto: int) -> None:
        """Forget what the cloud has, if it is the same that we have."""
        kept = self.carbons.get(life.stream)
        if kept and kept[0].entry.seq <= upto:
            self.carbons[life.stream] = [
                c for c in kept if c.entry.seq > upto or not _holds(life, c.entry)
            ]

    def cut_off(self, now_ms: int) -> set[str]:
        """What had not arrived yet never will, unless the box offers it again; its ids."""
        late: set[str] = set()
        for stream, kept in self.carbons.items():
            if kept and kept[-1].there_ms > now_ms:
                self.carbons[stream] = [c for c in kept if c.there_ms <= now_ms]
                late |= {c.entry.id for c in kept if c.there_ms > now_ms}
        return late

    def ids(self, now_ms: int) -> set[str]:
        """Ids of what is safely here."""
        kept = (carbons for carbons in self.carbons.values())
        return {c.entry.id for carbons in kept for c in carbons if c.there_ms <= now_ms}


class Sale(NamedTuple):
    """What the cashier wants booked; the id is as old as the basket."""

    id: str
    kind: str


class Box:
    """One machine; a clone is another one with a copy of its disk and the same name."""

    def __init__(self, world: World, dev: str, hardware: str, disk: Disk) -> None:
        self.world = world
        self.agenda = world.agenda
        self.dev = dev
        self.hardware = hardware
        self.disk = disk
        self.tablet = Tablet()
        self.state = UplinkState()
        self.courier = Courier(self)
        self.store = world.cloud.stores[dev]
        self.name = f"{dev}/{hardware}"
        self.is_on = False
        self.is_gone = False
        self.is_retiring = False
        self.is_linked = False
        self.is_tainted = False
        """Whether its disk knows nothing of what has happened: its numbers may have been used."""
        self._unsure: set[str] = set()
        """Entries that it wrote in that state: their numbers are given already."""
        self.power = 0
        self.link_failures = 0
        self.parted_until_ms = 0
        self.full_until_ms = 0
        self.has_ballast = True
        self.clock_off_ms = 0
        self._linked_at_ms = 0
        self._dial_no = 0
        self._wake_ms: int | None = None
        self._booking: Sale | None = None
        self._pending: list[Sale] = []
        self._births_ms: list[int] = []
        self._marked_at_ms = 0

    @property
    def life(self) -> Life:
        """The current journal life."""
        return self.disk.lives[-1]

    @property
    def is_parted(self) -> bool:
        """Whether the line is dead, noticed or not."""
        return self.agenda.now_ms < self.parted_until_ms

    # Power

    def boot(self) -> None:
        """Come up: check the journal, then look for the cloud."""
        if self.is_on or self.is_gone:
            return
        self.is_on = True
        self.agenda.note("boot", self.name)
        mark = self.disk.mark
        life = self.life
        evidence = None
        if life.entries or life.base:
            at_mark = None if mark is None else life.hash_at(mark[1])
            before = frozenset(older.hex for older in self.disk.lives[:-1])
            evidence = FileEvidence(life.hex, life.head, self.disk.hardware, at_mark, before)
        position = None if mark is None else Position(mark[0].hex(), mark[1], mark[2])
        cause = cause_at_start(evidence, position, self.hardware)
        self.disk.hardware = self.hardware
        if evidence is None and cause is None:
            self._write("o", life.hex, f"enrol|{self.agenda.now_ms}|{self.dev}")
        if cause is not None:
            self.begin_life(cause, self.life.acked)
        self._offer_copies()
        self.state = UplinkState(cloud_head=self.life.acked)
        self._dial(self._dial_no, self.agenda.between(200, 2_000))
        for sale in self._pending:
            self.agenda.after(self.agenda.between(1_000, 20_000), self.sell, sale)
        self._pending = []
        self._bring_older_lives()

    def _offer_copies(self) -> None:
        """The till page asks for all that the cloud does not have, not only for what is new."""
        now_ms, life = self.agenda.now_ms, self.life
        held = {c.entry.hash for c in self.tablet.carbons.get(life.stream, ())}
        prev = life.hash_at(life.acked)
        for entry in life.since(life.acked + 1):
            if entry.hash not in held and prev is not None:
                there_ms = now_ms + self.agenda.between(CARBON_MS_MIN, CARBON_LAG_MS)
                self.tablet.keep(Carbon(there_ms, life, entry, prev))
                self.world.oracle.uncopied.discard(entry.id)
            prev = entry.hash

    def cut_power(self, off_ms: int) -> None:
        """Go dark; an append under way is durable or not, and nobody knows."""
        if not self.is_on:
            return
        agenda = self.agenda
        self.power += 1
        self.is_on = False
        self._lose_link()
        self._wake_ms = None
        self.world.oracle.uncopied |= self.tablet.cut_off(agenda.now_ms)
        self.courier.forget()
        sale, self._booking = self._booking, None
        if sale is not None:
            if agenda.chance(0.5) and not self.world.variant.is_printed_first:
                self._write(sale.kind, sale.id)
            if agenda.chance(0.9):  # the customer still stands there
                self._pending.append(sale)
        if self.world.variant.is_unsynced:
            self._lose_unsynced()
        agenda.after(off_ms, self.boot)

    def _lose_unsynced(self) -> None:
        since_ms = self.agenda.now_ms - self.agenda.between(0, 30_000)
        life = self.life
        while life.entries and life.entries[-1].at_ms > since_ms and life.head > max(life.acked, 0):
            self.disk.drop_newest()

    # Selling

    def sell(self, sale: Sale) -> None:
        """The cashier presses `paid`."""
        if not self.is_on:
            if len(self._pending) < 1:  # one customer waits, the others leave
                self._pending.append(sale)
            return
        if self._booking is not None or self.is_retiring:
            return
        known = self.disk.ids.get(sale.id)
        if known is not None:  # a retry: the answer to the first try did not arrive
            self._promise(sale)
            return
        if self._is_disk_full():
            self.agenda.counts["refused before payment: disk full"] += 1
            return
        self._booking = sale
        if self.world.variant.is_printed_first:
            self._print_unbooked(sale)
        self.agenda.after(self.agenda.between(5, 60), self._booked, self.power, sale)
        if self.agenda.chance(self.world.weather.cut_while_booking):
            self.agenda.fault("power cut while booking", self.name)
            self.agenda.after(self.agenda.between(0, 70), self.cut_power, self._short_ms())

    def _booked(self, power: int, sale: Sale) -> None:
        """The commit has returned."""
        if power != self.power:
            return
        self._booking = None
        self._write(sale.kind, sale.id)
        if self.agenda.chance(0.002):
            self.agenda.fault("power cut between commit and receipt", self.name)
            self._pending.append(sale)
            self.cut_power(self._short_ms())
            return
        self._promise(sale)
        if self.agenda.chance(0.01):
            self.agenda.after(50, self.sell, sale)  # the till page tries again
        self.state = uplink.hurried(self.state)
        self.turn()

    def note(self) -> None:
        """Something else goes into the journal: an operator signs on, a drawer opens."""
        if self.is_on and self._booking is None and not self._is_disk_full():
            self._write("n", self.world.entry_id())
            self.turn()

    def _write(self, kind: str, entry_id: str, rest: str = "") -> None:
        now_ms, prev = self.agenda.now_ms, self.life.head_hash
        entry = self.disk.append(entry_id, kind, rest, now_ms + self.clock_off_ms)
        self.world.oracle.wrote(self.life, entry)
        if self.is_tainted:
            self._unsure.add(entry_id)
        there_ms = now_ms + self.agenda.between(CARBON_MS_MIN, CARBON_LAG_MS)
        self.tablet.keep(Carbon(there_ms, self.life, entry, prev))
        self.state = uplink.appended(self.state, len(entry.body) + 800, now_ms)

    def _promise(self, sale: Sale) -> None:
        life, _, number = self.disk.ids[sale.id]
        self.world.oracle.promise(
            self.store, sale.id, (life.series, number), is_known=sale.id not in self._unsure
        )

    def _print_unbooked(self, sale: Sale) -> None:
        number = (self.life.series, self.life.receipts + 1)
        self.world.oracle.promise(self.store, sale.id, number, is_known=not self.is_tainted)

    def _is_disk_full(self) -> bool:
        if self.agenda.now_ms >= self.full_until_ms:
            return False
        if self.has_ballast:
            self.has_ballast = False
            self.agenda.counts["ballast given up"] += 1
            return False
        return True

    def _short_ms(self) -> int:
        return self.agenda.between(*SHORT_CUT_MS)

    # Lives

    def begin_life(self, cause: LifeCause, vouched: int) -> None:
        """Mint a stream; what the cloud has not vouched for goes along, in the same commit."""
        now_ms, old = self.agenda.now_ms, self.life
        self._births_ms.append(now_ms)
        self.agenda.counts[f"life: {cause}"] += 1
        self.agenda.note("new life", self.name, cause, old.hex[:8], vouched, old.head)
        life = new_life(self.agenda.rng.randbytes(16), is_first=False)
        self.disk.lives.append(life)
        self.is_tainted = False
        self._write("o", life.hex, f"{cause}|{now_ms}|{self.dev}")
        if not self.world.variant.is_tail_dropped:
            for entry in old.since(salvaged_range(vouched, old.head).start):
                self.salvage(old, entry)
        if not self.agenda.chance(0.1):  # the power may go before the mark is written
            self.disk.mark = (life.stream, 0, life.entries[0].hash)

    def allow_lives(self) -> None:
        """A person has looked into why this box began so many lives."""
        self._births_ms.clear()

    def _vouched(self, inc: str) -> int:
        """The last entry that the cloud of this incarnation is known to hold, or its archive."""
        life = self.life
        is_other = life.inc not in {inc, ""} and not self.world.variant.is_tail_after_acked
        return life.safe if is_other else life.acked

    def salvage(self, old: Life, entry: Entry) -> None:
        """Carry an entry of another stream in the current one, under its own id."""
        here = self.disk.ids.get(entry.id)
        if entry.kind == "o" or (here is not None and here[0] is self.life):
            return
        kind = entry.kind
        inner = entry.body.split(b"|", 3)[2].decode() if kind == "v" else kind
        number = here[2] if here is not None else 0
        origin = here[0] if here is not None else old
        self._write("v", entry.id, f"{inner}|{old.hex}|{entry.seq}|{entry.hash.hex()}")
        self.disk.ids[entry.id] = (origin, self.life.entries[-1], number)

    def _forked(self, ack: Ack) -> None:
        """The cloud knows other entries than ours."""
        self.agenda.counts["forks"] += 1
        if self.world.variant.has_no_new_life:
            return
        now_ms = self.agenda.now_ms
        if not may_begin(self._births_ms, now_ms):
            self.agenda.counts["too many lives: alarm"] += 1
            return
        self.begin_life(cause_of_fork(self.life.head, ack.head), self._vouched(ack.inc))
        self.state = uplink.reborn(self.state, now_ms, self.agenda.rng.random())

    def hand_in(self) -> None:
        """The till page shows what it has: the box may have forgotten some of it."""
        tablet = self.tablet
        if not self.is_on or not tablet.carbons:
            return
        for stream, kept in list(tablet.carbons.items()):
            there = [c for c in kept if c.there_ms <= self.agenda.now_ms]
            own = next((life for life in self.disk.lives if life.stream == stream), None)
            strange = [c for c in there if own is None or not _holds(own, c.entry)]
            if not strange:
                continue
            self.agenda.counts["tail handed in by a till page"] += 1
            self.agenda.note("hand in", self.name, stream, len(strange))
            if own is self.life:  # the page remembers more than the disk does
                self.begin_life(LifeCause.RESTORE, self.life.acked)
                now_ms, jitter = self.agenda.now_ms, self.agenda.rng.random()
                self.state = uplink.reborn(self.state, now_ms, jitter)
                self.turn()
            for run in _runs(strange):
                self.courier.bring(run[0].life, run[0].prev, [c.entry for c in run])

    def prune(self, keep_ms: int) -> None:
        """Forget what is archived and older than `keep_ms` by the box's own clock."""
        if not self.is_on:
            return
        since_ms = self.agenda.now_ms + self.clock_off_ms - keep_ms
        for life in self.disk.lives:
            if self.world.variant.is_pruned_at_head:
                limit = life.acked
            else:
                own = life.hash_at(life.safe) if life.safe >= 0 else None
                safe = None if own is None else Position(life.hex, life.safe, own)
                limit = prune_limit(safe, own)
            old = [e.seq for e in life.entries if e.seq <= limit and e.at_ms < since_ms]
            if old and old[-1] > 0:
                gone = life.prune(old[-1])
                self.agenda.counts["entries pruned"] += len(gone)
                self.world.oracle.pruned(life, gone, self.world.cloud)

    # Uplink

    def turn(self) -> None:
        """Carry out what the uplink decides, until it waits."""
        if not self.is_on:
            return
        while True:
            now_ms = self.agenda.now_ms
            state, action = uplink.next_action(
                self.state, self.life.head, now_ms, self.agenda.rng.random()
            )
            self.state = state
            if isinstance(action, Send):
                self._send(action.from_seq)
            elif isinstance(action, Greet):
                self.state = uplink.greeted(state, now_ms)
                self.world.network.up_hello(self, self.life.stream)
            else:
                self._wake_at(action.until_ms)
                return

    def _wake_at(self, at_ms: int | None) -> None:
        if at_ms is None or (self._wake_ms is not None and self._wake_ms <= at_ms):
            return
        self._wake_ms = at_ms
        self.agenda.at(at_ms, self._woken, at_ms)

    def _woken(self, at_ms: int) -> None:
        if at_ms == self._wake_ms:
            self._wake_ms = None
            self.turn()

    def _send(self, from_seq: int) -> None:
        life, oracle = self.life, self.world.oracle
        oracle.check(holds=self.state.in_flight is None, rule="one batch in flight", what=self.name)
        before = life.hash_at(from_seq - 1)
        entries = life.since(from_seq, BATCH_ENTRIES_MAX)
        if before is None or not entries or entries[0].seq != from_seq:
            self.agenda.note("cannot send", self.name, from_seq, life.base)
            self.state = replace(self.state, halt="bad")
            return
        oracle.sent(self.name, life.stream, from_seq)
        bodies = [entry.body for entry in entries]
        batch = Batch(self.dev, life.stream, from_seq, before, bodies, life.head)
        self.world.network.up_batch(self, batch)
        self.state = uplink.sent(self.state, entries[-1].seq, life.head, self.agenda.now_ms)

    def hear(self, ack: Ack) -> None:
        """An acknowledgement arrived."""
        life = self.life
        if not self.is_on or not self.is_linked or ack.stream != life.hex:
            return
        now_ms = self.agenda.now_ms
        own = life.hash_at(ack.head)
        has_our_hash = self.world.variant.is_ack_unchecked or (
            own is not None and ack.hh in {own.hex(), "" if ack.head < 0 else None}
        )
        was_waiting = self.state.not_before_ms
        self.state, verdict = uplink.acknowledged(
            replace(self.state, first_kept=life.base),
            ack,
            has_our_hash=has_our_hash,
            now_ms=now_ms,
            jitter=self.agenda.rng.random(),
        )
        if verdict == "refused" and self.world.variant.is_resent_at_once:
            self.state = replace(self.state, not_before_ms=min(was_waiting, now_ms))
        if verdict == "halted":
            self.agenda.note("halted", self.name, ack.code, self.state.halt, ack.head)
            self.agenda.counts[f"halted: {self.state.halt}"] += 1
            if self.state.halt == "fork":
                self._forked(ack)
        elif verdict in {"advanced", "rewound"}:
            self._keep(life, ack)
        self.turn()

    def _keep(self, life: Life, ack: Ack) -> None:
        """Move the watermarks, each only where the hash is ours."""
        if self._is_disk_full():
            return
        if life.inc != ack.inc:  # what an earlier incarnation had says nothing about this one
            life.inc, life.acked = ack.inc, NO_SEQ
            self._bring_older_lives()
        is_unchecked = self.world.variant.is_ack_unchecked
        own, own_safe = life.hash_at(ack.head), life.hash_at(ack.safe)
        if ack.head > life.acked and (is_unchecked or (own and own.hex() == ack.hh)):
            self._acked(life, min(ack.head, life.head))
        if ack.safe > life.safe and (is_unchecked or (own_safe and own_safe.hex() == ack.sh)):
            life.safe = min(ack.safe, life.head)
        self.world.oracle.marked(life)

    def _acked(self, life: Life, upto: int) -> None:
        life.acked = upto
        self.tablet.drop(life, upto)
        now_ms, own = self.agenda.now_ms, life.hash_at(upto)
        if own is not None and now_ms - self._marked_at_ms >= MARK_EVERY_MS:
            self._marked_at_ms = now_ms
            self.disk.mark = (life.stream, upto, own)

    def _bring_older_lives(self) -> None:
        """A cloud that was set back may lack what older lives had brought."""
        if self.world.variant.is_only_current_life:
            return
        for life in self.disk.lives[:-1]:
            if life.entries:
                self.courier.bring(life, life.anchor, list(life.entries))

    # Link

    def link_up(self) -> None:
        """The connection stands."""
        self.is_linked = True
        self._linked_at_ms = self.agenda.now_ms
        self.agenda.counts["connections"] += 1
        self.state = uplink.connected(self.state, self.agenda.now_ms)
        self.turn()
        self.courier.turn()

    def link_down(self) -> None:
        """The connection is over, and we know."""
        if not self.is_linked:
            return
        lasted_ms = self.agenda.now_ms - self._linked_at_ms
        self._lose_link()
        self.link_failures = failures_after(self.link_failures, lasted_ms)
        if self.is_on:
            self._redial()

    def part(self, for_ms: int) -> None:
        """The line dies; the box notices some time later."""
        self.parted_until_ms = max(self.parted_until_ms, self.agenda.now_ms + for_ms)
        self.agenda.after(self.agenda.between(0, HALF_OPEN_MS), self._notice, self._dial_no)

    def _notice(self, dial_no: int) -> None:
        if dial_no == self._dial_no:
            self.link_down()

    def _lose_link(self) -> None:
        self._dial_no += 1
        self.is_linked = False
        self.state = uplink.disconnected(self.state)

    def _redial(self) -> None:
        jitter = self.agenda.rng.random()
        self._dial(self._dial_no, full_jitter_ms(self.link_failures, RECONNECT_BASE_MS, jitter))

    def _dial(self, dial_no: int, wait_ms: int) -> None:
        self.agenda.after(wait_ms + 100, self._dialled, dial_no)

    def _dialled(self, dial_no: int) -> None:
        if dial_no != self._dial_no or not self.is_on or self.is_linked:
            return
        if self.is_parted or not self.world.network.accept(self):
            self.link_failures = failures_after(self.link_failures, None)
            self._redial()

    def cloud_born(self, spread_ms: int) -> None:
        """The cloud came up anew: say hello within a while."""
        at_ms = self.agenda.now_ms + int(self.agenda.rng.random() * spread_ms)
        self.state = uplink.greeting_at(self.state, at_ms)
        self.turn()


def _holds(life: Life, entry: Entry) -> bool:
    """Whether it is the very same; a number proves nothing, and of what is pruned none is left."""
    return life.hash_at(entry.seq) == entry.hash


def _runs(carbons: list[Carbon]) -> list[list[Carbon]]:
    """Copies that follow on one another, by their hashes."""
    runs: list[list[Carbon]] = []
    for carbon in carbons:
        if runs and runs[-1][-1].entry.hash == carbon.prev:
            runs[-1].append(carbon)
        else:
            runs.append([carbon])
    return runs
