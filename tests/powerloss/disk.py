"""A disk that loses its power: what may be on it afterwards, by the promises of POSIX alone.

- A write that no sync has covered is there, or not, or half: by 512-byte sectors, in any order,
  as zeros where the file only grew, or as rubbish in the sectors that were being written.
- A name that was made, changed or removed is there for good once its folder was synced; before
  that the first few of a folder's changes are there, as file systems with a journal do it.
- What a write does not touch stays (SQLite calls that power-safe overwrite).
- A new folder is there at once.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Literal, get_args

from tests.powerloss.operations import (
    Make,
    Operation,
    Promise,
    Remove,
    Rename,
    Resize,
    Sync,
    Write,
)

Style = Literal["lose", "keep", "subset", "torn", "hollow", "garbled"]
"""What becomes of the unsynced: nothing, all, whole writes at random, sectors at random, sizes
without their bytes, sectors of which some are rubbish."""
STYLES: tuple[Style, ...] = get_args(Style)
SECTOR_BYTES = 512


@dataclass(slots=True)
class _Inode:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Resize] = field(default_factory=list)


_NameChange = tuple[str, _Inode | None]
"""A name and what it names from now on; None for a name that is gone."""


class Disk:
    """Takes operations one after the other and tells at any time what a power cut leaves."""

    def __init__(self, baseline: Mapping[str, bytes]) -> None:
        self._names = {name: _Inode(bytearray(data)) for name, data in baseline.items()}
        self._durable = dict(self._names)
        self._changes: dict[str, list[tuple[_NameChange, ...]]] = {}

    def apply(self, operation: Operation) -> None:
        """The next operation of the program."""
        match operation:
            case Write(path=path) | Resize(path=path):
                self._names[path].pending.append(operation)
            case Sync(path):
                self._sync(path)
            case Make(path):
                inode = self._names[path] = _Inode()
                self._change(path, ((path, inode),))
            case Remove(path):
                del self._names[path]
                self._change(path, ((path, None),))
            case Rename(path, new):
                assert _folder_of(path) == _folder_of(new)
                moved = self._names[new] = self._names.pop(path)
                self._change(path, ((path, None), (new, moved)))
            case Promise():
                return

    def image(self, style: Style, chance: random.Random) -> dict[str, bytes]:
        """The files after a power cut now."""
        names = dict(self._durable)
        for changes in self._changes.values():
            kept = {"lose": 0, "keep": len(changes)}.get(style)
            if kept is None:
                kept = chance.randint(0, len(changes))
            _take_names(names, (each for change in changes[:kept] for each in change))
        return {name: _content(inode, style, chance) for name, inode in names.items()}

    def _change(self, path: str, change: tuple[_NameChange, ...]) -> None:
        self._changes.setdefault(_folder_of(path), []).append(change)

    def _sync(self, path: str) -> None:
        inode = self._names.get(path)
        if inode is None:
            changes = self._changes.pop(path, [])
            _take_names(self._durable, (each for change in changes for each in change))
            return
        for write in inode.pending:
            _put(inode.durable, write)
        inode.pending.clear()


def _folder_of(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _take_names(names: dict[str, _Inode], changes: Iterable[_NameChange]) -> None:
    for name, inode in changes:
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode


def _content(inode: _Inode, style: Style, chance: random.Random) -> bytes:
    content = bytearray(inode.durable)
    if style == "lose":
        return bytes(content)
    for pending in inode.pending:
        for piece in _landed(pending, style, chance):
            _put(content, piece)
    return bytes(content)


def _landed(
    pending: Write | Resize, style: Style, chance: random.Random
) -> Iterator[Write | Resize]:
    """What of one unsynced change is on the disk."""
    if style == "keep":
        yield pending
    elif style in {"subset", "hollow"} or isinstance(pending, Resize):
        if chance.random() < 0.5:
            yield pending
        elif style == "hollow" and isinstance(pending, Write):
            yield Write(pending.path, pending.offset + len(pending.data), b"")
    else:
        for sector in _sectors(pending):
            if chance.random() < 0.5:
                yield sector
            elif style == "garbled" and chance.random() < 0.5:
                rubbish = chance.randbytes(len(sector.data))
                yield Write(sector.path, sector.offset, rubbish)


def _sectors(write: Write) -> Iterator[Write]:
    """Cut where the disk's sectors end, not where the write begins."""
    start, end = write.offset, write.offset + len(write.data)
    while start < end:
        stop = min(end, start - start % SECTOR_BYTES + SECTOR_BYTES)
        yield Write(write.path, start, write.data[start - write.offset : stop - write.offset])
        start = stop


def _put(content: bytearray, change: Write | Resize) -> None:
    if isinstance(change, Resize):
        del content[change.size :]
        content.extend(bytes(change.size - len(content)))
        return
    missing = change.offset - len(content)
    if missing > 0:
        content.extend(bytes(missing))
    content[change.offset : change.offset + len(change.data)] = change.data
