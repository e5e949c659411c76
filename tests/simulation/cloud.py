"""The cloud as a model of its storage around the production decision: database, archive, workers.

`decide` and `overlap_of` are the product's own, as are the chain and the acknowledgement.  Rows,
commits, backups and segments are lists: a commit is one step, so it is whole or absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cloud.ingest.ack import RETRY_BUSY_MS
from cloud.ingest.decision import (
    UPLOADING_DEVICES,
    Claim,
    Decision,
    DeviceState,
    Opening,
    StreamState,
    decide,
    newborn,
    overlap_of,
)
from shared.journal.chain import chain_hashes, genesis_hash
from shared.wire.message import Ack, AckCode
from tests.simulation.agenda import Agenda
from tests.simulation.oracle import Oracle
from tests.simulation.variant import Variant

WITH_EFFECTS = frozenset("sp")


@dataclass(frozen=True, slots=True)
class Batch:
    """What travels: from which device, which part of which stream."""

    dev: str
    stream: bytes
    first_seq: int
    prev: bytes
    bodies: list[bytes]
    edge_head: int


class Stream:
    """A row of the stream table, with its entries; `sealed` is the end of its verified archive."""

    __slots__ = ("bodies", "dev", "edge_head", "genesis", "hashes", "hex", "ids", "sealed")

    def __init__(self, stream: bytes, dev: str) -> None:
        self.hex = stream.hex()
        self.dev = dev
        self.genesis = genesis_hash(stream)
        self.hashes: list[bytes] = []
        self.bodies: list[bytes] = []
        self.ids: list[str] = []
        self.sealed = -1
        self.edge_head = -1

    @property
    def head(self) -> int:
        """Number of the last entry."""
        return len(self.hashes) - 1

    def hash_at(self, seq: int) -> bytes:
        """Hash of a stored entry."""
        return self.hashes[seq] if seq >= 0 else self.genesis


class Archive:
    """Objects that nobody can change: verified segments of streams."""

    def __init__(self) -> None:
        self.kept: dict[tuple[bytes, int], dict[bytes, tuple[bytes, str]]] = {}
        """Place -> hash -> body and the device whose stream it is."""

    def ids(self) -> set[str]:
        """Ids of all entries in it."""
        bodies = (body for held in self.kept.values() for body, _ in held.values())
        return {id_of(body) for body in bodies}

    def keep(self, stream: bytes, row: Stream, upto: int) -> None:
        """Store what is not stored of a stream, read it back, compare."""
        for seq in range(row.sealed + 1, upto + 1):
            held = self.kept.setdefault((stream, seq), {})
            held[row.hashes[seq]] = (row.bodies[seq], row.dev)


class Cloud:
    """Database and archive; its workers are `Workers`."""

    def __init__(self, agenda: Agenda, oracle: Oracle, variant: Variant) -> None:
        self._agenda = agenda
        self._oracle = oracle
        self._variant = variant
        self.devices: dict[str, str] = {}
        self.streams: dict[bytes, Stream] = {}
        self.effects: dict[str, list[tuple[bytes, int]]] = {}
        self.archive = Archive()
        self.incarnation = 1
        self.stores: dict[str, str] = {}
        """Device -> its store."""
        self._commits: list[tuple[int, bytes, int, int]] = []

    @property
    def inc(self) -> str:
        """As the boxes see it."""
        return f"7-{self.incarnation}"

    def greet(self, dev: str, stream: bytes) -> Ack:
        """Answer to a hello: where the stream stands."""
        row = self.streams.get(stream)
        may_upload = self.devices.get(dev) in UPLOADING_DEVICES
        if not may_upload or (row is not None and row.dev != dev):
            return self._ack(stream, AckCode.REVOKED, None)
        return self._ack(stream, AckCode.OK, row)

    def busy(self, stream: bytes) -> Ack:
        """Answer of a worker that cannot reach the database."""
        return self._ack(stream, AckCode.BUSY, None, RETRY_BUSY_MS)

    def take(self, batch: Batch) -> Ack:
        """Ingest a batch, in one commit."""
        hashes = chain_hashes(batch.stream, batch.first_seq, batch.prev, batch.bodies)
        claim = Claim(batch.dev, batch.first_seq, batch.prev, tuple(hashes))
        row = self.streams.get(batch.stream) or Stream(batch.stream, _opener(batch))
        decision = self._decide(row, claim)
        self._agenda.note("ingest", batch.dev, batch.stream, batch.first_seq, decision.code)
        self._agenda.counts[f"ack {decision.code}"] += 1
        if decision.code is AckCode.REVOKED:
            return self._ack(batch.stream, AckCode.REVOKED, None)
        if decision.code is not AckCode.OK:
            return self._ack(batch.stream, decision.code, row)
        if self._variant.ack_first_share and self._agenda.chance(self._variant.ack_first_share):
            self._agenda.fault("acknowledged, then not committed")
            ack = self._ack(batch.stream, AckCode.OK, row)
            return _at(ack, claim.last_seq, hashes[-1].hex())
        self._store(batch, row, decision.known, hashes)
        return self._ack(batch.stream, AckCode.OK, row)

    def seal(self) -> None:
        """Archive and verify what every stream has, mostly all of it."""
        for stream, row in self.streams.items():
            if row.head > row.sealed:
                upto = self._agenda.between(row.sealed, row.head + 1)
                if upto > row.sealed:
                    self.archive.keep(stream, row, upto)
                    row.sealed = upto

    def restore(self, to_ms: int) -> None:
        """The database becomes what it was at a moment; the archive stays."""
        while self._commits and self._commits[-1][0] > to_ms:
            _, stream, count, sealed = self._commits.pop()
            row = self.streams[stream]
            del row.hashes[count:], row.bodies[count:], row.ids[count:]
            row.sealed = min(row.sealed, sealed, row.head)
            if not row.hashes:
                del self.streams[stream]
        self.effects = {}
        for stream, row in self.streams.items():
            self._post(stream, row, 0)
        self.incarnation += 1

    def refill(self) -> None:
        """Bring back from the archive what the database does not have, where it fits."""
        streams = {stream for stream, _ in self.archive.kept}
        for stream in sorted(streams):
            seq = self.streams[stream].head + 1 if stream in self.streams else 0
            first = self.archive.kept.get((stream, seq))
            if first is not None:
                _, dev = next(iter(first.values()))
                self._refill(stream, self.streams.setdefault(stream, Stream(stream, dev)))
        for (stream, seq), held in self.archive.kept.items():
            row = self.streams[stream]
            there = row.hashes[seq] if seq <= row.head else b""
            for entry_hash, (body, _) in held.items():
                if entry_hash != there:  # a branch that does not fit: only its effects are left
                    self._agenda.counts["archived entries of another branch"] += 1
                    self._effect(body, (stream, seq))

    def _refill(self, stream: bytes, row: Stream) -> None:
        count = len(row.hashes)
        while kept := self.archive.kept.get((stream, row.head + 1)):
            prev = row.hash_at(row.head)
            for entry_hash, (body, _) in kept.items():
                if chain_hashes(stream, row.head + 1, prev, [body]) == [entry_hash]:
                    self._add(row, body, entry_hash)
                    break
            else:
                break
        row.edge_head = max(row.edge_head, row.head)
        self._committed(stream, row, count)

    def _decide(self, row: Stream, claim: Claim) -> Decision:
        """The product's judgement."""
        status, store = self.devices[row.dev], self.stores[row.dev]
        uploader = DeviceState(claim.dev, self.stores[claim.dev], self.devices[claim.dev])
        state: StreamState | None
        if row.hashes:
            is_carried = claim.dev != row.dev and uploader.store_id == store
            head, carrier = row.hash_at(row.head), uploader.status if is_carried else None
            state = StreamState(row.dev, status, "open", row.genesis, row.head, head, carrier)
        else:
            owner = DeviceState(row.dev, store, status)
            opening = Opening(row.dev, store)
            state = newborn(claim, row.genesis, opening, owner=owner, uploader=uploader)
        if state is None:
            return decide(None, claim, {})
        if self._variant.is_overlap_ignored and 0 <= claim.first_seq <= row.head + 1:
            known = min(claim.last_seq, row.head) - claim.first_seq + 1
            is_dup = known == len(claim.hashes)
            return Decision(AckCode.DUP if is_dup else AckCode.OK, known)
        return decide(state, claim, {seq: row.hashes[seq] for seq in overlap_of(state, claim)})

    def _store(self, batch: Batch, row: Stream, known: int, hashes: list[bytes]) -> None:
        count, written = len(row.hashes), self._oracle.written
        self.streams[batch.stream] = row
        before = batch.prev if known == 0 else hashes[known - 1]
        self._oracle.check(
            holds=row.hash_at(row.head) == before,
            rule="the stored chain is whole",
            what=(row.hex[:8], row.head),
        )
        for body, entry_hash in zip(batch.bodies[known:], hashes[known:], strict=True):
            self._oracle.check(
                holds=entry_hash in written.get((batch.stream, len(row.hashes)), ()),
                rule="stored only what a box made durable",
                what=(row.hex[:8], len(row.hashes)),
            )
            self._add(row, body, entry_hash)
        row.edge_head = max(row.edge_head, batch.edge_head)
        self._committed(batch.stream, row, count)

    def _add(self, row: Stream, body: bytes, entry_hash: bytes) -> None:
        row.hashes.append(entry_hash)
        row.bodies.append(body)
        row.ids.append(id_of(body))

    def _committed(self, stream: bytes, row: Stream, count: int) -> None:
        self._commits.append((self._agenda.now_ms, stream, count, row.sealed))
        self._post(stream, row, count)

    def _post(self, stream: bytes, row: Stream, from_seq: int) -> None:
        """Effects of entries, once per entry id; a poison sale's effect is a work item."""
        for seq in range(from_seq, len(row.hashes)):
            self._effect(row.bodies[seq], (stream, seq))

    def _effect(self, body: bytes, place: tuple[bytes, int]) -> None:
        kind, entry_id, rest = body.decode().split("|", 2)
        if kind == "v":  # its inner entry has the effects
            kind = rest.partition("|")[0]
        if kind in WITH_EFFECTS:
            places = self.effects.setdefault(entry_id, [])
            if not places or self._variant.is_effect_by_place:
                places.append(place)
            self._oracle.check(holds=len(places) == 1, rule="effects once", what=(entry_id, places))

    def _ack(self, stream: bytes, code: AckCode, row: Stream | None, retry_ms: int = 0) -> Ack:
        head, safe, hh, sh = -1, -1, "", ""
        if row is not None and row.head >= 0:
            head, hh, safe = row.head, row.hashes[row.head].hex(), row.sealed
            if safe >= 0:
                sh = row.hashes[safe].hex()
            self._oracle.check(
                holds=safe <= head <= row.edge_head,
                rule="safe, head and edge head in order",
                what=(safe, head, row.edge_head),
            )
        return Ack(stream.hex(), code, head, hh, safe, sh, self.inc, self._agenda.now_ms, retry_ms)


