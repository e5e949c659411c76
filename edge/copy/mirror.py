"""A second copy of the journal on a USB stick: never in the way of a sale.

The thread reads committed entries from the journal itself, so nothing queues up while the stick is
away, and it catches up by itself.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import structlog

from edge.copy.metrics import MIRROR_BEHIND, MIRROR_FAULTS, MIRROR_HEALTHY
from edge.copy.mirror_file import carbons_of, last_carbon, parts_in
from edge.copy.mirror_folder import MirrorFolder
from shared.journal.carbon import Carbon, carbon_line
from shared.journal.entry import JournalEntry
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

SYNC_BUDGET_MS = 200
"""A stick that takes longer to sync is written to without waiting for each entry."""
SLOW_SYNC_EVERY_MS = 2000
RETRY_S = 5.0
READ_MAX = 64
TAKEN_AT_ONCE = 200
_JOIN_S = 5.0
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
State = Literal["off", "ok", "slow", "absent", "full"]
_log = structlog.get_logger(__name__)


class Mirrored(Protocol):
    """The journal as a mirror needs it."""

    @property
    def stream(self) -> str:
        """Stream id of the journal as it is now, hex."""
        ...

    def head(self) -> tuple[int, bytes]:
        """Number and hash of the last entry."""
        ...

    def acked(self) -> int:
        """The last entry that the cloud holds, -1 for none."""
        ...

    def hash_at(self, seq: int) -> bytes | None:
        """Hash of an entry; None when it has none with that number."""
        ...

    def carbons(self, from_seq: int, limit: int) -> list[Carbon]:
        """Signed copies of the entries from `from_seq` on."""
        ...

    def on_append(self, callback: Callable[[JournalEntry], None]) -> None:
        """Call back after each commit."""
        ...


@dataclass(frozen=True, slots=True)
class MirrorParts:
    """What a mirror works with.

    `data_dir` must lie on another disk: an unplugged stick leaves an empty folder behind.
    `has_arrived` says whether the cloud has a copy's entry, of any journal; `take_in` receives
    copies that lie on the stick and are not this journal's.
    """

    folder: Path
    data_dir: Path
    journal: Mirrored
    clock: Clock
    has_arrived: Callable[[Carbon], bool]
    take_in: Callable[[bytes], int]
    disk_of: Callable[[Path], int] = lambda path: path.stat().st_dev


class Mirror:
    """The thread, and how it fares."""

    def __init__(self, parts: MirrorParts) -> None:
        self._parts = parts
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._file: MirrorFolder | None = None
        self._written = -1
        self._unsynced_since_ms: int | None = None
        self._state: State = "absent"

    def start(self) -> None:
        """Begin, with or without a stick."""
        self._parts.journal.on_append(self._appended)
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what there is, let the stick go."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def state(self) -> State:
        """How the mirror fares; answers at once."""
        return self._state

    def _appended(self, entry: JournalEntry) -> None:
        del entry
        self._wake.set()

    def _run(self) -> None:
        while True:
            is_last = self._is_stopping
            wait_s = self.turn()
            if is_last:
                break
            self._wake.wait(wait_s)
            self._wake.clear()
        self._let_go()

    def turn(self) -> float:
        """Write what is new; seconds until the next look at the stick."""
        try:
            self._open()
            self._write()
        except OSError as error:
            self._failed("full" if error.errno in _FULL else "absent", error)
        except RetailError as error:
            self._failed("absent", error)
        except Exception:  # noqa: BLE001 - outermost loop: a copy never stops a shop
            _log.exception("mirror.turn_failed")
            self._failed("absent", None)
        MIRROR_BEHIND.set(max(0, self._parts.journal.head()[0] - self._written))
        MIRROR_HEALTHY.set(1 if self._state == "ok" else 0)
        return RETRY_S if self._unsynced_since_ms is None else SLOW_SYNC_EVERY_MS / 1000

    def _open(self) -> None:
        parts = self._parts
        stream = parts.journal.stream
        if not parts.folder.is_dir() or (
            parts.disk_of(parts.folder) == parts.disk_of(parts.data_dir)
        ):
            raise OSError(errno.ENODEV, "no stick", str(parts.folder))
        if self._file is not None and self._file.stream == stream:
            return
        self._let_go()
        self._take_others(stream)
        file = MirrorFolder(parts.folder, stream, parts.has_arrived)
        last = file.open()
        self._file, self._written = file, parts.journal.acked()
        if last is not None and parts.journal.hash_at(last.seq) == last.hash:
            self._written = max(last.seq, self._written)
        _log.info("mirror.open", folder=str(parts.folder), from_seq=self._written + 1)

    def _write(self) -> None:
        assert self._file is not None
        while carbons := self._parts.journal.carbons(self._written + 1, READ_MAX):
            if carbons[0].stream != self._file.stream:
                self._wake.set()  # a new life has begun: open its file
                return
            lines = b"".join(carbon_line(carbon) + b"\n" for carbon in carbons)
            self._file.append(carbons[0].seq, lines)
            self._written = carbons[-1].seq
            self._sync_if_due()
        self._sync_if_due()
        if self._state in {"absent", "full"}:
            _log.info("mirror.complete", seq=self._written)
            self._state = "ok"

    def _sync_if_due(self) -> None:
        """Sync at once while the stick is quick; at most every 2 s while it is not."""
        assert self._file is not None
        now_ms = self._parts.clock.mono_ms()
        if self._unsynced_since_ms is None:
            self._unsynced_since_ms = now_ms
        if self._state == "slow" and now_ms - self._unsynced_since_ms < SLOW_SYNC_EVERY_MS:
            return
        self._file.sync()
        self._unsynced_since_ms = None
        took_ms = self._parts.clock.mono_ms() - now_ms
        if took_ms > SYNC_BUDGET_MS and self._state != "slow":
            _log.warning("mirror.slow", took_ms=took_ms)
            MIRROR_FAULTS.labels("slow").inc()
        if self._state in {"ok", "slow"}:
            self._state = "slow" if took_ms > SYNC_BUDGET_MS else "ok"

    def _failed(self, why: State, error: Exception | None) -> None:
        if self._state != why:
            _log.warning("mirror.degraded", why=why, because=str(error))
            MIRROR_FAULTS.labels(why).inc()
        self._state = why
        self._let_go()

    def _let_go(self) -> None:
        file, self._file = self._file, None
        self._unsynced_since_ms = None
        if file is not None:
            try:
                file.sync()
                file.close()
            except OSError as error:
                _log.info("mirror.close", because=str(error))

    def _take_others(self, own: str) -> None:
        """Take in what lies on the stick and is not in the journal.

        Most likely the box before this one left it; or this box's journal is an older image.
        """
        parts = self._parts
        for part in parts_in(parts.folder):
            last = last_carbon(part)
            is_own = last is not None and part.stream == own
            if last is None or parts.has_arrived(last):
                continue
            if is_own and parts.journal.hash_at(last.seq) == last.hash:
                continue
            waiting: list[Carbon] = []
            for carbon in carbons_of(part.path):
                if carbon.stream == part.stream:
                    waiting.append(carbon)
                if len(waiting) >= TAKEN_AT_ONCE and not self._take(waiting):
                    break
            self._take(waiting)

    def _take(self, waiting: list[Carbon]) -> bool:
        lines, carbons = _lines(waiting), list(waiting)
        waiting.clear()
        if not carbons:
            return True
        try:
            self._parts.take_in(lines)
        except RetailError as error:
            _log.warning("mirror.not_taken", stream=carbons[0].stream, because=str(error))
            return False
        return True


def _lines(carbons: Sequence[Carbon]) -> bytes:
    return b"".join(carbon_line(carbon) + b"\n" for carbon in carbons)
