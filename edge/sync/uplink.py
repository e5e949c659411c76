"""When to send which journal entries: a state machine without clock, socket or randomness.

Stop and wait: one batch in flight.  Only the cloud's own acknowledgement moves the watermark, and
only when its hash of that entry is ours.  A refusal never causes an instant resend.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from edge.sync.backoff import full_jitter_ms
from shared.wire.batch import BATCH_BYTES_MAX, BATCH_ENTRIES_MAX
from shared.wire.message import Ack, AckCode

FLUSH_AFTER_MS = 2000
ANSWER_WITHIN_MS = 10_000
BACKOFF_BASE_MS = 10_000
HELLO_EVERY_MS = 15 * 60_000
REBORN_SPREAD_MS = 10_000
WAIT_MS_MIN = 500
"""Even the luckiest jitter leaves this pause between a refusal and the next try."""

Halt = Literal["fork", "revoked", "bad", "behind"]
Verdict = Literal["advanced", "late", "refused", "halted", "rewound"]
_HALTS: dict[AckCode, Halt] = {
    AckCode.FORK: "fork",
    AckCode.REVOKED: "revoked",
    AckCode.BAD: "bad",
}


@dataclass(frozen=True, slots=True)
class InFlight:
    """Entries handed to the broker whose fate is unknown until `deadline_ms` (monotonic)."""

    from_seq: int
    to_seq: int
    deadline_ms: int


@dataclass(frozen=True, slots=True)
class UplinkState:
    """What the box knows of the cloud.  All times are monotonic milliseconds.

    `cloud_head` is the last entry the cloud is known to hold. `halt` is why nothing is sent:
    `fork` the cloud knows other entries, `revoked` it takes none from this box, `bad` a batch was
    broken, `behind` it lacks entries that this box has forgotten.  `pending_since_ms` and
    `pending_bytes` describe what was appended after the last batch was cut.  `hello_at_ms` is when
    the next hello is due, `hello_by_ms` when the answer to the last one is overdue. `first_kept`
    is the lowest number that the journal can still send.
    """

    cloud_head: int = -1
    in_flight: InFlight | None = None
    failures: int = 0
    not_before_ms: int = 0
    pending_since_ms: int | None = None
    pending_bytes: int = 0
    is_urgent: bool = False
    is_connected: bool = False
    hello_at_ms: int = 0
    hello_by_ms: int | None = None
    halt: Halt | None = None
    first_kept: int = 0


@dataclass(frozen=True, slots=True)
class Send:
    """Send a batch that begins at `from_seq`."""

    from_seq: int


@dataclass(frozen=True, slots=True)
class Greet:
    """Say hello: the cloud answers with its position."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send before `until_ms`; None: before something happens."""

    until_ms: int | None


Action = Send | Greet | Wait


def connected(state: UplinkState, now_ms: int) -> UplinkState:
    """Begin on a fresh connection with a hello: its answer says where to go on."""
    return replace(
        state,
        is_connected=True,
        in_flight=None,
        failures=0,
        hello_at_ms=now_ms,
        hello_by_ms=None,
        not_before_ms=now_ms + ANSWER_WITHIN_MS,
    )


def disconnected(state: UplinkState) -> UplinkState:
    """Forget the batch in flight: its fate is learned from the next hello."""
    return replace(state, is_connected=False, in_flight=None, hello_by_ms=None)


def greeted(state: UplinkState, now_ms: int) -> UplinkState:
    """Note that a hello went out; its answer counts as a fresh position."""
    return replace(
        state, hello_at_ms=now_ms + HELLO_EVERY_MS, hello_by_ms=now_ms + ANSWER_WITHIN_MS
    )


def greeting_at(state: UplinkState, at_ms: int) -> UplinkState:
    """Say the next hello at `at_ms` at the latest."""
    return replace(state, hello_at_ms=min(state.hello_at_ms, at_ms))


def appended(state: UplinkState, size: int, now_ms: int) -> UplinkState:
    """Note a new entry of `size` bytes."""
    since_ms = now_ms if state.pending_since_ms is None else state.pending_since_ms
    return replace(state, pending_since_ms=since_ms, pending_bytes=state.pending_bytes + size)


def hurried(state: UplinkState) -> UplinkState:
    """Send what there is as soon as nothing is in flight: a sale was completed."""
    return replace(state, is_urgent=True)


def sent(state: UplinkState, to_seq: int, head: int, now_ms: int) -> UplinkState:
    """Note that entries up to `to_seq` were handed to the broker; `head` is the journal's."""
    has_more = to_seq < head
    return replace(
        state,
        in_flight=InFlight(state.cloud_head + 1, to_seq, now_ms + ANSWER_WITHIN_MS),
        pending_since_ms=now_ms if has_more else None,
        pending_bytes=state.pending_bytes if has_more else 0,
        is_urgent=state.is_urgent and has_more,
    )


