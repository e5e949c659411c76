"""What the verifiers say: what holds, and the first thing that does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[int, int], None]
"""Told how many entries are done, of how many."""


def no_progress(done: int, total: int) -> None:
    """Tell nobody."""
    del done, total


@dataclass(frozen=True, slots=True)
class Verified:
    """A file (or the mirror files of one journal) whose every entry holds.

    `entries` is how many, `first` and `head` their numbers (-1 for an empty journal), `hash` (hex)
    the last one's; entries 1 to `pruned` were pruned (0 for none). `signatures` were checked.
    """

    path: str
    stream: str
    entries: int
    first: int
    head: int
    hash: str
    pruned: int = 0
    signatures: int = 0


@dataclass(frozen=True, slots=True)
class Damage:
    """The first entry that does not hold: its number, and the code of what is wrong with it."""

    seq: int
    code: str
