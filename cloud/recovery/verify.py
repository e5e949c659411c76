"""Check everything that can be checked: chains, signatures, the archive, the daily trees.

Each stream's first flaw is named by number; nothing is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from cloud.archive import segment_store, tree_store
from cloud.archive.packing import fetch
from cloud.archive.seal import Sealer
from cloud.archive.tree import flaw_of_tree, parse_tree
from cloud.archive.tree_store import Tree
from cloud.db import Database, driver
from cloud.ingest.entry import read_head, storable
from cloud.signing import is_signed_by
from shared.journal.chain import entry_hash, genesis_hash, head_statement
from shared.journal.segment import Signature
from shared.kernel.errors import CorruptError, MissingError, RefusedError

FETCH_ROWS = 2_000
STREAMS = """
SELECT s.stream_id, s.store_id, s.head_seq, s.head_hash, s.head_sig, s.head_sig_at_ms,
    s.safe_seq, s.safe_hash, d.journal_pub
FROM stream s JOIN device d USING (dev)
WHERE (%(store)s::text IS NULL OR s.store_id = %(store)s)
    AND (%(stream)s::bytea IS NULL OR s.stream_id = %(stream)s)
ORDER BY s.store_id, s.ordinal"""
# By the stream alone, here and below: an entry under another store is to be found as well.
ENTRIES = """
SELECT seq, id, type, at_ms, store_id, body, hash FROM entry
WHERE stream_id = %s AND seq <= %s ORDER BY seq"""
BEYOND = """
SELECT e.seq FROM stream s JOIN entry e USING (stream_id)
WHERE s.stream_id = %s AND e.seq > s.head_seq ORDER BY e.seq LIMIT 1"""
LOST = """
SELECT stream_id, seq FROM entry e
WHERE NOT EXISTS (SELECT FROM stream s WHERE s.stream_id = e.stream_id)
ORDER BY 1, 2 LIMIT 1"""
BRANCHES = "SELECT stream_id, seq, hash, prev_hash, body FROM branch_entry ORDER BY 1, 2"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong where: entry `seq` of a stream (hex), or a tree ("" and its number).

    `object` names what of the archive was bad, if it was that.
    """

    stream: str
    seq: int
    code: str
    object: str = field(default="", compare=False)


@dataclass(slots=True)
class Findings:
    """What was checked, and what was found."""

    streams: int = 0
    entries: int = 0
    signatures: int = 0
    segments: int = 0
    trees: int = 0
    flaws: list[Flaw] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Stream:
    stream_id: bytes
    store_id: str
    head_seq: int
    head_hash: bytes
    head: Signature | None
    safe: tuple[int, bytes]
    journal_pub: bytes


