"""One journal entry: a header that every fact carries, the fact, and the hash that binds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.kernel.canonical import canonical_bytes

BODY_VERSION = 1


@dataclass(frozen=True, slots=True)
class EntryHeader:
    """What is known about the making of an entry.

    `at` UTC ms by the box's clock, never rewritten; `boot` and `mono` (ms) order it within a
    boot; `clk` is the clock's quality; `biz` the business date of the open day ("" when none);
    `gt` the perpetual grand totals of sales and refunds in minor units after this entry;
    `cat` and `pro` the catalogue and promotion revision in force.
    """

    id: str
    type: str
    stream: str
    seq: int
    at: int
    boot: int
    mono: int
    clk: int
    biz: str
    till: str
    shift: str
    actor: str
    sw: str
    gt: tuple[int, int]
    cat: int
    pro: int = 0


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An entry as stored and sent: `body` are the exact bytes that `hash` was made of."""

    seq: int
    id: str
    type: str
    body: bytes
    hash: bytes


def body_fields(header: EntryHeader, data: dict[str, Any]) -> dict[str, Any]:
    """The members of an entry's body: the header's and, under `data`, the event's."""
    return {
        "v": BODY_VERSION,
        "id": header.id,
        "type": header.type,
        "stream": header.stream,
        "seq": header.seq,
        "at": header.at,
        "boot": header.boot,
        "mono": header.mono,
        "clk": int(header.clk),
        "biz": header.biz,
        "till": header.till,
        "shift": header.shift,
        "actor": header.actor,
        "sw": header.sw,
        "gt": {"sales": header.gt[0], "refunds": header.gt[1]},
        "cat": header.cat,
        "pro": header.pro,
        "data": data,
    }


def body_bytes(header: EntryHeader, data: dict[str, Any]) -> bytes:
    """Canonical bytes of an entry. The order of fields does not matter; keys are sorted."""
    return canonical_bytes(body_fields(header, data))
