"""What a restored set of files must be before a server starts from it.

Each file was proven to be head office's own when it was opened. What is left: that all are of one
server, that each piece of the log is the one that its name says, and that none is missing between.
A server that meets a gap takes it for the end of its log, opens there, and says nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud.backup.names import is_segment, place_of, timeline_of
from shared.kernel.errors import CorruptError

CONTROL, LOG = Path("global/pg_control"), Path("pg_wal")
HISTORY = ".history"
_LOG_BYTES = 1 << 32
"""Segments count anew in each of these."""
_HALF_DIGITS = 8
_SEGMENT_HEAD = struct.Struct("<HHIQI4xQI")
"""PostgreSQL's XLogLongPageHeaderData: magic, flags, timeline, place, rest, server, size."""
_IS_LONG = 2
_HISTORY_WORDS = 2
_SEGMENT_BYTES_MIN, _SEGMENT_BYTES_MAX = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class _Head:
    """The beginning of a segment: which server's, its place in the log (bytes), its size."""

    server: int
    place: int
    size: int


def check_one_server(data: Path, wal: Path) -> int:
    """The name that the server gave itself, which every piece of the log must have.

    CorruptError `backup.control` for a folder that is no server's, `backup.foreign` for a piece of
    another server or of another place in the log.
    """
    server = _server_of(data)
    for path in sorted(wal.iterdir()):
        if not is_segment(path.name):
            continue
        head = _head_of(path)
        if head is None or head.server != server or head.place != _place(path.name, head.size):
            raise CorruptError("backup.foreign", file=path.name)
    return server


def timeline_for(begin_wal: str, wal: Path, histories: Iterable[str]) -> int | None:
    """The newest timeline that goes on from where a base backup began; None for its own.

    `histories` are the files to choose from: those that were there by the instant wanted.
    """
    own = timeline_of(begin_wal)
    found = [timeline_of(name) for name in histories if _branches_after(wal / name, own, begin_wal)]
    return max(found, default=None)


def on_the_way(begin_wal: str, timeline: int | None, wal: Path, files: Iterable[str]) -> list[str]:
    """Those segments that a server replays on its way to `timeline` (None: its own).

    Of a timeline that was left only those up to where: what came after is another life's.
    """
    own = timeline_of(begin_wal)
    left_at: dict[int, int | None] = {own if timeline is None else timeline: None}
    if timeline is not None:
        parents = _parents(wal / f"{timeline:08X}{HISTORY}")
        left_at |= {each: place for each, place in parents.items() if each >= own}
    found = []
    for file in files:
        if not is_segment(file) or timeline_of(file) not in left_at:
            continue
        until = left_at[timeline_of(file)]
        if until is None or _place(file, (wal / file).stat().st_size) <= until:
            found.append(file)
    return found


def check_no_gap(begin_wal: str, data: Path, pieces: Mapping[str, int]) -> None:
    """Every place from the base backup's own log up to the last piece has one.

    `pieces` are the sizes of archived segments by name. CorruptError `backup.wal_gap` with the
    first that is missing.
    """
    if not pieces:
        return
    size = max(pieces.values())
    own = [each.name for each in (data / LOG).iterdir() if is_segment(each.name)]
    numbers = {_number(name, size) for name in (*own, *pieces)}
    first = min((_number(name, size) for name in own), default=_number(begin_wal, size))
    for number in range(first, max(numbers) + 1):
        if number not in numbers:
            raise CorruptError("backup.wal_gap", file=_named(number, size))


def _server_of(data: Path) -> int:
    try:
        with (data / CONTROL).open("rb") as file:
            return int.from_bytes(file.read(8), "little")
    except OSError:
        raise CorruptError("backup.control") from None


def _head_of(path: Path) -> _Head | None:
    with path.open("rb") as file:
        raw = file.read(_SEGMENT_HEAD.size)
    if len(raw) < _SEGMENT_HEAD.size:
        return None
    _, flags, _, place, _, server, size = _SEGMENT_HEAD.unpack(raw)
    is_size = _SEGMENT_BYTES_MIN <= size <= _SEGMENT_BYTES_MAX and size & (size - 1) == 0
    is_whole = is_size and path.stat().st_size == size
    return _Head(server, place, size) if flags & _IS_LONG and is_whole else None


def _number(name: str, size: int) -> int:
    """How many segments of `size` bytes lie before this one."""
    place = place_of(name)
    return int(place[:_HALF_DIGITS], 16) * (_LOG_BYTES // size) + int(place[_HALF_DIGITS:], 16)


def _place(name: str, size: int) -> int:
    return _number(name, size) * size


def _named(number: int, size: int) -> str:
    each = _LOG_BYTES // size
    return f"{number // each:08X}{number % each:08X}"


def _parents(history: Path) -> dict[int, int]:
    """A timeline's history: the timelines before it, and the place (bytes) where each was left.

    CorruptError `backup.damaged` for what is none.
    """
    found = {}
    for line in history.read_text(encoding="utf-8", errors="replace").splitlines():
        told = line.split("#")[0].split()
        if len(told) < _HISTORY_WORDS:
            continue
        high, _, low = told[1].partition("/")
        try:
            found[int(told[0])] = (int(high, 16) << 32) + int(low, 16)
        except ValueError:
            raise CorruptError("backup.damaged") from None
    return found


def _branches_after(history: Path, own: int, begin_wal: str) -> bool:
    """Whether a timeline left this one behind where the base backup began."""
    left_at = _parents(history).get(own)
    if left_at is None:
        return False
    begin = place_of(begin_wal)
    high, low = int(begin[:_HALF_DIGITS], 16), int(begin[_HALF_DIGITS:], 16)
    # How large segments are is not known yet: none is smaller than this.
    return left_at >= high * _LOG_BYTES + low * _SEGMENT_BYTES_MIN
