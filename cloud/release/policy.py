"""When a second person has to look at a release. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from shared.release.plan import DEFAULT, Plan, is_at_once

LINES_MAX = 200
MOVE_BP_MAX = 3_000
STORES_MAX = 100


class Because(NamedTuple):
    """A figure that passes its limit: rule, value, limit."""

    rule: str
    value: int
    limit: int


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of what its own creator may approve, and the waves of a release that names none."""

    lines_max: int = LINES_MAX
    move_bp_max: int = MOVE_BP_MAX
    stores_max: int = STORES_MAX
    below_cost: bool = True
    plan: Plan = DEFAULT


@dataclass(frozen=True, slots=True)
class Size:
    """How large a release is.

    `lines` counts records that replace or remove what the stores sell by: goods that are new
    move nothing. `move_bp` is the largest move of a price, or share that an offer newly takes
    off, `below_cost` how many prices newly are below cost.
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
