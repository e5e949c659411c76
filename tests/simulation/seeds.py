"""Which seeds the tests run, and what they say when one fails."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from tests.simulation.world import Outcome, run_seed

FIXED = range(1, 201)
"""Always the same, in four files so that two processes share them."""
REMEMBERED = {
    86: "a tail behind entries that are gone for good",
    401: "a replaced box and its heir at one till page",
    34195273016076: "the number of a sale that an old image booked, printed by its successor",
}
"""Days that once went wrong, and why; a new draw before the fault makes them other days."""
FRESH = 50
FILES = 4
PER_TEST = 10
_FRESH_BITS = 32


def fixed_seeds(file_no: int) -> list[range]:
    """One file's share of the fixed seeds, ten to a test."""
    count = len(FIXED) // FILES
    first = FIXED.start + count * file_no
    return [range(at, at + PER_TEST) for at in range(first, first + count, PER_TEST)]


def fresh_seeds(file_no: int) -> list[int]:
    """One file's share of seeds that nobody has seen."""
    count = FRESH // FILES + (file_no < FRESH % FILES)
    return [secrets.randbits(_FRESH_BITS) for _ in range(count)]


def broken_by(seeds: Iterable[int]) -> str:
    """What the first seed that fails has to say; "" when none does."""
    for seed in seeds:
        outcome = run_seed(seed)
        if outcome.broken is not None:
            return told(outcome)
    return ""


def told(outcome: Outcome) -> str:
    """A failing seed: the rule, how to see it again, and the last events before it."""
    return "\n".join(
        (
            f"seed {outcome.seed}: {outcome.because}",
            f"again: python -m tests.simulation --seed {outcome.seed}",
            *outcome.trace,
        )
    )
