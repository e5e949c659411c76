"""The lab's kernel: User-Mode Linux, an ordinary program, built once from Debian's kernel source.

It lies in the user's cache folder under a hash of its recipe, never in the work tree; whoever
changes the recipe gets another kernel.  Nothing but Python's standard library is needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import debian
from tests.lab.console import SetupError, say, step

FRAGMENT = Path(__file__).with_name("kernel.config")
SOURCE_PACKAGE = "linux-source-6.1"
SOURCE = Path(f"/usr/src/{SOURCE_PACKAGE}.tar.xz")
BUILD_PACKAGES = (SOURCE_PACKAGE, "gcc", "libc6-dev", "make", "flex", "bison", "bc", "xz-utils")
BUILD_TOOLS = ("gcc", "make", "flex", "bison", "bc", "xz")
# Raise it when the steps below change in a way that the fragment does not show.
RECIPE_VERSION = 1
# Most of the source is drivers for what no store has; only their Kconfig files are asked for.
UNNEEDED = (
    *("*/drivers/gpu/*.[ch]", "*/drivers/net/*/*.[ch]", "*/drivers/media/*.[ch]"),
    *("*/drivers/scsi/*.[ch]", "*/drivers/staging/*.[ch]", "*/sound/*.[ch]"),
    *("*.rst", "*.dts*", "*.yaml", "*/tools/testing/*"),
)
# How many objects the build makes: only the progress bar believes it.
OBJECTS = 640
BAR_WIDTH = 30
LOG_LINES = 15


def cache_folder() -> Path:
    """Where this recipe's kernel lies, or will lie."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "tillbox" / f"uml-{recipe_hash(FRAGMENT.read_bytes())}"


def recipe_hash(fragment: bytes) -> str:
    """Name a recipe; another kernel comes out of another one."""
    words = f"{RECIPE_VERSION} {SOURCE_PACKAGE} {platform.machine()}\n".encode()
    return hashlib.sha256(words + fragment).hexdigest()[:16]


def kernel() -> Path:
    """The kernel, built first when this machine has not got it; raises SetupError."""
    if platform.machine() != "x86_64":
        message = f"The device lab's kernel runs on x86_64 only; this is {platform.machine()}."
        raise SetupError(message)
    folder = cache_folder()
    built = folder / "linux"
    if built.is_file():
        return built
    folder.mkdir(parents=True, exist_ok=True)
    with _only_one(folder / "lock"):
        if not built.is_file():
            _build(folder, built)
    return built


def wanted(fragment: str) -> list[str]:
    """The lines of a fragment that must stand in the kernel's own configuration."""
    lines = (line.strip() for line in fragment.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def refused(fragment: str, config: str) -> list[str]:
    """What the fragment asks for and the finished configuration has not got."""
    has = set(config.splitlines())
    return [line for line in wanted(fragment) if line not in has]


def _build(folder: Path, built: Path) -> None:
    _need_tools()
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    with step("Unpacking the kernel's source"):
        source = _unpack(work)
    with step("Building the device lab's kernel (once; about two minutes)"):
        _configure(source, work)
        _compile(source, work)
        _run(["strip", "-o", str(work / "linux"), str(work / "out" / "linux")], work)
    # The map names the addresses of a panic: the kernel itself goes without its names.
    for kept in (".config", "System.map"):
        shutil.copy(work / "out" / kept, folder / kept.removeprefix("."))
    (work / "linux").replace(built)
    shutil.rmtree(work)


def _need_tools() -> None:
    has_tools = all(debian.find_program(name) for name in BUILD_TOOLS)
    if not has_tools or not SOURCE.is_file():
        debian.apt_install(*BUILD_PACKAGES)


def _unpack(work: Path) -> Path:
    excluded = [f"--exclude={pattern}" for pattern in UNNEEDED]
    _run(["tar", "-x", "-f", str(SOURCE), "-I", "xz -T0", *excluded], work)
    return work / SOURCE_PACKAGE


def _configure(source: Path, work: Path) -> None:
    out = work / "out"
    out.mkdir()
    _run([*_make(source, out), f"KCONFIG_ALLCONFIG={FRAGMENT}", "allnoconfig"], work)
    config = (out / ".config").read_text(encoding="ascii")
    if missing := refused(FRAGMENT.read_text(encoding="ascii"), config):
        message = f"{SOURCE_PACKAGE} does not take {', '.join(missing)}: mend {FRAGMENT.name}."
        raise SetupError(message)


def _compile(source: Path, work: Path) -> None:
    command = [*_make(source, work / "out"), f"-j{os.cpu_count() or 1}", "linux"]
    log = work / "build.log"
    with log.open("w", encoding="utf-8") as kept:
        running = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        assert running.stdout is not None
        show = Progress()
        for line in running.stdout:
            kept.write(line)
            show.take(line)
        show.end()
        if running.wait() != 0:
            message = f"The device lab's kernel could not be built (log {log}):{_why(log)}"
            raise SetupError(message)


def _why(log: Path) -> str:
    """The lines that name errors; two jobs at once bury them under each other's output."""
    lines = log.read_text(encoding="utf-8").splitlines()
    told = [line for line in lines if "error:" in line or "***" in line] or lines
    return "".join(f"\n    | {line}" for line in told[-LOG_LINES:])


class Progress:
    """A bar on a terminal; elsewhere one line at every quarter."""

    def __init__(self) -> None:
        self._done = 0
        self._quarters = 0
        self._is_terminal = sys.stdout.isatty()

    def take(self, line: str) -> None:
        """Count one line of make's output."""
        if not line.startswith("  CC "):
            return
        self._done = min(self._done + 1, OBJECTS)
        if self._is_terminal:
            full = BAR_WIDTH * self._done // OBJECTS
            bar = "#" * full + "." * (BAR_WIDTH - full)
            sys.stdout.write(f"\r    [{bar}] {100 * self._done // OBJECTS} %")
            sys.stdout.flush()
        elif 4 * self._done // OBJECTS > self._quarters:
            self._quarters = 4 * self._done // OBJECTS
            say(f"    {25 * self._quarters} %")

    def end(self) -> None:
        """Leave the bar's line."""
        if self._is_terminal:
            sys.stdout.write("\r" + " " * (BAR_WIDTH + 16) + "\r")


def _make(source: Path, out: Path) -> list[str]:
    # Nothing of this user's shell (CFLAGS, MAKEFLAGS of an outer make) may get into the kernel.
    clean = ["env", "-u", "MAKEFLAGS", "-u", "MFLAGS", "-u", "MAKELEVEL", "-u", "CFLAGS"]
    return [*clean, "make", "-C", str(source), "ARCH=um", "SUBARCH=x86_64", f"O={out}"]


def _run(command: list[str], work: Path) -> None:
    done = subprocess.run(
        command,
        cwd=work,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        tail = "".join(f"\n    | {line}" for line in done.stdout.splitlines()[-LOG_LINES:])
        message = f"{command[0]} failed while the device lab's kernel was made:{tail}"
        raise SetupError(message)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
