"""`make test-ansible`: provision bare machines as IT does, and tell how their days went.

ARGS="all" goes on with what is rarer (see wide.py); the name of a step ends with that step.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from tests.ansible.lab import OUT, SECOND, Lab
from tests.ansible.story import NEW_BOX, STORES, Figures, Story
from tests.ansible.wide import wide_steps
from tests.lab.console import SetupError, say

ALL = "all"
Row = tuple[str, float, Figures]


def main(arguments: list[str]) -> int:
    """Run the story, or its first steps up to the one that is named; 0 when all of it is true."""
    began = time.monotonic()
    # Whoever ends a run that takes too long wants its machines gone as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    OUT.mkdir(parents=True, exist_ok=True)
    last = arguments[0] if arguments else ""
    more = (SECOND,) if last == ALL else ()
    try:
        with (OUT / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with Lab((*STORES, NEW_BOX, *more)) as lab:
                ready_s = time.monotonic() - began
                return tell(Story(lab), last, ready_s)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def tell(story: Story, last: str, ready_s: float) -> int:
    """Go through the story; the first step that fails ends it."""
    rows: list[Row] = [("the lab itself is made", ready_s, {})]
    steps = [*story.steps(), *(wide_steps(story) if last == ALL else [])]
    for step in steps:
        row = _take(step, story)
        if row is None:
            say(f"Provisioning lab NOT passed: {len(rows) - 1} steps were right.")
            say(f"Read {story.lab.log}")
            if "TILLBOX_LAB_STAYS" in os.environ:
                stay(story)
            return 1
        rows.append(row)
        if step.__name__ == last:
            break
    table = table_of(rows)
    story.lab.log.with_name(story.lab.table).write_text(table, encoding="utf-8")
    say(f"\n{table}")
    say(f"Provisioning lab passed: {len(rows) - 1} steps, {sum(row[1] for row in rows):.0f} s.")
    return 0


def _take(step: Callable[[], Figures | None], story: Story) -> Row | None:
    began = time.monotonic()
    name = words_of(step.__name__)
    try:
        figures = step() or {}
    except (AssertionError, SetupError):
        say(f"  FAIL {name} ({time.monotonic() - began:.0f} s)")
        say("".join(f"    | {line}\n" for line in traceback.format_exc().splitlines()))
        keep_complaints(story)
        return None
    took_s = time.monotonic() - began
    say(f"  ok   {name} ({took_s:.0f} s)")
    for figure, value in figures.items():
        say(f"         {figure}: {value}")
    return name, took_s, figures


def table_of(rows: list[Row]) -> str:
    """Seconds of each step and its figures; below them how long a first sale took from nothing."""
    lines = ["| step | s | of which |", "| --- | ---: | --- |"]
    for name, took_s, figures in rows:
        told = "; ".join(f"{figure}: {value}" for figure, value in figures.items())
        lines.append(f"| {name} | {took_s:.0f} | {told} |")
    names = [name for name, _, _ in rows]
    sale = words_of(Story.each_box_makes_its_first_sale.__name__)
    if sale in names:
        to_sale_s = sum(row[1] for row in rows[1 : names.index(sale) + 1])
        lines.append(f"| bare machines to the first sale in two stores | {to_sale_s:.0f} | |")
    return "\n".join(lines) + "\n"


def keep_complaints(story: Story) -> None:
    """What the machines themselves say of it, below the plays: they are gone with the lab."""
    with story.lab.log.open("a", encoding="utf-8") as log:
        for name, host in story.lab.hosts.items():
            with suppress(AssertionError, OSError, IndexError):  # one that does not run is silent
                said = host.inside("journalctl", "--no-pager", "--lines=200", is_checked=False)
                log.write(f"\n== {name}: the end of its journal\n{said}\n")


def stay(story: Story) -> None:
    """Leave the machines running for a person who looks, until a key is pressed."""
    hosts = ", ".join(f"{name} {host.address}" for name, host in story.lab.hosts.items())
    say(f"The machines stay: {hosts}. ssh -i {story.lab.key} admin@ADDRESS; Enter ends it.")
    sys.stdin.readline()


def words_of(name: str) -> str:
    """A step's name as a sentence."""
    return name.replace("_", " ")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
