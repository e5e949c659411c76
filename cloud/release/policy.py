"""When a second person has to look at a release. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from shared.release.plan import DEFAULT, UNDO, Plan, is_at_once

LINES_MAX = 200
MOVE_BP_MAX = 3_000
STORES_MAX = 100
EVIDENCE_SALES = 20
EVIDENCE_BOXES_PERCENT = 50
EVIDENCE_WAIT_S = 12 * 3600
"""A night: a wave that begins at closing time meets its first customers within it."""
Then = Literal["ask", "go_on"]


class Because(NamedTuple):
    """A figure that passes its limit: rule, value, limit."""

    rule: str
    value: int
    limit: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """What has to be seen of a wave before the next one begins: guards without data say nothing.

    `sales` by the release's prices in all its stores together, and `boxes_percent` of its stores
    that sell by it; both 0 ask for nothing. After `wait_s` it goes on all the same, or (`ask`)
    waits for a person.
    """

    sales: int = 0
    boxes_percent: int = 0
    wait_s: int = 0
    then: Then = "ask"


NO_EVIDENCE = Evidence()


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of what its own creator may approve, and the waves of a release that names none.

    `undo_plan` is how a finished release is taken back; `evidence_*` see `Evidence`.
    """

    lines_max: int = LINES_MAX
    move_bp_max: int = MOVE_BP_MAX
    stores_max: int = STORES_MAX
    below_cost: bool = True
    plan: Plan = DEFAULT
    undo_plan: Plan = UNDO
    evidence_sales: int = EVIDENCE_SALES
    evidence_boxes_percent: int = EVIDENCE_BOXES_PERCENT
    evidence_wait_s: int = EVIDENCE_WAIT_S
    evidence_then: Then = "ask"

    def evidence(self) -> Evidence:
        """What a wave has to show."""
        return Evidence(
            self.evidence_sales,
            self.evidence_boxes_percent,
            self.evidence_wait_s,
            self.evidence_then,
        )


@dataclass(frozen=True, slots=True)
class Size:
    """How large a release is.

    `lines` counts records that replace or remove what the stores sell by: goods that are new
    move nothing. `move_bp` is the largest move of a price, or share that an offer of any kind
    newly takes off, `below_cost` how many prices newly are below cost.
    """

    lines: int
    stores: int
    move_bp: int = 0
    below_cost: int = 0


def reasons(policy: Policy, size: Size, plan: Plan) -> list[Because]:
    """Why it needs a second person; empty: it does not.

    All stores in one wave are for releases within the limits alone, which `plan` says of one
    that is not.
    """
    found = [
        Because("lines", size.lines, policy.lines_max),
        Because("move", size.move_bp, policy.move_bp_max),
        Because("stores", size.stores, policy.stores_max),
    ]
    if policy.below_cost:
        found.append(Because("below_cost", size.below_cost, 0))
    over = [each for each in found if each.value > each.limit]
    if over and is_at_once(plan):
        over.append(Because("plan", 1, len(policy.plan)))
    return over
