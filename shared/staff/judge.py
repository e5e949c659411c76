"""May they? One answer for the till and for head office; pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.staff.role import NOTHING, Grant, Measure, Role

DENIED, ABOVE, OWN = "denied", "above", "own"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Alone, as it was asked."""


@dataclass(frozen=True, slots=True)
class NeedsApproval:
    """Somebody who approves `by` has to vouch for it.

    `over` is the measure that is above the role's ceiling `limit`; "" where it is always asked.
    """

    by: str
    over: str = ""
    limit: int = 0


@dataclass(frozen=True, slots=True)
class Denied:
    """Not by them; `reason` is DENIED, ABOVE (an approver's ceiling) or OWN (their own act)."""

    reason: str
    over: str = ""
    limit: int = 0


Verdict = Allowed | NeedsApproval | Denied


def judge(role: Role, permission: str, measure: Measure = NOTHING) -> Verdict:
    """Whether a role may do so much of something: alone, with somebody's word, or not at all."""
    grant = role.grant(permission)
    if grant is Grant.DENIED:
        return Denied(DENIED)
    if grant is Grant.APPROVAL:
        return NeedsApproval(permission)
    passed = role.ceiling(permission).passed_by(measure)
    return Allowed() if passed is None else NeedsApproval(permission, *passed)


def judge_approval(
    approver: Role, permission: str, measure: Measure, *, is_own: bool
) -> Allowed | Denied:
    """Whether somebody of a role may vouch for so much of it; `is_own`: they asked for it."""
    if is_own:
        return Denied(OWN)
    if permission not in approver.approves:
        return Denied(DENIED)
    passed = approver.ceiling(permission).passed_by(measure)
    return Allowed() if passed is None else Denied(ABOVE, *passed)
