"""Checking a stretch of a journal file, in a process of its own where there is much to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.copy.verified import Damage
from shared.journal.chain import HASH_BYTES, entry_hash

_ROWS = "SELECT seq, id, type, body, hash FROM entry WHERE seq BETWEEN ? AND ? ORDER BY seq"
_FETCHED = 500


class _Stated(msgspec.Struct):
    """What a body says of itself; the rest is skipped."""

    id: str
    type: str
    stream: str
    seq: int


_DECODER = msgspec.json.Decoder(_Stated)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries `first` to `last` of a file, of the stream (hex), after the one with hash `prev`."""

    path: Path
    stream: str
    first: int
    last: int
    prev: bytes


def check_stretch(stretch: Stretch, connect: Callable[[Path], sqlite3.Connection]) -> Damage | None:
    """The first entry that does not hold; None when all do."""
    connection = connect(stretch.path)
    seq = stretch.first
    try:
        stream, prev = bytes.fromhex(stretch.stream), stretch.prev
        rows = connection.execute(_ROWS, (stretch.first, stretch.last))
        while found := rows.fetchmany(_FETCHED):
            for at, entry_id, kind, body, stated in found:
                if at != seq:
                    return Damage(seq, "journal.gap")
                if entry_hash(stream, seq, prev, body) != stated:
                    return Damage(seq, _which(connection, stream, seq, prev))
                if not _is_as_stated(body, (entry_id, kind, stretch.stream, seq)):
                    return Damage(seq, "journal.columns")
                prev = stated
                seq += 1
    except sqlite3.DatabaseError:
        return Damage(seq, "journal.unreadable")
    finally:
        connection.close()
    return Damage(seq, "journal.gap") if seq <= stretch.last else None


def _is_as_stated(body: bytes, stated: tuple[str, str, str, int]) -> bool:
    try:
        said = _DECODER.decode(body)
    except msgspec.DecodeError:
        return False
    return (said.id, said.type, said.stream, said.seq) == stated


def _which(connection: sqlite3.Connection, stream: bytes, seq: int, prev: bytes) -> str:
    """What was changed, body or hash: the next entry was chained to the true hash."""
    rows = connection.execute(_ROWS, (seq, seq + 1)).fetchall()
    if [row[0] for row in rows] != [seq, seq + 1]:
        return "journal.chain"
    (_, _, _, body, stated), (_, _, _, next_body, next_stated) = rows
    if len(stated) == HASH_BYTES and entry_hash(stream, seq + 1, stated, next_body) == next_stated:
        return "journal.body"
    computed = entry_hash(stream, seq, prev, body)
    if entry_hash(stream, seq + 1, computed, next_body) == next_stated:
        return "journal.hash"
    return "journal.chain"
