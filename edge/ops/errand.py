"""How the command line asks a running box for something: by two files in the data folder.

Who may write there may do anything to the box already, so it asks for no password.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import structlog

SELF_TEST, TRAINING = "self-test", "training"
_LISTEN_EVERY_S = 1.0
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


def request_file(folder: Path, what: str) -> Path:
    """Where a request lies until the box takes it."""
    return folder / f"{what}.request"


def answer_file(folder: Path, what: str) -> Path:
    """Where the answer lies until who asked takes it."""
    return folder / f"{what}.json"


def asked(folder: Path, what: str = SELF_TEST) -> str | None:
    """The name of a request, which is taken with this; None where nobody asks."""
    path = request_file(folder, what)
    try:
        name = path.read_text(encoding="utf-8")[:64]
        path.unlink()
    except (OSError, ValueError):
        return None
    return name


def answer(folder: Path, name: str, results: Mapping[str, str], what: str = SELF_TEST) -> None:
    """Answer a request; a folder that takes no file leaves who asked without one."""
    path = answer_file(folder, what)
    draft = path.with_name(path.name + ".new")
    with suppress(OSError):
        draft.write_text(json.dumps({"name": name, "results": dict(results)}), encoding="utf-8")
        draft.replace(path)


def ask(
    folder: Path,
    name: str,
    pause: Callable[[], None],
    patience: tuple[int, int],
    what: str = SELF_TEST,
) -> dict[str, str] | None:
    """Ask the running box; None when no box takes the request.

    `patience` counts pauses: how many to wait until it is taken, and how many for the answer.
    """
    request = request_file(folder, what)
    answer_file(folder, what).unlink(missing_ok=True)
    request.write_text(name, encoding="utf-8")
    until_taken, until_done = patience
    for _ in range(until_taken):
        if not request.exists():
            break
        pause()
    else:
        request.unlink(missing_ok=True)
        return None
    for _ in range(until_done):
        if (found := _answered(answer_file(folder, what), name)) is not None:
            return found
        pause()
    return {"box": "self_test.timeout"}


def _answered(path: Path, name: str) -> dict[str, str] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if found.get("name") != name:
        return None
    path.unlink(missing_ok=True)
    results: dict[str, str] = found["results"]
    return results


class Errands:
    """Does `work` each time the command line asks for `what`, on a thread of its own."""

    def __init__(self, folder: Path, what: str, work: Callable[[], Mapping[str, str]]) -> None:
        self._folder, self._what, self._work = folder, what, work
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Listen from now on; a request from before the start is for nobody any more."""
        request_file(self._folder, self._what).unlink(missing_ok=True)
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._listen, name=self._what, daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Listen no more; safe to call twice."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def _listen(self) -> None:
        while not self._stopping.wait(_LISTEN_EVERY_S):
            try:
                if (name := asked(self._folder, self._what)) is not None:
                    answer(self._folder, name, self._work(), self._what)
            except Exception:  # noqa: BLE001 - a defect of one errand must not end all to come
                _log.exception("errand.failed", what=self._what)
