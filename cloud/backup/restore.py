"""A server as it was at an instant: base backup, WAL on top, into a folder that was empty.

The WAL is fetched and opened before the server starts, into a folder beside: the server then needs
neither the private key nor the stash, and replays at the speed of the disk.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, cast

from cloud.archive.stash import Stashed
from cloud.backup.base import bases_of
from cloud.backup.log_check import (
    HISTORY,
    check_no_gap,
    check_one_server,
    on_the_way,
    timeline_for,
)
from cloud.backup.names import (
    WAL,
    Base,
    base_for,
    is_needed,
    is_segment,
    is_wal_file,
    wal_file,
)
from cloud.backup.sealed_files import Vault
from shared.kernel.errors import CorruptError, MissingError, RefusedError
from shared.wire.unpack import ChunkReader

RECOVERY_SIGNAL, AUTO_CONF = "recovery.signal", "postgresql.auto.conf"
_RECOVERY_SETTINGS = ("restore_command", "recovery_target", "# Restored by")
WAL_SUFFIX = ".wal"
SKEW_MS = 900_000
"""So far the clocks of the database and of the store may be apart."""
REACH_MS = 7_200_000
"""So long before its last sign of life a head office may have archived for the last time."""
_READ_BYTES = 1 << 18
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Up to where: an instant (UTC ms), a place in the log, or None of both for all there is."""

    to_ms: int | None = None
    to_lsn: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A folder that a server can start from; where its WAL lies, and what came from where.

    `reaches_ms` (UTC) is when the newest piece of its log was sealed.
    """

    data: Path
    wal: Path
    base: Base
    bytes: int
    segments: int
    reaches_ms: int


def prepare(
    vault: Vault, private: bytes, target: Target, into: Path, progress: Progress = lambda *_: None
) -> Prepared:
    """Unpack the newest fitting base backup, fetch the WAL behind it, tell the server how far.

    Nothing is left unproven for the server to find out: raises MissingError `backup.no_base` where
    no base backup had ended by then, RefusedError `backup.into` for a folder that holds something,
    as `Vault.reading` for what is damaged or forged, as `log_check` for what is mixed or missing.
    """
    base = base_for(bases_of(vault), target.to_ms)
    if base is None:
        when = "" if target.to_ms is None else iso(target.to_ms)
        raise MissingError("backup.no_base", at=when)
    if b"".join(vault.reading(base.mark, private)) != base.name.encode():
        raise CorruptError("backup.swapped", name=base.mark, told="")
    into.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
    if any(into.iterdir()):
        raise RefusedError("backup.into", path=str(into))
    wal = into.with_name(into.name + WAL_SUFFIX)
    wal.mkdir(mode=_FOLDER_MODE, exist_ok=True)
    if any(wal.iterdir()):
        raise RefusedError("backup.into", path=str(wal))
    pieces = needed_wal(vault, base, target)
    sizes = {each.name: each.size for each in vault.stash.files(base.name)}
    meter = _Meter(progress, sum(sizes.values()) + sum(each.size for each in pieces))
    plain = vault.reading(base.name, private)
    count = _unpack(meter.through(plain, sizes.get(base.name, 0)), into)
    sealed_ms: dict[str, int] = {}
    for each in pieces:
        file = wal_file(each.name)
        plain = vault.reading(each.name, private, partial(sealed_ms.__setitem__, file))
        _fetch(meter.through(plain, each.size), wal / file)
    timeline, reaches_ms = _checked(into, wal, base, (target, sealed_ms))
    _configure(into, wal, target, timeline)
    return Prepared(into, wal, base, count, len(pieces), reaches_ms)


def require_reach(prepared: Prepared, seen_ms: int) -> None:
    """CorruptError `backup.rolled_back` where head office was alive long after the log ends.

    Whoever may delete from the bucket can take the newest files away, and what is left is whole.
    """
    if prepared.reaches_ms < seen_ms - REACH_MS:
        reaches, seen = iso(prepared.reaches_ms), iso(seen_ms)
        raise CorruptError("backup.rolled_back", reaches=reaches, seen=seen)


def _checked(
    data: Path, wal: Path, base: Base, of: tuple[Target, Mapping[str, int]]
) -> tuple[int | None, int]:
    """The timeline to follow, and when the newest piece on the way was sealed (UTC ms)."""
    target, sealed_ms = of
    check_one_server(data, wal)
    in_time = [
        file
        for file, at_ms in sealed_ms.items()
        if file.endswith(HISTORY) and (target.to_ms is None or at_ms <= target.to_ms)
    ]
    timeline = timeline_for(base.begin_wal, wal, in_time)
    pieces = on_the_way(base.begin_wal, timeline, wal, sealed_ms)
    check_no_gap(base.begin_wal, data, {file: (wal / file).stat().st_size for file in pieces})
    return timeline, max((sealed_ms[file] for file in pieces), default=base.end_ms)


def needed_wal(vault: Vault, base: Base, target: Target) -> list[Stashed]:
    """What the archive has behind a base backup, up to the first piece that was put there later.

    Histories of timelines all come along: a server that opens takes a number that none has.
    """
    found = [
        each
        for each in vault.stash.files(f"{WAL}/")
        if is_wal_file(wal_file(each.name)) and is_needed(wal_file(each.name), base.begin_wal)
    ]
    if target.to_ms is None:
        return found
    later = sorted(
        each.at_ms
        for each in found
        if is_segment(wal_file(each.name)) and each.at_ms > target.to_ms + SKEW_MS
    )
    # One more than the first: two may have been put there in another order than they were written.
    last_ms = later[1] if len(later) > 1 else None
    return [
        each
        for each in found
        if last_ms is None or each.at_ms <= last_ms or not is_segment(wal_file(each.name))
    ]


def iso(at_ms: int) -> str:
    """An instant for a person, and for PostgreSQL."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")


