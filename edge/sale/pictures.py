"""The box's own copies of pictures of goods: fetched when a till first asks, and bounded.

A till never waits for one: what is not here yet is fetched behind its back and shown the next time.
Pictures are named by the SHA-256 of their bytes and never change; those that nobody looked at for
longest go first when the folder is full.
"""

from __future__ import annotations

import contextlib
import os
import queue
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.kernel.canonical import sha256
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

PICTURE_BYTES_MAX = 256 * 1024
FOLDER_BYTES_MAX = 64 * 1024 * 1024
WAITING_MAX = 64
TRY_AGAIN_MS = 10 * 60_000
FAILED_MAX = 1024
MEDIA_TYPE = "image/webp"
_NAME = re.compile(r"[0-9a-f]{64}")
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PictureParts:
    """What it works with.

    `fetch` brings an object of at most so many bytes into `folder`, under its own name and
    verified, and raises RetailError where it cannot; `close` ends one that is under way.
    """

    folder: Path
    fetch: Callable[[str, int], object]
    clock: Clock
    close: Callable[[], None] = lambda: None
    folder_bytes_max: int = FOLDER_BYTES_MAX


class Pictures:
    """Gives pictures from the folder, and fetches what is missing on a thread of its own."""

    def __init__(self, parts: PictureParts) -> None:
        self._parts = parts
        self._waiting: queue.Queue[str] = queue.Queue(WAITING_MAX)
        self._asked: set[str] = set()
        self._failed_at_ms: dict[str, int] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Fetch from now on."""
        self._thread = threading.Thread(target=self._run, name="pictures", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Fetch no more; safe to call twice."""
        thread, self._thread = self._thread, None
        if thread is not None:
            while not self._waiting.empty():
                self._waiting.get_nowait()
            self._parts.close()
            self._waiting.put("")
            thread.join(_JOIN_S)

    def get(self, name: str) -> bytes | None:
        """The picture of that SHA-256 (hex); None while it is not here, or is none."""
        if _NAME.fullmatch(name) is None:
            return None
        path = self._parts.folder / name
        try:
            data = path.read_bytes()
        except OSError:
            self._want(name)
            return None
        if sha256(data).hex() != name:  # a power cut tore it
            path.unlink(missing_ok=True)
            self._want(name)
            return None
        if not _is_picture(data):
            return None
        with contextlib.suppress(OSError):  # it may have been let go just now
            os.utime(path)
        return data

    def turn(self, name: str) -> None:
        """Fetch one, and let go of the oldest where the folder is full."""
        try:
            self._parts.fetch(name, PICTURE_BYTES_MAX)
        except (RetailError, OSError) as error:
            _log.info("picture.not_fetched", because=str(error))
            with self._lock:
                if len(self._failed_at_ms) >= FAILED_MAX:
                    self._failed_at_ms.clear()
                self._failed_at_ms[name] = self._parts.clock.mono_ms()
        else:
            self._make_room(name)
        finally:
            with self._lock:
                self._asked.discard(name)

    def waiting(self) -> int:
        """How many are to be fetched."""
        return self._waiting.qsize()

    def wants(self, name: str) -> bool:
        """Whether a picture that is not here would be fetched if it were asked for now."""
        failed_at_ms = self._failed_at_ms.get(name)
        now_ms = self._parts.clock.mono_ms()
        is_early = failed_at_ms is not None and now_ms - failed_at_ms < TRY_AGAIN_MS
        return name not in self._asked and not is_early and not self._waiting.full()

    def _want(self, name: str) -> None:
        with self._lock:
            if self.wants(name):
                self._asked.add(name)
                self._waiting.put_nowait(name)

    def _make_room(self, newest: str) -> None:
        kept = [(each.stat(), each) for each in self._parts.folder.iterdir() if each.is_file()]
        size = sum(stat.st_size for stat, _ in kept)
        for stat, path in sorted(kept, key=lambda each: each[0].st_mtime_ns):
            if size <= self._parts.folder_bytes_max:
                return
            if path.name != newest:
                path.unlink(missing_ok=True)
                size -= stat.st_size

    def _run(self) -> None:
        while name := self._waiting.get():
            try:
                self.turn(name)
            except Exception:  # noqa: BLE001 - the outermost frame of this thread's work
                _log.exception("picture.failed")


def _is_picture(data: bytes) -> bool:
    """Head office makes them all of one kind; another object must not be shown as one."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
