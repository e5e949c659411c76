"""The replica: stage what HQ published, flip to it between baskets, read any pinned revision."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from edge.replica.build import (
    apply_delta,
    build_snapshot,
    check_contents,
    put_contents,
)
from edge.replica.catalog import CatalogFile, PriceRow, StaffMember
from edge.replica.offers import OfferShelf
from edge.replica.schema import POINTER_MIGRATIONS, TABLES
from edge.replica.upgrade import upgrade_catalog
from edge.sqlite import Writer
from shared.item.item import Item
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, MissingError
from shared.kernel.gtin import Gtin
from shared.price.offer_book import EMPTY_BOOK, OfferBook
from shared.price.price_book import DatedPrice, price_at
from shared.publication.manifest import Manifest, Piece, manifest_bytes

CHANGES_KEPT = 20
_CHANGES_READ = 400
_CACHED_ITEMS = 4096


@dataclass(frozen=True, slots=True)
class Pointer:
    """One of `stored` and `active`: a revision, its incarnation, manifest and file."""

    rev: int = 0
    inc: str = ""
    manifest_sha256: str = ""
    file: str = ""
    at_ms: int = 0


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


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """What a flip of the active pointer did; `changes` newest first, at most 20."""

    old_rev: int
    new_rev: int
    manifest_sha256: str
    changes: tuple[PriceChange, ...]


class Replica:
    """All published data of the box. Reads may come from any thread; one thread stages."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pointers = Writer(folder / "replica.db", "FULL")
        self._lock = threading.RLock()
        self._stored = Pointer()
        self._active = Pointer()
        self._files: dict[str, CatalogFile] = {}
        self._retired: list[CatalogFile] = []
        self._items: dict[tuple[str, int], Item | None] = {}
        self._prices: dict[tuple[str, int], tuple[DatedPrice, ...]] = {}
        self._changes: tuple[PriceChange, ...] = ()
        self._offers = OfferShelf()

    def open(self) -> None:
        """Open what is stored. A replica that cannot be read is dropped: HQ has it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._open_pointers()
        rows = self._pointers.rows(
            "SELECT name, rev, inc, manifest_sha256, file, at_ms FROM pointer"
        )
        pointers = {row[0]: Pointer(*row[1:]) for row in rows}
        self._stored = self._opened(pointers.get("stored", Pointer()))
        self._active = self._opened(pointers.get("active", Pointer()))
        self._changes = tuple(
            PriceChange(Gtin(gtin), name, old, new, member, revision, at_ms)
            for gtin, name, old, new, member, revision, at_ms in self._pointers.rows(
                "SELECT gtin, name, old_minor, new_minor, member_minor, revision, at_ms"
                " FROM price_change ORDER BY n DESC LIMIT ?",
                (CHANGES_KEPT,),
            )
        )
        self.offers(self._active.rev)  # now, not under the first scan

    def _open_pointers(self) -> None:
        try:
            self._pointers.open(POINTER_MIGRATIONS)
        except CorruptError:
            self._pointers.close()
            for path in self._folder.glob("replica.db*"):
                path.unlink()
            self._pointers.open(POINTER_MIGRATIONS)

    def close(self) -> None:
        """Close every file; may be called twice."""
        with self._lock:
            for file in (*self._files.values(), *self._retired):
                file.close()
            self._files, self._retired = {}, []
            self._pointers.close()

    def active(self) -> Pointer:
        """What new baskets are priced with; revision 0 before the first activation."""
        return self._active

    def stored(self) -> Pointer:
        """The newest revision that is staged."""
        return self._stored

    def active_revision(self) -> int:
        """Revision that new baskets are priced with; 0 for none."""
        return self._active.rev

    def stored_revision(self) -> int:
        """Newest staged revision; 0 for none."""
        return self._stored.rev

    def find_item(self, gtin: str, revision: int) -> Item | None:
        """The item with that GTIN in a revision."""
        key = (gtin, revision)
        try:
            return self._items[key]
        except KeyError:
            item = self._file(revision).find_item(gtin, revision)
        if len(self._items) >= _CACHED_ITEMS:
            self._items.clear()
        self._items[key] = item
        return item

    def find_plu(self, plu: str, revision: int) -> Item | None:
        """The weighed item with that price look-up number in a revision."""
        return self._file(revision).find_plu(plu, revision)

    def dated_prices(self, gtin: str, revision: int) -> tuple[DatedPrice, ...]:
        """Effective-dated prices of an item in a revision, ascending."""
        key = (gtin, revision)
        try:
            return self._prices[key]
        except KeyError:
            prices = self._file(revision).dated_prices(gtin, revision)
        if len(self._prices) >= _CACHED_ITEMS:
            self._prices.clear()
        self._prices[key] = prices
        return prices

    def offers(self, revision: int) -> OfferBook:
        """The offers of a revision; none before the first activation."""
        return self._offers.book(self._file(revision), revision) if revision else EMPTY_BOOK

    def search(self, text: str, limit: int, revision: int) -> list[Item]:
        """Items whose name, GTIN or PLU contains every word of `text`."""
        return self._file(revision).search(text, limit, revision)

    def first_items(self, limit: int, revision: int) -> list[Item]:
        """The first items by GTIN, as examples."""
        return self._file(revision).first_items(limit, revision)

    def staff(self, revision: int) -> tuple[StaffMember, ...]:
        """Everybody who may sign in; nobody before the first activation."""
        return self._file(revision).staff(revision) if revision else ()

    def price_changes(self) -> tuple[PriceChange, ...]:
        """The newest shelf-price changes of the last activations, newest first."""
        return self._changes

    def stage(self, manifest: Manifest, pieces: Mapping[str, Path], at_ms: int = 0) -> None:
        """Store a revision beside what is active.

        `pieces` maps the SHA-256 of fetched and verified objects to their files: the deltas from
        the stored revision on, or the snapshot and the deltas after it. Raises CorruptError
        `replica.digest` and leaves everything as it was; the snapshot is then the way out.
        """
        if manifest.snapshot.sha256 in pieces:
            file = self._stage_snapshot(manifest, pieces[manifest.snapshot.sha256])
        else:
            file = self._file(self._stored.rev)
        # Not from the stored revision: the power may have gone after the file took a delta and
        # before the pointer followed.
        deltas = _deltas_from(manifest, file.contents.rev)
        if deltas:
            self._apply(file, manifest, deltas, pieces)
        else:
            check_contents(file.contents, manifest)
        self._offers.book(file, manifest.rev)  # while nobody waits for it
        name = sha256(manifest_bytes(manifest)).hex()
        self._flip("stored", Pointer(manifest.rev, manifest.inc, name, file.path.name, at_ms))

    def activate(self, rev: int, at_ms: int) -> ActivationResult:
        """Let new baskets be priced with the stored revision, in one transaction.

        Raises MissingError `replica.not_stored` when another revision is stored.
        """
        stored, old = self._stored, self._active
        if stored.rev != rev or not rev:
            raise MissingError("replica.not_stored", revision=rev)
        changes = self._changes_of(old, stored, at_ms)
        kept = (*reversed(changes), *self._changes)[:CHANGES_KEPT]
        pointer = Pointer(rev, stored.inc, stored.manifest_sha256, stored.file, at_ms)
        self._flip("active", pointer, kept)
        return ActivationResult(old.rev, rev, stored.manifest_sha256, tuple(changes))

    def release(self, pins: Iterable[int]) -> None:
        """Drop rows and files that neither the active revision nor an open basket reads."""
        wanted = {*pins, self._active.rev, self._stored.rev} - {0}
        with self._lock:
            keep = {self._active.file, self._stored.file} - {""}
            current = [self._files[name] for name in keep]
            elsewhere = {rev for rev in wanted if not any(file.holds(rev) for file in current)}
            keep |= {name for name, file in self._files.items() if any(map(file.holds, elsewhere))}
            # A reader may still be in a file that was dropped just now: close it one turn later.
            closing, self._retired = self._retired, []
            for name in [name for name in self._files if name not in keep]:
                self._retired.append(self._files.pop(name))
        for file in closing:
            file.close()
        in_use = keep | {file.path.name for file in self._retired}
        for path in self._folder.glob("catalog-*"):
            if not any(path.name.startswith(name) for name in in_use):
                path.unlink(missing_ok=True)
        if self._active.file:
            self._drop_rows(self._folder / self._active.file, min(wanted))

    def _opened(self, pointer: Pointer) -> Pointer:
        if not pointer.file:
            return Pointer()
        try:
            file = self._files.get(pointer.file) or _open_catalog(self._folder / pointer.file)
        except Exception as error:  # noqa: BLE001 - any damage has one cure: fetch it again
            del error
            return Pointer()
        self._files[pointer.file] = file
        return pointer

    def _file(self, revision: int) -> CatalogFile:
        with self._lock:
            newest = (self._files.get(self._active.file), *self._files.values())
            for file in newest:
                if file is not None and file.holds(revision):
                    return file
        raise MissingError("replica.revision", revision=revision)

    def _stage_snapshot(self, manifest: Manifest, source: Path) -> CatalogFile:
        # Always a new file: another one of the same revision may be in use.
        numbers = (n for n in count() if not self._catalog_path(manifest, n).exists())
        path = self._catalog_path(manifest, next(numbers))
        build_snapshot(path, manifest, manifest.snapshot, source)
        file = CatalogFile(path)
        with self._lock:
            self._files[path.name] = file
        return file

    def _catalog_path(self, manifest: Manifest, number: int) -> Path:
        return self._folder / f"catalog-{manifest.snapshot.to_rev}-{number}.db"

    def _apply(
        self, file: CatalogFile, manifest: Manifest, deltas: list[Piece], pieces: Mapping[str, Path]
    ) -> None:
        writer = Writer(file.path, "FULL")
        writer.open(())
        try:
            with writer.transaction() as connection:
                contents = file.contents
                for piece in deltas:
                    if piece.sha256 not in pieces:
                        raise MissingError("replica.piece", sha256=piece.sha256)
                    contents = apply_delta(connection, contents, piece, pieces[piece.sha256])
                    put_contents(connection, contents)
                check_contents(contents, manifest)
        finally:
            writer.close()
        file.advanced(contents)

    def _flip(
        self, name: str, pointer: Pointer, changes: tuple[PriceChange, ...] | None = None
    ) -> None:
        with self._lock:
            with self._pointers.transaction() as connection:
                connection.execute(
                    "INSERT OR REPLACE INTO pointer(name, rev, inc, manifest_sha256, file, at_ms)"
                    " VALUES(?,?,?,?,?,?)",
                    (
                        name,
                        pointer.rev,
                        pointer.inc,
                        pointer.manifest_sha256,
                        pointer.file,
                        pointer.at_ms,
                    ),
                )
                if changes is not None:
                    connection.execute("DELETE FROM price_change")
                    connection.executemany(
                        "INSERT INTO price_change(revision, at_ms, gtin, name, old_minor,"
                        " new_minor, member_minor) VALUES(?,?,?,?,?,?,?)",
                        [_change_row(change) for change in reversed(changes)],
                    )
            self._items, self._prices = {}, {}
            if name == "active":
                self._active = pointer
                self._changes = changes or ()
            else:
                self._stored = pointer

    def _changes_of(self, old: Pointer, new: Pointer, at_ms: int) -> list[PriceChange]:
        if not old.rev:
            return []
        file = self._files[new.file]
        if old.file == new.file:
            rows = file.price_rows(old.rev, new.rev, _CHANGES_READ)
        else:
            other = self._folder / old.file
            rows = file.price_rows_since(other, old.rev, new.rev, _CHANGES_READ)
        found = (_change_of(row, new.rev, at_ms) for row in rows)
        return [change for change in found if change is not None][:CHANGES_KEPT]

    def _drop_rows(self, path: Path, oldest: int) -> None:
        writer = Writer(path, "NORMAL")
        writer.open(())
        try:
            with writer.transaction() as connection:
                for table in TABLES.values():
                    connection.execute(table.prune_sql, (oldest,))
        finally:
            writer.close()


def _open_catalog(path: Path) -> CatalogFile:
    if path.exists():
        upgrade_catalog(path)
    return CatalogFile(path)


def _deltas_from(manifest: Manifest, rev: int) -> list[Piece]:
    """The deltas after `rev`; CorruptError `replica.digest` when they do not begin there."""
    deltas = [piece for piece in manifest.deltas if piece.from_rev >= rev]
    if deltas and deltas[0].from_rev != rev:
        raise CorruptError("replica.digest", revision=manifest.rev)
    return deltas


def _change_of(row: PriceRow, revision: int, at_ms: int) -> PriceChange | None:
    before, after = price_at(row.before, at_ms), price_at(row.after, at_ms)
    if after is None or before == after:
        return None
    same = before is not None and (before.regular_minor, before.member_minor) == (
        after.regular_minor,
        after.member_minor,
    )
    if same:
        return None
    old = None if before is None else before.regular_minor
    return PriceChange(
        row.gtin, row.name, old, after.regular_minor, after.member_minor, revision, at_ms
    )


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
