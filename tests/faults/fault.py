"""What a row of the fault table says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong in a shop, and how it is known that nothing comes of it.

    `number` is the row; `outcome` is what has to happen; `means` is how the fault is brought
    about.  `tests` are node ids, `path::test_name` without parameters.  `gap` says in one
    sentence what of the row no test shows; "" when all of it is shown.  A row without tests
    needs a gap.
    """

    number: int
    fault: str
    outcome: str
    means: str
    tests: tuple[str, ...] = ()
    gap: str = ""
