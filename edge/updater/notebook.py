"""What the updater remembers: small JSON files, each replaced whole, so that no cut halves one."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from shared.release.state import Progress
from shared.wire.message import DesiredSoftware

PROGRESS, WANTED, BEFORE = "state.json", "wanted.json", "before.json"
_PROGRESS = TypeAdapter(Progress)
_WANTED = TypeAdapter(DesiredSoftware)


class Notebook:
    """The files of one folder. What cannot be read counts as not there: HQ says it again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def progress(self) -> Progress:
        """Where the update stands."""
        found = self._read(PROGRESS)
        try:
            return Progress() if found is None else _PROGRESS.validate_python(found)
        except ValidationError:
            return Progress()

    def put_progress(self, progress: Progress) -> None:
        """Write down a state, before it is acted on."""
        self._write(PROGRESS, asdict(progress))

    def wanted(self) -> DesiredSoftware | None:
        """What HQ wanted when it was last heard."""
        found = self._read(WANTED)
        try:
            return None if not found else _WANTED.validate_python(found)
        except ValidationError:
            return None

    def put_wanted(self, wanted: DesiredSoftware | None) -> None:
        """Keep HQ's wish for the next start, which may be without a network."""
        self._write(WANTED, {} if wanted is None else asdict(wanted))

    def before(self) -> dict[str, Any]:
        """How the box was before the software was changed."""
        return self._read(BEFORE) or {}

    def put_before(self, facts: dict[str, Any]) -> None:
        """Keep how the box is, to be compared with what comes."""
        self._write(BEFORE, facts)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found = orjson.loads((self.folder / name).read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def _write(self, name: str, fields: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f".{name}"
        with draft.open("wb") as file:
            file.write(orjson.dumps(fields))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.folder / name)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
