"""Many prices at once: by percent, by an amount, to a price, with the endings that shops like.

Whole numbers all through; a half is rounded away from zero. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from cloud.price.table import PriceRow
from shared.kernel.quantity import round_half_up
from shared.price.reward import FULL_BP


class Move(StrEnum):
    """How a price changes: `value` is the new price, basis points of the old one, or an amount."""

    SET = "set"
    PERCENT = "percent"
    AMOUNT = "amount"


class Direction(StrEnum):
    """Which price with the right ending is taken."""

    NEAREST = "nearest"
    UP = "up"
    DOWN = "down"


class Members(StrEnum):
    """What becomes of a member price: moved alike, kept, or dropped (members pay the regular)."""

    ALIKE = "alike"
    KEPT = "kept"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Ending:
    """Prices that leave `rest` when they are divided by `step`: 10 and 9 for 1.99, 2.09, ..."""

    step: int
    rest: int
    direction: Direction = Direction.NEAREST

    def applied(self, minor: int) -> int:
        """The price with that ending; of two that are as near the lower, never below nought."""
        assert 0 <= self.rest < self.step
        below = (minor - self.rest) // self.step * self.step + self.rest
        if below == minor:
            return minor
        above = below + self.step
        if below <= 0 or self.direction is Direction.UP:
            return above
        if self.direction is Direction.DOWN:
            return below
        return above if above - minor < minor - below else below


@dataclass(frozen=True, slots=True)
class BulkChange:
    """What happens to each price. `value` as `Move` says; basis points and amounts have a sign."""

    move: Move
    value: int
    ending: Ending | None = None
    members: Members = Members.ALIKE

    def moved(self, minor: int) -> int:
        """What becomes of a price; it may be none (0 or less), which the table's checks name."""
        found = self._moved(minor)
        return found if self.ending is None else self.ending.applied(found)

    def _moved(self, minor: int) -> int:
        match self.move:
            case Move.SET:
                return self.value
            case Move.PERCENT:
                return round_half_up(minor * (FULL_BP + self.value), FULL_BP)
            case Move.AMOUNT:
                return minor + self.value


def changed_rows(rows: Iterable[PriceRow], change: BulkChange) -> Iterator[PriceRow]:
    """The rows that would change, with their new prices."""
    for row in rows:
        if row.regular_minor is None:
            continue
        regular = change.moved(row.regular_minor)
        new = row._replace(regular_minor=regular, member_minor=_member(row, regular, change))
        if new != row:
            yield new


def _member(row: PriceRow, regular: int, change: BulkChange) -> int | None:
    """A member never pays more than everybody else."""
    member = row.member_minor
    if member is None or change.members is Members.DROPPED:
        return None
    if change.members is Members.ALIKE and change.move is not Move.SET and member:
        member = change.moved(member)
    return None if member >= regular else member
