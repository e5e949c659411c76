"""Bringing what was handed in to the cloud: one batch at a time, patiently, over restarts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from edge.copy.metrics import BATCHES
from edge.copy.office import Office
from edge.copy.store import Held, SalvageStore
from edge.copy.tail import outcome_of, packed, run_from
from edge.version import software_version
from shared.journal.carbon import Carbon
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RefusedError, RetailError, UnavailableError
from shared.wire.message import AckCode

GAP_RETRY_MS = 15 * 60_000
"""The old box itself may yet come back and fill a gap."""
GAP_PATIENCE_MS = 24 * 60 * 60_000
REFUSED_RETRY_MS = 15 * 60_000
ADOPTED_AT_ONCE = 100
_OLDER = "older lives"
_JOIN_S = 5.0
State = Literal["waiting", "sending", "gap", "offline", "refused", "bad", "done"]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the copies of one journal are.

    `entries` and `sales` wait here, `handed_sales` have reached the cloud, the last at `at_ms`
    (UTC); `gap` are the first and the last number that are missing before what is here.
    """

    stream: str
    state: State
    entries: int
    sales: int
    handed_sales: int
    at_ms: int
    gap: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class ForwardParts:
    """What the forwarder works with.

    `wait_ms` gives the pause after so many failures. `adopt` writes an entry into this box's own
    journal as `entry.salvaged`, once per entry id.
    """

    office: Office
    clock: Clock
    wait_ms: Callable[[int], int]
    adopt: Callable[[Carbon], None]
    look_back: Callable[[Callable[[int], None]], bool] = lambda _: True
    """Brings the journal's own older lives up again; False while one waits behind a gap.

    UnavailableError when the cloud is away.
    """


class KeptTail:
    """A journal's entries in `salvage.db` (Tail)."""

    def __init__(self, store: SalvageStore, held: Held) -> None:
        self._store = store
        self._held = held

    @property
    def stream(self) -> str:
        """See `Tail`."""
        return self._held.stream

    @property
    def last(self) -> int:
        """See `Tail`."""
        return self._held.last

    def read(self, from_seq: int, limit: int) -> list[Carbon]:
        """See `Tail`."""
        return self._store.read(self.stream, from_seq, limit)

    def hash_at(self, seq: int) -> bytes | None:
        """See `Tail`."""
        return self._store.hash_at(self.stream, seq)

    def signed(self, carbon: Carbon) -> Carbon:
        """See `Tail`: a copy was signed when it was made."""
        return carbon


