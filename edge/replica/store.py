"""The replica: stage what HQ published, flip to it between baskets, read any pinned revision."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from itertools import count
from pathlib import Path
from typing import Any

from edge.replica.build import (
    apply_delta,
    build_snapshot,
    check_contents,
    put_contents,
    remove_catalog,
)
from edge.replica.catalog import CatalogFile, StaffMember
from edge.replica.offers import OfferShelf
from edge.replica.pointers import CHANGES_KEPT, Pointer, Pointers, PriceChange
from edge.replica.schema import TABLES
from edge.replica.upgrade import upgrade_catalog
from edge.sqlite import Writer
from shared.item.item import Item
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError, MissingError
from shared.price.offer_book import EMPTY_BOOK, OfferBook
from shared.price.price_book import DatedPrice, price_at
from shared.publication.manifest import Manifest, Piece, manifest_bytes
from shared.publication.revision import RecordKind

_CHANGES_READ = 400
_ALL = -1
_CACHED_ITEMS = 4096


@dataclass(frozen=True, slots=True)
class ActivationResult:
    """What a flip of the active pointer did; `changes` newest first, at most 20."""

    old_rev: int
    new_rev: int
    manifest_sha256: str
    changes: tuple[PriceChange, ...]


@dataclass(frozen=True, slots=True)
class PriceRow:
    """The dated prices of an item in two revisions, whoever says them."""

    item: Item
    before: tuple[DatedPrice, ...]
    after: tuple[DatedPrice, ...]


class Replica:
    """All published data of the box. Reads may come from any thread; one thread stages.

    `zone` is the store's: prices may begin by its own clock.
    """

    def __init__(self, folder: Path, zone: tzinfo = UTC) -> None:
        self._folder = folder
        self._zone = zone
        self._pointers = Pointers(folder)
        self._lock = threading.RLock()
        self._stored = Pointer()
        self._active = Pointer()
        self._staged: dict[tuple[int, str], Pointer] = {}
        self._files: dict[str, CatalogFile] = {}
        self._retired: list[CatalogFile] = []
        self._items: dict[tuple[str, int], Item | None] = {}
        self._prices: dict[tuple[str, int], tuple[DatedPrice, ...]] = {}
        self._changes: tuple[PriceChange, ...] = ()
        self._offers = OfferShelf()

    def open(self) -> None:
        """Open what is stored. A replica that cannot be read is dropped: HQ has it."""
        self._pointers.open()
        pointers = self._pointers.pointers()
        self._stored = self._opened(pointers.get("stored", Pointer()))
        self._active = self._opened(pointers.get("active", Pointer()))
        staged = map(self._opened, self._pointers.staged())
        self._staged = {pointer.key: pointer for pointer in staged if pointer.rev}
        self._changes = self._pointers.changes()
        self.offers(self._active.rev)  # now, not under the first scan

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

    def staged(self) -> tuple[Pointer, ...]:
        """Every revision that can be switched to."""
        with self._lock:
            return tuple(self._staged.values())

    def warm(self) -> None:
        """Read now what the tills would read first after a switch."""
        for pointer in self.staged():
            with self._lock:
                file = self._files.get(pointer.file)
            if file is not None:
                self._offers.book(file, pointer.rev)
                file.codes(pointer.rev)

    def desired(self) -> bytes | None:
        """The newest desired document, as it was told."""
        return self._pointers.desired()

    def put_desired(self, doc: bytes) -> None:
        """Keep what is desired: it is the schedule of a box that is cut off, or restarts."""
        self._pointers.put_desired(doc)

    def active_revision(self) -> int:
        """Revision that new baskets are priced with; 0 for none."""
        return self._active.rev

    def stored_revision(self) -> int:
        """Newest staged revision; 0 for none."""
        return self._stored.rev

    def find_item(self, gtin: str, revision: int) -> Item | None:
        """The item with that GTIN, or with that further barcode, in a revision."""
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

    def config(self, key: str, revision: int) -> dict[str, Any] | None:
        """The body of a configuration record in a revision; None when there is none."""
        return self._file(revision).other(RecordKind.CONFIG, key, revision) if revision else None

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

    def changed_prices(self, old_rev: int, new_rev: int) -> Iterator[PriceRow]:
        """Every item whose prices differ between two revisions that are both still there."""
        before, after = self._file(old_rev), self._file(new_rev)
        return _repriced((before, old_rev), (after, new_rev), _ALL)

    def stage(self, manifest: Manifest, pieces: Mapping[str, Path], at_ms: int = 0) -> None:
        """Store a revision beside what is active.

        `pieces` maps the SHA-256 of fetched and verified objects to their files: the deltas from
        the stored revision on, or the snapshots and the deltas after them. Raises CorruptError
        `replica.digest` and leaves everything as it was; the snapshot is then the way out.
        """
        is_new = all(piece.sha256 in pieces for piece in manifest.snapshots)
        file = self._stage_snapshot(manifest, pieces) if is_new else self._stored_file()
        try:
            self._advance(file, manifest, pieces)
            self._offers.book(file, manifest.rev)  # while nobody waits for it
            self._stored_is(file, manifest, at_ms)
        except BaseException:
            if is_new:  # it is tried again and again: each time a file would fill the disk
                file.close()
                remove_catalog(file.path)
            raise

    def _stored_is(self, file: CatalogFile, manifest: Manifest, at_ms: int) -> None:
        name = sha256(manifest_bytes(manifest)).hex()
        pointer = Pointer(manifest.rev, manifest.inc, name, file.path.name, at_ms, manifest.at_ms)
        with self._lock:
            self._pointers.put_stored(pointer)
            self._files[file.path.name] = file
            self._stored = pointer
            self._staged[pointer.key] = pointer
            self._items, self._prices = {}, {}

    def activate(self, rev: int, at_ms: int, inc: str | None = None) -> ActivationResult:
        """Let new baskets be priced with a staged revision, in one transaction.

        `inc` is its incarnation, None for that of what is stored. Raises MissingError
        `replica.not_stored` when the revision is not staged.
        """
        with self._lock:
            staged = self._staged.get((rev, self._stored.inc if inc is None else inc))
            old = self._active
        if staged is None:
            raise MissingError("replica.not_stored", revision=rev)
        self._offers.book(self._files[staged.file], rev)  # not under the next scan
        changes = self._changes_of(old, staged, at_ms)
        kept = (*reversed(changes), *self._changes)[:CHANGES_KEPT]
        pointer = replace(staged, at_ms=at_ms)
        with self._lock:
            self._pointers.put_active(pointer, kept)
            self._active, self._changes = pointer, kept
            self._items, self._prices = {}, {}
        return ActivationResult(old.rev, rev, staged.manifest_sha256, tuple(changes))

    def release(self, pins: Iterable[int], held: Iterable[tuple[int, str]] = ()) -> None:
        """Drop what neither the active revision nor an open basket reads.

        `held` are revisions, with their incarnations, that wait for their instants.
        """
        self._forget_staged(set(held))
        wanted = {*pins, self._active.rev, self._stored.rev} - {0}
        with self._lock:
            keep = {self._active.file, self._stored.file} - {""}
            keep |= {pointer.file for pointer in self._staged.values()}
            wanted |= {pointer.rev for pointer in self._staged.values()}
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

    def _forget_staged(self, held: set[tuple[int, str]]) -> None:
        with self._lock:
            wanted = held | {self._active.key, self._stored.key}
            gone = [pointer for key, pointer in self._staged.items() if key not in wanted]
            self._pointers.forget_staged(gone)
            for pointer in gone:
                del self._staged[pointer.key]

    def _opened(self, pointer: Pointer) -> Pointer:
        if not pointer.file:
            return Pointer()
        try:
            file = self._files.get(pointer.file) or self._open_catalog(pointer.file)
        except Exception as error:  # noqa: BLE001 - any damage has one cure: fetch it again
            del error
            return Pointer()
        self._files[pointer.file] = file
        return pointer

    def _open_catalog(self, name: str) -> CatalogFile:
        path = self._folder / name
        if path.exists():
            upgrade_catalog(path)
        return CatalogFile(path, self._zone)

    def _file(self, revision: int) -> CatalogFile:
        with self._lock:
            newest = (self._files.get(self._active.file), *self._files.values())
            for file in newest:
                if file is not None and file.holds(revision):
                    return file
        raise MissingError("replica.revision", revision=revision)

    def _stored_file(self) -> CatalogFile:
        """Where deltas go: not simply a file that holds the number, which another life may have."""
        with self._lock:
            file = self._files.get(self._stored.file)
        if file is None:
            raise CorruptError("replica.digest", revision=self._stored.rev)
        return file

    def _stage_snapshot(self, manifest: Manifest, pieces: Mapping[str, Path]) -> CatalogFile:
        # Always a new file: another one of the same revision may be in use.
        numbers = (n for n in count() if not self._catalog_path(manifest, n).exists())
        path = self._catalog_path(manifest, next(numbers))
        build_snapshot(path, manifest, pieces)
        return CatalogFile(path, self._zone)

    def _catalog_path(self, manifest: Manifest, number: int) -> Path:
        return self._folder / f"catalog-{manifest.snapshot.to_rev}-{number}.db"

    def _advance(self, file: CatalogFile, manifest: Manifest, pieces: Mapping[str, Path]) -> None:
        """Bring a file to the manifest's revision, whole or not at all."""
        # Not from the stored revision: the power may have gone after the file took a delta and
        # before the pointer followed.
        deltas = _deltas_from(manifest, file.contents.rev)
        if deltas:
            self._apply(file, manifest, deltas, pieces)
        else:
            check_contents(file.contents, manifest)

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

    def _changes_of(self, old: Pointer, new: Pointer, at_ms: int) -> list[PriceChange]:
        """The shelf prices that change at an instant, at most `CHANGES_KEPT`."""
        if not old.rev:
            return []
        found: list[PriceChange] = []
        sides = (self._files[old.file], old.rev), (self._files[new.file], new.rev)
        for row in _repriced(*sides, _CHANGES_READ):
            was, now = price_at(row.before, at_ms), price_at(row.after, at_ms)
            if now is None or _is_same(was, now):
                continue
            was_minor = None if was is None else was.regular_minor
            prices = was_minor, now.regular_minor, now.member_minor
            found.append(PriceChange(row.item.gtin, row.item.name, *prices, new.rev, at_ms))
        return found[:CHANGES_KEPT]

    def _drop_rows(self, path: Path, oldest: int) -> None:
        writer = Writer(path, "NORMAL")
        writer.open(())
        try:
            with writer.transaction() as connection:
                for table in TABLES.values():
                    connection.execute(table.prune_sql, (oldest,))
        finally:
            writer.close()


def _deltas_from(manifest: Manifest, rev: int) -> list[Piece]:
    """The deltas after `rev`; CorruptError `replica.digest` when they do not begin there."""
    deltas = [piece for piece in manifest.deltas if piece.from_rev >= rev]
    if deltas and deltas[0].from_rev != rev:
        raise CorruptError("replica.digest", revision=manifest.rev)
    return deltas


def _repriced(
    before: tuple[CatalogFile, int], after: tuple[CatalogFile, int], limit: int
) -> Iterator[PriceRow]:
    """Items with another price record, as they are in either file at its revision."""
    (old, old_rev), (new, new_rev) = before, after
    if old is new:
        gtins = new.repriced(old_rev, new_rev, limit)
    else:
        gtins = new.repriced_since(old.path, old_rev, new_rev, limit)
    for gtin in gtins:
        item = new.find_item(gtin, new_rev)
        if item is not None:
            prices = old.dated_prices(gtin, old_rev), new.dated_prices(gtin, new_rev)
            yield PriceRow(item, *prices)


def _is_same(was: DatedPrice | None, now: DatedPrice) -> bool:
    return was is not None and (was.regular_minor, was.member_minor) == (
        now.regular_minor,
        now.member_minor,
    )
