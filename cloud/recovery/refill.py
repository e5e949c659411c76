"""Bring back from the archive what a database lacks, by the same road as from the boxes.

A database that was restored to yesterday lacks what boxes may have forgotten since; an empty one
lacks everything.  Entries go through ingest: chain and signatures are checked, effects happen
once, and what is there already is compared and left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import NamedTuple

from sqlalchemy import Connection

from cloud.archive import segment_store, tree_store
from cloud.archive.objects import ObjectStore
from cloud.archive.packing import fetch, fetch_sized, kind_of, peek
from cloud.archive.register import (
    REGISTER_KIND,
    Register,
    Revoked,
    add_register,
    parse_register,
    revoke,
)
from cloud.archive.tree import TREE_KIND, flaw_of_tree, parse_tree
from cloud.archive.tree_store import Leaf, Tree
from cloud.db import Database, driver
from cloud.ingest.arrival import Arrival
from cloud.ingest.decision import Claim
from cloud.ingest.posting import Poster
from cloud.ingest.service import ingest
from cloud.recovery.branch import take_branch
from cloud.signing import is_signed_by
from shared.journal.segment import (
    SEGMENT_KIND,
    Segment,
    check_segment,
    read_range,
    read_segment,
)
from shared.kernel.errors import CorruptError, MissingError
from shared.wire.batch import BatchHeader
from shared.wire.message import AckCode

KNOWN = "SELECT object FROM segment UNION SELECT object FROM tree"
IS_STREAM = "SELECT 1 FROM stream WHERE stream_id = %s"
# Where no register tells more, a segment says who wrote it, and the rest waits for a person.
ADD_STORE = """
INSERT INTO store (store_id, name, time_zone, currency) VALUES (%(store)s, %(store)s, 'UTC', 'XXX')
ON CONFLICT DO NOTHING"""
ADD_DEVICE = """
INSERT INTO device (dev, store_id, secret_hash, journal_pub, status, hw_fp, created_at_ms)
VALUES (%(dev)s, %(store)s, '', %(pub)s, 'retiring', '', 0) ON CONFLICT DO NOTHING"""
ADD_STREAM = """
INSERT INTO stream (stream_id, dev, store_id, ordinal, status)
SELECT %(stream)s, %(dev)s, %(store)s, coalesce(max(ordinal), 0) + 1, 'open'
FROM stream WHERE store_id = %(store)s
ON CONFLICT (stream_id, store_id) DO NOTHING"""

Progress = Callable[[int, int], None]


class Place(NamedTuple):
    """A segment in the archive by its first line: entries `seqs` of a stream (hex)."""

    stream: str
    seqs: range
    name: str

    @property
    def to_seq(self) -> int:
        """Sequence number of the last entry."""
        return self.seqs.stop - 1


class Found(NamedTuple):
    """A segment that was read and holds, with its entries' hashes; `size` bytes of an object."""

    segment: Segment
    hashes: Sequence[bytes]
    name: str
    size: int


@dataclass(slots=True)
class Refilled:
    """What came back; and of what could not, the stream (hex) or object and a dotted code.

    `branches` are streams of which the database has another branch than the archive.
    """

    entries: int = 0
    branches: set[str] = field(default_factory=set)
    segments: int = 0
    trees: int = 0
    has_register: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RefillTerms:
    """`hq_pub` must have signed registers and trees; `up_to` ends each stream (hex) there."""

    hq_pub: bytes
    now_ms: int
    up_to: Mapping[str, int] | None = None

    def wants(self, place: Place) -> bool:
        """Whether a segment lies within what is asked for."""
        return self.up_to is None or place.to_seq <= self.up_to.get(place.stream, -1)


