"""Kills a process at each step that it takes in a folder: what a power cut leaves behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

_EVENTS = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.chmod", "fcntl.flock"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
STEPS_MAX = 200


def killed_at(folder: Path, step: int, work: Callable[[], object]) -> bool:
    """Work in a process of its own that gets SIGKILL right before its n-th step in the folder.

    False when it ended before that. A step writes, renames, removes or locks a file.
    """
    child = os.fork()
    if child == 0:
        _end_at(folder, step)
        try:
            work()
        except BaseException:  # noqa: BLE001 - the parent must not go on twice
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return False


def every_cut(folder_of: Callable[[int], Path], work: Callable[[Path], object]) -> Iterator[Path]:
    """A folder for each step of the work, as it is when the work was killed there."""
    for step in count(1):
        assert step < STEPS_MAX, "the work has no end"
        folder = folder_of(step)
        if not killed_at(folder, step, partial(work, folder)):
            assert step > 1, "the work never touched its folder"
            return
        yield folder


def _end_at(folder: Path, step: int) -> None:
    place, seen = str(folder), 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event not in _EVENTS:
            return
        touched = arguments[0] if arguments else ""
        is_here = isinstance(touched, str | os.PathLike) and str(touched).startswith(place)
        if event == "open" and not (is_here and int(str(arguments[2])) & _WRITES):
            return
        if is_here or event == "fcntl.flock":
            seen += 1
            if seen == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
