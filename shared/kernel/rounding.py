"""Cash rounding: where the smallest coins are gone, what is paid in cash comes in steps.

Cards and coupons pay to the minor unit. Only what is left for cash is rounded, and the difference
stands on a line of its own: it is neither a discount nor a price.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

STEPS_MINOR = (1, 5, 10, 50, 100)
"""The steps that there are; 1 rounds nothing."""
ROUNDING_MINOR_MAX = STEPS_MINOR[-1] - 1
"""No rounding of one sale is larger, either way."""


class RoundingMode(StrEnum):
    """Which step an amount between two goes to.

    NEAREST: the half goes up (Switzerland). NEAREST_DOWN: the half goes down. DOWN: always down,
    for the customer (抹零).
    """

    NEAREST = "nearest"
    NEAREST_DOWN = "nearest_down"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class CashRounding:
    """The rule of a store: `step_minor` is one of STEPS_MINOR."""

    step_minor: int = 1
    mode: RoundingMode = RoundingMode.NEAREST

    def rounded(self, due_minor: int) -> int:
        """What cash pays for an amount of nought or more, minor units: a multiple of the step."""
        step = self.step_minor
        return (due_minor + self._lift_minor()) // step * step

    def _lift_minor(self) -> int:
        """What is added before all is rounded down."""
        match self.mode:
            case RoundingMode.NEAREST:
                return self.step_minor // 2
            case RoundingMode.NEAREST_DOWN:
                return (self.step_minor - 1) // 2
            case RoundingMode.DOWN:
                return 0


NO_ROUNDING = CashRounding()
