"""Every box converges to what head office wants last, whatever messages, power and clocks do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.canonical import sha256
from shared.kernel.trusted_time import JUMP_MAX_MS, SLACK_MS, Mark, Wall, first_mark, observed
from shared.publication.activation import (
    Activate,
    Desired,
    Fetch,
    FetchManifest,
    Head,
    ReplicaState,
    Staged,
    Still,
    Wait,
    newer_of,
    next_step,
)
from shared.publication.manifest import Manifest, Piece, manifest_bytes, pieces_needed
from shared.publication.revision import EMPTY_DIGEST, digest_add, digest_remove

ZONE = "store-343"
STEPS_MAX = 40
BEGIN_MS = 1_795_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
NEXT_MAX = 4
WINDOW = 3
"""Deltas that a manifest names: fewer than in truth, so that boxes fall out of it."""


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=12), st.data())
def test_a_digest_does_not_know_the_order(hashes: list[bytes], data: st.DataObject) -> None:
    digest = EMPTY_DIGEST
    for each in hashes:
        digest = digest_add(digest, each)
    other = EMPTY_DIGEST
    for each in data.draw(st.permutations(hashes)):
        other = digest_add(other, each)
    assert digest == other
    for each in data.draw(st.permutations(hashes)):
        digest = digest_remove(digest, each)
    assert digest == EMPTY_DIGEST


@dataclass
class HeadOffice:
    """Publishes, holds, takes back and is restored; remembers every manifest it ever signed."""

    inc: int = 1
    revs: list[int] = field(default_factory=list)
    gen: int = 0
    snapshot_rev: int = 0
    manifests: dict[str, Manifest] = field(default_factory=dict)
    now: Head | None = None
    waiting: tuple[Head, ...] = ()
    told: list[Desired] = field(default_factory=list)

    def publish(self, now_ms: int) -> None:
        """A revision for at once; what waits is put upon it again."""
        self.ripen(now_ms)
        held, self.waiting = self.waiting, ()
        self.now = self._revision(0)
        for head in held:
            self.waiting += (self._revision(head.at_ms),)
        self._tell()

    def hold(self, at_ms: int, now_ms: int) -> None:
        """One more revision for an instant that comes after all others."""
        self.ripen(now_ms)
        if self.now is not None and len(self.waiting) < NEXT_MAX:
            latest = max([at_ms, *(head.at_ms + 1 for head in self.waiting)])
            self.waiting += (self._revision(latest),)
            self._tell()

    def take_back(self, now_ms: int) -> None:
        """The last one that waits will not come."""
        self.ripen(now_ms)
        if self.waiting:
            self.waiting = self.waiting[:-1]
            self._tell()

    def restore(self) -> None:
        """The cloud comes back from a backup: numbers come again and mean something else."""
        self.inc, self.gen = self.inc + 1, 0
        self.revs, self.snapshot_rev = self.revs[: len(self.revs) // 2], 0
        self.waiting = ()
        self.now = self._revision(0)
        self._tell()

    def ripen(self, now_ms: int) -> None:
        while self.waiting and self.waiting[0].at_ms <= now_ms:
            self.now, self.waiting = self.waiting[0], self.waiting[1:]

    def _revision(self, at_ms: int) -> Head:
        rev = (self.revs[-1] if self.revs else 0) + 1
        self.revs.append(rev)
        if not at_ms and (not self.snapshot_rev or rev % 4 == 0):
            self.snapshot_rev = rev
        path = list(pairwise(self.revs))[-WINDOW:]
        if path and path[0][0] > self.snapshot_rev:
            path = [each for each in pairwise(self.revs) if each[0] >= self.snapshot_rev]
        life = f"inc-{self.inc}"
        manifest = Manifest(
            ZONE,
            rev,
            life,
            "0" * 64,
            1,
            tuple(piece(life, 0, self.snapshot_rev, part) for part in ("chain", "store")),
            tuple(piece(life, *ends) for ends in path if self.snapshot_rev),
            at_ms,
        )
        name = sha256(manifest_bytes(manifest)).hex()
        self.manifests[name] = manifest
        return Head(ZONE, rev, name, "sig", life, at_ms)

    def _tell(self) -> None:
        assert self.now is not None
        self.gen += 1
        # What has ripened is told as what is for now, as the instant has passed for everybody.
        now = replace(self.now, at_ms=0)
        self.told.append(Desired(self.gen, self.now.inc, (now, *self.waiting)))


def piece(inc: str, from_rev: int, to_rev: int, part: str = "") -> Piece:
    name = sha256(f"{inc} {from_rev} {to_rev} {part}".encode()).hex()
    return Piece(from_rev, to_rev, name, 9, 1)


@dataclass
class ModelBox:
    """A box: what is on its disk, and what it forgets when it restarts."""

    mark: Mark
    stored: tuple[int, str] = (0, "")
    active: tuple[int, str] = (0, "")
    staged: tuple[Staged, ...] = ()
    desired: Desired | None = None
    heard: list[Desired] = field(default_factory=list)
    manifest: tuple[str, Manifest | None] = ("", None)
    distrusts: bool = False
    activated: list[tuple[int, str, int]] = field(default_factory=list)

    def state(self) -> ReplicaState:
        name, manifest = self.manifest
        inc = "" if self.distrusts else self.stored[1]
        return ReplicaState(
            ZONE, self.stored[0], self.active[0], inc, self.active[1], self.staged, manifest, name
        )

    def hear(self, told: Desired) -> None:
        self.heard = [each for each in self.heard if each.inc == told.inc] + [told]
        self.desired = newer_of(self.desired, told)

    def is_wanted(self, rev: int, inc: str) -> bool:
        """By the newest that it ever heard: what was taken back stays so."""
        newest = max(self.heard, key=lambda told: told.gen)
        return any((head.rev, head.inc) == (rev, inc) for head in newest.heads)

    def restart(self) -> None:
        self.manifest, self.distrusts = ("", None), False

    def go_on(self, office: HeadOffice, steps: int = STEPS_MAX) -> None:
        """Do what the planner says, until it is still or the power goes after so many steps."""
        for _ in range(steps):
            step = next_step(self.state(), self.desired, self.mark.sure_ms)
            match step:
                case Still() | Wait():
                    return
                case FetchManifest(head):
                    self.manifest = (head.sha256, office.manifests[head.sha256])
                case Fetch(_, pieces):
                    self.stage(pieces)
                case Activate(rev, inc):
                    assert any((each.rev, each.inc) == (rev, inc) for each in self.staged)
                    assert inc != self.active[1] or rev > self.active[0], "never back in one life"
                    assert self.is_wanted(rev, inc)
                    self.active = (rev, inc)
                    self.activated.append((rev, inc, self.mark.sure_ms))
        assert steps < STEPS_MAX, "never still"

    def stage(self, pieces: tuple[Piece, ...]) -> None:
        """Pieces must lead on from what is stored, or begin from nothing."""
        manifest = self.manifest[1]
        assert manifest is not None
        wholes = [each for each in pieces if each.from_rev == 0]
        assert wholes in ([], list(manifest.snapshots))
        rev = manifest.snapshot.to_rev if wholes else self.stored[0]
        assert wholes or (self.stored[1] == manifest.inc and not self.distrusts)
        for each in pieces[len(wholes) :]:
            assert each.from_rev == rev
            rev = each.to_rev
        assert rev == manifest.rev
        self.stored, self.distrusts = (rev, manifest.inc), False
        self.staged += (Staged(rev, manifest.inc, manifest.at_ms),)


@dataclass
class World:
    """A store, head office, true time, and a clock that is off by anything."""

    office: HeadOffice = field(default_factory=HeadOffice)
    true_ms: int = BEGIN_MS
    booted_ms: int = BEGIN_MS
    off_ms: int = 0
    boots: int = 1
    followed_ms: int = 0
    """How far a clock may have been followed without a second source, by the rules."""
    box: ModelBox = field(init=False)

    def __post_init__(self) -> None:
        self.box = ModelBox(first_mark(self.wall(is_ntp=True), 0))

    def wall(self, *, is_ntp: bool = False) -> Wall:
        off_ms = 0 if is_ntp else self.off_ms
        mono_ms = self.true_ms - self.booted_ms
        return Wall(max(0, self.true_ms + off_ms), mono_ms, f"boot-{self.boots}", is_ntp)

    def look(self, *, is_ntp: bool = False) -> None:
        before = self.box.mark
        self.box.mark = observed(before, self.wall(is_ntp=is_ntp))
        if is_ntp and self.box.mark.is_trusted:
            self.followed_ms = 0
        else:
            assert self.box.mark.shown_ms >= before.shown_ms, "no clock takes time back"
        assert self.box.mark.sure_ms <= self.true_ms + self.followed_ms + SLACK_MS

    def act(self, action: str, number: int) -> None:
        getattr(self, action)(number)
        self.look()

    def publish(self, _: int) -> None:
        self.office.publish(self.true_ms)

    def hold(self, hours: int) -> None:
        self.office.hold(self.true_ms + hours * HOUR, self.true_ms)

    def take_back(self, _: int) -> None:
        self.office.take_back(self.true_ms)

    def restore(self, _: int) -> None:
        self.office.restore()

    def time(self, minutes: int) -> None:
        self.true_ms += minutes * MINUTE

    def hear(self, late: int) -> None:
        """A message comes late, again, or out of turn; but nobody delivers a former life's."""
        told = self.office.told[-1 - late :][:1]
        if told and told[0].inc == self.office.told[-1].inc:
            self.box.hear(told[0])

    def work(self, steps: int) -> None:
        self.box.go_on(self.office, steps)

    def distrust(self, _: int) -> None:
        self.box.distrusts, self.box.manifest = True, ("", None)

    def restart(self, _: int) -> None:
        self.box.restart()

    def reboot(self, off_for_hours: int) -> None:
        self.true_ms += off_for_hours * HOUR
        self.boots, self.booted_ms = self.boots + 1, self.true_ms
        self.followed_ms += JUMP_MAX_MS
        self.box.restart()

    def clock(self, off_hours: int) -> None:
        self.off_ms = off_hours * HOUR


