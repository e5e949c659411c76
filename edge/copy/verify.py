"""Walk a whole journal, every life of it: each entry holds, or the first one that does not."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from edge.copy.verified import Damage, Progress, Verified, no_progress
from edge.copy.verify_chunk import Stretch, check_stretch
from edge.sqlite import connect_reader
from shared.journal.chain import genesis_hash
from shared.kernel.errors import CorruptError

STRETCH = 10_000
"""Entries per piece of work."""
WORTH_MORE_PROCESSES = 3 * STRETCH
PROCESSES_MAX = 4


@dataclass(frozen=True, slots=True)
class _Outline:
    """What a file holds, unchecked.

    `after` is the first entry behind the pruned ones, `anchor` the hash before it.
    """

    stream: bytes
    first: int
    head: int
    entries: int
    after: int
    anchor: bytes

    @property
    def fits_anchor(self) -> bool:
        """Whether entry 0 alone lies below the anchor, and something above it.

        An anchor stands for what was pruned, not for what nobody shall look at.
        """
        return self.head >= self.after and self.entries <= self.head - self.after + 2


def verify_journal(path: Path, progress: Progress = no_progress) -> Verified:
    """Check one journal file.

    CorruptError `journal.stream` for what is no journal; `journal.gap`, `journal.body`,
    `journal.hash`, `journal.chain`, `journal.columns`, `journal.anchor` or `journal.unreadable`
    with the `seq` of the first entry that does not hold.
    """
    try:
        outline = _outline(path)
    except (sqlite3.DatabaseError, TypeError, AssertionError) as error:
        raise CorruptError("journal.stream", path=str(path)) from error
    _check(_stretches(path, outline), outline.entries, progress)
    return Verified(
        path=str(path),
        stream=outline.stream.hex(),
        entries=outline.entries,
        first=outline.first,
        head=outline.head,
        hash=_hash_at(path, outline.head, outline.stream).hex(),
        pruned=outline.after - 1 if outline.after > 1 else 0,
    )


def verify_lives(path: Path, progress: Progress = no_progress) -> list[Verified]:
    """Check a journal's file and those of its later lives, and that each names the one before.

    As `verify_journal`; CorruptError `journal.previous` when a life begins with another last entry
    of the one before it than that file has.
    """
    found: list[Verified] = []
    for each in lives_of(path):
        checked = verify_journal(each, progress)
        if found:
            _check_previous(each, found[-1])
        found.append(checked)
    return found


def heads_of(path: Path) -> list[tuple[str, int, str]]:
    """The same as stream, number and hash (hex) of the last entry of each life."""
    return [(each.stream, each.head, each.hash) for each in verify_lives(path)]


def lives_of(first: Path) -> list[Path]:
    """`journal.db` and, where it is the first of several lives, `journal-2.db` and so on."""
    later = first.parent.glob(f"{first.stem}-*{first.suffix}")
    numbers = {path.stem.removeprefix(f"{first.stem}-"): path for path in later}
    return [first, *(numbers[key] for key in sorted(filter(str.isdecimal, numbers), key=int))]


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect_reader(path)
    try:
        yield connection
    finally:
        connection.close()


def _outline(path: Path) -> _Outline:
    with _reading(path) as connection:
        stream, genesis = connection.execute("SELECT stream_id, genesis FROM stream").fetchone()
        if genesis_hash(stream) != genesis:
            raise CorruptError("journal.stream", path=str(path))
        first, head, entries = connection.execute(
            "SELECT coalesce(min(seq), -1), coalesce(max(seq), -1), count(*) FROM entry"
        ).fetchone()
        anchor = None
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name='anchor'").fetchone():
            anchor = connection.execute("SELECT seq, hash FROM anchor").fetchone()
        after = 0 if anchor is None else anchor[0] + 1
    return _Outline(stream, first, head, entries, after, genesis if anchor is None else anchor[1])


def _stretches(path: Path, outline: _Outline) -> Iterator[Stretch]:
    """The whole file in pieces, each after the stored hash of the entry before it."""
    stream = outline.stream.hex()
    if outline.entries and outline.after > 0:
        yield Stretch(path, stream, 0, 0, genesis_hash(outline.stream))
        if not outline.fits_anchor:
            raise CorruptError("journal.anchor", seq=outline.after - 1)
    with _reading(path) as connection:
        for first in range(outline.after, outline.head + 1, STRETCH):
            prev = outline.anchor
            if first > outline.after:
                row = connection.execute(
                    "SELECT hash FROM entry WHERE seq=?", (first - 1,)
                ).fetchone()
                if row is None:  # the stretch before this one ends with a gap, and says so
                    return
                prev = row[0]
            yield Stretch(path, stream, first, min(first + STRETCH - 1, outline.head), prev)


def _check(stretches: Iterator[Stretch], total: int, progress: Progress) -> None:
    listed = list(stretches)
    work = partial(check_stretch, connect=connect_reader)
    if total < WORTH_MORE_PROCESSES:
        _raise_first(listed, map(work, listed), total, progress)
        return
    count = min(PROCESSES_MAX, os.cpu_count() or 1)
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        _raise_first(listed, pool.map(work, listed), total, progress)


def _raise_first(
    stretches: Sequence[Stretch],
    results: Iterable[Damage | None],
    total: int,
    progress: Progress,
) -> None:
    done = 0
    for stretch, damage in zip(stretches, results, strict=True):
        if damage is not None:
            raise CorruptError(damage.code, seq=damage.seq)
        done += stretch.last - stretch.first + 1
        progress(done, total)


def _hash_at(path: Path, seq: int, stream: bytes) -> bytes:
    if seq < 0:
        return genesis_hash(stream)
    with _reading(path) as connection:
        found: bytes = connection.execute("SELECT hash FROM entry WHERE seq=?", (seq,)).fetchone()[
            0
        ]
    return found


def _check_previous(path: Path, before: Verified) -> None:
    """The genesis entry of a later life names an entry of the life before it."""
    with _reading(path) as connection:
        row = connection.execute("SELECT body FROM entry WHERE seq=0").fetchone()
    previous = None if row is None else json.loads(row[0])["data"].get("previous")
    if not previous or previous["stream"] != before.stream:
        return
    with _reading(Path(before.path)) as connection:
        stands = connection.execute(
            "SELECT hash FROM entry WHERE seq=?", (previous["seq"],)
        ).fetchone()
    # Pruned, or lacking in an old image of what the cloud had vouched for: nothing to compare.
    if stands is not None and stands[0].hex() != previous["hash"]:
        raise CorruptError("journal.previous", path=str(path), seq=previous["seq"])
