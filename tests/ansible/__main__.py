"""`make test-ansible`: provision bare machines as IT does, and tell how their days went."""

from __future__ import annotations

import fcntl
import os
import sys
import time
import traceback

from tests.ansible.lab import OUT, Lab
from tests.ansible.story import NEW_BOX, STORES, Story
from tests.lab.console import SetupError, say


def main(arguments: list[str]) -> int:
    """Run the story, or its first steps up to the one that is named; 0 when all of it is true."""
    began = time.monotonic()
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        with (OUT / "lock").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with Lab((*STORES, NEW_BOX)) as lab:
                return tell(Story(lab), arguments, began)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1


def tell(story: Story, arguments: list[str], began: float) -> int:
    """Go through the story; the first step that fails ends it."""
    last = arguments[0] if arguments else ""
    done = 0
    for step in story.steps():
        step_began = time.monotonic()
        try:
            figures = step() or {}
        except AssertionError:
            say(f"  FAIL {words_of(step.__name__)} ({time.monotonic() - step_began:.0f} s)")
            say("".join(f"    | {line}\n" for line in traceback.format_exc().splitlines()))
            say(f"Provisioning lab NOT passed: {done} steps were right. Read {story.lab.log}")
            if "TILLBOX_LAB_STAYS" in os.environ:
                stay(story)
            return 1
        done += 1
        say(f"  ok   {words_of(step.__name__)} ({time.monotonic() - step_began:.0f} s)")
        for name, value in figures.items():
            say(f"         {name}: {value}")
        if step.__name__ == last:
            break
    say(f"Provisioning lab passed: {done} steps, {time.monotonic() - began:.0f} s.")
    return 0


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
