"""The uplink against a cloud behind a network that loses, doubles, delays and reorders."""

import heapq
import itertools
import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from edge.sync import uplink
from edge.sync.uplink import Greet, Send, UplinkState, Wait
from shared.wire.batch import BATCH_ENTRIES_MAX
from shared.wire.message import Ack, AckCode

FAULTY_MS = 90_000
CALM_MS = 600_000
TICK_MS = 250


@dataclass
class World:
    """Box, network and cloud in virtual time; hashes are the entry numbers, in hex."""

    rng: random.Random
    now_ms: int = 0
    head: int = -1
    cloud_head: int = -1
    state: UplinkState = field(default_factory=UplinkState)
    watermark: int = -1
    wire: list[tuple[int, int, object]] = field(default_factory=list)
    order: itertools.count = field(default_factory=itertools.count)  # type: ignore[type-arg]
    sends: list[tuple[int, int]] = field(default_factory=list)

    @property
    def is_calm(self) -> bool:
        return self.now_ms >= FAULTY_MS

    def carry(self, message: object) -> None:
        copies = 1 if self.is_calm else self.rng.choice([0, 1, 1, 1, 2])
        for _ in range(copies):
            delay_ms = 50 if self.is_calm else self.rng.choice([20, 100, 3000, 15_000, 60_000])
            heapq.heappush(self.wire, (self.now_ms + delay_ms, next(self.order), message))

    def answer(self, code: AckCode) -> None:
        hh = f"{self.cloud_head:x}" if self.cloud_head >= 0 else ""
        retry_ms = 2000 if code is AckCode.BUSY else 0
        self.carry(Ack("s", code, self.cloud_head, hh, -1, "", "1-1", 0, retry_ms))

    def at_cloud(self, message: tuple[int, int] | None) -> None:
        if message is not None and not self.is_calm and self.rng.random() < 0.1:
            self.answer(AckCode.BUSY)
            return
        if message is None:
            self.answer(AckCode.OK)
        elif message[0] > self.cloud_head + 1:
            self.answer(AckCode.GAP)
        else:
            is_known = message[1] <= self.cloud_head
            self.cloud_head = max(self.cloud_head, message[1])
            self.answer(AckCode.DUP if is_known else AckCode.OK)

    def at_box(self, ack: Ack) -> None:
        has_our_hash = ack.head <= self.head
        assert has_our_hash, "the cloud cannot hold what the box has not"
        self.state, verdict = uplink.acknowledged(
            self.state,
            ack,
            has_our_hash=has_our_hash,
            now_ms=self.now_ms,
            jitter=self.rng.random(),
        )
        if verdict in {"advanced", "rewound"}:
            self.watermark = max(self.watermark, ack.head)
        assert self.watermark <= self.cloud_head
        assert self.state.halt is None

    def turn(self) -> None:
        while self.wire and self.wire[0][0] <= self.now_ms:
            _, _, message = heapq.heappop(self.wire)
            if isinstance(message, Ack):
                if self.state.is_connected:
                    self.at_box(message)
            else:
                self.at_cloud(message)  # type: ignore[arg-type]
        for _ in range(4):
            self.state, action = uplink.next_action(
                self.state, self.head, self.now_ms, self.rng.random()
            )
            if isinstance(action, Wait):
                return
            if isinstance(action, Greet):
                self.state = uplink.greeted(self.state, self.now_ms)
                self.carry(None)
            else:
                self.send(action)

    def send(self, action: Send) -> None:
        assert self.state.in_flight is None, "one batch in flight"
        assert action.from_seq == self.state.cloud_head + 1, "nothing is skipped"
        to_seq = min(self.head, action.from_seq + BATCH_ENTRIES_MAX - 1)
        assert to_seq >= action.from_seq, "no empty batch"
        self.sends.append((self.now_ms, action.from_seq))
        self.carry((action.from_seq, to_seq))
        self.state = uplink.sent(self.state, to_seq, self.head, self.now_ms)

    def weather(self) -> None:
        roll = self.rng.random()
        if not self.state.is_connected and (self.is_calm or roll < 0.2):
            self.state = uplink.connected(self.state, self.now_ms)
        elif not self.is_calm and roll < 0.01:
            self.state = uplink.disconnected(self.state)
        if not self.is_calm and roll > 0.6:
            for _ in range(self.rng.choice([1, 1, 2, 60])):
                self.head += 1
                self.state = uplink.appended(self.state, 800, self.now_ms)
            if roll > 0.8:
                self.state = uplink.hurried(self.state)


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_whatever_the_network_does_everything_arrives_once_it_is_calm(seed: int) -> None:
    world = World(random.Random(seed))  # noqa: S311 - a test's weather
    while world.now_ms < FAULTY_MS + CALM_MS:
        world.weather()
        world.turn()
        world.now_ms += TICK_MS
        if world.is_calm and world.watermark == world.head:
            break
    assert world.watermark == world.cloud_head == world.head
    assert not _storms(world.sends)


def _storms(sends: list[tuple[int, int]]) -> list[int]:
    """Moments at which the same batch was sent more often than answers can explain."""
    return [
        at_ms
        for (at_ms, from_seq), (later_ms, later_seq) in itertools.pairwise(sends)
        if from_seq == later_seq and later_ms == at_ms
    ]


@given(st.integers(-1, 500), st.integers(-1, 500), st.sampled_from(AckCode), st.booleans())
def test_an_ack_with_a_foreign_hash_never_moves_the_watermark(
    cloud_head: int,
    claimed: int,
    code: AckCode,
    is_hello_answer: bool,
) -> None:
    state = uplink.connected(UplinkState(cloud_head=cloud_head), 0)
    if is_hello_answer:
        state = uplink.greeted(state, 0)
    ack = Ack("s", code, claimed, "00", -1, "", "1-1", 0)
    after, verdict = uplink.acknowledged(state, ack, has_our_hash=False, now_ms=1, jitter=0.5)
    assert after.cloud_head == cloud_head
    assert verdict == ("refused" if code is AckCode.BUSY else "halted")