def _configure(data: Path, wal: Path, target: Target, timeline: int | None) -> None:
    lines = [
        "",
        "# Restored by tillbox-cloud.",
        f'restore_command = \'cp "{_quoted(wal)}/%f" "%p"\'',
        f"recovery_target_timeline = '{timeline or 'current'}'",
        "recovery_target_action = 'promote'",
    ]
    if target.to_ms is not None:
        lines.append(f"recovery_target_time = '{iso(target.to_ms)}'")
    if target.to_lsn is not None:
        lines.append(f"recovery_target_lsn = '{target.to_lsn}'")
    forget_recovery(data)
    with (data / AUTO_CONF).open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    (data / RECOVERY_SIGNAL).touch(mode=_FILE_MODE)


def forget_recovery(data: Path) -> None:
    """Take out what this restore, or one before it, said of its target: a server takes one."""
    config = data / AUTO_CONF
    if config.exists():
        lines = config.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if not line.lstrip().startswith(_RECOVERY_SETTINGS)]
        config.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")


def _quoted(path: Path) -> str:
    text = str(path.absolute())
    if any(each in text for each in "'\"\\\n%$`"):
        raise RefusedError("backup.folder_name", path=text)
    return text


def _unpack(plain: Iterator[bytes], into: Path) -> int:
    """Unpack a server's tar; only plain files and folders below `into`, never a link."""
    total = 0
    try:
        with tarfile.open(
            mode="r|", fileobj=cast("IO[bytes]", ChunkReader(plain)), bufsize=_READ_BYTES
        ) as tar:
            for info in tar:
                target = into / _inside(info.name)
                if info.isdir():
                    target.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
                    continue
                is_plain = info.isreg() and not info.issparse()
                source = tar.extractfile(info) if is_plain else None
                if source is None:
                    raise CorruptError("backup.member", name=info.name[:80])
                total += _write(target, source)
    except tarfile.TarError:
        raise CorruptError("backup.damaged") from None
    for _ in plain:  # the end of the file is checked too
        pass
    return total


def _inside(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise CorruptError("backup.member", name=name[:80])
    return path


def _write(target: Path, source: IO[bytes]) -> int:
    total = 0
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with os.fdopen(handle, "wb") as file:
        while chunk := source.read(_READ_BYTES):
            file.write(chunk)
            total += len(chunk)
    return total


def _fetch(plain: Iterator[bytes], target: Path) -> None:
    with target.open("wb") as file:
        for chunk in plain:
            file.write(chunk)


class _Meter:
    """Tells how many sealed bytes are done, as near as plain ones tell it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def through(self, plain: Iterator[bytes], size: int) -> Iterator[bytes]:
        """The same bytes; a file counts once it is through, a large one by a guess before."""
        seen = 0
        for chunk in plain:
            seen += len(chunk)
            self._progress(min(self._total, self._done + min(seen // 4, size)), self._total)
            yield chunk
        self._done += size
        self._progress(min(self._total, self._done), self._total)
