"""emupos: printers and scales made by others, of software, to which the box must not be a stranger.

It needs Python 3.13, which Debian 12 lacks; where there is none, its tests say so and are skipped.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.lab.net import LOOPBACK, free_port
from tests.lab.processes import ChildProcess, Command
from tests.lab.python_env import EMUPOS_LOCK, install_apart

MISSING = "emupos needs Python 3.13, and there is none here"
_NAME = "python3.13"
_START_S = 40
_DEVICE = "front"


@cache
def python_313() -> Path | None:
    """A Python 3.13 that runs: on the search path, or among those of pyenv."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [Path(folder) / _NAME for folder in folders]
    found += [folder / "bin" / _NAME for folder in sorted(pyenv.glob("3.13*"))]
    return next((path for path in found if path.is_file() and _runs(path)), None)


def _runs(python: Path) -> bool:
    done = subprocess.run([python, "-c", ""], capture_output=True, check=False)
    return done.returncode == 0


@dataclass(frozen=True, slots=True)
class EmulatedPrinter:
    """An emulated printer; `port` takes print jobs, `api` (an address) answers questions.

    `process` writes what happens to its log.
    """

    port: int
    api: str
    process: ChildProcess

    def set_fault(self, fault: str, *, is_on: bool) -> None:
        """Bring about `paper-near-end`, `paper-out`, `cover-open` or `offline`, or clear it."""
        method = "PUT" if is_on else "DELETE"
        self._call(method, f"/faults/{fault}")

    def close_drawer(self) -> None:
        """Push the drawer in."""
        self._call("POST", "/drawer/close")

    def state(self) -> dict[str, Any]:
        """What it tells of itself."""
        answer = self._get("")
        found: dict[str, Any] = answer.json()["state"]
        return found

    def receipts(self) -> list[dict[str, Any]]:
        """What was printed, oldest first."""
        found: list[dict[str, Any]] = self._get("/receipts").json()
        return found

    def text(self, receipt: str) -> str:
        """A receipt as text."""
        return self._get(f"/receipts/{receipt}/text").text

    def image(self, receipt: str) -> bytes:
        """A receipt as PNG."""
        return self._get(f"/receipts/{receipt}/image").content

    def _get(self, path: str) -> httpx.Response:
        return self._call("GET", path)

    def _call(self, method: str, path: str) -> httpx.Response:
        url = f"{self.api}/api/v1/devices/{_DEVICE}{path}"
        answer = httpx.request(method, url, timeout=10, trust_env=False)
        answer.raise_for_status()
        return answer


@contextmanager
def emulated_printer(folder: Path, profile: str) -> Iterator[EmulatedPrinter]:
    """Run one printer of a kind that emupos knows, such as `xprinter-xp80t`."""
    more = f"    receipts_dir: {folder}/receipts\n"
    with _running(folder, f"    type: printer\n    profile: {profile}\n{more}") as parts:
        yield EmulatedPrinter(*parts)


@dataclass(frozen=True, slots=True)
class EmulatedScale:
    """An emulated scale; `port` answers as its serial line would, `api` takes what is weighed."""

    port: int
    api: str
    process: ChildProcess

    def lay(self, grams: int, *, is_stable: bool = True) -> None:
        """Put that much on it; unless it is stable it goes on moving."""
        body = {"grams": grams, "stable": is_stable}
        url = f"{self.api}/api/v1/devices/{_DEVICE}/weight"
        httpx.put(url, json=body, timeout=10, trust_env=False).raise_for_status()

    def tare(self) -> None:
        """Press its own tare key."""
        url = f"{self.api}/api/v1/devices/{_DEVICE}/tare"
        httpx.post(url, timeout=10, trust_env=False).raise_for_status()


@contextmanager
def emulated_scale(folder: Path, profile: str) -> Iterator[EmulatedScale]:
    """Run one scale of a kind that emupos knows, such as `toledo8217-15kg`."""
    with _running(folder, f"    type: scale\n    profile: {profile}\n") as parts:
        yield EmulatedScale(*parts)


@contextmanager
def _running(folder: Path, device: str) -> Iterator[tuple[int, str, ChildProcess]]:
    """Run one device; its port, the address of its API and its process."""
    python = python_313()
    assert python is not None, MISSING
    program = install_apart(EMUPOS_LOCK, python).parent / "emupos"
    port, api_port = free_port(), free_port()
    config = folder / "emupos.yaml"
    config.write_text(
        f"schema: 1\napi: {{ host: {LOOPBACK}, port: {api_port} }}\ndevices:\n"
        f"  - id: {_DEVICE}\n{device}    connections:\n      - tcp: {{ port: {port} }}\n",
        encoding="utf-8",
    )
    command = Command("emupos", [program, "run", "--config", config], folder / "emupos.log")
    process = ChildProcess(command).start()
    try:
        process.wait_port(api_port, _START_S)
        yield port, f"http://{LOOPBACK}:{api_port}", process
    finally:
        process.stop()
