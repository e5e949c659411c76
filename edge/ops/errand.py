"""How the command line asks a running box for a self-test: by two files in the data folder.

Who may write there may do anything to the box already, so it asks for no password.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

REQUEST_FILE, ANSWER_FILE = "self-test.request", "self-test.json"


def asked(folder: Path) -> str | None:
    """The name of a request, which is taken with this; None where nobody asks."""
    path = folder / REQUEST_FILE
    try:
        name = path.read_text(encoding="utf-8")[:64]
        path.unlink()
    except (OSError, ValueError):
        return None
    return name


def answer(folder: Path, name: str, results: Mapping[str, str]) -> None:
    """Answer a request; a folder that takes no file leaves who asked without one."""
    path = folder / ANSWER_FILE
    draft = path.with_name(path.name + ".new")
    with suppress(OSError):
        draft.write_text(json.dumps({"name": name, "results": dict(results)}), encoding="utf-8")
        draft.replace(path)


def ask(
    folder: Path, name: str, pause: Callable[[], None], patience: tuple[int, int]
) -> dict[str, str] | None:
    """Ask the running box; None when no box takes the request.

    `patience` counts pauses: how many to wait until it is taken, and how many for the answer.
    """
    request = folder / REQUEST_FILE
    (folder / ANSWER_FILE).unlink(missing_ok=True)
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
        if (found := _answered(folder, name)) is not None:
            return found
        pause()
    return {"box": "self_test.timeout"}


def _answered(folder: Path, name: str) -> dict[str, str] | None:
    path = folder / ANSWER_FILE
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if found.get("name") != name:
        return None
    path.unlink(missing_ok=True)
    results: dict[str, str] = found["results"]
    return results
