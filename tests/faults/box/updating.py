"""A box that updates itself, as one forked process per start: real files, real kills.

Every start does what the launcher does and then runs the real updater, until it asks to be
restarted, comes to rest, dies of its own fault, or is killed at one of its durable steps.
"""

from __future__ import annotations

import os
import signal
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge.clock import SystemClock
from edge.updater import install, service
from edge.updater.health import Senses
from edge.updater.launcher import PROGRAM, Moment, Releases, choose
from edge.updater.notebook import Notebook
from edge.updater.service import Updater, UpdaterParts
from shared.release import state as machine
from shared.release.description import Wheel
from shared.release.lock import Shop
from shared.release.state import UNDER_WAY, State
from shared.wire.message import DesiredSoftware
from tests.fakes.releases import REPLAYED, Shelf, a_program, script

OLD, NEW = "1.0.0", "1.1.0"
QUIET_SHOP = Shop(0, is_drawer_open=False, is_day_open=False, print_queue=0, idle_ms=0)
AT_REST, RESTARTS, CRASHES, NOTHING_TO_RUN, GOES_ON, BROKEN = 0, 10, 11, 12, 13, 99
KILLED = -signal.SIGKILL
TURNS = 40


class _Restart(BaseException):
    """The updater asked for a restart."""


@dataclass
class UpdatingBox:
    """A box with release 1.0.0 in place.

    `ill` is what the new release has: "" nothing, "crash" at its start, "crash later" after it was
    healthy, or the code of a complaint. `replayed` is what it makes of the last day.
    """

    folder: Path
    ill: str = ""
    shop: Shop = QUIET_SHOP
    replayed: Any = field(default_factory=lambda: REPLAYED)
    boot: str = "boot-1"

    def __post_init__(self) -> None:
        self.data, self.root = self.folder / "data", self.folder / "opt"
        (self.root / "releases").mkdir(parents=True)
        self.releases = Releases(self.root)
        self.book = Notebook(self.data / "update")
        self.shelf = Shelf(self.data / "update" / "fetch")
        self.ran = self.folder / "ran"
        a_program(self.releases, OLD)
        self.releases.point(OLD)

    def start(self, kill_at: int = 0) -> int:
        """One start of the box; how its process ended. `kill_at` counts durable steps, 0 never."""
        child = os.fork()
        if child == 0:
            code = BROKEN
            try:
                code = self._live(kill_at)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    def run(self, kill_at: int = 0, starts_max: int = 10) -> list[int]:
        """Start until the update has come to rest; how each start ended."""
        ends = [self.start(kill_at)]
        while ends[-1] != AT_REST and len(ends) < starts_max:
            ends.append(self.start())
        return ends

    def versions(self) -> list[str]:
        """Which version each start ran."""
        return self.ran.read_text().split() if self.ran.exists() else []

    def is_at_rest(self) -> bool:
        """Whether the update is over, one way or the other, and nothing is on trial."""
        progress, note = self.book.progress(), self.releases.note()
        is_whole = self.releases.current() == note.trusted and not note.trial
        return is_whole and progress.version == NEW and progress.state not in UNDER_WAY

    def _live(self, kill_at: int) -> int:
        _die_at(kill_at)
        machine.WATCH_MS = machine.HEALTH_MS = 5
        install._make = self._unpack
        version = choose(self.releases, Moment(self.boot, time.monotonic(), 60))
        if not version:
            return NOTHING_TO_RUN
        with self.ran.open("a") as file:
            file.write(f"{version}\n")
        is_new = version == NEW
        if is_new and self.ill == "crash":
            return CRASHES
        sick = self.ill if is_new and self.ill.startswith("release.") else ""
        service.complaint = lambda *_, **__: sick
        return self._turn(Updater(self._parts(version)), is_new=is_new)

    def _turn(self, updater: Updater, *, is_new: bool) -> int:
        updater._desk.progress, updater._desk.wanted = self.book.progress(), self.book.wanted()
        try:
            for _ in range(TURNS):
                updater._turn()
                if self.is_at_rest():
                    return AT_REST
                if is_new and self.ill == "crash later" and self.releases.note().is_healthy:
                    return CRASHES
                time.sleep(0.001)
        except _Restart:
            updater.stop(is_clean=True)
            return RESTARTS
        updater.stop(is_clean=True)
        return GOES_ON

    def _unpack(self, folder: Path, links: Path, wheels: Sequence[Wheel]) -> None:
        """In place of pip: the program of the release, from the bytes of its wheel."""
        for wheel in wheels:
            with zipfile.ZipFile(links / wheel.name) as opened:
                assert opened.testzip() is None
        program = folder / PROGRAM
        program.parent.mkdir(parents=True)
        program.write_text(script(self.replayed))
        program.chmod(0o755)

    def _parts(self, running: str) -> UpdaterParts:
        return UpdaterParts(
            releases=self.releases,
            running=running,
            data_dir=self.data,
            hq_pub=self.shelf.public_hex,
            zone=ZoneInfo("Asia/Shanghai"),
            clock=SystemClock(),
            fetch=self.shelf.fetch,
            forget=self.shelf.forget,
            senses=Senses(lambda *_: None, "", frozenset, lambda: True, ("", 0)),
            shop=lambda: self.shop,
            restart=_restart,
            told=lambda: None,
            poll_s=0,
        )

    def want(self, wanted: DesiredSoftware | None) -> None:
        """What HQ wants, as the box last heard it."""
        self.book.put_wanted(wanted)

    def state(self) -> State:
        """Where the update stands."""
        return self.book.progress().state


def _restart() -> None:
    raise _Restart


def _die_at(step: int) -> None:
    """Kill this process in front of its n-th call that makes something durable."""
    left = [step]

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        return wrapped

    os.fsync = counted(os.fsync)
    for name in ("rename", "replace", "symlink_to", "mkdir"):
        setattr(Path, name, counted(getattr(Path, name)))
