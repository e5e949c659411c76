"""A second person's word for what the operator may not do alone, given at the till by PIN."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge.desk.state import Operator
from shared.kernel.errors import ForbiddenError, RefusedError

PinCheck = Callable[[str, str], Operator]
"""Who has this id and PIN; raises as signing in does, with the same wait after wrong ones."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Who vouches, and the PIN to show it; two empty texts ask for nothing."""

    approver: str = ""
    pin: str = ""


def approved_by(*, operator: Operator, permission: str, approval: Approval, check: PinCheck) -> str:
    """Id of who approved; "" where the operator may do it alone.

    Takes some ten milliseconds of processor time: never in the event loop.  Raises ForbiddenError
    `approval.needed`, `approval.bad_pin` or `approval.not_allowed`, RefusedError `approval.own`,
    and `session.locked_out` as `check` does.
    """
    if permission in operator.permissions:
        return ""
    if not approval.approver:
        raise ForbiddenError("approval.needed", permission=permission)
    if approval.approver == operator.id:
        raise RefusedError("approval.own")
    try:
        approver = check(approval.approver, approval.pin)
    except ForbiddenError as error:
        # A wrong PIN of somebody else says nothing about who is signed in here.
        raise ForbiddenError("approval.bad_pin") from error
    if permission not in approver.permissions:
        raise ForbiddenError("approval.not_allowed", name=approver.name)
    return approver.id
