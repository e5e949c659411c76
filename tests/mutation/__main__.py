"""`make mutation`: change the pricing engine in small ways and count what its tests notice.

mutmut makes the mutants of `shared/price` (operators, constants, arguments, branches, whole
statements' values); a sample drawn with a fixed seed is tested in a sandbox with the unit tests,
the worked baskets and the properties with few examples.  Killed is a mutant that fails a test or
runs into its time limit.  All others count as survivors, those too that change nothing one could
notice: they are listed, not argued away.

Not mutated: code outside functions and functions with a decorator (properties), by mutmut itself;
and `document_table`, which has done its work before mutmut switches a mutant on.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from tests.mutation.sandbox import change_of, exit_codes, make_sandbox, run

GOAL = 0.85
SAMPLE = 600
SEED = 3
FIRST = "shared.price.tax.*"
# mutmut's exit codes: a failing test, an error in one, and its ways to say out of time.
KILLED = frozenset({1, 3, 24, 36, 152, 255, -24, -9})


def main() -> int:
    """Draw, test, print; exit code 1 below the goal."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else 160)
    with console.status("Making mutants"):
        make_sandbox()
        run([FIRST], options.jobs)
        names = [name for name in sorted(exit_codes()) if options.only in name]
    drawn = sorted(_drawn(names, options.mutants, options.seed))
    with console.status(f"Testing {len(drawn)} of {len(names)} mutants"):
        run(drawn, options.jobs)
    codes = {name: code for name, code in exit_codes().items() if name in set(drawn)}
    if options.json is not None:
        options.json.write_text(json.dumps(codes, indent=1) + "\n", encoding="utf-8")
    return _report(console, codes, len(names), options.jobs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--mutants", type=int, default=SAMPLE, help="how many are drawn; 0: all")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", default="shared.price.", help="mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", type=Path, help="write the result of each drawn mutant")
    return parser.parse_args()


def _drawn(names: Sequence[str], count: int, seed: int) -> Sequence[str]:
    if count == 0 or count >= len(names):
        return names
    return random.Random(seed).sample(names, count)  # noqa: S311 - a sample, no secret


def _report(console: Console, codes: Mapping[str, int | None], made: int, jobs: int) -> int:
    survivors = [name for name, code in codes.items() if code not in KILLED]
    with ThreadPoolExecutor(jobs) as pool:
        for name, change in zip(survivors, pool.map(change_of, survivors), strict=True):
            console.print(f"[bold]{name}[/] ({_word(codes[name])})", highlight=False)
            console.print(change, markup=False, highlight=False)
    modules = Counter(name.split(".x")[0] for name in survivors)
    drawn = Counter(name.split(".x")[0] for name in codes)
    for module in sorted(drawn):
        console.print(f"{module}: {drawn[module] - modules[module]} of {drawn[module]} killed")
    killed = len(codes) - len(survivors)
    share = killed / len(codes)
    console.print(f"{killed} of {len(codes)} drawn mutants killed: {share:.1%} ({made} made)")
    return 0 if share >= GOAL else 1


def _word(code: int | None) -> str:
    return {0: "survived", 33: "no test runs it", None: "not run"}.get(code, f"exit code {code}")


if __name__ == "__main__":
    sys.exit(main())
