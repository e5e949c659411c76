"""The journal's own older lives, brought up to their end again.

A cloud that was restored lacks what its older self had acknowledged; the journal as it is now goes
up by itself, the lives before it do not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from edge.copy.hand_in import hand_in
from edge.copy.office import Office
from edge.copy.source import FileTail
from edge.journal.signer import Signer
from edge.sqlite import connect_reader
from shared.journal.carbon import Carbon
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError, RetailError, UnavailableError
from shared.wire.message import AckCode

READ_MAX = 200
_log = structlog.get_logger(__name__)


class Lives(Protocol):
    """A journal, as far as its older lives go."""

    def older_lives(self) -> list[tuple[str, Path]]:
        """Stream (hex) and file of the lives before the current one, newest first."""
        ...

    def note(self, name: str) -> str:
        """A small fact beside the current life's entries (`inc`), "" for none."""
        ...


@dataclass(frozen=True, slots=True)
class LookBackParts:
    """What looking back works with; `adopt` and `office` as for the forwarder."""

    lives: Lives
    signer: Signer
    office: Office
    clock: Clock
    adopt: Callable[[Carbon], None]


def look_back(parts: LookBackParts, pause_ms: Callable[[int], None]) -> bool:
    """Bring each older life up to its end; False while one waits behind a gap.

    UnavailableError when the cloud is away. One that forked is adopted from the last entry on that
    the cloud or its archive holds; one that is damaged is passed over from the damage on.
    """
    is_done = True
    inc = parts.lives.note("inc")
    for stream, path in parts.lives.older_lives():
        try:
            with closing(connect_reader(path)) as connection:
                tail = FileTail(connection, parts.signer, parts.clock)
                inc = inc or tail.note("inc")  # the newest life may not have heard of it yet
                is_done = _bring(parts, tail, inc, pause_ms) and is_done
        except UnavailableError:
            raise
        except (RetailError, sqlite3.DatabaseError) as error:
            _log.error("look_back.passed_over", stream=stream, because=str(error))
    return is_done


def _bring(parts: LookBackParts, tail: FileTail, inc: str, pause_ms: Callable[[int], None]) -> bool:
    try:
        handed = hand_in(tail, parts.office, pause_ms)
    except RefusedError as error:
        if error.params.get("code") != AckCode.FORK:
            raise
        for carbon in _entries_after(tail, _vouched_for(tail, inc)):
            parts.adopt(carbon)
        _log.warning("look_back.adopted", stream=tail.stream)
        return True
    if handed.entries or handed.gap is not None:
        _log.warning("look_back.sent", stream=tail.stream, entries=handed.entries, gap=handed.gap)
    return handed.gap is None


def _vouched_for(tail: FileTail, inc: str) -> int:
    """The last entry that the cloud of incarnation `inc` is known to hold, or its archive."""
    archived = tail.watermark("safe")
    is_same = inc and tail.note("inc") == inc
    return max(archived, tail.watermark("acked")) if is_same else archived


def _entries_after(tail: FileTail, seq: int) -> Iterator[Carbon]:
    while carbons := tail.read(seq + 1, READ_MAX):
        yield from carbons
        seq = carbons[-1].seq
