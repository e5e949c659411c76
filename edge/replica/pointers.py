"""`replica.db`: which revisions are stored, staged and active, and what head office desires.

Small, and synced at each change: what it says is the box's schedule, also after a power cut and
without a network.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.replica.schema import POINTER_MIGRATIONS
from edge.sqlite import Writer
from shared.kernel.errors import CorruptError
from shared.kernel.gtin import Gtin

CHANGES_KEPT = 20
_POINTERS = "SELECT name, rev, inc, manifest_sha256, file, at_ms FROM pointer"
_PUT_POINTER = (
    "INSERT OR REPLACE INTO pointer(name, rev, inc, manifest_sha256, file, at_ms)"
    " VALUES(?,?,?,?,?,?)"
)
_STAGED = "SELECT rev, inc, manifest_sha256, file, at_ms, not_before_ms FROM staged"
_PUT_STAGED = (
    "INSERT OR REPLACE INTO staged(rev, inc, manifest_sha256, file, at_ms, not_before_ms)"
    " VALUES(?,?,?,?,?,?)"
)
_CHANGES = (
    "SELECT gtin, name, old_minor, new_minor, member_minor, revision, at_ms"
    " FROM price_change ORDER BY n DESC LIMIT ?"
)
_PUT_CHANGE = (
    "INSERT INTO price_change(revision, at_ms, gtin, name, old_minor, new_minor, member_minor)"
    " VALUES(?,?,?,?,?,?,?)"
)


@dataclass(frozen=True, slots=True)
class Pointer:
    """A revision: its incarnation, manifest and file, and since when (UTC ms) it is so.

    `not_before_ms` is the instant before which head office does not want it to be active.
    """

    rev: int = 0
    inc: str = ""
    manifest_sha256: str = ""
    file: str = ""
    at_ms: int = 0
    not_before_ms: int = 0

    @property
    def key(self) -> tuple[int, str]:
        """What tells revisions apart: after a restore of the cloud numbers come again."""
        return self.rev, self.inc


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A shelf price that an activation changed; amounts in minor units."""

    gtin: Gtin
    name: str
    old_minor: int | None
    new_minor: int
    member_minor: int | None
    revision: int
    at_ms: int


class Pointers:
    """The file and its writer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = Writer(folder / "replica.db", "FULL")

    def open(self) -> None:
        """Open the file. One that cannot be read is begun anew: HQ has everything."""
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._writer.open(POINTER_MIGRATIONS)
        except CorruptError:
            self._writer.close()
            for path in self._folder.glob("replica.db*"):
                path.unlink()
            self._writer.open(POINTER_MIGRATIONS)

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._writer.close()

    def pointers(self) -> dict[str, Pointer]:
        """Return the pointers `stored` and `active`, as far as they were set."""
        return {row[0]: Pointer(*row[1:]) for row in self._writer.rows(_POINTERS)}

    def staged(self) -> list[Pointer]:
        """Every revision that can be switched to."""
        return [Pointer(*row) for row in self._writer.rows(_STAGED)]

    def changes(self) -> tuple[PriceChange, ...]:
        """The newest changes of shelf prices, newest first."""
        rows = self._writer.rows(_CHANGES, (CHANGES_KEPT,))
        return tuple(PriceChange(Gtin(row[0]), *row[1:]) for row in rows)

    def put_stored(self, pointer: Pointer) -> None:
        """Remember the newest stored revision, which can be switched to."""
        with self._writer.transaction() as connection:
            connection.execute(_PUT_POINTER, ("stored", *_fields(pointer)))
            connection.execute(_PUT_STAGED, (*_fields(pointer), pointer.not_before_ms))

    def put_active(self, pointer: Pointer, changes: Iterable[PriceChange]) -> None:
        """Remember what is active, and the shelf prices that have changed, newest first."""
        with self._writer.transaction() as connection:
            connection.execute(_PUT_POINTER, ("active", *_fields(pointer)))
            connection.execute("DELETE FROM price_change")
            rows = [_change_row(change) for change in changes]
            connection.executemany(_PUT_CHANGE, reversed(rows))

    def forget_staged(self, gone: Iterable[Pointer]) -> None:
        """Forget revisions that will never be switched to."""
        keys = [pointer.key for pointer in gone]
        if keys:
            with self._writer.transaction() as connection:
                connection.executemany("DELETE FROM staged WHERE rev=? AND inc=?", keys)

    def desired(self) -> bytes | None:
        """The newest desired document, as it was told; None before the first one."""
        rows = self._writer.rows("SELECT doc FROM desired")
        return bytes(rows[0][0]) if rows else None

    def put_desired(self, doc: bytes) -> None:
        """Remember what is desired."""
        with self._writer.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO desired(n, doc) VALUES(1, ?)", (doc,))


def _fields(pointer: Pointer) -> tuple[Any, ...]:
    return pointer.rev, pointer.inc, pointer.manifest_sha256, pointer.file, pointer.at_ms


def _change_row(change: PriceChange) -> tuple[Any, ...]:
    return (
        change.revision,
        change.at_ms,
        change.gtin,
        change.name,
        change.old_minor,
        change.new_minor,
        change.member_minor,
    )