def next_action(
    state: UplinkState, head: int, now_ms: int, jitter: float
) -> tuple[UplinkState, Action]:
    """What to do now; `head` is the journal's last entry, `jitter` uniform in [0, 1)."""
    state = _overdue(state, now_ms, jitter)
    if not state.is_connected:
        return state, Wait(None)
    if now_ms >= state.hello_at_ms:
        return state, Greet()
    if state.in_flight is None and state.halt is None and head > state.cloud_head:
        flush_ms = _flush_at_ms(state, head - state.cloud_head, now_ms)
        send_ms = max(state.not_before_ms, flush_ms)
        if now_ms >= send_ms:
            return state, Send(state.cloud_head + 1)
    else:
        send_ms = state.hello_at_ms
    return state, Wait(min(send_ms, *_deadlines(state)))


def reborn(state: UplinkState, now_ms: int, jitter: float) -> UplinkState:
    """Begin with a new stream of which the cloud has heard nothing yet.

    Not at once: the box that kept the old stream may have the same name at the broker.
    """
    at_ms = now_ms + int(jitter * REBORN_SPREAD_MS)
    return UplinkState(
        is_connected=state.is_connected,
        hello_at_ms=at_ms,
        not_before_ms=at_ms + ANSWER_WITHIN_MS,
        is_urgent=True,
    )


def acknowledged(
    state: UplinkState, ack: Ack, *, has_our_hash: bool, now_ms: int, jitter: float
) -> tuple[UplinkState, Verdict]:
    """Take an acknowledgement; `has_our_hash`: its hash of entry `head` is the journal's."""
    if ack.code is AckCode.BUSY:  # may come without a position: the cloud did not look
        state = _failed(state, now_ms, jitter)
        later_ms = max(state.not_before_ms, now_ms + ack.retry_ms)
        state = replace(state, not_before_ms=later_ms)
        was_hello = state.hello_by_ms is not None
        return (_later_hello(state, later_ms) if was_hello else state), "refused"
    halt: Halt | None = _HALTS.get(ack.code)
    if halt is None and ack.head + 1 < state.first_kept:
        halt = "behind"
    if halt is None and not has_our_hash:
        halt = "fork"
    if halt is not None:
        return replace(state, halt=halt, in_flight=None, hello_by_ms=None), "halted"
    if ack.code is AckCode.GAP:  # go on from where the cloud stands, but not at once
        state = _failed(state, now_ms, jitter)
        return replace(state, cloud_head=ack.head), "refused"
    if state.hello_by_ms is not None:
        return _positioned(state, ack.head, now_ms)
    if ack.head <= state.cloud_head:
        return state, "late"
    return _advanced(state, ack.head), "advanced"


def is_heard(state: UplinkState, now_ms: int) -> bool:
    """Whether the cloud answers: nothing failed since its last word and no answer is overdue."""
    is_overdue = state.hello_by_ms is not None and now_ms >= state.hello_by_ms
    return state.is_connected and state.failures == 0 and not is_overdue


def _overdue(state: UplinkState, now_ms: int, jitter: float) -> UplinkState:
    """Give up waiting for what did not come in time."""
    flight = state.in_flight
    if flight is not None and now_ms >= flight.deadline_ms:
        state = _failed(state, now_ms, jitter)
    if state.hello_by_ms is not None and now_ms >= state.hello_by_ms:
        state = _failed(state, now_ms, jitter)
        state = _later_hello(state, state.not_before_ms)
    return state


def _later_hello(state: UplinkState, at_ms: int) -> UplinkState:
    return replace(state, hello_at_ms=at_ms, hello_by_ms=None)


def _deadlines(state: UplinkState) -> list[int]:
    """Moments at which something that is awaited becomes overdue, and the next hello."""
    found = [state.hello_at_ms]
    if state.in_flight is not None:
        found.append(state.in_flight.deadline_ms)
    if state.hello_by_ms is not None:
        found.append(state.hello_by_ms)
    return found


def _flush_at_ms(state: UplinkState, count: int, now_ms: int) -> int:
    is_full = count >= BATCH_ENTRIES_MAX or state.pending_bytes >= BATCH_BYTES_MAX
    if is_full or state.is_urgent or state.pending_since_ms is None:
        return now_ms
    return state.pending_since_ms + FLUSH_AFTER_MS


def _failed(state: UplinkState, now_ms: int, jitter: float) -> UplinkState:
    failures = state.failures + 1
    wait_ms = max(full_jitter_ms(failures, BACKOFF_BASE_MS, jitter), WAIT_MS_MIN)
    return replace(
        state, in_flight=None, failures=failures, not_before_ms=now_ms + wait_ms, is_urgent=True
    )


def _positioned(state: UplinkState, head: int, now_ms: int) -> tuple[UplinkState, Verdict]:
    """Answer to a hello: the cloud's position, which may lie behind after a restore there."""
    verdict: Verdict = "rewound" if head < state.cloud_head else "advanced"
    flight = state.in_flight
    is_covered = flight is None or head >= flight.to_seq
    moved = replace(
        state,
        cloud_head=head,
        in_flight=None,
        failures=0,
        not_before_ms=now_ms,
        hello_by_ms=None,
        halt=None,
        is_urgent=state.is_urgent or not is_covered,
    )
    return moved, verdict


def _advanced(state: UplinkState, head: int) -> UplinkState:
    flight = state.in_flight
    is_done = flight is None or head >= flight.to_seq
    return replace(
        state,
        cloud_head=head,
        in_flight=None if is_done else flight,
        failures=0,
        not_before_ms=0,
        halt=None,
    )