ACTIONS = st.one_of(
    st.just(("publish", 0)),
    st.tuples(st.just("hold"), st.integers(1, 48)),
    st.just(("take_back", 0)),
    st.just(("restore", 0)),
    st.tuples(st.just("time"), st.integers(1, 30 * 60)),
    st.tuples(st.just("hear"), st.integers(0, 6)),
    st.tuples(st.just("work"), st.integers(0, 6)),
    st.just(("distrust", 0)),
    st.just(("restart", 0)),
    st.tuples(st.just("reboot"), st.integers(0, 72)),
    st.sampled_from([("clock", off) for off in (0, -1, 30, -30 * 24, 10 * 365 * 24, -(10**7))]),
)


@given(st.lists(ACTIONS, max_size=40))
def test_a_box_converges_whatever_messages_power_and_clocks_do(
    actions: list[tuple[str, int]],
) -> None:
    world = World()
    for action, number in actions:
        world.act(action, number)
    office, box = world.office, world.box
    office.publish(world.true_ms)
    box.hear(office.told[-1])
    world.look(is_ntp=True)
    box.go_on(office)
    assert office.now is not None
    assert box.active == (office.now.rev, office.now.inc)
    held = {(head.rev, head.inc) for head in office.waiting}
    assert held <= {(each.rev, each.inc) for each in box.staged}, "the next ones are there already"
    for head in office.waiting:  # and nothing more is heard of head office
        world.true_ms = head.at_ms
        world.look()
        box.go_on(office)
        assert box.active == (head.rev, head.inc)


