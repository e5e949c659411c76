"""When a journal begins a new life, what goes with it, and what may be forgotten: pure decisions.

A stream is one life of one journal. Two different entries can stand at one place of a stream only
while a clone is undetected, so whoever finds that his journal is not the one the cloud knows goes
on under a stream of his own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

LIVES_PER_DAY_MAX = 3
"""More than that is a fault that a new stream does not cure."""
_DAY_MS = 86_400_000
KEEP_MS = 400 * _DAY_MS
KEEP_PRESSED_MS = 35 * _DAY_MS


class LifeCause(StrEnum):
    """Why a stream began."""

    ENROL = "enrol"
    SWAP = "swap"
    RESTORE = "restore"
    CLONE = "clone"
    CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class Position:
    """An entry of a stream (hex) by its number and hash."""

    stream: str
    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class FileEvidence:
    """What a readable journal file says of itself.

    `hash_at_mark` is its own hash at the number that the mark names, None if it has none there;
    `before` are the streams that are known to have ended before this one began.
    """

    stream: str
    head_seq: int
    hw_fp: str
    hash_at_mark: bytes | None
    before: frozenset[str] = frozenset()


def cause_at_start(
    found: FileEvidence | None, mark: Position | None, hw_fp: str
) -> LifeCause | None:
    """Why the journal must begin a new life before it is used; None when all is well.

    `found` is None for a file that is missing or cannot be read; `mark` is what was noted outside
    the file at the last acknowledgement, None on a box that has never had a journal.
    """
    if found is None:
        return None if mark is None else LifeCause.CORRUPT
    if found.hw_fp != hw_fp:
        return LifeCause.CLONE
    # A power cut right after a new life was made leaves the mark of the one before it.
    if mark is None or mark.stream in found.before:
        return None
    if mark.stream != found.stream:  # the newest file is gone, an older one is left
        return LifeCause.CORRUPT
    if found.head_seq < mark.seq or found.hash_at_mark != mark.hash:
        return LifeCause.RESTORE
    return None


def cause_of_fork(own_head: int, cloud_head: int) -> LifeCause:
    """Why the cloud knows other entries: it is ahead of an old image, or somebody else wrote."""
    return LifeCause.RESTORE if cloud_head > own_head else LifeCause.CLONE


def may_begin(began_at_ms: Sequence[int], now_ms: int) -> bool:
    """Whether a fork may be answered by one more life; `began_at_ms` are the earlier ones."""
    lately = [at_ms for at_ms in began_at_ms if now_ms - _DAY_MS < at_ms <= now_ms]
    return len(lately) < LIVES_PER_DAY_MAX


def salvaged_range(acked_seq: int, head_seq: int) -> range:
    """Entries that go with a journal that forked: those the cloud never vouched for.

    Entry 0 only says that its own stream began.
    """
    return range(max(acked_seq + 1, 1), head_seq + 1)


def prune_limit(safe: Position | None, own_hash: bytes | None) -> int:
    """The highest entry that may be forgotten: archived, and the same there as here; -1 for none.

    `own_hash` is the journal's own hash at that number. Entry 0 is always kept.
    """
    if safe is None or own_hash is None or safe.hash != own_hash:
        return -1
    return safe.seq


def keep_since_ms(now_ms: int, *, is_pressed: bool) -> int:
    """Entries made since then are kept whatever is safe; less when the disk is filling up."""
    return now_ms - (KEEP_PRESSED_MS if is_pressed else KEEP_MS)
