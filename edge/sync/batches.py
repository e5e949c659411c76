"""A batch of journal entries as the bytes of one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.journal.store import Journal
from edge.version import software_version
from shared.journal.chain import genesis_hash, head_statement, verify_chain
from shared.journal.entry import JournalEntry
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RefusedError
from shared.wire.batch import BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, BatchHeader, encode_batch


@dataclass(frozen=True, slots=True)
class Batch:
    """A message's payload, and the last and the number of the entries it carries."""

    payload: bytes
    to_seq: int
    count: int


class BatchMaker:
    """Reads entries that are committed, signs their head, packs them."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._software = software_version()

    def make(self, from_seq: int) -> Batch:
        """Batch of up to 200 entries or 256 KiB from `from_seq` on.

        Raises RefusedError `wire.too_large` when a single entry does not fit into a message,
        CorruptError `journal.gap` when the journal lacks an entry, `journal.chain` when one is
        not what was hashed: the cloud would refuse the whole batch, time and again.
        """
        limit = BATCH_ENTRIES_MAX
        while True:
            entries = self._journal.read(from_seq, limit, BATCH_BYTES_MAX)
            try:
                return self._pack(from_seq, entries)
            except RefusedError:
                if len(entries) <= 1:
                    raise
                limit = len(entries) // 2

    def hash_at(self, seq: int) -> bytes | None:
        """Hash of an entry; before the first one that of the stream."""
        if seq < 0:
            return genesis_hash(bytes.fromhex(self._journal.stream))
        return self._journal.hash_at(seq)

    def _pack(self, from_seq: int, entries: Sequence[JournalEntry]) -> Batch:
        before = self.hash_at(from_seq - 1)
        if before is None or not entries or entries[0].seq != from_seq:
            raise CorruptError("journal.gap", seq=from_seq)
        last, stream = entries[-1], bytes.fromhex(self._journal.stream)
        verify_chain(stream, from_seq, before, ((each.body, each.hash) for each in entries))
        at_ms = self._clock.now_ms()
        statement = head_statement(stream, last.seq, last.hash, at_ms)
        header = BatchHeader(
            stream=stream.hex(),
            from_seq=from_seq,
            count=len(entries),
            prev=before.hex(),
            head=last.hash.hex(),
            sig=self._journal.sign(statement).hex(),
            edge_head=self._journal.head()[0],
            boot=self._journal.boot(),
            mono=self._clock.mono_ms(),
            t=at_ms,
            sw=self._software,
        )
        payload = encode_batch(header, [entry.body for entry in entries])
        return Batch(payload, last.seq, len(entries))
