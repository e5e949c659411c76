"""Child processes that cannot outlive their parent: start, wait, stop, kill, measure."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.lab.net import accepts, sleep_briefly

TAIL_LINES = 20
# The kernel counts the *thread* that started a process as its parent (prctl(2), PR_SET_PDEATHSIG),
# so all are started by one thread that lives as long as this program.
SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


class StartError(RuntimeError):
    """A process ended or stayed silent before it was ready; the text ends with its last lines."""


@dataclass(frozen=True, slots=True)
class Command:
    """What to run.  `prefix` runs first and execs the rest; both keep one process id."""

    name: str
    arguments: Sequence[str | os.PathLike[str]]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    prefix: Sequence[str] = ()
    # Sent by the kernel when this program ends, however it ends.
    death_signal: str = "KILL"


class ChildProcess:
    """One process in a group of its own; its output goes to a log file, across restarts."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id; raises RuntimeError before the first start."""
        return self._started().pid

    @property
    def is_alive(self) -> bool:
        """Tell whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._started().poll()

    def start(self) -> ChildProcess:
        """Start the process; wait for it to be ready with one of the `wait_` methods."""
        if self.is_alive:
            message = f"{self.command.name} already runs"
            raise RuntimeError(message)
        self._process = SPAWNER.submit(self._spawn).result()
        return self

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.command.log.parent.mkdir(parents=True, exist_ok=True)
        with self.command.log.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(
                [*self.command.prefix, *self._bound_to_parent(), *self.command.arguments],
                cwd=self.command.cwd,
                env={**os.environ, **self.command.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _bound_to_parent(self) -> list[str]:
        # After the prefix: a change of user would clear the setting (prctl(2)).
        setpriv = shutil.which("setpriv")
        return [setpriv, "--pdeathsig", self.command.death_signal, "--"] if setpriv else []

    def wait_until(self, is_ready: Callable[[], bool], timeout_s: float = 15) -> ChildProcess:
        """Wait for a condition; raises StartError when the process ends or time runs out."""
        deadline = time.monotonic() + timeout_s
        while not is_ready():
            if not self.is_alive:
                raise self._start_error(f"ended with code {self.returncode}")
            if time.monotonic() > deadline:
                raise self._start_error(f"was not ready after {timeout_s:g} s")
            sleep_briefly()
        return self

    def wait_port(self, port: int, timeout_s: float = 15) -> ChildProcess:
        """Wait until it accepts connections on a loopback port."""
        return self.wait_until(lambda: accepts(port), timeout_s)

    def wait_http(self, url: str, timeout_s: float = 15) -> ChildProcess:
        """Wait until a GET of `url` answers 200."""
        return self.wait_until(lambda: _answers(url), timeout_s)

    def wait_line(self, text: str, timeout_s: float = 15) -> ChildProcess:
        """Wait until its output since this start contains `text`."""
        return self.wait_until(lambda: text in self.output(), timeout_s)

    def output(self) -> str:
        """Return what it has printed since this start."""
        with self.command.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def stop(self, timeout_s: float = 5, *, with_signal: int = signal.SIGTERM) -> None:
        """Ask it to end, then kill whatever of its group is left.  Harmless when it has ended."""
        if self.is_alive:
            os.kill(self.pid, with_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._started().wait(timeout_s)
        self.kill()

    def kill(self) -> None:
        """End the whole group with SIGKILL, as a power cut would."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def rss_bytes(self) -> int:
        """Return the resident memory of the process and its children."""
        return sum(process.memory_info().rss for process in self._tree())

    def cpu_seconds(self) -> float:
        """Return the CPU time of the process and its children, user and system."""
        times = [process.cpu_times() for process in self._tree()]
        return sum(spent.user + spent.system for spent in times)

    def _tree(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            message = f"{self.command.name} was never started"
            raise RuntimeError(message)
        return self._process

    def _start_error(self, what: str) -> StartError:
        tail = "\n".join(self.output().splitlines()[-TAIL_LINES:])
        return StartError(f"{self.command.name} {what}; log {self.command.log}:\n{tail}")


def _answers(url: str) -> bool:
    # A client of httpx would read the machine's certificates first, 50 times a second.
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=2)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == HTTPStatus.OK
    except (HTTPException, OSError):
        return False
    finally:
        connection.close()
