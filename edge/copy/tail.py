"""The last entries of a journal that is gone, as the cloud's batches. Pure but for its source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from shared.journal.carbon import Carbon
from shared.kernel.errors import CorruptError, RefusedError
from shared.wire.batch import BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, BatchHeader, encode_batch
from shared.wire.message import Ack, AckCode

Outcome = Literal["moved", "busy", "fork", "revoked", "bad"]
_OUTCOMES: dict[AckCode, Outcome] = {
    AckCode.BUSY: "busy",
    AckCode.FORK: "fork",
    AckCode.REVOKED: "revoked",
    AckCode.BAD: "bad",
}


class Tail(Protocol):
    """Entries of one journal, from a card, a stick or tablets."""

    @property
    def stream(self) -> str:
        """Stream id, hex."""
        ...

    @property
    def last(self) -> int:
        """The last entry that is here, -1 for none."""
        ...

    def read(self, from_seq: int, limit: int) -> list[Carbon]:
        """Up to `limit` entries from `from_seq` on, in order, gaps and all."""
        ...

    def hash_at(self, seq: int) -> bytes | None:
        """Hash of an entry that is here."""
        ...

    def signed(self, carbon: Carbon) -> Carbon:
        """The same entry with its box's signature, for one that was read."""
        ...


def first_after(tail: Tail, seq: int) -> int | None:
    """The first entry behind `seq` that is here; None for none."""
    found = tail.read(seq + 1, 1)
    return found[0].seq if found else None


def run_from(tail: Tail, from_seq: int, limit: int = BATCH_ENTRIES_MAX) -> list[Carbon]:
    """What a batch may hold of the entries from `from_seq` on without a gap; maybe none.

    CorruptError `carbon.chain` when one does not follow from the one before it.
    """
    run: list[Carbon] = []
    size = 0
    for carbon in tail.read(from_seq, limit):
        size += len(carbon.body)
        if carbon.seq != from_seq + len(run) or (run and size > BATCH_BYTES_MAX):
            break
        if run and carbon.prev != run[-1].hash:
            raise CorruptError("carbon.chain", seq=carbon.seq)
        run.append(carbon)
    return run


def packed(tail: Tail, run: Sequence[Carbon], software: str) -> tuple[bytes, Sequence[Carbon]]:
    """A run as one message, original stream, hashes and signature; and the entries in it.

    What does not fit is left out at the end; RefusedError `wire.too_large` when not even the first
    entry does.
    """
    last = tail.signed(run[-1])
    header = BatchHeader(
        stream=tail.stream,
        from_seq=run[0].seq,
        count=len(run),
        prev=run[0].prev.hex(),
        head=last.hash.hex(),
        sig=last.sig.hex(),
        edge_head=tail.last,
        boot=0,
        mono=0,
        t=last.at_ms,
        sw=software,
    )
    try:
        return encode_batch(header, [carbon.body for carbon in run]), run
    except RefusedError:
        if len(run) == 1:
            raise
        return packed(tail, run[: len(run) // 2], software)


def outcome_of(tail: Tail, ack: Ack) -> Outcome:
    """What an answer means: `moved` gives the cloud's position in `ack.head`.

    An answer whose hash is not ours speaks of another journal: a fork.
    """
    if ack.stream != tail.stream:
        return "bad"
    outcome = _OUTCOMES.get(ack.code)
    if outcome is not None:
        return outcome
    own = tail.hash_at(ack.head) if ack.head >= 0 else None
    return "moved" if own is None or own.hex() == ack.hh else "fork"
