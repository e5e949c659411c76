"""Skip a set-up step whose inputs have not changed since it last succeeded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", ".vite", ".svelte-kit", "static"})


def files_under(folder: Path) -> Iterator[Path]:
    """Yield the source files below a folder, in a stable order."""
    for path, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            yield Path(path) / name


def digest_of(paths: Iterable[Path], *words: str) -> str:
    """Return one hash over file names, file contents and any further words."""
    total = hashlib.sha256()
    for word in words:
        total.update(word.encode() + b"\0")
    for path in paths:
        content = path.read_bytes() if path.is_file() else b""
        total.update(str(path).encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()


class Stamp:
    """Remembers in one small file with which inputs a step last succeeded."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / name

    def is_fresh(self, digest: str) -> bool:
        """Tell whether the step has already succeeded with these inputs."""
        return self._file.is_file() and self._file.read_text(encoding="ascii") == digest

    def set(self, digest: str) -> None:
        """Record success.  Call it only after the step is done."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(digest, encoding="ascii")

    def clear(self) -> None:
        """Forget the last success, so that a step which dies half-way is repeated."""
        self._file.unlink(missing_ok=True)
