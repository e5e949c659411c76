"""What backups are called: a name says all that a restore must know before it opens anything.

The database that could be asked is the one that is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.wire.sealed import FILE_SUFFIX

BASE, MARK, WAL, BOX, KEYS, OBJECT = "base", "mark", "wal", "box", "keys", "object"
_FORM = "%Y%m%dT%H%M%SZ"
_MARK_NAME = re.compile(r"mark/(\d{8}T\d{6}Z)-(\d{8}T\d{6}Z)-([0-9A-F]{24})\.tbk")
_WAL_FILE = re.compile(r"[0-9A-F]{24}(?:\.[0-9A-F]{8}\.backup|\.partial)?|[0-9A-F]{8}\.history")
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_TIMELINE_DIGITS, _SEGMENT_DIGITS = 8, 24


@dataclass(frozen=True, slots=True)
class Base:
    """A base backup: when it began and ended (UTC ms), the first WAL segment that it needs.

    It can be put back to any instant from its end on.  The end is known last, so it stands in the
    name of a mark that is written once the backup is whole.
    """

    at_ms: int
    end_ms: int
    begin_wal: str

    @property
    def name(self) -> str:
        """Where it lies."""
        return f"{BASE}/{_said(self.at_ms)}-{self.begin_wal}{FILE_SUFFIX}"

    @property
    def mark(self) -> str:
        """Where its mark lies."""
        return f"{MARK}/{_said(self.at_ms)}-{_said(self.end_ms)}-{self.begin_wal}{FILE_SUFFIX}"


def read_mark(name: str) -> Base | None:
    """What a mark's name says; None for a file of something else."""
    found = _MARK_NAME.fullmatch(name)
    return None if found is None else Base(_ms_of(found[1]), _ms_of(found[2]), found[3])


def base_for(bases: Iterable[Base], to_ms: int | None) -> Base | None:
    """The newest base backup that had ended by an instant (None: the newest at all)."""
    fit = [each for each in bases if to_ms is None or each.end_ms <= to_ms]
    return max(fit, key=lambda each: each.end_ms, default=None)


def is_wal_file(name: str) -> bool:
    """Whether PostgreSQL may ask to archive a file of this name."""
    return _WAL_FILE.fullmatch(name) is not None


def wal_name(file: str) -> str:
    """Where a WAL file lies."""
    return f"{WAL}/{file}{FILE_SUFFIX}"


def wal_file(name: str) -> str:
    """The WAL file of a name."""
    return name.removeprefix(f"{WAL}/").removesuffix(FILE_SUFFIX)


def place_of(file: str) -> str:
    """Where in the log a WAL file lies, without its timeline; "" for a timeline's history."""
    return "" if file.endswith(".history") else file[_TIMELINE_DIGITS:_SEGMENT_DIGITS]


def is_segment(file: str) -> bool:
    """Whether a WAL file is a whole piece of the log."""
    return _SEGMENT.fullmatch(file) is not None


def timeline_of(file: str) -> int:
    """The timeline of a WAL file; a restored server begins a new one."""
    return int(file[:_TIMELINE_DIGITS], 16)


def is_needed(file: str, begin_wal: str) -> bool:
    """Whether a restore from a base backup may need a WAL file: later ones of any later timeline.

    Segments of a later timeline count from where it branched off, which is behind the beginning.
    """
    if not is_segment(file):
        return file.endswith(".history")
    is_later = file[:_TIMELINE_DIGITS] >= begin_wal[:_TIMELINE_DIGITS]
    return is_later and place_of(file) >= place_of(begin_wal)


def outdated(bases: Sequence[Base], keep_from_ms: int, keep_least: int) -> list[Base]:
    """Base backups that may go: nobody can want an instant that only they reach.

    The newest that ended before `keep_from_ms` stays, because instants after it start from there;
    and never fewer than `keep_least` are left.
    """
    newest_first = sorted(bases, key=lambda each: each.end_ms, reverse=True)
    reach = next((n for n, each in enumerate(newest_first) if each.end_ms <= keep_from_ms), None)
    if reach is None:
        return []
    return newest_first[max(reach + 1, keep_least) :]


def object_name(sha256: str) -> str:
    """Where the copy of a published object lies."""
    return f"{OBJECT}/{sha256}{FILE_SUFFIX}"


def object_of(name: str) -> str:
    """The object of a copy's name."""
    return name.removeprefix(f"{OBJECT}/").removesuffix(FILE_SUFFIX)


def box_name(dev: str, at_ms: int) -> str:
    """Where a box's backup lies."""
    return f"{BOX}/{dev}/{_said(at_ms)}{FILE_SUFFIX}"


def _said(at_ms: int) -> str:
    """Whole seconds; what began within one is told to have begun with it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime(_FORM)


def _ms_of(text: str) -> int:
    return int(datetime.strptime(text, _FORM).replace(tzinfo=UTC).timestamp() * 1000)
