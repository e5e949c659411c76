"""The fact that somebody vouched for what waited."""

from __future__ import annotations

from dataclasses import astuple

from edge.access import Approver
from edge.staff.approvals import Pending
from shared.journal.staff_event import ApprovalGiven


def given(pending: Pending, approver: Approver, how: str) -> ApprovalGiven:
    """What the journal keeps of it; `how` as in the event."""
    asked, measure = pending.asked, pending.measure
    return ApprovalGiven(
        asked.lane,
        pending.permission,
        asked.operator,
        approver.id,
        how,
        *astuple(measure),
    )
