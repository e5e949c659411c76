"""Where a store stands against what head office wants, pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.publication.manifest import MANIFEST_VERSION

TOO_OLD = "software_too_old"
"""A box whose software cannot read what is published now."""
SILENT_AFTER_MS = 180_000
"""Boxes report at least once a minute; three lost reports in a row are no accident."""


class ConvergenceState(StrEnum):
    """From good to bad; `because` says what it waits for."""

    CURRENT = "current"
    STAGED = "staged"
    LAGGING = "lagging"
    REFUSED = "refused"
    SILENT = "silent"


class Column(StrEnum):
    """What is judged apart; all but software are kinds of published records."""

    CATALOG = "catalog"
    PRICE = "price"
    PROMOTION = "promotion"
    CONFIG = "config"
    SOFTWARE = "software"


COLUMN_OF = {
    "item": Column.CATALOG,
    "price": Column.PRICE,
    "offer": Column.PROMOTION,
    "config": Column.CONFIG,
    "staff": Column.CONFIG,
}
"""The column of each kind of record."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a box last said of itself; None where it never did. Instants in UTC ms.

    `held` is why it does not yet sell with a revision that is due, `reads` the newest version of
    a manifest that its software can read.
    """

    last_contact_at_ms: int | None = None
    stored_rev: int | None = None
    active_rev: int | None = None
    shown_rev: int | None = None
    error: str | None = None
    held: str | None = None
    reads: int | None = None


@dataclass(frozen=True, slots=True)
class Later:
    """A revision that waits for its instant (UTC ms)."""

    rev: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Convergence:
    """`because` is a short reason (`no_contact`), the box's own error code, or None.

    `at_ms` (UTC) where something waits for its instant.
    """

    state: ConvergenceState
    because: str | None = None
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Software:
    """What a box runs, what it should, and how far its update is; None where nobody said."""

    wanted: str | None = None
    running: str | None = None
    state: str | None = None
    error: str | None = None


def converge(
    target_rev: int | None, box: Reported, now_ms: int, later: Later | None = None
) -> Convergence:
    """Judge a store by the revision it should sell with; None when nothing was published for it.

    A store that sells with the target is current whatever else is wrong; a reason is given while
    its tills do not show it yet. What it has stored for later it is `staged` with.
    """
    if target_rev is None:
        return Convergence(ConvergenceState.CURRENT, "nothing_published")
    if not _reached(box.active_rev, target_rev):
        return _silent(box, now_ms) or _behind(target_rev, box)
    if later is not None:
        return _waiting(later, box, now_ms)
    is_shown = _reached(box.shown_rev, target_rev)
    return Convergence(ConvergenceState.CURRENT, None if is_shown else "till_not_shown")


def converge_software(software: Software, box: Reported, now_ms: int) -> Convergence:
    """Judge a box by the release that it should run.

    One that has it built and waits for its shop is `staged`; only one that gave it up `refused` it.
    """
    if software.wanted is None or software.running == software.wanted:
        return Convergence(ConvergenceState.CURRENT)
    silent = _silent(box, now_ms)
    if silent is not None:
        return silent
    if software.state == "failed":
        return Convergence(ConvergenceState.REFUSED, software.error)
    state = ConvergenceState.STAGED if software.state == "swap" else ConvergenceState.LAGGING
    step = "announced" if software.state in {None, "", "idle"} else software.state
    return Convergence(state, software.error or step)


def columns_of(kinds: Mapping[str, int]) -> dict[Column, int]:
    """The newest revision that changed each column, from those of kinds of records."""
    found: dict[Column, int] = {}
    for kind, rev in kinds.items():
        column = COLUMN_OF.get(kind)
        if column is not None:
            found[column] = max(rev, found.get(column, 0))
    return found


def _waiting(later: Later, box: Reported, now_ms: int) -> Convergence:
    if _reached(box.stored_rev, later.rev):
        because = "waits_for_instant" if box.held is None else box.held
        return Convergence(ConvergenceState.STAGED, because, later.at_ms)
    behind = _silent(box, now_ms) or _behind(later.rev, box)
    return Convergence(behind.state, behind.because, later.at_ms)


def _silent(box: Reported, now_ms: int) -> Convergence | None:
    if box.last_contact_at_ms is None:
        return Convergence(ConvergenceState.SILENT, "never_seen")
    if now_ms - box.last_contact_at_ms > SILENT_AFTER_MS:
        return Convergence(ConvergenceState.SILENT, "no_contact")
    return None


def _behind(target_rev: int, box: Reported) -> Convergence:
    if box.error is not None:
        return Convergence(ConvergenceState.REFUSED, box.error)
    if box.reads is not None and box.reads < MANIFEST_VERSION:
        return Convergence(ConvergenceState.REFUSED, TOO_OLD)
    if _reached(box.stored_rev, target_rev):
        return Convergence(ConvergenceState.STAGED, box.held or "not_activated")
    return Convergence(ConvergenceState.LAGGING, "announced")


def _reached(revision: int | None, target_rev: int) -> bool:
    return revision is not None and revision >= target_rev
