"""The uplink's thread: carries out what `uplink` decides."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from edge.identity import Identity
from edge.journal.store import Journal
from edge.sync import uplink
from edge.sync.batches import BatchMaker
from edge.sync.link import Link
from edge.sync.metrics import ACKS, BATCHES_SENT, ENTRIES_SENT, TIMEOUTS, UNSYNCED
from edge.sync.uplink import Greet, Send, UplinkState
from shared.journal.entry import JournalEntry
from shared.journal.life import LifeCause, cause_of_fork
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RetailError
from shared.wire.message import Ack
from shared.wire.topics import up_journal

ACKS_WAITING_MAX = 32
_PAUSE_MS = 1000
_IDLE_S = 60.0
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CloudState:
    """Whether the cloud answers, since when (UTC ms), and how many entries it lacks."""

    online: bool
    since_ms: int
    unsynced: int
    was_ever_online: bool


@dataclass(frozen=True, slots=True)
class UplinkParts:
    """What the uplink works with.

    `say_hello` publishes one, False when it could not; `on_synced` is called when an
    acknowledgement covers the whole journal, `on_incarnation` when the cloud turns out to be
    another one: it may lack what the one before it had.
    """

    identity: Identity
    journal: Journal
    clock: Clock
    link: Link
    jitter: Callable[[], float]
    say_hello: Callable[[], bool]
    on_cloud_state: Callable[[CloudState], None]
    on_synced: Callable[[], None]
    on_incarnation: Callable[[str], None] = lambda _: None


class Uplink:
    """Sends the journal.  All methods but `start` and `stop` return at once, from any thread."""

    def __init__(self, parts: UplinkParts) -> None:
        self._parts = parts
        self._topic = up_journal(parts.identity.dev)
        self._batches = BatchMaker(parts.journal, parts.clock)
        self._state = UplinkState()
        self._lock = threading.Lock()
        self._acks: deque[Ack] = deque(maxlen=ACKS_WAITING_MAX)
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._was_heard = False
        self._cloud = CloudState(online=False, since_ms=0, unsynced=0, was_ever_online=False)

    def start(self) -> None:
        """Go on after the last acknowledged entry."""
        parts = self._parts
        acked = parts.journal.acked()
        self._state = UplinkState(cloud_head=acked)
        self._cloud = CloudState(
            online=False,
            since_ms=parts.clock.now_ms(),
            unsynced=parts.journal.head()[0] - acked,
            was_ever_online=acked >= 0,
        )
        parts.journal.on_append(self._appended)
        self._thread = threading.Thread(target=self._run, name="uplink", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is unsent stays in the journal."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def cloud_state(self) -> CloudState:
        """Return what is known of the cloud."""
        unsynced = self._parts.journal.head()[0] - self._state.cloud_head
        return replace(self._cloud, unsynced=max(unsynced, 0))

    def hurry(self) -> None:
        """Send as soon as nothing is in flight."""
        self._change(uplink.hurried)

    def connected(self) -> None:
        """Say hello on the fresh connection."""
        now_ms = self._parts.clock.mono_ms()
        self._was_heard = False
        self._change(lambda state: uplink.connected(state, now_ms))

    def disconnected(self) -> None:
        """Stop sending until the next connection."""
        self._change(uplink.disconnected)

    def hello_within(self, spread_ms: int) -> None:
        """Say hello at a random moment of the next `spread_ms`."""
        at_ms = self._parts.clock.mono_ms() + int(self._parts.jitter() * spread_ms)
        self._change(lambda state: uplink.greeting_at(state, at_ms))

    def acknowledged(self, ack: Ack) -> None:
        """Hand over an acknowledgement of this box's stream."""
        self._acks.append(ack)
        self._wake.set()

    def _appended(self, entry: JournalEntry) -> None:
        now_ms = self._parts.clock.mono_ms()
        self._change(lambda state: uplink.appended(state, len(entry.body), now_ms))

    def _change(self, step: Callable[[UplinkState], UplinkState]) -> None:
        with self._lock:
            self._state = step(self._state)
        self._wake.set()

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                wait_s = self._turn()
            except Exception:  # noqa: BLE001 - outermost loop: the journal must go up some day
                _log.exception("uplink.turn_failed")
                wait_s = _PAUSE_MS / 1000
            self._wake.wait(wait_s)
            self._wake.clear()

    def _turn(self) -> float:
        """Do what is due; seconds until something may be due again."""
        while self._acks:
            self._take(self._acks.popleft())
        now_ms = self._parts.clock.mono_ms()
        head = self._parts.journal.head()[0]
        with self._lock:
            before = self._state
            self._state, action = uplink.next_action(before, head, now_ms, self._parts.jitter())
            if self._state.failures > before.failures:
                TIMEOUTS.inc()
        self._tell_cloud_state(head, now_ms)
        if isinstance(action, Send):
            self._send(action.from_seq, head)
            return 0.0
        if isinstance(action, Greet):
            return self._greet(now_ms)
        return _IDLE_S if action.until_ms is None else max(action.until_ms - now_ms, 0) / 1000

    def _greet(self, now_ms: int) -> float:
        """Note the hello before it goes out: the answer may be faster than the note."""
        self._change(lambda state: uplink.greeted(state, now_ms))
        if not self._parts.say_hello():
            self._change(lambda state: uplink.greeting_at(state, now_ms + _PAUSE_MS))
            return _PAUSE_MS / 1000
        return 0.0

    def _send(self, from_seq: int, head: int) -> None:
        try:
            batch = self._batches.make(from_seq)
        except CorruptError as error:  # the card's fault: what is behind it must go up all the same
            _log.error("uplink.damaged", seq=error.params.get("seq"), code=error.code)
            self._change(lambda state: replace(state, halt="bad"))
            self._begin_life(LifeCause.CORRUPT, "")
            return
        except RetailError as error:
            _log.error("uplink.cannot_send", seq=from_seq, code=error.code)
            self._change(lambda state: replace(state, halt="bad"))
            return
        now_ms = self._parts.clock.mono_ms()
        if not self._parts.link.publish(self._topic, batch.payload):
            later_ms = now_ms + _PAUSE_MS
            self._change(lambda state: replace(state, not_before_ms=later_ms, is_urgent=True))
            return
        BATCHES_SENT.inc()
        ENTRIES_SENT.inc(batch.count)
        self._change(lambda state: uplink.sent(state, batch.to_seq, head, now_ms))

    def _take(self, ack: Ack) -> None:
        if ack.stream != self._parts.journal.stream:  # of a life that has ended meanwhile
            return
        own = self._batches.hash_at(ack.head)
        has_our_hash = own is not None and ack.hh in {own.hex(), "" if ack.head < 0 else None}
        now_ms = self._parts.clock.mono_ms()
        with self._lock:
            self._state, verdict = uplink.acknowledged(
                replace(self._state, first_kept=self._parts.journal.first_kept()),
                ack,
                has_our_hash=has_our_hash,
                now_ms=now_ms,
                jitter=self._parts.jitter(),
            )
        ACKS.labels(verdict).inc()
        self._was_heard = True
        if verdict == "halted":
            _log.error("uplink.halted", code=ack.code, head=ack.head, halt=self._state.halt)
            if self._state.halt == "fork":
                self._part_ways(ack)
        elif verdict in {"advanced", "rewound"}:
            _log.debug("uplink.ack", head=ack.head, verdict=verdict)
            self._keep(ack)
            if ack.head >= self._parts.journal.head()[0]:
                self._parts.on_synced()

    def _part_ways(self, ack: Ack) -> None:
        """The cloud knows other entries than ours: go on under a stream of our own."""
        self._begin_life(cause_of_fork(self._parts.journal.head()[0], ack.head), ack.inc)

    def _begin_life(self, cause: LifeCause, inc: str) -> None:
        parts = self._parts
        if not parts.journal.begin_life(cause, parts.clock.now_ms(), inc):
            _log.error("uplink.too_many_lives", stream=parts.journal.stream)
            return
        now_ms = parts.clock.mono_ms()
        self._change(lambda state: uplink.reborn(state, now_ms, parts.jitter()))

    def _keep(self, ack: Ack) -> None:
        journal = self._parts.journal
        try:
            is_other = journal.note("inc") != ack.inc
            if is_other or ack.head > journal.acked():
                journal.mark_acked(ack.head, bytes.fromhex(ack.hh), ack.inc)
            if is_other:
                self._parts.on_incarnation(ack.inc)
            if ack.safe >= 0 and ack.sh:
                journal.mark_safe(ack.safe, bytes.fromhex(ack.sh))
        except CorruptError as error:
            _log.error("uplink.foreign_hash", code=error.code, safe=ack.safe)
        except ValueError:
            _log.warning("uplink.bad_hash", safe=ack.safe)

    def _tell_cloud_state(self, head: int, now_ms: int) -> None:
        state, old = self._state, self._cloud
        unsynced = max(head - state.cloud_head, 0)
        UNSYNCED.set(unsynced)
        is_online = self._was_heard and uplink.is_heard(state, now_ms)
        if is_online == old.online:
            return
        self._cloud = CloudState(
            online=is_online,
            since_ms=self._parts.clock.now_ms(),
            unsynced=unsynced,
            was_ever_online=old.was_ever_online or is_online,
        )
        self._parts.on_cloud_state(self._cloud)