class Verifier:
    """Checks one database; with `sealer` also every object of its archive.

    Where `hq_pub` is given nobody else may have signed a tree.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer | None = None,
        *,
        hq_pub: bytes | None = None,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._hq_pub = hq_pub
        self._progress = progress
        self.findings = Findings()

    def verify(self, store_id: str | None = None, stream: bytes | None = None) -> Findings:
        """Check the streams asked for, or everything with all trees.

        Raises UnavailableError when the database or the archive is away.
        """
        streams = self._streams(store_id, stream)
        total = sum(found.head_seq + 1 for found in streams)
        for found in streams:
            self._verify_stream(found, total)
        if store_id is None and stream is None:
            self._find_lost()
            self._verify_branches()
            self._verify_trees()
        return self.findings

    def _streams(self, store_id: str | None, stream: bytes | None) -> list[_Stream]:
        with self._database.begin() as connection:
            values = {"store": store_id, "stream": stream}
            rows = driver(connection).execute(STREAMS, values).fetchall()
        return [_stream(row) for row in rows]

    def _verify_stream(self, stream: _Stream, total: int) -> None:
        """One stream as of one instant; the first flaw ends it."""
        findings = self.findings
        findings.streams += 1
        try:
            with self._database.begin() as connection:
                marks = segment_store.segments_of(connection, stream.stream_id)
                self._walk(connection, stream, _Marks(stream, marks), total)
            if self._sealer is not None:
                self._verify_objects(self._sealer, marks)
        except CorruptError as error:
            seq = error.params["seq"]
            assert isinstance(seq, int)
            name = str(error.params.get("sha256", ""))
            findings.flaws.append(Flaw(stream.stream_id.hex(), seq, error.code, name))

    def _walk(self, connection: Connection, stream: _Stream, marks: _Marks, total: int) -> None:
        findings, prev = self.findings, genesis_hash(stream.stream_id)
        name, expected = stream.stream_id.hex(), 0
        for row in _entries(connection, stream):
            seq, body, found = row[0], bytes(row[5]), bytes(row[6])
            if seq != expected:
                raise CorruptError("verify.gap", seq=expected)
            prev = entry_hash(stream.stream_id, seq, prev, body)
            if prev != found:
                raise CorruptError("journal.chain", seq=seq)
            _check_columns(row, name, stream.store_id)
            findings.signatures += marks.check(seq, prev)
            findings.entries += 1
            expected += 1
            if findings.entries % FETCH_ROWS == 0:
                self._progress(findings.entries, total)
        if expected <= stream.head_seq:
            raise CorruptError("verify.missing", seq=expected)
        beyond = driver(connection).execute(BEYOND, (stream.stream_id,)).fetchone()
        if beyond is not None:
            raise CorruptError("verify.beyond", seq=beyond[0])

    def _verify_objects(
        self, sealer: Sealer, segments: Sequence[segment_store.StoredSegment]
    ) -> None:
        for segment in segments:
            flaw = sealer.flaw_of(segment)
            self.findings.segments += 1
            if flaw is not None:
                raise CorruptError(flaw, seq=segment.from_seq, sha256=segment.object)

    def _verify_branches(self) -> None:
        with self._database.begin() as connection:
            for row in driver(connection).execute(BRANCHES, binary=True).fetchall():
                stream, seq, found, prev, body = (bytes(row[0]), row[1], *map(bytes, row[2:]))
                if entry_hash(stream, seq, prev, body) != found:
                    self.findings.flaws.append(Flaw(stream.hex(), seq, "verify.branch"))

    def _find_lost(self) -> None:
        with self._database.begin() as connection:
            found = driver(connection).execute(LOST).fetchone()
        if found is not None:
            self.findings.flaws.append(Flaw(bytes(found[0]).hex(), found[1], "verify.no_stream"))

    def _verify_trees(self) -> None:
        before: Tree | None = None
        with self._database.begin() as connection:
            for tree in tree_store.trees(connection):
                self.findings.trees += 1
                flaw = self._flaw_of_tree(connection, tree, before)
                if flaw is not None:
                    self.findings.flaws.append(Flaw("", tree.head.n, flaw, tree.object))
                before = tree

    def _flaw_of_tree(self, connection: Connection, tree: Tree, before: Tree | None) -> str | None:
        leaves = tree_store.leaves_of(connection, tree.head.n)
        flaw = flaw_of_tree(tree, leaves, before)
        if flaw is None and self._hq_pub not in {None, tree.hq_pub}:
            flaw = "tree.signature"
        if flaw is None and tree_store.has_stranger(connection, tree.head.n):
            flaw = "tree.leaf"
        if flaw is not None or self._sealer is None:
            return flaw
        try:
            found = parse_tree(fetch(self._sealer.objects, tree.object), tree.object)
        except (CorruptError, MissingError) as error:
            return error.code
        return None if found == (tree, leaves) else "tree.other"


class _Marks:
    """Where the chain of a stream must meet what was signed, sealed or promised."""

    def __init__(self, stream: _Stream, segments: Sequence[segment_store.StoredSegment]) -> None:
        self._stream = stream
        self._hashes: dict[int, bytes] = {segment.to_seq: segment.head for segment in segments}
        self._signed = {segment.to_seq: segment.signature for segment in segments}
        self._signed[stream.head_seq] = stream.head
        self._safe = stream.safe

    def check(self, seq: int, found: bytes) -> int:
        """How many signatures were good here; CorruptError with the `seq` for anything wrong."""
        if self._hashes.get(seq, found) != found:
            raise CorruptError("verify.segment", seq=seq)
        if seq == self._stream.head_seq and found != self._stream.head_hash:
            raise CorruptError("verify.head", seq=seq)
        if (seq, found) != self._safe and seq == self._safe[0]:
            raise CorruptError("verify.safe", seq=seq)
        signed = self._signed.get(seq)
        if signed is None:
            return 0
        statement = head_statement(self._stream.stream_id, seq, found, signed.at_ms)
        if not is_signed_by(self._stream.journal_pub, signed.sig, statement):
            raise CorruptError("verify.signature", seq=seq)
        return 1


def _entries(connection: Connection, stream: _Stream) -> Iterator[Sequence[Any]]:
    with driver(connection).cursor(name="verify", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(ENTRIES, (stream.stream_id, stream.head_seq))
        yield from cursor


def _check_columns(row: Sequence[Any], stream: str, store_id: str) -> None:
    """The columns that queries use say what the signed body says."""
    seq, id_, kind, at_ms, store = row[:5]
    try:
        head = read_head(bytes(row[5]), stream, seq)
    except RefusedError as error:
        raise CorruptError(error.code, seq=seq) from None
    if (head.at, store) != (at_ms, store_id) or (
        (head.id, head.type) != (id_, kind)
        and (storable(head.id).decode(), storable(head.type).decode()) != (id_, kind)
    ):
        raise CorruptError("verify.columns", seq=seq)


def _stream(row: Sequence[Any]) -> _Stream:
    stream_id, store_id, head_seq, head_hash, sig, sig_at_ms, safe_seq, safe_hash, pub = row
    head = None if sig is None else Signature(head_seq, sig_at_ms, bytes(sig))
    safe = (safe_seq, bytes(safe_hash or b""))
    return _Stream(
        bytes(stream_id), store_id, head_seq, bytes(head_hash or b""), head, safe, bytes(pub)
    )
