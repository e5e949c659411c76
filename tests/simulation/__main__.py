"""`make soak`: days that nobody has seen, on all cores, until one of them goes wrong.

python -m tests.simulation --seeds 2000       fresh seeds, a progress line, a summary
python -m tests.simulation --seed 4711        one seed again, with its last events
python -m tests.simulation --variants 60      how many seeds notice each spoilt protocol
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable
from multiprocessing import get_context

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.simulation.known_bad import KNOWN_BAD, rule_broken
from tests.simulation.seeds import told
from tests.simulation.world import Outcome, run_seed

SEEDS = 1_000
CHUNK = 4
HOURS_PER_SEED = 24


def main() -> int:
    """Exit code 1 when a seed fails, or a spoilt protocol goes unnoticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many fresh seeds")
    parser.add_argument("--from", type=int, dest="first", help="count up from this seed instead")
    parser.add_argument("--seed", type=int, help="run this one and show what happened")
    parser.add_argument("--variants", type=int, help="so many seeds for each spoilt protocol")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
    if options.seed is not None:
        return _show(console, run_seed(options.seed))
    if options.variants is not None:
        return _try_variants(console, options.variants, options.jobs)
    return _soak(console, _seeds(options.first, options.seeds), options.jobs)


def _seeds(first: int | None, count: int) -> list[int]:
    if first is not None:
        return list(range(first, first + count))
    return [secrets.randbits(48) for _ in range(count)]


def _show(console: Console, outcome: Outcome) -> int:
    if outcome.broken is not None:
        console.print(told(outcome), markup=False, soft_wrap=True)
        return 1
    console.print(f"seed {outcome.seed}: in order {outcome.calm_ms / 1000:.0f} s after the faults")
    _print_sums(console, [outcome])
    return 0


def _soak(console: Console, seeds: list[int], jobs: int) -> int:
    outcomes: list[Outcome] = []
    began_s = time.monotonic()
    with get_context("spawn").Pool(jobs) as pool:
        runs: Iterable[Outcome] = pool.imap(run_seed, seeds, chunksize=CHUNK)
        for outcome in track(runs, "Days", total=len(seeds), console=console):
            outcomes.append(outcome)
            if outcome.broken is not None:
                pool.terminate()
                break
    took_s = time.monotonic() - began_s
    _print_sums(console, outcomes)
    hours = len(outcomes) * HOURS_PER_SEED
    console.print(f"{hours:,} virtual hours in {took_s:.0f} s on {jobs} cores")
    if outcomes[-1].broken is not None:
        console.print(told(outcomes[-1]), markup=False, soft_wrap=True)
        return 1
    worst_ms = max(outcome.calm_ms for outcome in outcomes)
    console.print(
        f"{len(outcomes):,} seeds, none failed; all was in order {worst_ms / 60_000:.1f} min after"
        " the last fault at the latest"
    )
    return 0


def _print_sums(console: Console, outcomes: list[Outcome]) -> None:
    counts = sum((outcome.counts for outcome in outcomes), start=Counter[str]())
    burnt = sum((outcome.burnt for outcome in outcomes), start=Counter[str]())
    table = Table("what happened", "times")
    table.columns[1].justify = "right"
    for kind, times in sorted(counts.items()):
        table.add_row(kind, f"{times:,}")
    for kind, times in sorted(burnt.items()):
        table.add_row(f"sales beyond rescue or left to a person: {kind}", f"{times:,}")
    table.add_row("entries", f"{sum(each.entries for each in outcomes):,}")
    table.add_row("sales", f"{sum(each.sales for each in outcomes):,}")
    table.add_row("steps", f"{sum(each.steps for each in outcomes):,}")
    console.print(table)


def _try_variants(console: Console, count: int, jobs: int) -> int:
    table = Table("spoilt protocol", "noticed", "by", "sales lost, doubled or storm at the end")
    is_blind = False
    with get_context("spawn").Pool(jobs) as pool:
        for name, bad in KNOWN_BAD.items():
            seeds = range(1 + bad.skipped, 1 + bad.skipped + count)
            at_once = Counter(pool.map(rule_broken, [(name, seed, False) for seed in seeds]))
            late = Counter(pool.map(rule_broken, [(name, seed, True) for seed in seeds]))
            missed, harmless = at_once.pop(None, 0), late.pop(None, 0)
            is_blind = is_blind or missed == count
            rules = ", ".join(f"{rule} {n}" for rule, n in at_once.most_common())
            table.add_row(name, f"{count - missed} of {count}", rules, f"{count - harmless}")
    console.print(table)
    return 1 if is_blind else 0


if __name__ == "__main__":
    sys.exit(main())
