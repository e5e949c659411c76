"""Which runs are recorded, and how many of their images are looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.powerloss.campaign import (
    Cut,
    Outcome,
    Recording,
    crash,
    cuts_of,
    folder_for_images,
    replay,
    run,
)
from tests.powerloss.check_catalogue import catalogue_check
from tests.powerloss.check_counter import counter_check
from tests.powerloss.check_journal import check_journal
from tests.powerloss.counter import a_catalogue_beside
from tests.powerloss.disk import Style
from tests.powerloss.work_catalogue import publications
from tests.powerloss.work_counter import opened

ALL_IMAGES = "TILLBOX_POWER_IMAGES"
"""Set it to `all` and the tests look at every image instead of a sample."""


@dataclass(frozen=True, slots=True)
class Work:
    """A workload of the journal and how many images of it make a sample."""

    name: str
    sample: int


WORKS = (Work("sell", 500), Work("sell_long", 250), Work("forget", 300), Work("begin_lives", 300))
RESUMED: tuple[tuple[float, Style], ...] = ((0.35, "torn"), (0.6, "garbled"), (0.9, "subset"))
"""Where in a run the power goes for the first time, and what it leaves."""
RESUMED_SAMPLE = 120
CATALOGUE_SAMPLE = 300
COUNTER_SAMPLE = 250
MISTAKES = ("normal", "rollback", "early")
MISTAKE_SAMPLE = 200


def journal_outcome(work: Work, setting: str = "real") -> Outcome:
    """Record a workload and check images of it."""
    return _checked(run(work.name, setting), work.sample)


def resumed_outcomes() -> Iterator[Outcome]:
    """The power goes again while the box starts from what the first cut left."""
    first = run("sell")
    for share, style in RESUMED:
        cut = Cut(int(share * len(first.operations)), style)
        yield _checked(run("resume", after=crash(first, cut)), RESUMED_SAMPLE)


def catalogue_outcome() -> Outcome:
    """Every revision arrives whole or not at all."""
    with folder_for_images() as folder:
        check = catalogue_check(publications(Path(folder) / "objects"))
        recording = run("take_revisions")
        return replay(recording, cuts_of(recording, _sample(CATALOGUE_SAMPLE)), check)


def counter_outcome() -> Outcome:
    """Customers at a lane: what was paid is kept and printed once."""
    with folder_for_images() as folder:
        recording = run("serve", after=opened(folder))
        replica = a_catalogue_beside(folder / "check")
        found = replay(
            recording, cuts_of(recording, _sample(COUNTER_SAMPLE)), counter_check(replica)
        )
        replica.close()
        return found


def mistake_outcome(setting: str) -> Outcome:
    """A wrong setting, which has to show."""
    return journal_outcome(Work("sell", MISTAKE_SAMPLE), setting)


def _checked(recording: Recording, sample: int) -> Outcome:
    return replay(recording, cuts_of(recording, _sample(sample)), check_journal)


def _sample(size: int) -> int | None:
    return None if os.environ.get(ALL_IMAGES) == "all" else size
