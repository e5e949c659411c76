"""Mirror files on a stick: `tillbox-{stream}.jsonl` and its later parts, one carbon per line.

Files are appended to and deleted whole, nothing else.  A line that a power cut left torn stays;
whoever reads skips it, and the entry follows once more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.journal.carbon import CARBON_BYTES_MAX, Carbon, read_carbon
from shared.kernel.errors import RefusedError

_NAME = re.compile(r"tillbox-([0-9a-f]{32})(?:-([0-9]{10}))?\.jsonl")
_TAIL_BYTES = 2 * CARBON_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Part:
    """One file; `first` is the entry that a later part begins with, 0 for the first file."""

    stream: str
    first: int
    path: Path


def part_path(folder: Path, stream: str, first: int, *, is_later: bool) -> Path:
    """Where a part that begins with entry `first` lies."""
    number = f"-{first:010d}" if is_later else ""
    return folder / f"tillbox-{stream}{number}.jsonl"


def part_of(path: Path) -> Part | None:
    """What a file's name says; None when it is no mirror file's."""
    found = _NAME.fullmatch(path.name)
    return None if found is None else Part(found[1], int(found[2] or 0), path)


def parts_in(folder: Path) -> list[Part]:
    """The mirror files of a folder, by stream and in order."""
    found = (part_of(path) for path in folder.iterdir())
    return sorted(
        (part for part in found if part is not None), key=lambda part: (part.stream, part.first)
    )


def carbons_of(path: Path) -> Iterator[Carbon]:
    """The copies in a file, in order; torn lines are skipped."""
    for _, carbon in numbered_lines(path):
        if carbon is not None:
            yield carbon


def numbered_lines(path: Path) -> Iterator[tuple[int, Carbon | None]]:
    """Each line's number from 1 and its copy, None for a line that is none."""
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file.readline), start=1):
            yield number, _carbon_or_none(line)


def last_carbon(part: Part) -> Carbon | None:
    """The last whole copy in a file; None when there is none near its end."""
    with part.path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().split(b"\n")
    for line in reversed(lines):
        carbon = _carbon_or_none(line)
        if carbon is not None and carbon.stream == part.stream:
            return carbon
    return None


def _lines(readline: object) -> Iterator[bytes]:
    assert callable(readline)
    while line := readline(CARBON_BYTES_MAX + 1):
        yield line.rstrip(b"\n")


def _carbon_or_none(line: bytes) -> Carbon | None:
    try:
        return read_carbon(line)
    except RefusedError:
        return None
