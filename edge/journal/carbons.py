"""Signed copies of a journal's entries, each good by itself."""

from __future__ import annotations

from collections.abc import Sequence

from edge.journal.lives import Life
from edge.journal.signer import Signer
from shared.journal.carbon import Carbon
from shared.journal.chain import entry_hash, head_statement
from shared.journal.entry import JournalEntry


def signed_copies(
    life: Life, before: bytes, entries: Sequence[JournalEntry], signer: Signer, at_ms: int
) -> list[Carbon]:
    """Copies of entries that follow the one with hash `before`, up to a gap, signed at `at_ms`.

    Left out is what does not fit: a damaged entry, or one of another life, where a new one began
    while this was read.
    """
    found: list[Carbon] = []
    for seq, entry in enumerate(entries, start=entries[0].seq):
        if entry.seq != seq:
            break
        if entry_hash(life.stream_id, seq, before, entry.body) == entry.hash:
            sig = signer.sign(head_statement(life.stream_id, seq, entry.hash, at_ms))
            found.append(Carbon(life.stream, seq, before, entry.hash, at_ms, sig, entry.body))
        before = entry.hash
    return found
