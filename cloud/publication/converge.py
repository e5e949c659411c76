"""Where a store stands against what head office wants, pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SILENT_AFTER_MS = 180_000
"""Boxes report at least once a minute; three lost reports in a row are no accident."""


class ConvergenceState(StrEnum):
    """From good to bad; `because` says what it waits for."""

    CURRENT = "current"
    STAGED = "staged"
    LAGGING = "lagging"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Reported:
    """What a box last said of itself; None where it never did. Instants in UTC ms."""

    last_contact_at_ms: int | None = None
    stored_rev: int | None = None
    active_rev: int | None = None
    shown_rev: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Convergence:
    """`because` is a short reason (`no_contact`), the box's own error code, or None."""

    state: ConvergenceState
    because: str | None = None


def converge(target_rev: int | None, box: Reported, now_ms: int) -> Convergence:
    """Judge a store by the revision it should sell with; None when nothing was published for it.

    A store that sells with the target is current whatever else is wrong; a reason is given while
    its tills do not show it yet.
    """
    if target_rev is None:
        return Convergence(ConvergenceState.CURRENT, "nothing_published")
    if _reached(box.active_rev, target_rev):
        is_shown = _reached(box.shown_rev, target_rev)
        return Convergence(ConvergenceState.CURRENT, None if is_shown else "till_not_shown")
    if box.last_contact_at_ms is None:
        return Convergence(ConvergenceState.SILENT, "never_seen")
    if now_ms - box.last_contact_at_ms > SILENT_AFTER_MS:
        return Convergence(ConvergenceState.SILENT, "no_contact")
    return _behind(target_rev, box)


def _behind(target_rev: int, box: Reported) -> Convergence:
    if box.error is not None:
        return Convergence(ConvergenceState.REFUSED, box.error)
    if _reached(box.stored_rev, target_rev):
        return Convergence(ConvergenceState.STAGED, "not_activated")
    return Convergence(ConvergenceState.LAGGING, "announced")


def _reached(revision: int | None, target_rev: int) -> bool:
    return revision is not None and revision >= target_rev
