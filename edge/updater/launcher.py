"""Starts the box's software, and goes back to the release before when a new one does not hold.

This file needs nothing but Python: a copy of it stands beside the releases, where no release can
damage it.  It looks which release to run, counts the starts of one on trial, and becomes that
program.  While a release is on trial a small guard stays beside it and ends it when it does not
become healthy in time.

    launcher.py [--health-s N] ROOT ARGUMENTS...

ROOT holds `releases/VERSION/`, the link `current` to one of them, and `launcher.json`, the note
that says which release is trusted and which one is on trial.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import NoReturn

PROGRAM = "bin/tillbox-edge"
NOTE = "launcher.json"
LINK = "current"
FOLDER = "releases"
ROOT_VARIABLE, RELEASE_VARIABLE = "TILLBOX_RELEASES", "TILLBOX_RELEASE"
STARTS_MAX = 3
HEALTH_S = 150.0
"""Longer than the release itself takes to judge its health: this is for one that cannot."""
GRACE_S = 10.0
_EXIT_NOTHING_TO_RUN = 78
_POLL_S = 0.5


@dataclass(frozen=True)
class Note:
    """What is known of the releases; written whole, by rename, before anything acts on it.

    `trusted` runs unless `trial` is on probation; `previous` is kept to go back to by hand.
    `starts` counts those of the trial, `boot` is the boot of its last one and `began_s` when in
    that boot (monotonic) it was first started. `is_clean` says that somebody stopped it, so that
    the next start is no sign of a crash. `failed` went back, `because` of a dotted code.
    """

    trusted: str = ""
    trial: str = ""
    previous: str = ""
    starts: int = 0
    boot: str = ""
    began_s: float = 0.0
    is_healthy: bool = False
    is_clean: bool = False
    failed: str = ""
    because: str = ""


class Releases:
    """The folder of releases, as launcher and updater both see it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / FOLDER

    def current(self) -> str:
        """The release that the link names; "" for none."""
        try:
            return (self.root / LINK).readlink().name
        except OSError:
            return ""

    def runs(self, version: str) -> bool:
        """Whether a release can be started at all."""
        return bool(version) and os.access(self.folder / version / PROGRAM, os.X_OK)

    def note(self) -> Note:
        """The note; where it is lost, whatever the link names is trusted."""
        kinds = {each.name: type(each.default) for each in fields(Note)}
        try:
            raw = json.loads((self.root / NOTE).read_bytes())
            known = {name: raw[name] for name in kinds.keys() & raw.keys()}
        except (OSError, ValueError, TypeError, AttributeError):
            known = {}
        is_sound = all(type(value) is kinds[name] for name, value in known.items())
        note = Note(**known) if is_sound else Note()
        return note if note.trusted else replace(note, trusted=self.current(), trial="")

    def write(self, note: Note) -> Note:
        """Replace the note, durably."""
        draft = self.root / f".{NOTE}"
        with draft.open("wb") as file:
            file.write(json.dumps(asdict(note)).encode())
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self.root / NOTE)
        self._sync()
        return note

    def point(self, version: str) -> None:
        """Let the link name a release, durably; a cut leaves the old link or the new one."""
        draft = self.root / f".{LINK}"
        draft.unlink(missing_ok=True)
        draft.symlink_to(Path(FOLDER) / version)
        draft.rename(self.root / LINK)
        self._sync()

    def try_out(self, version: str) -> None:
        """Put a release on trial: the next start runs it. Safe to repeat."""
        note = self.note()
        self.write(Note(trusted=note.trusted, trial=version, previous=note.previous))
        self.point(version)

    def trust(self) -> None:
        """The release on trial has passed."""
        note = self.note()
        if note.trial:
            self.write(Note(trusted=note.trial, previous=note.trusted))

    def go_back(self, because: str) -> Note:
        """Let the next start run the trusted release. Safe to repeat."""
        note = self.note()
        if note.trial:
            note = replace(note, trial="", failed=note.trial, because=because)
            self.write(note)
        self.point(note.trusted)
        return note

    def _sync(self) -> None:
        folder = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@dataclass(frozen=True)
class Moment:
    """Boot of the machine, seconds since then, and how long a trial has to become healthy."""

    boot: str
    at_s: float
    health_s: float = HEALTH_S


def choose(releases: Releases, moment: Moment) -> str:
    """The release to run now; "" when there is none that could be started."""
    note, current = releases.note(), releases.current()
    if note.trial and current == note.trial:
        because = verdict(note, moment) if releases.runs(current) else "release.broken"
        if not because:
            releases.write(_started(note, moment))
            return current
        _say(f"going back from {current} to {note.trusted}: {because}")
        note = releases.go_back(because)
    elif current != note.trusted and releases.runs(note.trusted):
        _say(f"{current or 'nothing'} is not trusted: back to {note.trusted}")
        releases.point(note.trusted)
    if releases.runs(note.trusted):
        return note.trusted
    return _rescue(releases, note)


