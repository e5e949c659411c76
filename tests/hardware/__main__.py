"""`make test-hardware`: boot the lab's machines and tell a person how it went."""

from __future__ import annotations

import fcntl
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.hardware import pictures, service
from tests.hardware.kernel import kernel
from tests.hardware.machine import ROOT, Ending, Machine, run
from tests.lab.console import SetupError, say

INSIDE = "tests/hardware/inside"
OUT = ROOT / ".cache" / "hardware"
# One machine has one processor, so two run side by side.
CHECKS = {
    "scanners": ("test_scanners.py", "test_discovery.py", "test_names.py"),
    "printers": ("test_printers.py", "test_counter.py"),
    service.NAME: (),
}
CONSOLE_LINES = 20
Result = dict[str, Any]


class Follower:
    """Prints each check of a machine as it ends."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._shown = 0

    def look(self) -> None:
        """Print what is new."""
        results = results_of(self._machine)
        if len(results) < self._shown:  # the machine was started once more
            self._shown = 0
        for result in results[self._shown :]:
            say(line_of(self._machine.name, result))
        self._shown = len(results)


def results_of(machine: Machine) -> list[Result]:
    """The checks that have ended so far."""
    path = machine.out / "results.jsonl"
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def line_of(name: str, result: Result) -> str:
    """One check in a line, with what it measured below."""
    mark = {"passed": "ok  ", "skipped": "SKIP"}.get(result["outcome"], "FAIL")
    check = result["check"].partition("::")[2].removeprefix("test_").replace("_", " ")
    measured = "".join(f"\n           {key}: {value}" for key, value in result["measured"].items())
    problem = "".join(f"\n    | {line}" for line in result["problem"].splitlines())
    return f"  {mark} {name}: {check} ({result['took_s']} s){measured}{problem}"


def main(arguments: list[str]) -> int:
    """Run all machines, or those that are named; 0 when every check passed."""
    began = time.monotonic()
    names = arguments or list(CHECKS)
    if strange := [name for name in names if name not in CHECKS]:
        sys.stderr.write(f"No machine {', '.join(strange)}; there are {', '.join(CHECKS)}.\n")
        return 2
    try:
        with alone():
            return work(names, began)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


@contextmanager
def alone() -> Iterator[None]:
    """One run at a time in this tree: they would empty each other's folders."""
    OUT.mkdir(parents=True, exist_ok=True)
    with (OUT / "lock").open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Another run of the device lab is under way in this tree: waiting for it ...")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def work(names: list[str], began: float) -> int:
    """Boot these machines and tell how it went; raises SetupError with what is missing."""
    built = kernel()
    if service.NAME in names:
        service.debian_archive()
    machines = [machine_of(name, built) for name in names]
    with ThreadPoolExecutor(len(machines)) as pool:
        endings = list(pool.map(boot, machines))
    if "printers" in names:
        look_at_paper(OUT / "printers")
    return close(machines, endings, time.monotonic() - began)


def boot(machine: Machine) -> Ending:
    """Run one machine: on the lab's kernel, or with Debian's systemd on this one."""
    runner = service.run if machine.name == service.NAME else run
    return runner(machine, Follower(machine).look)


def look_at_paper(out: Path) -> None:
    """Add a result for each plug: what came out of it, read back and drawn."""
    for plug in pictures.PLUGS:
        began = time.monotonic()
        problem = pictures.problem_of(out / f"receipt_{plug}.bin")
        result = {
            "check": f"pictures.py::test_the_paper_is_the_receipt_as_text_and_as_picture[{plug}]",
            "outcome": "failed" if problem else "passed",
            "took_s": round(time.monotonic() - began, 2),
            "measured": {},
            "problem": problem,
        }
        say(line_of("printers", result))
        with (out / "results.jsonl").open("a", encoding="utf-8") as results:
            results.write(json.dumps(result) + "\n")


def machine_of(name: str, built: Path) -> Machine:
    """The machine of one group of checks."""
    checks = tuple(f"{INSIDE}/{file}" for file in CHECKS[name])
    given = pictures.given() if name == "printers" else {}
    return Machine(name, built, checks, OUT / name, given)


def close(machines: list[Machine], endings: list[Ending], took_s: float) -> int:
    """Say what a person has to know, last line last."""
    results = [result for machine in machines for result in results_of(machine)]
    passed = sum(result["outcome"] == "passed" for result in results)
    is_good = passed == len(results) > 0
    for machine, ending in zip(machines, endings, strict=True):
        is_good &= ending.exit_code == 0
        for line in _trouble(machine, ending):
            say(line)
    word = "passed" if is_good else "NOT passed"
    say(f"Device lab {word}: {passed} of {len(results)} checks, {took_s:.0f} s.")
    return 0 if is_good else 1


def _trouble(machine: Machine, ending: Ending) -> list[str]:
    again = (
        f"  {machine.name}: the machine died once and was started again (see {machine.out}.died)"
    )
    told = [again] if ending.attempts > 1 else []
    if ending.exit_code is None:
        tail = ending.console.splitlines()[-CONSOLE_LINES:]
        told += [f"  {machine.name}: the machine never came to its end:"]
        told += [f"    | {line}" for line in tail]
    elif ending.exit_code != 0:
        told += [f"  {machine.name}: read {machine.out / 'pytest.log'}"]
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
