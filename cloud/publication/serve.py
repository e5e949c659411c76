"""What boxes fetch: manifests and small objects out of the database, large ones from their store.

Objects never change, so what was read stays in memory as long as there is room.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.db import Database, driver
from cloud.publication import pieces
from shared.kernel.errors import MissingError
from shared.publication.manifest import Piece, parse_manifest, pieces_needed
from shared.wire.frames import FrameKind, frame_header

CACHE_BYTES = 64 * 1024 * 1024
CACHED_BYTES_MAX = 8 * 1024 * 1024
"""Of one object; larger ones are streamed."""

_OWN_MANIFEST = """
SELECT manifest FROM device JOIN zone_revision made ON made.zone = 'store-' || device.store_id
WHERE device.dev = %s AND made.manifest_sha = %s"""
_OBJECT = """
SELECT data FROM piece WHERE sha256 = %(name)s
UNION ALL SELECT manifest FROM zone_revision WHERE manifest_sha = %(name)s LIMIT 1"""


@dataclass(frozen=True, slots=True)
class Fetch:
    """What a box asks for: the way from what it has to a manifest (SHA-256, hex) of its store."""

    manifest: str
    have_rev: int
    have_inc: str
    takes_urls: bool = False


class PieceCache:
    """The objects that were read last, by SHA-256 (hex); safe to use from several threads."""

    def __init__(self, bytes_max: int = CACHE_BYTES) -> None:
        self._bytes_max = bytes_max
        self._held: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """The object, if it is there."""
        with self._lock:
            data = self._held.get(name)
            if data is not None:
                self._held.move_to_end(name)
            return data

    def put(self, name: str, data: bytes) -> None:
        """Keep an object, if it is not too large, and let go of the oldest."""
        if len(data) > CACHED_BYTES_MAX:
            return
        with self._lock:
            if name not in self._held:
                self._held[name] = data
                self._size += len(data)
            while self._size > self._bytes_max:
                _, gone = self._held.popitem(last=False)
                self._size -= len(gone)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Reads published objects for boxes."""

    database: Database
    objects: ObjectStore
    cache: PieceCache

    def small(self, name: str) -> bytes | None:
        """An object that lies in the database; None for another."""
        found = self.cache.get(name)
        if found is None:
            with self.database.begin() as connection:
                row = driver(connection).execute(_OBJECT, {"name": name}).fetchone()
            found = None if row is None else bytes(row[0])
        return found

    def answer(self, dev: str, wanted: Fetch) -> bytes | Iterator[bytes]:
        """The frames that bring a box to a manifest: that, then the objects that it needs.

        One value where all of it is in memory. Raises MissingError `object.missing` for a manifest
        that is not of the box's store.
        """
        with self.database.begin() as connection:
            row = driver(connection).execute(_OWN_MANIFEST, (dev, wanted.manifest)).fetchone()
            if row is None:
                raise MissingError("object.missing", sha256=wanted.manifest[:64])
            manifest = bytes(row[0])
            needed = pieces_needed(parse_manifest(manifest), wanted.have_rev, wanted.have_inc)
            held = self._held(connection, needed)
        name = bytes.fromhex(wanted.manifest)
        head = frame_header(FrameKind.MANIFEST, name, len(manifest)) + manifest
        frames = self._frames(head, needed, held, takes_urls=wanted.takes_urls)
        is_whole = all(piece.sha256 in held for piece in needed)
        return b"".join(frames) if is_whole else frames

    def _held(self, connection: Connection, needed: Sequence[Piece]) -> dict[str, bytes]:
        found = {piece.sha256: self.cache.get(piece.sha256) for piece in needed}
        held = {name: data for name, data in found.items() if data is not None}
        small = [
            piece.sha256
            for piece in needed
            if piece.sha256 not in held and piece.size <= pieces.SMALL_BYTES_MAX
        ]
        if small:
            read = pieces.read_small(connection, small)
            for name, data in read.items():
                self.cache.put(name, data)
            held |= read
        return held

    def _frames(
        self, head: bytes, needed: Sequence[Piece], held: dict[str, bytes], *, takes_urls: bool
    ) -> Iterator[bytes]:
        yield head
        for piece in needed:
            name = bytes.fromhex(piece.sha256)
            url = self._url(piece) if takes_urls else None
            if url is not None:
                yield frame_header(FrameKind.URL, name, len(url)) + url
                continue
            yield frame_header(FrameKind.PIECE, name, piece.size)
            data = held.get(piece.sha256)
            yield from self._large(piece) if data is None else [data]
        yield frame_header(FrameKind.END)

    def _url(self, piece: Piece) -> bytes | None:
        if piece.size <= pieces.SMALL_BYTES_MAX:
            return None
        url = self.objects.url(piece.sha256)
        return None if url is None else url.encode()

    def _large(self, piece: Piece) -> Iterator[bytes]:
        chunks = self.objects.chunks(piece.sha256)
        if piece.size > CACHED_BYTES_MAX:
            yield from chunks
            return
        data = b"".join(chunks)
        self.cache.put(piece.sha256, data)
        yield data