class Refill:
    """One run over a database that is migrated."""

    def __init__(
        self,
        database: Database,
        objects: ObjectStore,
        posters: Sequence[Poster],
        terms: RefillTerms,
    ) -> None:
        self._database = database
        self._objects = objects
        self._posters = posters
        self._terms = terms
        self._done = Refilled()
        self._places: list[Place] = []
        self._register: Register | None = None
        self._trees: list[tuple[Tree, list[Leaf]]] = []

    def run(self, progress: Progress = lambda *_: None) -> Refilled:
        """Take in everything that the database does not name yet.

        Raises UnavailableError when the archive or the database is away; run it again then.
        """
        with self._database.begin() as connection:
            known = {row[0] for row in driver(connection).execute(KNOWN)}
        for name in sorted(set(self._objects.names()) - known):
            self._sort(name)
        revoked = self._add_register()
        self._places.sort(key=lambda place: (place.stream, place.seqs.start, -place.to_seq))
        done = 0
        for _, places in groupby(self._places, key=lambda place: place.stream):
            run = list(places)
            self._take_stream(run)
            done += len(run)
            progress(done, len(self._places))
        self._take_trees()
        with self._database.begin() as connection:
            revoke(connection, revoked)
        return self._done

    def _sort(self, name: str) -> None:
        """Note what an object is; a register or a tree is small enough to keep."""
        try:
            line = peek(self._objects, name)
            kind = kind_of(line)
            if kind == SEGMENT_KIND:
                place = Place(*read_range(line), name)
                if self._terms.wants(place):
                    self._places.append(place)
            elif kind == TREE_KIND:
                self._trees.append(parse_tree(fetch(self._objects, name), name))
            elif kind == REGISTER_KIND:
                found = parse_register(fetch(self._objects, name), self._terms.hq_pub)
                if self._register is None or found.at_ms > self._register.at_ms:
                    self._register = found
            else:
                self._problem(name, "archive.bytes")
        except (CorruptError, MissingError) as error:
            self._problem(name, error.code)

    def _add_register(self) -> list[Revoked]:
        if self._register is None:
            return []
        self._done.has_register = True
        with self._database.begin() as connection:
            return add_register(connection, self._register)

    def _take_stream(self, places: Sequence[Place]) -> None:
        """Segments in order; those without a signature wait for the next one that bears it."""
        waiting: list[Found] = []
        for place in places:
            if waiting and place.to_seq <= waiting[-1].segment.to_seq:
                continue  # a spare copy: a power cut came between its writing and its noting
            found = self._read(place)
            if found is None or (not waiting and self._is_there(found)):
                continue
            waiting.append(found)
            if found.segment.signature is not None:
                self._take(waiting)
                waiting = []
        if waiting:
            self._problem(places[0].stream, "refill.unsigned")

    def _read(self, place: Place) -> Found | None:
        try:
            lines, size = fetch_sized(self._objects, place.name)
            segment = read_segment(lines)
            hashes = check_segment(segment, is_signed_by)
        except (CorruptError, MissingError) as error:
            self._problem(place.stream, error.code)
            return None
        return Found(segment, hashes, place.name, size)

    def _is_there(self, found: Found) -> bool:
        """Whether the database has all of a segment; then the table gets to know of it."""
        segment, stream_id = found.segment, bytes.fromhex(found.segment.stream)
        with self._database.begin() as connection:
            stored = segment_store.hash_at(connection, stream_id, segment.store, segment.to_seq)
            if stored != segment.head:
                return False
            # A spare copy does not fit onto the last one.
            self._done.segments += segment_store.add_segment(
                connection, segment, found.name, found.size, self._terms.now_ms
            )
        return True

    def _take(self, run: Sequence[Found]) -> None:
        """Have segments ingested, the last of which is signed."""
        segments, stream = [found.segment for found in run], run[0].segment.stream
        if any(b.prev != a.head or b.from_seq != a.to_seq + 1 for a, b in pairwise(segments)):
            self._problem(stream, "refill.gap")
            return
        with self._database.begin() as connection:
            _ensure_stream(connection, segments[0])
        verdict = ingest(
            database=self._database,
            arrival=arrival_of(run),
            posters=self._posters,
            now_ms=self._terms.now_ms,
        )
        if verdict.code in {AckCode.FORK, AckCode.GAP}:
            self._take_branch(run)
        elif verdict.code not in {AckCode.OK, AckCode.DUP}:
            self._problem(stream, f"refill.{verdict.code}")
        else:
            self._done.entries += verdict.stored
            for found in run:
                self._is_there(found)

    def _take_branch(self, run: Sequence[Found]) -> None:
        segments = [found.segment for found in run]
        hashes = [entry_hash for found in run for entry_hash in found.hashes]
        with self._database.begin() as connection:
            flaw = take_branch(connection, self._posters, segments, hashes)
        if flaw is not None:
            self._problem(segments[0].stream, flaw)
        else:
            self._done.branches.add(segments[0].stream)

    def _take_trees(self) -> None:
        """Signed roots that the database has forgotten; without them their numbers came twice."""
        with self._database.begin() as connection:
            before = tree_store.newest_tree(connection)
            for tree, leaves in sorted(self._trees, key=lambda pair: pair[0].head.n):
                flaw = flaw_of_tree(tree, leaves, before)
                if tree.hq_pub != self._terms.hq_pub:
                    flaw = "tree.signature"
                if flaw is not None:
                    self._problem(tree.object, flaw)
                    continue
                tree_store.add_tree(connection, tree, leaves)
                self._done.trees += 1
                before = tree

    def _problem(self, where: str, code: str) -> None:
        self._done.problems.append((where, code))


def arrival_of(run: Sequence[Found]) -> Arrival:
    """Segments that follow each other, as if their box had sent them in one batch."""
    first, last = run[0].segment, run[-1].segment
    signed = last.signature
    assert signed is not None, "only what the box signed is taken in"
    bodies = [body for found in run for body in found.segment.bodies]
    header = BatchHeader(
        stream=first.stream,
        from_seq=first.from_seq,
        count=len(bodies),
        prev=first.prev.hex(),
        head=last.head.hex(),
        sig=signed.sig.hex(),
        edge_head=last.to_seq,
        boot=0,
        mono=0,
        t=signed.at_ms,
        sw="",
    )
    hashes = tuple(entry_hash for found in run for entry_hash in found.hashes)
    claim = Claim(first.dev, first.from_seq, first.prev, hashes)
    return Arrival(header, bytes.fromhex(first.stream), bodies, claim, is_archived=True)


def _ensure_stream(connection: Connection, segment: Segment) -> None:
    values = {
        "stream": bytes.fromhex(segment.stream),
        "dev": segment.dev,
        "store": segment.store,
        "pub": segment.journal_pub,
    }
    below = driver(connection)
    if below.execute(IS_STREAM, (values["stream"],)).fetchone() is None:
        for statement in (ADD_STORE, ADD_DEVICE, ADD_STREAM):
            below.execute(statement, values)
