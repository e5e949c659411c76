"""Software that dies or hangs -> the release before answers its till page's health again.

The launcher and the box are real; the loop below starts them again after a second, as systemd's
unit does. The bad release says that it is well, as a real one would, and then dies; or it never
says so and hangs.
"""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from edge.updater import launcher
from edge.updater.launcher import HEALTH_S, Releases
from tests.bench.figure import Figure
from tests.fakes.releases import a_program
from tests.integration.edge.boxes import prepare_data
from tests.lab.net import free_port

GOAL_S = 180.0
RESTART_S = 1.0
WATCHED_S = 2.0
WITHIN_S = 120
OLD, NEW = "1.0.0", "1.1.0"


def measure(folder: Path) -> list[Figure]:
    """A crash after it was well, as it is; a hang with the guard's time cut to two seconds."""
    crash, start = _back(folder / "crash", _healthy_then("exit 1"), HEALTH_S)
    hang, _ = _back(folder / "hang", "exec sleep 600", WATCHED_S)
    return [
        Figure(
            "new software dies in its watch -> the old one answers",
            "s",
            crash,
            GOAL_S,
            start + RESTART_S,
            "a second's pause and the box's own start",
        ),
        Figure(
            f"new software hangs at its start -> the old one answers, {HEALTH_S:.0f} s of guard",
            "s",
            hang + HEALTH_S - WATCHED_S,
            GOAL_S,
            start + RESTART_S + HEALTH_S,
            "the same and the guard's time",
            f"measured with {WATCHED_S:.0f} s instead of {HEALTH_S:.0f} s: {hang:.1f} s",
        ),
    ]


def _healthy_then(end: str) -> str:
    note = "$TILLBOX_RELEASES/launcher.json"
    return f'sed -i \'s/"is_healthy": false/"is_healthy": true/\' "{note}"; sleep 1; {end}'


def _back(folder: Path, bad: str, health_s: float) -> tuple[float, float]:
    """Seconds from the end of the bad release (a hang: its start) to the old one's answer.

    And how long the old one took for its own start.
    """
    releases, data, port = Releases(folder / "opt"), folder / "data", free_port()
    releases.folder.mkdir(parents=True)
    prepare_data(data, port=port)
    a_program(releases, OLD, run=f'exec {sys.executable} -m edge "$@"')
    a_program(releases, NEW, run=bad)
    releases.point(OLD)
    releases.try_out(NEW)
    command = [sys.executable, launcher.__file__, "--health-s", str(health_s), str(releases.root)]
    command += ["run", "--data", str(data)]
    began = time.monotonic()
    with (folder / "log").open("wb") as log:
        ended = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
        if ended > 0:  # it died by itself; one that hangs was ended by the guard
            began = time.monotonic()
        time.sleep(RESTART_S)
        started = time.monotonic()
        with subprocess.Popen(command, stdout=log, stderr=log) as box:
            _wait(f"http://127.0.0.1:{port}/healthz")
            now = time.monotonic()
            box.terminate()
    assert releases.note().failed == NEW
    return now - began, now - started


def _wait(url: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - our own address
                return
        except OSError:
            time.sleep(0.02)
    raise TimeoutError(url)
