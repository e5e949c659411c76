"""A store's line of revisions: what the next ones take back and what they add. Pure.

A revision's content is the base (all settled releases) and a set of releases in flight. No two
releases in flight change the same record, so a set says it all and no order matters. Revisions
that wait for their instants stand at the end of the line, in the order of their instants.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from shared.kernel.errors import RefusedError
from shared.publication.manifest import Manifest
from shared.wire.message import NEXT_MAX


@dataclass(frozen=True, slots=True)
class Held:
    """A release that waits at a store: revision `rev` brings it at `at_ms` (UTC)."""

    release_id: int
    at_ms: int
    rev: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """A store's line as it stands; `manifest` (of its last revision) None before the first.

    `active` and `held` name releases in flight. `must_renew` says that what is there cannot be
    built on: the store changed its price zone, or the cloud began a new life.
    """

    store_id: str
    scopes: tuple[str, ...]
    active: frozenset[int] = frozenset()
    held: tuple[Held, ...] = ()
    manifest: Manifest | None = None
    kinds: Mapping[str, int] = field(default_factory=dict)
    must_renew: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One new revision: what it takes back of the one before and what it adds.

    `release_id` is what it is made for (None: to take back what waits); `at_ms` 0 means at once.
    `is_whole` asks for a snapshot: nothing before it may be built on.
    """

    removes: tuple[int, ...]
    adds: tuple[int, ...]
    at_ms: int
    release_id: int | None
    is_whole: bool = False


def plan_bring(line: Line, release_id: int, at_ms: int) -> tuple[Step, ...]:
    """The revisions that bring a release to a store at an instant (0: at once).

    Raises RefusedError `publication.next_full` when too many would wait.
    """
    waiting = tuple(held for held in line.held if held.release_id != release_id)
    if not at_ms:
        return _renewed(line, waiting, release_id, (release_id,))
    wanted = sorted(
        (*waiting, Held(release_id, at_ms)), key=lambda held: (held.at_ms, held.rev == 0)
    )
    if len(wanted) > NEXT_MAX:
        raise RefusedError("publication.next_full", store_id=line.store_id, limit=NEXT_MAX)
    if line.manifest is None or line.must_renew:
        return _renewed(line, tuple(wanted), None, ())
    place = next(n for n, held in enumerate(wanted) if held.release_id == release_id)
    later = wanted[place + 1 :]
    first = Step(_ids(later), (release_id,), at_ms, release_id)
    return (first, *_again(later))


def plan_begin() -> tuple[Step, ...]:
    """The first revision of a store that never had one: the base."""
    return (Step((), (), 0, None, is_whole=True),)


def plan_withdraw(line: Line, release_id: int) -> tuple[Step, ...]:
    """The revisions that take a release back from a store that has it, or holds it."""
    waiting = tuple(held for held in line.held if held.release_id != release_id)
    return _renewed(line, waiting, release_id, ())


def _renewed(
    line: Line, waiting: tuple[Held, ...], release_id: int | None, adds: tuple[int, ...]
) -> tuple[Step, ...]:
    """A revision for now, and what waits made again on top of it."""
    back = (release_id,) if release_id is not None and release_id in line.active else ()
    gone = _ids(line.held) + (() if adds else back)
    is_whole = line.manifest is None or line.must_renew
    first = Step(gone, adds, 0, release_id, is_whole)
    return (first, *_again(waiting))


def _again(waiting: Collection[Held]) -> tuple[Step, ...]:
    return tuple(Step((), (held.release_id,), held.at_ms, held.release_id) for held in waiting)


def _ids(waiting: Collection[Held]) -> tuple[int, ...]:
    return tuple(held.release_id for held in waiting)
