"""Run a program under strace and read from its system calls what it did to one folder.

The program promises by writing lines to its standard output: the word, then JSON.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tests.powerloss.operations import (
    Make,
    Operation,
    Promise,
    Remove,
    Rename,
    Resize,
    Sync,
    Write,
)

STRACE_MISSING = "strace is missing: install the package strace (apt-get install strace)"
_READ = ("openat", "open", "creat", "lseek", "mkdir", "mkdirat")
_CHANGES = ("write", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync")
_NAMES = ("unlink", "unlinkat", "rename", "renameat", "renameat2")
_UNKNOWN = ("writev", "pwritev", "pwritev2", "copy_file_range", "sendfile", "link", "linkat")
"""Calls that the reader does not understand: on the folder they are an error, not a silence."""
_CALLS = ",".join((*_READ, *_CHANGES, *_NAMES, *_UNKNOWN))
_LONGEST_STRING = 70_000
_CALL = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(?:<(.*)>)?")
_UNFINISHED = re.compile(r"(\d+) +(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)$")
PROMISE = "promise "
_OUTPUT = 1


class TraceError(Exception):
    """The program failed, or did what the reader does not understand."""


def strace_missing() -> str:
    """Say in one line what is missing, or "" where strace is there."""
    return "" if shutil.which("strace") else STRACE_MISSING


def record(folder: Path, command: Sequence[str], trace_file: Path) -> list[Operation]:
    """Run a program under strace; everything that it did below `folder`, in order."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    sizes = {name: (folder / name).stat().st_size for name in names}
    strace = ["strace", "-f", "--seccomp-bpf", "-xx", "-y", "-s", str(_LONGEST_STRING)]
    run = subprocess.run(
        [*strace, "-e", f"trace={_CALLS}", "-o", str(trace_file), *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    if run.returncode:
        raise TraceError(run.stderr.decode(errors="replace"))
    with trace_file.open(encoding="ascii") as lines:
        return list(Reader(folder, sizes).read(lines))


class Reader:
    """Turns lines of strace into operations. Knows sizes and file offsets, as the kernel does."""

    def __init__(self, folder: Path, sizes: dict[str, int]) -> None:
        self._folder = str(folder.resolve())
        self._sizes = dict(sizes)
        self._offsets: dict[int, int] = {}
        self._appending: set[int] = set()

    def read(self, lines: Iterable[str]) -> Iterator[Operation]:
        """Yield the operations in the order of the calls' ends."""
        begun: dict[str, str] = {}
        for raw in lines:
            line = raw.rstrip("\n")
            if unfinished := _UNFINISHED.match(line):
                begun[unfinished[1]] = unfinished[2]
                continue
            if resumed := _RESUMED.match(line):
                line = f"{resumed[1]} {begun.pop(resumed[1])}{resumed[2]}"
            call = _CALL.match(line)
            if call is not None and int(call[4]) >= 0:
                yield from self._operations(call[2], call[3].split(", "), int(call[4]), call[5])

    def _operations(
        self, name: str, arguments: list[str], result: int, opened: str | None
    ) -> Iterator[Operation]:
        if name in {"open", "openat", "creat"}:
            yield from self._open(name, arguments, result, opened or "")
        elif name in {"write", "pwrite64"}:
            yield from self._write(arguments, result)
        elif name in _NAMES:
            yield from self._rename_or_remove(name, arguments)
        elif name in _UNKNOWN:
            self._refuse(name, arguments)
        elif name not in {"mkdir", "mkdirat"}:
            yield from self._on_descriptor(name, arguments, result)

    def _open(
        self, name: str, arguments: list[str], result: int, opened: str
    ) -> Iterator[Operation]:
        path = self._inside(opened)
        self._offsets[result] = 0
        self._appending.discard(result)
        if path is None:
            return
        flags = arguments[-1 if name == "creat" else 1 if name == "open" else 2].split("|")
        if "O_APPEND" in flags:
            self._appending.add(result)
        if path not in self._sizes:
            if "O_CREAT" in flags or name == "creat":
                self._sizes[path] = 0
                yield Make(path)
        elif "O_TRUNC" in flags or name == "creat":
            self._sizes[path] = 0
            yield Resize(path, 0)

    def _write(self, arguments: list[str], result: int) -> Iterator[Operation]:
        number, path = self._descriptor(arguments[0])
        if number == _OUTPUT and path is None:
            for line in _bytes_of(arguments[1]).decode().splitlines():
                if line.startswith(PROMISE):
                    yield Promise(json.loads(line.removeprefix(PROMISE)))
        if path is None or path not in self._sizes:
            return  # elsewhere, or of a file whose name is gone already
        data = _bytes_of(arguments[1])[:result]
        if len(arguments) > 3:
            offset = int(arguments[3])
        else:
            offset = self._sizes[path] if number in self._appending else self._offsets[number]
            self._offsets[number] = offset + result
        self._sizes[path] = max(self._sizes[path], offset + result)
        yield Write(path, offset, data)

    def _on_descriptor(self, name: str, arguments: list[str], result: int) -> Iterator[Operation]:
        number, path = self._descriptor(arguments[0])
        if name == "lseek":
            self._offsets[number] = result
        elif path is not None and (path in self._sizes or path == "."):
            yield from self._resize_or_sync(name, path, arguments)
        elif path is not None and name in {"fsync", "fdatasync"}:
            yield Sync(path)  # a folder below

    def _resize_or_sync(self, name: str, path: str, arguments: list[str]) -> Iterator[Operation]:
        if name == "ftruncate":
            self._sizes[path] = int(arguments[1])
            yield Resize(path, self._sizes[path])
        elif name == "fallocate":
            self._sizes[path] = max(self._sizes[path], int(arguments[2]) + int(arguments[3]))
            yield Resize(path, self._sizes[path])
        else:
            yield Sync(path)

    def _rename_or_remove(self, name: str, arguments: list[str]) -> Iterator[Operation]:
        paths = [self._inside(text[1:-1]) for text in arguments if text.startswith('"')]
        if all(path is None for path in paths):
            return
        old = paths[0]
        assert old is not None, "a file came from outside the folder"
        if name.startswith("unlink"):
            if self._sizes.pop(old, None) is not None:
                yield Remove(old)
            return
        new = paths[1]
        assert new is not None, "a file left the folder"
        self._sizes[new] = self._sizes.pop(old)
        yield Rename(old, new)

    def _refuse(self, name: str, arguments: list[str]) -> None:
        for argument in arguments:
            quoted = argument.strip('"').partition("<")[2].rstrip(">") or argument.strip('"')
            if quoted.startswith("\\x") and self._inside(quoted) is not None:
                raise TraceError(f"{name} is not understood: {arguments}")

    def _descriptor(self, argument: str) -> tuple[int, str | None]:
        number, _, path = argument.partition("<")
        return int(number), self._inside(path.removesuffix(">"))

    def _inside(self, quoted: str) -> str | None:
        """Name below the folder; None for what is elsewhere, and for SQLite's shared memory.

        That file is never read after a power cut: SQLite builds it anew.
        """
        try:
            path = _bytes_of(quoted).decode()
        except ValueError:
            return None
        if path == self._folder:
            return "."
        if not path.startswith(self._folder + "/") or path.endswith("-shm"):
            return None
        return path[len(self._folder) + 1 :]


def _bytes_of(quoted: str) -> bytes:
    """`"\\x41\\x42"` is b"AB"."""
    return bytes.fromhex(quoted.strip('"').replace("\\x", ""))
