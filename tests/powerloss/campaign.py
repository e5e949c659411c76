"""Build disk images of a recorded run, let the real recovery open them, keep what went wrong."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.powerloss.disk import STYLES, Disk, Style
from tests.powerloss.operations import Operation, Promise
from tests.powerloss.trace import record

Facts = dict[str, Any]
_FAST = Path("/dev/shm")  # noqa: S108 - images are throw-away, and a disk would be slow
FAULTS_KEPT = 20


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded run: what was in the folder before, and what was done.

    `owed` was promised by earlier runs on the same folder.
    """

    name: str
    baseline: dict[str, bytes]
    operations: list[Operation]
    owed: tuple[Facts, ...] = ()


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes after `done` operations; `style` says what becomes of the unsynced."""

    done: int
    style: Style


@dataclass(frozen=True, slots=True)
class Crash:
    """The files after a power cut, and what is owed to those who were told something."""

    cut: Cut
    files: dict[str, bytes]
    owed: tuple[Facts, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """What an image lacked. `lost` counts promised things that are gone."""

    cut: Cut
    said: str
    lost: int = 0


@dataclass(slots=True)
class Outcome:
    """What a campaign found; `lost` counts promises over all images, `faulty` images."""

    name: str
    possible: int = 0
    images: int = 0
    promises: int = 0
    lost: int = 0
    faulty: int = 0
    faults: list[Fault] = field(default_factory=list)

    def note(self, fault: Fault) -> None:
        """Count an image that is not as it must be."""
        self.faulty += 1
        self.lost += fault.lost
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(fault)


class LostError(AssertionError):
    """The recovered files lack what was promised; `lost` says how many things."""

    def __init__(self, said: str, lost: int) -> None:
        super().__init__(said)
        self.lost = lost


Check = Callable[[Path, list[Facts]], None]
"""Opens a folder with the real recovery code; AssertionError or LostError tells what is wrong."""


def run(name: str, setting: str = "real", after: Crash | None = None) -> Recording:
    """Record one of the workloads in a folder of its own, or in what a crash left."""
    baseline = after.files if after else {}
    with folder_for_images() as top:
        folder = top / "data"
        put_files(folder, baseline)
        command = [sys.executable, "-m", "tests.powerloss.workloads", name, str(folder), setting]
        operations = record(folder, command, top / "trace")
    title = f"{name}, {setting}" + (f", after {after.cut}" if after else "")
    return Recording(title, baseline, operations, after.owed if after else ())


def cuts_of(recording: Recording, sample: int | None, seed: int = 0) -> list[Cut]:
    """All power cuts that matter, or a sample of them that is spread over the whole run.

    After a promise nothing is on the disk that was not there before it, but more is owed.
    """
    places = range(len(recording.operations) + 1)
    every = [Cut(done, style) for done in places for style in STYLES]
    if sample is None or sample >= len(every):
        return every
    chance = random.Random(seed)  # noqa: S311 - the same sample every time
    step = len(every) / sample
    return [every[int((number + chance.random()) * step)] for number in range(sample)]


def replay(recording: Recording, cuts: Sequence[Cut], check: Check, seed: int = 0) -> Outcome:
    """Let the power go at each of `cuts` (ascending) and check what can be recovered."""
    found = Outcome(recording.name, len(STYLES) * (len(recording.operations) + 1))
    with folder_for_images() as top:
        for cut, image, promises in _images(recording, cuts, seed):
            folder = top / "data"
            put_files(folder, image)
            found.images += 1
            found.promises += len(promises)
            try:
                check(folder, promises)
            except LostError as error:
                found.note(Fault(cut, str(error), error.lost))
            except Exception as error:  # noqa: BLE001 - whatever recovery meets is the finding
                found.note(Fault(cut, _said(error)))
            shutil.rmtree(folder)
    return found


def _said(error: Exception) -> str:
    """Kind, text and place of what was met."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({frame.name}: {frame.line})"


def crash(recording: Recording, cut: Cut, seed: int = 0) -> Crash:
    """What one power cut leaves, for a run that has to go on from there."""
    ((_, files, promises),) = _images(recording, [cut], seed)
    return Crash(cut, files, tuple(promises))


def _images(
    recording: Recording, cuts: Sequence[Cut], seed: int
) -> Iterator[tuple[Cut, dict[str, bytes], list[Facts]]]:
    disk = Disk(recording.baseline)
    promises: list[Facts] = list(recording.owed)
    done = 0
    for cut in cuts:
        assert cut.done >= done, "cuts are taken in order"
        for operation in recording.operations[done : cut.done]:
            disk.apply(operation)
            if isinstance(operation, Promise):
                promises.append(operation.facts)
        done = cut.done
        chance = random.Random(f"{seed} {cut.done} {cut.style}")  # noqa: S311 - can be repeated
        yield cut, disk.image(cut.style, chance), list(promises)


def put_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write an image into an empty folder."""
    folder.mkdir()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def files_in(folder: Path) -> dict[str, bytes]:
    """All files below a folder, as an image; SQLite's shared memory is none."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".db-shm")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@contextmanager
def folder_for_images() -> Iterator[Path]:
    """A folder in memory, where the system has one."""
    where = _FAST if _FAST.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="tillbox-power-", dir=where) as made:
        yield Path(made)
