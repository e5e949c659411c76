"""Child processes are seen to start, to fail, to stop, and to die with their parent."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.lab.net import free_port
from tests.lab.processes import ChildProcess, Command, StartError

SLEEPS = "import time; print('ready', flush=True); time.sleep(60)"
ORPHANS = """
import sys
from pathlib import Path
from tests.lab.processes import ChildProcess, Command
child = ChildProcess(Command("child", [sys.executable, "-c", {sleeps!r}], Path({log!r}))).start()
child.wait_line("ready")
print(child.pid, flush=True)
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""


def child_of(code: str, folder: Path) -> ChildProcess:
    return ChildProcess(Command("child", [sys.executable, "-c", code], folder / "child.log"))


def test_a_child_is_ready_when_it_prints_its_line_and_can_be_started_again(tmp_path: Path) -> None:
    child = child_of(SLEEPS, tmp_path)
    for _ in range(2):
        child.start().wait_line("ready")
        assert child.output() == "ready\n"
        assert child.rss_bytes() > 1_000_000
        assert child.cpu_seconds() >= 0
        child.kill()
        assert not child.is_alive
        assert child.returncode == -9


def test_a_child_that_ends_early_says_why(tmp_path: Path) -> None:
    child = child_of("raise SystemExit('port in use')", tmp_path).start()
    with pytest.raises(StartError, match=r"(?s)ended with code 1.*port in use"):
        child.wait_port(free_port())


def test_a_child_that_stays_silent_is_given_up(tmp_path: Path) -> None:
    child = child_of(SLEEPS, tmp_path).start()
    with pytest.raises(StartError, match=r"was not ready after 0\.2 s"):
        child.wait_http(f"http://127.0.0.1:{free_port()}/healthz", timeout_s=0.2)
    child.stop()


def test_stop_kills_a_child_that_ignores_the_request_and_its_children(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print('ready', p.pid, flush=True); time.sleep(60)"
    )
    child = child_of(stubborn, tmp_path).start().wait_line("ready")
    grandchild = int(child.output().split()[1])
    child.stop(timeout_s=0.2)
    assert not child.is_alive
    assert is_gone(grandchild)


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path: Path) -> None:
    child = child_of(SLEEPS, tmp_path)
    thread = threading.Thread(target=lambda: child.start().wait_line("ready"))
    thread.start()
    thread.join()
    time.sleep(0.1)
    assert child.is_alive
    child.stop()


def test_no_child_outlives_a_killed_parent(tmp_path: Path, repository: Path) -> None:
    code = ORPHANS.format(sleeps=SLEEPS, log=str(tmp_path / "child.log"))
    parent = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, stdout=subprocess.PIPE, check=False
    )
    assert parent.returncode == -9
    assert is_gone(int(parent.stdout))


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.02)
    return False