def _opener(batch: Batch) -> str:
    """The device whose journal a batch begins, by entry 0; the uploader's where that is not in."""
    is_begun = batch.first_seq == 0
    return batch.bodies[0].decode().rpartition("|")[2] if is_begun else batch.dev


def id_of(body: bytes) -> str:
    """The entry's id."""
    return body.split(b"|", 2)[1].decode()


def _at(ack: Ack, head: int, hh: str) -> Ack:
    return Ack(ack.stream, ack.code, head, hh, ack.safe, ack.sh, ack.inc, ack.t)


class Workers:
    """Ingest workers behind one shared subscription; some may be deaf, all lose the database."""

    COUNT = 3

    def __init__(self, agenda: Agenda, cloud: Cloud) -> None:
        self._agenda = agenda
        self._cloud = cloud
        self.deaf: set[int] = set()
        self.is_database_away = False
        self.crash_share = 0.0

    def hello(self, dev: str, stream: bytes) -> Ack | None:
        """Answer a hello; None when the worker that got it says nothing."""
        return self._answer(lambda: self._cloud.greet(dev, stream), stream, is_hello=True)

    def batch(self, batch: Batch) -> Ack | None:
        """Answer a batch; None when there is no answer, whatever became of it."""
        return self._answer(lambda: self._cloud.take(batch), batch.stream, is_hello=False)

    def _answer(self, work: Any, stream: bytes, *, is_hello: bool) -> Ack | None:
        if self.deaf and int(self._agenda.rng.random() * self.COUNT) in self.deaf:
            self._agenda.counts["swallowed by a deaf worker"] += 1
            return None
        if self.is_database_away:
            self._agenda.counts["database away"] += 1
            if is_hello:
                return None
            self._agenda.counts["ack busy"] += 1
            return self._cloud.busy(stream)
        ack: Ack = work()
        if self.crash_share and self._agenda.chance(self.crash_share):
            self._agenda.fault("worker died between commit and ack")
            return None
        return ack
