"""What the box does for its journal once a day: look at all of it, then forget what is archived.

A start walks the journal's tail only; a bit that flips on the card further back is found here, in
small steps, so that a till that sells meanwhile does not feel it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge.journal.store import Journal
from shared.journal.chain import entry_hash, genesis_hash
from shared.kernel.clock import Clock, ClockQuality

_HOUR_MS = 3_600_000
DUE_AFTER_MS = 20 * _HOUR_MS
OVERDUE_AFTER_MS = 48 * _HOUR_MS
"""A shop that never closes is looked after all the same."""
LOOK_EVERY_S = 600.0
STEP_ENTRIES = 200
STEP_BYTES_MAX = 1 << 20
_STEP_PAUSE_S = 0.02
_PRESSED_SHARE = 0.1
"""Less of the disk free than this, and old entries go sooner."""
_JOIN_S = 5.0
_log = structlog.get_logger("upkeep")


def is_due(since_last_ms: int, *, is_day_open: bool) -> bool:
    """Whether it is time: about once a day, while the shop is closed if it ever is."""
    return since_last_ms >= (OVERDUE_AFTER_MS if is_day_open else DUE_AFTER_MS)


def first_damaged(journal: Journal, pause: Callable[[], bool]) -> int | None:
    """Number of the first entry that is missing or does not fit; None when all is well.

    `pause` is called between steps and says whether to go on.
    """
    with journal.exclusive():  # not while a new life begins, half of which is the old one
        stream, head = journal.stream, journal.head()[0]
    before = genesis_hash(bytes.fromhex(stream))
    seq = 0
    while seq <= head and pause():
        try:
            entries = journal.read(seq, STEP_ENTRIES, STEP_BYTES_MAX)
        except sqlite3.DatabaseError:
            return seq
        if not entries:
            return seq if journal.stream == stream else None
        for entry in entries:
            first_kept = journal.first_kept()
            if seq == 1 and entry.seq == first_kept > 1:  # what is between was pruned
                seq, before = first_kept, journal.hash_before(first_kept) or b""
            if entry.seq != seq or not _fits(stream, seq, before, entry.body, entry.hash):
                return seq if journal.stream == stream else None
            before = entry.hash
            seq += 1
    return None


def _fits(stream: str, seq: int, before: bytes, body: bytes, stated: bytes) -> bool:
    return bool(before) and entry_hash(bytes.fromhex(stream), seq, before, body) == stated


def share_free(folder: Path) -> float:
    """How much of the folder's disk a program without privileges may still fill, 0 to 1."""
    room = os.statvfs(folder)
    return room.f_bavail / room.f_blocks if room.f_blocks else 0.0


@dataclass(frozen=True, slots=True)
class UpkeepParts:
    """What it works with; `free` tells how much of a folder's disk is free, 0 to 1."""

    journal: Journal
    clock: Clock
    free: Callable[[Path], float] = share_free


class Upkeep:
    """The thread that looks after the journal."""

    def __init__(self, parts: UpkeepParts) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._last_ms = parts.clock.mono_ms()
        self._damaged: int | None = None

    def start(self) -> None:
        """Begin; the first turn comes when a day has passed."""
        self._last_ms = self._parts.clock.mono_ms()
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the step in hand."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def damaged(self) -> int | None:
        """The entry that the last look found damaged, None for none."""
        return self._damaged

    def look(self) -> bool:
        """Do what is due; whether anything was."""
        journal, clock = self._parts.journal, self._parts.clock
        day = journal.day()
        is_open = day is not None and day.is_open
        if not is_due(clock.mono_ms() - self._last_ms, is_day_open=is_open):
            return False
        self._last_ms = clock.mono_ms()
        self.turn()
        return True

    def turn(self) -> None:
        """Walk the journal; prune it where nothing is wrong with it."""
        journal, clock = self._parts.journal, self._parts.clock
        self._damaged = first_damaged(journal, self._pause)
        if self._damaged is not None:
            _log.error("journal.damaged", stream=journal.stream, seq=self._damaged)
            return
        # By a clock that runs ahead everything would be old.
        if clock.quality() is not ClockQuality.NTP:
            return
        is_pressed = self._is_pressed()
        while self._pause() and (gone := journal.prune(clock.now_ms(), is_pressed=is_pressed)):
            _log.info("journal.pruned", entries=gone, is_pressed=is_pressed)

    def _is_pressed(self) -> bool:
        journal = self._parts.journal
        share = self._parts.free(journal.path.parent)
        return journal.is_short_of_room or share < _PRESSED_SHARE

    def _pause(self) -> bool:
        return not self._stopping.wait(_STEP_PAUSE_S)

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the outermost frame of this thread's work
                _log.exception("upkeep_failed")
