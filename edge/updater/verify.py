"""Try a release before it goes live: it starts, prices the worked baskets, and the last day."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import structlog

from edge.updater.launcher import PROGRAM, Releases
from edge.updater.replay import copy_day, differences
from shared.kernel.errors import RefusedError

REPLAY_S = 600
NICE = 10
CHECKER = "bin/tillbox-cloud"
"""Every wheel of the product has it: it knows how to price worked baskets."""
_KEPT_OUTPUT = 1000
_log = structlog.get_logger("updater")


def verify(releases: Releases, version: str, data: Path, vectors: Path | None) -> None:
    """RefusedError `release.vectors`, `release.replay` or `release.replay_failed`.

    The day is priced by the release that runs and by the new one; they have to agree on every
    receipt. Both work on copies below `data`/update.
    """
    if vectors is not None:
        done = _run([str(releases.folder / version / CHECKER), "price", "check", str(vectors)])
        if done.returncode:
            raise RefusedError("release.vectors", because=_last_line(done))
    work = data / "update" / "replay"
    shutil.rmtree(work, ignore_errors=True)
    try:
        copy_day(data, work)
        new = _replayed(releases, version, data, work)
        if isinstance(new, str):
            raise RefusedError("release.replay_failed", because=new)
        old = _replayed(releases, releases.current(), data, work)
        if isinstance(old, str):  # it cannot say what is right, so it cannot object either
            _log.warning("updater.replay_unknown", because=old)
            return
        found = differences(old, new)
        if found:
            _log.warning("updater.replay_differs", differences=found)
            raise RefusedError("release.replay", because=found[0][:200])
        _log.info("updater.replayed", biz=new["biz"], receipts=len(new["receipts"]))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _replayed(releases: Releases, version: str, data: Path, work: Path) -> dict[str, Any] | str:
    """What a release makes of the copies; why it cannot, as text."""
    program = str(releases.folder / version / PROGRAM)
    done = _run([program, "replay", "--data", str(data), "--copies", str(work), "--json"])
    if done.returncode:
        return _last_line(done)
    try:
        found = json.loads(done.stdout)
        parts = found["biz"], found["receipts"], found["z"]
    except (ValueError, KeyError, TypeError):
        return "its answer cannot be read"
    return dict(zip(("biz", "receipts", "z"), parts, strict=True))


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environment.pop("NOTIFY_SOCKET", None)
    try:
        return subprocess.run(
            ["nice", "-n", str(NICE), *command],
            check=False,
            capture_output=True,
            text=True,
            timeout=REPLAY_S,
            env=environment,
        )
    except (subprocess.TimeoutExpired, OSError) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    output = (done.stderr or done.stdout).strip()[-_KEPT_OUTPUT:]
    return output.splitlines()[-1][:200] if output else f"exit status {done.returncode}"
