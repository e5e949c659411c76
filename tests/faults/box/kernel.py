"""What only the kernel can do to a box: small disks, read-only ones, errors, delays, kills."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.powerloss.trace import STRACE_MISSING, strace_missing

MAY_MOUNT = os.geteuid() == 0 and shutil.which("mount") is not None
needs_mounts = pytest.mark.skipif(not MAY_MOUNT, reason="mounting a disk needs root")
needs_strace = pytest.mark.skipif(bool(strace_missing()), reason=STRACE_MISSING)
_ATTACHED_WITHIN_S = 10.0


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk in memory of that size."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder)
    try:
        yield folder
    finally:
        _unmount(folder)


@contextmanager
def ext4_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk with the file system that a box has; skips where there is no loop device."""
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    folder.mkdir()
    try:
        _run("mkfs.ext4", "-q", "-F", image)
        _run("mount", "-o", "loop", image, folder)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no loop device or no mkfs.ext4 (package e2fsprogs)")
    try:
        yield folder
    finally:
        _unmount(folder)
        image.unlink()


def fail_disk(folder: Path) -> None:
    """What ext4 does when its medium fails: from now on it is read-only, open files and all."""
    _run("mount", "-o", "remount,abort", folder)


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Fill a disk but for some bytes; removing the file makes room again."""
    filler = folder / "filler"
    room = os.statvfs(folder)
    size = room.f_bavail * room.f_frsize - leave_bytes
    with filler.open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, filler.stat().st_size + size)
    return filler


@contextmanager
def meddling(pid: int, path: Path, *inject: str) -> Iterator[None]:
    """Let the calls of a running process on one file fail, wait or kill.

    `inject` are expressions such as "fdatasync:error=EIO:when=1" of strace(1).
    """
    calls = ",".join(each.partition(":")[0] for each in inject)
    command = ["strace", "-f", "-p", str(pid), "-P", str(path), "-e", f"trace={calls}"]
    for each in inject:
        command += ["-e", f"inject={each}"]
    with tempfile.TemporaryFile() as said:
        strace = subprocess.Popen(command, stderr=said, stdout=subprocess.DEVNULL)
        try:
            _wait_attached(strace, said)
            yield
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait(10)


def meddled(path: Path, inject: str, command: Sequence[str]) -> list[str]:
    """The command line that runs a program with a fault on one file from its start."""
    call = inject.partition(":")[0]
    strace = ["strace", "-f", "-o", "/dev/null", "-P", str(path)]
    return [*strace, "-e", f"trace={call}", "-e", f"inject={inject}", *command]


def _wait_attached(strace: subprocess.Popen[bytes], said: object) -> None:
    deadline = time.monotonic() + _ATTACHED_WITHIN_S
    while b"attached" not in os.pread(said.fileno(), 1 << 16, 0):  # type: ignore[attr-defined]
        assert strace.poll() is None, os.pread(said.fileno(), 1 << 16, 0)  # type: ignore[attr-defined]
        assert time.monotonic() < deadline, "strace did not attach"
        time.sleep(0.01)


def _unmount(folder: Path) -> None:
    """Lazily, and without complaint where the test has pulled it out already."""
    subprocess.run(["umount", "--lazy", folder], check=False, capture_output=True)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