class Forwarder:
    """A thread of its own, started and stopped with the box."""

    def __init__(self, store: SalvageStore, parts: ForwardParts) -> None:
        self._store = store
        self._office = parts.office
        self._clock = parts.clock
        self._wait_ms = parts.wait_ms
        self._adopt = parts.adopt
        self._look_back = parts.look_back
        self._is_to_look_back = True
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._failures: dict[str, int] = {}
        self._not_before_ms: dict[str, int] = {}
        self._told: Mapping[str, Progress] = {}

    def start(self) -> None:
        """Go on with what is here."""
        self._tell({})
        self._thread = threading.Thread(target=self._run, name="salvage", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; what is not handed in stays."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def hurry(self) -> None:
        """Something new is here: a gap may be closed."""
        self._not_before_ms = {}
        self._wake.set()

    def look_back(self) -> None:
        """The cloud is not the one that it was: the older lives must be compared anew."""
        self._is_to_look_back = True
        self._wake.set()

    def progress(self, done_since_ms: int = 0) -> list[Progress]:
        """How far each journal is, with those done since then (UTC); answers at once."""
        told = self._told.values()
        return [each for each in told if each.state != "done" or each.at_ms >= done_since_ms]

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                wait_ms = self.turn()
            except Exception:  # noqa: BLE001 - outermost loop: the copies must go up some day
                _log.exception("salvage.turn_failed")
                wait_ms = self._wait_ms(1)
            self._wake.wait(None if wait_ms is None else wait_ms / 1000)
            self._wake.clear()

    def turn(self) -> int | None:
        """One batch of each journal that is due; ms until the next turn, None: when told."""
        is_back = self._looked_back()
        states: dict[str, State] = {}
        for held in self._store.held():
            if held.entries and not self._is_stopping:
                states[held.stream] = self._step(held)
        self._tell(states)
        now_ms = self._clock.mono_ms()
        waiting = [*states, *(() if is_back else (_OLDER,))]
        due = [self._not_before_ms.get(stream, now_ms) for stream in waiting]
        return max(0, min(due) - now_ms) if due else None

    def _looked_back(self) -> bool:
        """Compare the older lives if that is due; whether nothing is left to do."""
        now_ms = self._clock.mono_ms()
        if not self._is_to_look_back or now_ms < self._not_before_ms.get(_OLDER, now_ms):
            return not self._is_to_look_back
        self._is_to_look_back = False
        try:
            if not self._look_back(self._rest):
                self._is_to_look_back = True
                self._pause(_OLDER, GAP_RETRY_MS)
        except UnavailableError as error:
            self._is_to_look_back = True
            self._later(_OLDER, "offline", error)
        return not self._is_to_look_back

    def _rest(self, ms: int) -> None:
        self._wake.wait(ms / 1000)

    def _step(self, held: Held) -> State:
        now_ms = self._clock.mono_ms()
        if now_ms < self._not_before_ms.get(held.stream, now_ms):
            known = self._told.get(held.stream)
            return known.state if known is not None and known.state != "done" else "waiting"
        try:
            return self._send(held)
        except UnavailableError as error:
            return self._later(held.stream, "offline", error)
        except RefusedError as error:
            self._pause(held.stream, REFUSED_RETRY_MS)
            return self._later(held.stream, "refused", error)
        except CorruptError as error:
            self._pause(held.stream, REFUSED_RETRY_MS)
            return self._later(held.stream, "bad", error)

    def _send(self, held: Held) -> State:
        """Send the next run; behind a gap too, as the answer tells where the cloud stands."""
        tail = KeptTail(self._store, held)
        payload, run = packed(tail, run_from(tail, held.first), software_version())
        ack = self._office.post(payload)
        outcome = outcome_of(tail, ack)
        BATCHES.labels(outcome).inc()
        if outcome == "fork":
            return self._adopt_all(held, "fork")
        if outcome == "busy":
            self._pause(held.stream, max(ack.retry_ms, self._wait_ms(1)))
            return "waiting"
        if outcome != "moved":
            _log.error("salvage.stopped", stream=held.stream, code=ack.code, head=ack.head)
            self._pause(held.stream, REFUSED_RETRY_MS)
            return "bad" if outcome == "bad" else "refused"
        self._failures.pop(held.stream, None)
        self._store.stands(held.stream, ack.head, bytes.fromhex(ack.hh))
        if ack.code is AckCode.GAP:
            return self._wait_at_gap(held)
        self._store.settle(run, self._clock.now_ms())
        return "sending"

    def _wait_at_gap(self, held: Held) -> State:
        """Wait for whoever has the entries between, but not for ever: paid sales must arrive."""
        now_ms = self._clock.now_ms()
        if now_ms - self._store.gap_since(held.stream, now_ms) >= GAP_PATIENCE_MS:
            return self._adopt_all(held, "gap")
        self._pause(held.stream, GAP_RETRY_MS)
        return "gap"

    def _adopt_all(self, held: Held, because: str) -> State:
        """Bring the entries up in this box's own journal; their ids keep them from counting twice.

        At a fork the cloud has other entries under these numbers, from a cloned card or a restored
        image, and both histories happened. Behind a gap that nobody closes they would wait for
        ever; should what is missing come after all, it still follows what the cloud has.
        """
        _log.warning("salvage.adopted", stream=held.stream, entries=held.entries, because=because)
        while carbons := self._store.read(held.stream, 0, ADOPTED_AT_ONCE):
            for carbon in carbons:
                self._adopt(carbon)
            self._store.settle(carbons, self._clock.now_ms())
        return "sending"

    def _later(self, stream: str, state: State, error: RetailError) -> State:
        failures = self._failures[stream] = self._failures.get(stream, 0) + 1
        _log.info("salvage.not_sent", stream=stream, code=error.code, failures=failures)
        if state == "offline":
            self._pause(stream, self._wait_ms(failures))
        return state

    def _pause(self, stream: str, wait_ms: int) -> None:
        self._not_before_ms = {
            **self._not_before_ms,
            stream: self._clock.mono_ms() + wait_ms,
        }

    def _tell(self, states: Mapping[str, State]) -> None:
        self._told = {
            held.stream: _progress(held, states.get(held.stream, "waiting"))
            for held in self._store.held()
            if held.entries or held.handed_sales
        }


def _progress(held: Held, state: State) -> Progress:
    shown: State = state if held.entries else "done"
    gap = (held.head + 1, held.first - 1) if held.entries and held.first > held.head + 1 else None
    return Progress(
        held.stream,
        state=shown,
        entries=held.entries,
        sales=held.sales,
        handed_sales=held.handed_sales,
        at_ms=held.at_ms,
        gap=gap if shown == "gap" else None,
    )
