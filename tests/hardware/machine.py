"""One run of the lab's machine: boot the kernel, wait for its marker line, end it.

User-Mode Linux has hung and panicked while it powered off, after all work was done.  So it is
judged by a line that its first program prints, never powers off, and its whole process group is
killed.  A machine that never came to the marker is started once more; failed checks are not.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.lab.net import sleep_briefly
from tests.lab.processes import ChildProcess, Command

INIT = Path(__file__).with_name("init.sh")
ROOT = Path(__file__).resolve().parents[2]
USB_PORTS = 6
MEMORY = "512M"
ATTEMPTS = 2
_MARKER = re.compile(r"^LAB-END (\d+)\s*$", re.MULTILINE)
_PANIC = "Kernel panic"


@dataclass(frozen=True, slots=True)
class Machine:
    """What to run: `checks` are paths below the repository.

    `out` is emptied first; files that are `given` lie in it when the machine starts.
    """

    name: str
    kernel: Path
    checks: tuple[str, ...]
    out: Path
    given: Mapping[str, bytes] = field(default_factory=dict)
    init: Path = INIT
    limit_s: float = 200


@dataclass(frozen=True, slots=True)
class Ending:
    """`exit_code` is the checks' own; None when the machine never came to its end."""

    exit_code: int | None
    attempts: int
    took_s: float
    console: str


def run(machine: Machine, on_tick: Callable[[], None] = lambda: None) -> Ending:
    """Run it to its marker, twice at most; `on_tick` is called while it works."""
    began = time.monotonic()
    code, console, attempt = None, "", 0
    while code is None and attempt < ATTEMPTS:
        attempt += 1
        _make_empty(machine.out, attempt)
        for name, data in machine.given.items():
            (machine.out / name).write_bytes(data)
        code, console = _attempt(machine, on_tick)
    return Ending(code, attempt, time.monotonic() - began, console)


def arguments(machine: Machine, control: Path) -> list[str]:
    """The kernel's command line; words that it does not know become init's environment.

    `control` is an empty folder with a short path: a socket's name must fit in 108 bytes.
    """
    return [
        "umid=lab",
        f"uml_dir={control}",
        f"mem={MEMORY}",
        *("root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro"),
        *("con=null", "con0=null,fd:1", "ssl=null", "quiet"),
        f"dummy_hcd.num={USB_PORTS}",
        f'init="{machine.init}"',
        f'LAB_REPOSITORY="{ROOT}"',
        f'LAB_OUT="{machine.out}"',
        f'LAB_CHECKS="{" ".join(machine.checks)}"',
    ]


def _attempt(machine: Machine, on_tick: Callable[[], None]) -> tuple[int | None, str]:
    with TemporaryDirectory(prefix="uml-") as control:
        words = arguments(machine, Path(control))
        command = Command(machine.name, [machine.kernel, *words], machine.out / "console.log")
        return _watched(machine, command, on_tick)


def _watched(
    machine: Machine, command: Command, on_tick: Callable[[], None]
) -> tuple[int | None, str]:
    process = ChildProcess(command).start()
    deadline = time.monotonic() + machine.limit_s
    try:
        while time.monotonic() < deadline:
            console = process.output()
            if (found := _MARKER.search(console)) or _PANIC in console or not process.is_alive:
                on_tick()
                return (int(found[1]) if found else None), console
            on_tick()
            sleep_briefly()
        return None, process.output()
    finally:
        process.kill()


def _make_empty(out: Path, attempt: int) -> None:
    """Keep what a dead machine left: somebody will want to read its console."""
    if attempt > 1:
        out.rename(out.with_name(f"{out.name}.died"))
    else:
        shutil.rmtree(out, ignore_errors=True)
        shutil.rmtree(out.with_name(f"{out.name}.died"), ignore_errors=True)
    out.mkdir(parents=True)
