"""What a program does to the files of one folder, and what it promises meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Make:
    """A file came to be, empty; `path` is relative to the folder, as in all operations."""

    path: str


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes at an offset."""

    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Resize:
    """Cut off, or grown with zeros."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Rename:
    """Took another name; what had that name is gone."""

    path: str
    new: str


@dataclass(frozen=True, slots=True)
class Remove:
    """The name is gone."""

    path: str


@dataclass(frozen=True, slots=True)
class Sync:
    """The program was told that a file, or a folder's names, are on the disk."""

    path: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What the program told its user: from here on it has to be true for ever."""

    facts: dict[str, Any]


Operation = Make | Write | Resize | Rename | Remove | Sync | Promise
