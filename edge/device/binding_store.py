"""Where bindings are kept: `bindings.json` in the data folder, replaced whole and durably."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from edge.device.binding import Binding

BINDINGS_FILE = "bindings.json"
_log = structlog.get_logger(__name__)


class BindingStore:
    """Reads and writes the bindings of a box."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / BINDINGS_FILE

    def load(self) -> tuple[Binding, ...]:
        """What was saved last; nothing when there is no file or none that can be read.

        A file that cannot be read is set aside: scanners have to be paired again, the lanes sell
        on with typed codes meanwhile.
        """
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            return tuple(_binding(each) for each in document["scanners"])
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, LookupError, TypeError) as error:
            _log.error("scanner.bindings_unreadable", path=str(self._path), because=repr(error))
            self._set_aside()
            return ()

    def save(self, bindings: tuple[Binding, ...]) -> None:
        """Keep these over a power cut; raises OSError."""
        document = {"v": 1, "scanners": [asdict(each) for each in bindings]}
        fresh = self._path.with_name(f"{BINDINGS_FILE}.new")
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(document, file, ensure_ascii=False, indent=2)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        handle = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def _set_aside(self) -> None:
        try:
            self._path.replace(self._path.with_name(f"{BINDINGS_FILE}.damaged"))
        except OSError as error:
            _log.warning("scanner.bindings_unreadable", because=repr(error))


def _binding(given: dict[str, Any]) -> Binding:
    return Binding(
        id=str(given["id"]),
        lane=int(given["lane"]),
        connection="serial" if given["connection"] == "serial" else "keyboard",
        port=str(given["port"]),
        serial=str(given["serial"]),
        model=str(given["model"]),
        name=str(given.get("name", "")),
    )
