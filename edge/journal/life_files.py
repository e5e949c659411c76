"""Where the lives of a journal lie: `journal.db`, `journal-2.db`, ... The last one is current.

Beside them `journal.mark` says how far the journal was when the cloud last acknowledged it. It is
evidence from outside the file: without it a box could not tell a lost journal from a first start.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.identity import write_secret
from shared.journal.life import Position
from shared.kernel.errors import RefusedError

BUILDING = ".building"
_SIDE_FILES = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Mark:
    """What was noted outside the journal; `hash` is hex, `gt` the perpetual totals.

    `life` is the number of the file, `boot` how often the journal had been opened.
    """

    life: int
    stream: str
    seq: int
    hash: str
    gt: tuple[int, int]
    boot: int
    biz: str = ""
    is_open: bool = False

    @property
    def position(self) -> Position:
        """The entry that it names."""
        return Position(self.stream, self.seq, bytes.fromhex(self.hash))


def life_path(first: Path, number: int) -> Path:
    """File of a life: `journal.db` for the first, `journal-2.db` for the second."""
    return first if number == 1 else first.with_name(f"{first.stem}-{number}{first.suffix}")


def life_numbers(first: Path) -> list[int]:
    """Numbers of the lives that have a file, in order."""
    form = re.compile(rf"{re.escape(first.stem)}-([1-9][0-9]*){re.escape(first.suffix)}")
    found = [int(match[1]) for path in first.parent.glob(f"{first.stem}-*{first.suffix}")
             if (match := form.fullmatch(path.name))]  # fmt: skip
    return sorted(({1} if first.exists() else set()) | set(found))


def take_lock(first: Path) -> int:
    """Handle of the lock of all lives; RefusedError `journal.in_use` when another process has it.

    Closing it lets the lock go.
    """
    first.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(first.with_name(first.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise RefusedError("journal.in_use", path=str(first)) from None
    return handle


def remove_unfinished(first: Path) -> None:
    """Remove what a power cut left of a life that was being made."""
    for path in first.parent.glob(f"{first.stem}*{BUILDING}*"):
        path.unlink()


def remove_side_files(path: Path) -> None:
    """Remove a database and what SQLite keeps beside it."""
    for name in ("", *_SIDE_FILES):
        path.with_name(path.name + name).unlink(missing_ok=True)


def mark_path(first: Path) -> Path:
    """The mark's file."""
    return first.with_suffix(".mark")


def read_mark(first: Path) -> Mark | None:
    """What was noted; None before the first note, and for a note that cannot be read."""
    try:
        raw = json.loads(mark_path(first).read_text(encoding="utf-8"))
        mark = Mark(**raw | {"gt": tuple(raw["gt"])})
        bytes.fromhex(mark.hash)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return mark


def write_mark(first: Path, mark: Mark) -> None:
    """Note it, whole or not at all. OSError where the folder cannot be written."""
    write_secret(mark_path(first), json.dumps(asdict(mark)).encode())