@given(st.lists(ACTIONS, max_size=40))
def test_nothing_is_active_before_its_instant(actions: list[tuple[str, int]]) -> None:
    world = World()
    for action, number in actions:
        world.act(action, number)
        office = world.office
        by_key = {(each.rev, each.inc): each.at_ms for each in office.manifests.values()}
        for rev, inc, sure_ms in world.box.activated:
            assert by_key[rev, inc] <= sure_ms
        world.box.activated.clear()


STATES = st.builds(
    ReplicaState,
    zone=st.just(ZONE),
    stored_rev=st.integers(0, 12),
    active_rev=st.integers(0, 12),
    inc=st.sampled_from(["", "inc-0", "inc-1"]),
    active_inc=st.sampled_from(["", "inc-0", "inc-1"]),
    staged=st.lists(
        st.builds(Staged, st.integers(0, 12), st.sampled_from(["inc-0", "inc-1"])), max_size=4
    ).map(tuple),
)


@given(STATES, st.integers(1, 9), st.integers(0, 3))
def test_a_box_converges_from_any_state(state: ReplicaState, published: int, held: int) -> None:
    office = HeadOffice()
    for _ in range(published):
        office.publish(BEGIN_MS)
    for _ in range(held):
        office.hold(BEGIN_MS + HOUR, BEGIN_MS)
    box = ModelBox(first_mark(Wall(BEGIN_MS, 0, "boot", is_ntp=True), 0))
    box.stored, box.active = (state.stored_rev, state.inc), (state.active_rev, state.active_inc)
    box.staged = state.staged
    box.hear(office.told[-1])
    box.go_on(office)
    assert office.now is not None
    if state.active_inc == office.now.inc and state.active_rev > office.now.rev:
        return  # it began with more than head office ever made active, and never goes back
    assert box.active == (office.now.rev, office.now.inc)


@given(st.integers(1, 12), st.integers(0, 14), st.booleans())
def test_what_a_box_needs_leads_from_what_it_has(rev: int, stored: int, same: bool) -> None:
    office = HeadOffice()
    for _ in range(rev):
        office.publish(BEGIN_MS)
    manifest = office.manifests[office.told[-1].heads[0].sha256]
    needed = pieces_needed(manifest, stored, "inc-1" if same else "inc-0")
    ends = [each for each in needed if each.from_rev]
    start = manifest.snapshot.to_rev if len(ends) < len(needed) else stored
    for each in ends:
        assert each.from_rev == start
        start = each.to_rev
    assert start == manifest.rev