def verdict(note: Note, moment: Moment) -> str:
    """Why the release on trial must go, as a code; "" for one more start."""
    is_same_boot = bool(note.starts) and note.boot == moment.boot
    if note.is_clean:
        return ""
    # It was up and well, nobody stopped it and the power stayed on: it crashed.
    if note.is_healthy:
        return "release.crashed" if is_same_boot or note.starts >= STARTS_MAX else ""
    if note.starts >= STARTS_MAX:
        return "release.crashed"
    is_late = is_same_boot and moment.at_s - note.began_s >= moment.health_s
    return "release.unhealthy" if is_late else ""


def _started(note: Note, moment: Moment) -> Note:
    is_new_boot = not note.starts or note.boot != moment.boot
    return replace(
        note,
        starts=note.starts + (not note.is_clean),
        boot=moment.boot,
        began_s=moment.at_s if is_new_boot or note.is_clean else note.began_s,
        is_clean=False,
    )


def _unwritten(releases: Releases) -> str:
    """What runs while nothing can be noted: no trial, whose starts could not be counted."""
    trusted = releases.note().trusted
    return trusted if releases.runs(trusted) else releases.current()


def _rescue(releases: Releases, note: Note) -> str:
    """The trusted release is gone: rather any other than a closed shop."""
    others = [path.name for path in releases.folder.glob("*") if releases.runs(path.name)]
    if not others:
        return ""
    found = note.previous if note.previous in others else max(others)
    _say(f"{note.trusted or 'the trusted release'} cannot be started: running {found}")
    releases.write(Note(trusted=found))
    releases.point(found)
    return found


def guard(releases: Releases, version: str, main: int, moment: Moment) -> None:
    """Stay beside a release on trial; end it when it does not become healthy in time."""
    began_s = releases.note().began_s
    # A pipe's end that the program holds: it reads as closed when the program is gone.
    alive, held = os.pipe()
    os.set_inheritable(held, True)  # noqa: FBT003 - the standard library's own order
    middle = os.fork()
    if middle:
        os.close(alive)
        os.waitpid(middle, 0)
        return
    os.close(held)
    if os.fork():  # orphaned on purpose, so that the program has no child that it does not know
        os._exit(0)
    code = 1
    with suppress(BaseException):
        _watch(releases, (version, main, alive), began_s + moment.health_s)
        code = 0
    os._exit(code)


def _watch(releases: Releases, trial: tuple[str, int, int], deadline_s: float) -> None:
    version, main, alive = trial
    while not _is_closed(alive, _POLL_S):
        note = releases.note()
        if note.trial != version or note.is_healthy:
            return
        if time.monotonic() >= deadline_s:
            _say(f"{version} does not become healthy: going back to {note.trusted}")
            with suppress(OSError):  # the next start decides without the note
                releases.go_back("release.unhealthy")
            os.kill(main, signal.SIGTERM)
            if not _is_closed(alive, GRACE_S):
                os.kill(main, signal.SIGKILL)
            return


def _is_closed(alive: int, within_s: float) -> bool:
    return bool(select.select([alive], [], [], within_s)[0])


def main(arguments: list[str]) -> int:
    """Become the chosen release; answers only when there is nothing to run."""
    health_s = HEALTH_S
    if arguments[:1] == ["--health-s"]:
        health_s, arguments = float(arguments[1]), arguments[2:]
    if not arguments:
        sys.stderr.write(__doc__ or "")
        return 2
    releases = Releases(Path(arguments[0]))
    moment = Moment(_boot_id(), time.monotonic(), health_s)
    try:
        version = choose(releases, moment)
    except OSError as error:  # a full or read-only disk must not keep the shop closed
        _say(f"the note cannot be written: {error}")
        version = _unwritten(releases)
    if not version:
        _say(f"no release in {releases.folder} can be started")
        return _EXIT_NOTHING_TO_RUN
    if releases.note().trial == version:
        guard(releases, version, os.getpid(), moment)
    os.environ[ROOT_VARIABLE] = str(releases.root)
    os.environ[RELEASE_VARIABLE] = version
    program = releases.folder / version / PROGRAM
    return _become(program, arguments[1:])


def _become(program: Path, arguments: list[str]) -> NoReturn:
    os.execv(program, [str(program), *arguments])  # noqa: S606 - no shell is the point


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _say(text: str) -> None:
    sys.stderr.write(f"launcher: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
