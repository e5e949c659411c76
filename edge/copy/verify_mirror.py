"""Check mirror files: hash, chain and signature of every copy."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path

from edge.copy.keys import KnownKeys
from edge.copy.mirror_file import Part, numbered_lines, part_of, parts_in
from edge.copy.verified import Progress, Verified, no_progress
from edge.copy.verify import PROCESSES_MAX
from shared.journal.carbon import Carbon, check_carbon
from shared.journal.chain import genesis_hash
from shared.kernel.errors import CorruptError
from shared.wire.codec import parse_body

PIECE = 500
WORTH_MORE_PROCESSES = 4 * PIECE


@dataclass(frozen=True, slots=True)
class Checked:
    """One copy as a process found it; `code` "" when it holds by itself."""

    seq: int
    prev: bytes
    hash: bytes
    code: str


def verify_mirror(
    path: Path, keys: Sequence[str] = (), progress: Progress = no_progress
) -> list[Verified]:
    """Check a mirror file, or all of a folder journal by journal.

    `keys` (hex) are public journal keys; a mirror that begins with entry 0 names its own.
    CorruptError `carbon.hash`, `carbon.signature`, `carbon.chain` or `journal.gap` with the `seq`;
    `journal.stream` for what is no mirror file.
    """
    part = part_of(path)
    if path.is_file() and part is None:
        raise CorruptError("journal.stream", path=str(path))
    parts = parts_in(path) if part is None else [part]
    return [
        _verify_stream(list(same), keys, progress)
        for _, same in groupby(parts, key=lambda each: each.stream)
    ]


def _verify_stream(parts: list[Part], keys: Sequence[str], progress: Progress) -> Verified:
    stream = parts[0].stream
    carbons = list(_carbons(parts))
    if not carbons:
        raise CorruptError("journal.stream", path=str(parts[0].path))
    known = [*keys, *_own_key(carbons[0])]
    state = _Fold(stream)
    done = 0
    for checked in _checked(carbons, known):
        for each in checked:
            state.take(each)
        done += len(checked)
        progress(done, len(carbons))
    return Verified(
        path=str(parts[0].path),
        stream=stream,
        entries=state.entries,
        first=carbons[0].seq,
        head=state.seq,
        hash=state.hash.hex(),
        signatures=state.entries if known else 0,
    )


class _Fold:
    """Goes along the copies; an entry that stands twice (a torn line, a restart) counts once."""

    def __init__(self, stream: str) -> None:
        self._hashes: dict[int, bytes] = {-1: genesis_hash(bytes.fromhex(stream))}
        self.seq = -1
        self.hash = b""
        self.entries = 0

    def take(self, each: Checked) -> None:
        """Take the next copy; CorruptError when it does not hold."""
        if each.code:
            raise CorruptError(each.code, seq=each.seq)
        if self.entries and each.seq > self.seq + 1:
            raise CorruptError("journal.gap", seq=self.seq + 1)
        before = self._hashes.get(each.seq - 1)
        known = self._hashes.get(each.seq)
        if (before is not None and before != each.prev) or known not in {None, each.hash}:
            raise CorruptError("carbon.chain", seq=each.seq)
        if known is None:
            self._hashes[each.seq] = each.hash
            self.seq, self.hash, self.entries = each.seq, each.hash, self.entries + 1


def _carbons(parts: Iterable[Part]) -> Iterator[Carbon]:
    for part in parts:
        for _, carbon in numbered_lines(part.path):
            if carbon is not None and carbon.stream == part.stream:
                yield carbon


def _own_key(carbon: Carbon) -> list[str]:
    """The key that entry 0 names."""
    if carbon.seq:
        return []
    key = parse_body(carbon.body).get("data", {}).get("journal_pub")
    return [key] if isinstance(key, str) else []


def _checked(carbons: Sequence[Carbon], keys: Sequence[str]) -> Iterator[list[Checked]]:
    pieces = [carbons[at : at + PIECE] for at in range(0, len(carbons), PIECE)]
    work = partial(check_piece, keys=tuple(keys))
    if len(carbons) < WORTH_MORE_PROCESSES:
        yield from map(work, pieces)
        return
    count = min(PROCESSES_MAX, os.cpu_count() or 1)
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(work, pieces)


def check_piece(carbons: Sequence[Carbon], keys: Sequence[str]) -> list[Checked]:
    """Check copies one by one; without keys their signatures are left alone."""
    known = KnownKeys(keys)
    verify: Callable[[bytes, bytes], bool] = known.verify if keys else lambda *_: True
    return [_check(carbon, verify) for carbon in carbons]


def _check(carbon: Carbon, verify: Callable[[bytes, bytes], bool]) -> Checked:
    code = ""
    try:
        check_carbon(carbon, verify)
    except CorruptError as error:
        code = error.code
    return Checked(carbon.seq, carbon.prev, carbon.hash, code)
