"""The time that prices and activations go by: a `Clock` that no setting of the clock takes back.

What is known of the time is in `shared.kernel.trusted_time`; here it is remembered in a file, so
that a restart does not forget it, and fed by the machine's clocks and by head office.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from edge.identity import sync_folder
from shared.kernel.clock import Clock, ClockQuality
from shared.kernel.trusted_time import Mark, TimeSource, Wall, first_mark, heard, observed

TIME_FILE = "time.json"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_QUALITY = {TimeSource.UNKNOWN: ClockQuality.UNSYNCED, TimeSource.WALL: ClockQuality.RTC}
_log = structlog.get_logger("time")


@dataclass(frozen=True, slots=True)
class TimeStatus:
    """What a person and head office want to know: trust, and how far off the wall clock is (ms).

    `quality` as in journal entries; `source` is unknown, wall, ntp or signed.
    """

    now_ms: int
    is_trusted: bool
    source: str
    quality: ClockQuality
    clock_off_ms: int


class TrustedTime:
    """The trusted present of one box; any thread may ask.

    `base` is the machine's clock; `boot` tells one start of the machine from another.
    """

    def __init__(self, base: Clock, path: Path, boot: str | None = None) -> None:
        self._base = base
        self._path = path
        self._boot = _boot_id() if boot is None else boot
        self._lock = threading.Lock()
        self._file_lock = threading.Lock()
        self._mark: Mark | None = None
        self._watchers: list[Callable[[], None]] = []

    def open(self, floor_ms: int = 0) -> None:
        """Remember what was known; with no memory the time is not earlier than `floor_ms`."""
        known, wall = _read(self._path), self._wall()
        with self._lock:
            mark = observed(known, wall) if known else first_mark(wall, floor_ms)
            self._mark = mark
        if not mark.is_trusted:
            _log.warning("time.untrusted", shown_ms=mark.shown_ms, wall_ms=wall.utc_ms)
        self._keep(mark)

    def on_change(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` after head office has said what time it is."""
        self._watchers.append(watcher)

    def now_ms(self) -> int:
        """The present for prices, UTC ms: it does not go back because a clock was set."""
        return self._look().shown_ms

    def sure_ms(self) -> int:
        """An instant, UTC ms, of which it is sure that it has passed."""
        return self._look().sure_ms

    def mono_ms(self) -> int:
        """Milliseconds since boot."""
        return self._base.mono_ms()

    def quality(self) -> ClockQuality:
        """Trust in `now_ms`: none, a plausible wall clock, or NTP and head office."""
        return _QUALITY.get(self._look().source, ClockQuality.NTP)

    def is_trusted(self) -> bool:
        """Whether anything vouches for `now_ms`."""
        return self._look().is_trusted

    def status(self) -> TimeStatus:
        """All that is to be told of the time."""
        mark = self._look()
        return TimeStatus(
            mark.shown_ms,
            mark.is_trusted,
            mark.source.name.lower(),
            _QUALITY.get(mark.source, ClockQuality.NTP),
            self._base.now_ms() - mark.shown_ms,
        )

    def heard(self, signed_ms: int) -> None:
        """Head office has said, signed, what time it is now (UTC ms)."""
        with self._lock:
            assert self._mark is not None
            self._mark = mark = heard(self._mark, self._wall(), signed_ms)
        self._keep(mark)
        for watcher in self._watchers:
            watcher()

    def keep(self) -> None:
        """Write down what is known; what was not may be forgotten when the power goes."""
        self._keep(self._look())

    def _look(self) -> Mark:
        wall = self._wall()
        with self._lock:
            if self._mark is None:  # asked before the box has started
                return first_mark(wall, 0)
            self._mark = mark = observed(self._mark, wall)
        return mark

    def _wall(self) -> Wall:
        base = self._base
        is_ntp = base.quality() is ClockQuality.NTP
        return Wall(base.now_ms(), base.mono_ms(), self._boot, is_ntp)

    def _keep(self, mark: Mark) -> None:
        temporary = self._path.with_name(self._path.name + ".new")
        try:
            with self._file_lock, temporary.open("w", encoding="utf-8") as file:
                json.dump(asdict(mark), file)
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(self._path)
                sync_folder(self._path.parent)
        except OSError as error:  # a full disk must not stop the till; the next minute tries again
            _log.warning("time.not_kept", because=str(error))


def _read(path: Path) -> Mark | None:
    """What was known when the file was written; None where there is no file that can be read."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        mark = Mark(**{**raw, "source": TimeSource(raw["source"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("time.unreadable", because=str(error))
        return None
    numbers = (mark.shown_ms, mark.mono_ms, mark.believed_ms, mark.verified_ms, mark.jumped_ms)
    return mark if all(type(each) is int and each >= 0 for each in numbers) else None


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
