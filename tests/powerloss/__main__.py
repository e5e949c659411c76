"""`python -m tests.powerloss`: every image of every run, and what the mistakes lose."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator

import structlog

from tests.powerloss.campaign import Outcome
from tests.powerloss.plan import (
    ALL_IMAGES,
    MISTAKES,
    WORKS,
    catalogue_outcome,
    counter_outcome,
    journal_outcome,
    mistake_outcome,
    resumed_outcomes,
)
from tests.powerloss.trace import strace_missing

_COLUMNS = "{:44} {:>8} {:>9} {:>9} {:>7} {:>7}"


def main() -> int:
    """Print the table; 1 when the product lost anything or a mistake was not seen."""
    if strace_missing():
        sys.stderr.write(f"{strace_missing()}\n")
        return 1
    os.environ.setdefault(ALL_IMAGES, "all")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    _say(_COLUMNS.format("run", "images", "possible", "promises", "lost", "faulty"))
    began = time.perf_counter()
    real = list(map(_shown, _real()))
    wrong = [_shown(mistake_outcome(setting)) for setting in MISTAKES]
    images = sum(outcome.images for outcome in real)
    lost = sum(outcome.lost for outcome in real)
    _say(f"{images} images of the real settings, {lost} promises lost, "
         f"{time.perf_counter() - began:.0f} s in all")  # fmt: skip
    is_good = not any(each.faulty for each in real) and all(each.lost for each in wrong)
    return 0 if is_good else 1


def _real() -> Iterator[Outcome]:
    for work in WORKS:
        yield journal_outcome(work)
    yield from resumed_outcomes()
    yield catalogue_outcome()
    yield counter_outcome()


def _shown(outcome: Outcome) -> Outcome:
    numbers = (outcome.images, outcome.possible, outcome.promises, outcome.lost, outcome.faulty)
    _say(_COLUMNS.format(outcome.name[:44], *numbers))
    if ", real" in outcome.name:
        for fault in outcome.faults:
            _say(f"    {fault.cut}: {fault.said}")
    return outcome


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
