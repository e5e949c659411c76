"""Gathers the words of many boxes for a moment, to write them with one transaction.

A box that tells twice before the write is written once, with its newer word. What a killed worker
had in hand is lost: only for words that the box says again by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import structlog

from shared.kernel.errors import RetailError

ROWS_MAX = 2_000
"""In one transaction."""
WAITING_MAX = 50_000
"""Boxes whose word waits while the database is away; of more the words are dropped."""
_JOIN_S = 10.0
_log = structlog.get_logger("cloud.fleet")
Row = TypeVar("Row")


class Gathering(Generic[Row]):
    """Rows by device; `start` and `stop` once each, `put` from any thread."""

    def __init__(
        self,
        name: str,
        every_s: float,
        save: Callable[[list[tuple[str, Row]]], None],
        count: Callable[[str, int], None],
    ) -> None:
        """Take the parts.

        `save` gets (device, row) in the order of devices, so that two workers never wait for each
        other; `count` is told how many were "written" or "lost".
        """
        self._name = name
        self._every_s = every_s
        self._save = save
        self._count = count
        self._lock = threading.Lock()
        self._waiting: dict[str, Row] = {}
        self._some = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is in hand, then end."""
        self._is_stopping = True
        self._some.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def put(self, dev: str, row: Row) -> None:
        """Remember a box's word; returns at once."""
        with self._lock:
            is_taken = dev in self._waiting or len(self._waiting) < WAITING_MAX
            if is_taken:
                self._waiting[dev] = row
        if is_taken:
            self._some.set()
        else:
            self._count("lost", 1)

    def flush(self) -> int:
        """Write what waits; how many boxes. Raises what `save` does, and what it had is kept."""
        written = 0
        while rows := self._take():
            try:
                self._save(rows)
            except BaseException:
                self._give_back(rows)
                raise
            written += len(rows)
            self._count("written", len(rows))
        return written

    def _take(self) -> list[tuple[str, Row]]:
        with self._lock:
            devs = sorted(list(self._waiting)[:ROWS_MAX])
            return [(dev, self._waiting.pop(dev)) for dev in devs]

    def _give_back(self, rows: list[tuple[str, Row]]) -> None:
        with self._lock:
            for dev, row in rows:
                self._waiting.setdefault(dev, row)

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            self._some.wait()
            if not self._is_stopping:
                pause.wait(self._every_s)  # for others to join
            self._some.clear()
            is_last = self._is_stopping  # looked at after the call was taken back: none is missed
            try:
                self.flush()
            except RetailError as error:
                _log.warning("fleet.words_wait", what=self._name, because=str(error))
                self._some.set()
            except Exception:  # noqa: BLE001 - outermost loop: log, count, go on without them
                _log.exception("fleet.words_failed", what=self._name)
                self._count("lost", len(self._take()))
            if is_last:
                return
