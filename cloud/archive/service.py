"""The archivist: one pass seals, reads back, lets boxes forget, and signs the finished day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection

from cloud.archive import status_store
from cloud.archive.objects import ObjectStore
from cloud.archive.seal import Sealer, Terms
from cloud.archive.tree import TreeMaker, due_day
from cloud.db import Database, incarnation
from cloud.signing import HqKey
from shared.journal.tree import TreeHead
from shared.kernel.clock import Clock

ARCHIVIST_LOCK = 7_461_005
"""Advisory lock: of all workers one archives at a time."""

_log = structlog.get_logger("cloud.archive")


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass did: segments sealed, read back well and badly, the tree if one was due.

    `tampered` streams did not hold, those of `raised` may be forgotten further by their boxes.
    """

    sealed: int = 0
    tampered: int = 0
    verified: int = 0
    flawed: int = 0
    raised: int = 0
    tree: TreeHead | None = None


@dataclass(frozen=True, slots=True)
class Archivist:
    """Archives the journals; `key` None where this machine may not sign: then there is no tree."""

    database: Database
    objects: ObjectStore
    clock: Clock
    terms: Terms
    key: HqKey | None
    on_restored: Callable[[], None] = lambda: None
    """Called before anything else when the database is in another life than at the last pass."""

    def run(self, *, at_once: bool = False, wants_tree: bool = False) -> Pass | None:
        """One pass; None when another archivist is at it.

        `at_once` seals everything, `wants_tree` signs a tree of today. Raises UnavailableError
        when the archive or the database is away: the next pass goes on from there.
        """
        with self.database.try_session_lock(ARCHIVIST_LOCK) as held:
            if not held:
                return None
            self._notice_restore()
            return self._run(at_once=at_once, wants_tree=wants_tree)

    def repair(self) -> int | None:
        """Put again what the archive did not give back; how many, None as for `run`.

        Raises CorruptError when the database does not have it either.
        """
        with self.database.try_session_lock(ARCHIVIST_LOCK) as held:
            if not held:
                return None
            return Sealer(self.database, self.objects, self.terms).repair(self.clock.now_ms())

    def _run(self, *, at_once: bool, wants_tree: bool) -> Pass:
        now_ms = self.clock.now_ms()
        sealer = Sealer(self.database, self.objects, self.terms)
        sealed, tampered = sealer.seal_due(now_ms, at_once=at_once)
        verified, flawed = sealer.check_new(now_ms)
        return Pass(
            sealed=sealed,
            tampered=tampered,
            verified=verified,
            flawed=flawed,
            raised=sealer.raise_safe(),
            tree=self._tree(now_ms, wants_tree=wants_tree),
        )

    def _tree(self, now_ms: int, *, wants_tree: bool) -> TreeHead | None:
        if self.key is None:
            return None
        maker = TreeMaker(self.database, self.objects, self.key)
        maker.keep(self.terms.keep_until_ms(now_ms))
        with self.database.begin() as connection:
            day = due_day(connection, now_ms)
        if day is None and wants_tree:
            day = datetime.fromtimestamp(now_ms / 1000, UTC).date().isoformat()
        if day is None:
            return None
        head = maker.make(day, now_ms, self.terms.keep_until_ms(now_ms))
        _log.info("archive.tree", n=head.n, day=day, size=head.size, root=head.root.hex())
        with self.database.begin() as connection:
            status_store.analyze(connection)
        return head

    def _notice_restore(self) -> None:
        """A database that was restored has lost what the archive may still have."""
        with self.database.begin() as connection:
            seen, found = status_store.seen_incarnation(connection), incarnation(connection)
        if seen == found:
            return
        if seen is not None:
            _log.error("archive.database_restored", before=seen, now=found)
            self.on_restored()
        with self.database.begin() as connection:
            status_store.note_incarnation(connection, found)


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """Where the archive stands; `unsafe` counts entries that boxes must still keep.

    `drill_ok` is None before the first restore drill, `tree_day` before the first tree.
    """

    lock_mode: str
    streams: int
    entries: int
    sealed: int
    safe: int
    segments: int
    unverified: int
    flawed: int
    bytes: int
    tree_n: int | None
    tree_day: str | None
    drill_at_ms: int | None
    drill_ok: bool | None

    @property
    def unsafe(self) -> int:
        """Entries that are not yet in the archive for certain."""
        return self.entries - self.safe


def status_of(connection: Connection, objects: ObjectStore) -> ArchiveStatus:
    """Count; raises UnavailableError when the archive does not answer."""
    return ArchiveStatus(objects.lock_mode(), *status_store.counts(connection))
