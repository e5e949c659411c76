"""Make the next revisions of many stores: compiled together, what they share compiled once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.db import Database
from cloud.publication import flight_store, lineage_store, pieces
from cloud.publication.compile import (
    Packed,
    Part,
    Sum,
    deltas_after,
    digest_sum,
    manifest_hex,
    packed,
    sum_of_manifest,
    wants_snapshot,
)
from cloud.publication.lineage import Line, Step
from cloud.publication.lineage_store import MovedLine, Out
from cloud.publication.pieces import ScopePiece
from cloud.records import RecordSource, is_shared_scope, zone_of
from cloud.signing import HqKey
from shared.kernel.canonical import sha256
from shared.kernel.errors import CorruptError
from shared.publication.manifest import Manifest, Piece, manifest_bytes, signing_statement
from shared.publication.revision import RecordKind

STORES_AT_ONCE = 500
"""Bounds what is in memory: their manifests, and the changes of their own scopes."""
EVERY_KIND = frozenset(kind.value for kind in RecordKind)

Plan = Callable[[Line], tuple[Step, ...]]
DeltaKey = tuple[tuple[int, str, bool], ...]
"""Release, scope and whether it is taken back, of everything in a delta."""


@dataclass(frozen=True, slots=True)
class Publisher:
    """What publishing needs of the process."""

    database: Database
    objects: ObjectStore
    hq_key: HqKey
    sources: Sequence[RecordSource]


@dataclass(frozen=True, slots=True)
class Act:
    """Who does it, when (UTC ms) and why."""

    by: str
    at_ms: int
    note: str = ""


@dataclass(slots=True)
class _Draft:
    """A revision in the making."""

    line: Line
    step: Step
    rev: int
    content: frozenset[int]
    total: Sum
    made: tuple[Piece, ...] = ()
    deltas: tuple[Piece, ...] = ()
    is_whole: bool = False


@dataclass(slots=True)
class Mover:
    """One move of one release (None: of the base); `first_rev` numbers its first revisions.

    With `keeps_scopes` stores that changed their price zone stay in the old one.
    """

    publisher: Publisher
    connection: Connection
    release_id: int | None
    act: Act
    inc: str
    first_rev: int
    touched: set[tuple[int, str]]
    keeps_scopes: bool = False
    made_revs: int = 0
    stores: int = 0
    parts: dict[tuple[int, str], Part] = field(default_factory=dict)
    sums: dict[tuple[int, str], Sum] = field(default_factory=dict)
    bases: dict[str, Sum] = field(default_factory=dict)
    deltas: dict[DeltaKey, Packed] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)

    def move(self, stores: Sequence[str], plan: Plan, *, is_back: bool = False) -> None:
        """Make and write down the next revisions of stores, and let their boxes want them.

        With `is_back` they are those that take the release back.
        """
        for start in range(0, len(stores), STORES_AT_ONCE):
            some = stores[start : start + STORES_AT_ONCE]
            lines = lineage_store.lines(
                self.connection, some, self.inc, keeps_scopes=self.keeps_scopes
            )
            if is_back and self.release_id is not None:
                revs = {line.store_id: self.first_rev for line in lines}
                lineage_store.put_withdrawn(self.connection, self.release_id, revs)
            self._move([(line, plan(line)) for line in lines])
            lineage_store.desire(self.connection, some, self.act.at_ms)
            self.stores += len(lines)

    def _move(self, planned: list[tuple[Line, tuple[Step, ...]]]) -> None:
        self._load(planned)
        drafts = [self._drafts(line, steps) for line, steps in planned]
        wholes = self._snapshots([each for some in drafts for each in some if each.is_whole])
        pieces.put(self.connection, self.publisher.objects, self.objects, self.act.at_ms)
        self.objects.clear()
        numbers = max((some[-1].rev - self.first_rev + 1 for some in drafts), default=0)
        for number in range(self.made_revs, numbers):
            self._add_publication(number)
        rows, moved = [], []
        for some in drafts:
            before = some[0].line.manifest
            for draft in some:
                manifest = self._manifest(draft, before, wholes)
                rows.append(self._row(draft, manifest))
                before = manifest
            moved.append(self._moved(some))
        lineage_store.add_revisions(self.connection, rows)
        lineage_store.put_out(self.connection, self._out(drafts))
        lineage_store.put_lines(self.connection, moved)

    def _load(self, planned: list[tuple[Line, tuple[Step, ...]]]) -> None:
        """Read what is not known yet of these stores; what only they have is forgotten again."""
        self.parts = {key: each for key, each in self.parts.items() if is_shared_scope(key[1])}
        self.sums = {key: each for key, each in self.sums.items() if is_shared_scope(key[1])}
        self.bases = {scope: each for scope, each in self.bases.items() if is_shared_scope(scope)}
        self.deltas = {
            key: each
            for key, each in self.deltas.items()
            if all(is_shared_scope(scope) for _, scope, _ in key)
        }
        releases = {
            each
            for line, steps in planned
            for step in steps
            for each in (*line.active, *step.adds, *step.removes)
        }
        scopes = {scope for line, _ in planned for scope in line.scopes}
        wanted = {key for key in self.touched if key[0] in releases and key[1] in scopes}
        self.parts |= flight_store.parts(
            self.connection, (wanted & _moving(planned)) - self.parts.keys()
        )
        self.sums |= {key: part.sum for key, part in self.parts.items()}
        self.sums |= flight_store.sums(self.connection, wanted - self.sums.keys())
        missing = scopes - self.bases.keys()
        found = flight_store.scope_sums(self.connection, missing)
        self.bases |= {scope: found.get(scope, Sum()) for scope in missing}

    def _drafts(self, line: Line, steps: tuple[Step, ...]) -> list[_Draft]:
        content = line.active | {held.release_id for held in line.held}
        before = line.manifest
        total = Sum() if before is None else sum_of_manifest(before)
        last, deltas = (0, ()) if before is None else (before.rev, before.deltas)
        drafts: list[_Draft] = []
        rev = self.first_rev - 1
        for step in steps:
            content = (content - set(step.removes)) | set(step.adds)
            draft = _Draft(line, step, rev + 1, content, total)
            if step.is_whole:
                draft.total, draft.is_whole = self._total(line.scopes, content), True
            else:
                self._add_deltas(draft, last, before, deltas)
            total, last, rev, deltas = draft.total, draft.rev, draft.rev, draft.deltas
            drafts.append(draft)
        return drafts

    def _add_deltas(
        self, draft: _Draft, last: int, before: Manifest | None, deltas: tuple[Piece, ...]
    ) -> None:
        """What all its stores share comes first, what only one has in a number of its own."""
        keys = self._keys(draft.line.scopes, draft.step)
        shared = tuple(key for key in keys if is_shared_scope(key[1]))
        own = tuple(key for key in keys if not is_shared_scope(key[1]))
        for key in [each for each in (shared, own) if each] or [()]:
            rev = draft.rev + len(draft.made)
            draft.made += (self._delta(key).piece(last, rev),)
            last = rev
        for release_id, scope, is_back in keys:
            part = self.sums[release_id, scope]
            draft.total += -part if is_back else part
        draft.rev = last
        draft.deltas = (*deltas, *draft.made)
        if before is not None and not draft.step.at_ms:
            draft.is_whole = wants_snapshot(before, draft.deltas)

    def _keys(self, scopes: tuple[str, ...], step: Step) -> DeltaKey:
        moves = [(each, True) for each in step.removes] + [(each, False) for each in step.adds]
        return tuple(
            (release_id, scope, is_back)
            for release_id, is_back in sorted(moves)
            for scope in scopes
            if (release_id, scope) in self.sums
        )

    def _delta(self, key: DeltaKey) -> Packed:
        """The object of a part of a step, shared by all stores for which it is the same."""
        if key not in self.deltas:
            made = packed(
                line
                for release_id, scope, is_back in key
                for line in self.parts[release_id, scope].lines(is_back=is_back)
            )
            self.deltas[key] = made
            self.objects[made.sha256] = made.data
        return self.deltas[key]

    def _total(self, scopes: Iterable[str], content: frozenset[int]) -> Sum:
        total = Sum()
        for scope in scopes:
            total += self._scope_total(scope, content)
        return total

    def _scope_total(self, scope: str, content: Iterable[int]) -> Sum:
        total = self.bases[scope]
        for release_id in content:
            if (release_id, scope) in self.sums:
                total += self.sums[release_id, scope]
        return total

    def _snapshots(self, drafts: list[_Draft]) -> dict[tuple[str, str], ScopePiece]:
        """Snapshots of all scopes of these revisions; made where nobody has the same."""
        wanted: dict[tuple[str, str], tuple[Sum, tuple[int, ...]]] = {}
        for draft in drafts:
            if draft.total != self._total(draft.line.scopes, draft.content):
                raise CorruptError(
                    "publication.digest", zone=zone_of(draft.line.store_id), rev=draft.rev
                )
            for scope in draft.line.scopes:
                total = self._scope_total(scope, draft.content)
                over = tuple(sorted(n for n in draft.content if (n, scope) in self.sums))
                wanted[scope, manifest_hex(total)] = (total, over)
        asked = [(scope, total) for (scope, _), (total, _) in wanted.items()]
        found = pieces.known_snapshots(self.connection, asked)
        missing = {key: value for key, value in wanted.items() if key not in found}
        made = self._make_snapshots(missing)
        pieces.keep_snapshots(self.connection, made)
        return found | made

    def _make_snapshots(
        self, wanted: dict[tuple[str, str], tuple[Sum, tuple[int, ...]]]
    ) -> dict[tuple[str, str], ScopePiece]:
        made: dict[tuple[str, str], ScopePiece] = {}
        by_releases: dict[tuple[int, ...], dict[str, Sum]] = {}
        for (scope, _), (total, over) in wanted.items():
            by_releases.setdefault(over, {})[scope] = total
        for over, totals in by_releases.items():
            found = pieces.scope_lines(self.connection, totals, over)
            lines_of = groupby(found, key=lambda row: row[0])
            gathered = {scope: self._packed(line for _, line in rows) for scope, rows in lines_of}
            for scope, total in totals.items():
                piece, hashed = gathered.get(scope) or self._packed(())
                if hashed != total:
                    raise CorruptError("publication.digest", zone=scope, rev=self.first_rev)
                made[scope, manifest_hex(total)] = piece
        return made

    def _packed(self, lines: Iterable[bytes]) -> tuple[ScopePiece, Sum]:
        kept = list(lines)
        made = packed(kept)
        self.objects[made.sha256] = made.data
        return pieces.scope_piece(made), digest_sum([sha256(line) for line in kept])

    def _manifest(
        self,
        draft: _Draft,
        before: Manifest | None,
        wholes: dict[tuple[str, str], ScopePiece],
    ) -> Manifest:
        deltas: tuple[Piece, ...] = ()
        if draft.made and before is not None:
            deltas = deltas_after(before, draft.made)
        if draft.is_whole or before is None:
            snapshots = self._whole(draft, wholes)
        else:
            snapshots = before.snapshots
        return Manifest(
            zone=zone_of(draft.line.store_id),
            rev=draft.rev,
            inc=self.inc,
            digest=manifest_hex(draft.total),
            records=draft.total.records,
            snapshots=snapshots,
            deltas=deltas,
            at_ms=draft.step.at_ms,
        )

    def _whole(self, draft: _Draft, wholes: dict[tuple[str, str], ScopePiece]) -> tuple[Piece, ...]:
        found = [
            wholes[scope, manifest_hex(self._scope_total(scope, draft.content))]
            for scope in draft.line.scopes
        ]
        kept = [each for each in found if each.records] or found[:1]
        return tuple(Piece(0, draft.rev, each.sha256, each.size, each.records) for each in kept)

    def _row(self, draft: _Draft, manifest: Manifest) -> tuple[object, ...]:
        data = manifest_bytes(manifest)
        name = sha256(data)
        signature = self.publisher.hq_key.sign(signing_statement(name))
        return (
            *(manifest.zone, manifest.rev, name.hex(), signature.hex()),
            *(manifest.digest, manifest.records, data),
            *(manifest.at_ms, self.act.at_ms, sorted(self._kinds(draft))),
        )

    def _kinds(self, draft: _Draft) -> frozenset[str]:
        """The kinds of records that a revision changes, beside what only waits again."""
        if draft.step.is_whole:
            return EVERY_KIND
        release_id = draft.step.release_id
        if release_id is None:
            return frozenset()
        found = (self.parts.get((release_id, scope)) for scope in draft.line.scopes)
        return frozenset(kind for part in found if part is not None for kind in part.kinds)

    def _moved(self, drafts: list[_Draft]) -> MovedLine:
        line, last = drafts[0].line, drafts[-1]
        now = [draft for draft in drafts if not draft.step.at_ms]
        place = (line.store_id, last.rev, self.inc, line.scopes)
        if not now:
            return MovedLine(*place, {})
        kinds = dict.fromkeys(sorted(self._kinds(now[-1])), now[-1].rev)
        total = now[-1].total
        return MovedLine(*place, kinds, now[-1].rev, manifest_hex(total), total.records)

    def _out(self, drafts: list[list[_Draft]]) -> list[Out]:
        """Which releases the new revisions bring."""
        return [
            Out(release_id, draft.line.store_id, draft.rev, draft.step.at_ms, draft.step.at_ms > 0)
            for some in drafts
            for draft in some
            for release_id in draft.step.adds
        ]

    def _add_publication(self, number: int) -> None:
        values = {
            "rev": self.first_rev + number,
            "at_ms": self.act.at_ms,
            "by": self.act.by,
            "note": self.act.note,
            "release_id": self.release_id,
        }
        lineage_store.add_publication(self.connection, values)
        self.made_revs += 1


def _moving(planned: Iterable[tuple[Line, tuple[Step, ...]]]) -> set[tuple[int, str]]:
    """Release and scope of all whose lines go into deltas; a whole revision needs none."""
    return {
        (release_id, scope)
        for line, steps in planned
        for step in steps
        if not step.is_whole
        for release_id in (*step.adds, *step.removes, step.release_id)
        if release_id is not None
        for scope in line.scopes
    }
