"""The box's own backups: once a day, while the shop is closed if it ever is.

To a stick goes all of the journal; to head office what its archive may lack, because it has the
rest, sealed and in order, from the journal's own road. A place that fails is tried again an hour
later and does not keep the other one waiting.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import structlog

from edge.backup.contents import Scope
from edge.backup.keys import KnownRecipients
from edge.backup.make import Made, MakeParts, keep_newest, make_backup
from edge.backup.office import BackupOffice
from edge.identity import write_secret
from edge.settings import BackupSettings
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError, RetailError

STATE_FILE, OUT_FOLDER = "backup.json", "backup-out"
STICK, OFFICE = "stick", "office"
_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
DUE_AFTER_MS = 20 * _HOUR_MS
OVERDUE_AFTER_MS = 26 * _HOUR_MS
RETRY_MS = _HOUR_MS
QUIET_START_MS = 10 * _MINUTE_MS
SPREAD_MS = _HOUR_MS
"""So long after the time ten thousand boxes are spread: head office takes them in turn."""
LOOK_EVERY_S = 60.0
_JOIN_S = 5.0
_log = structlog.get_logger("backup")


@dataclass(frozen=True, slots=True)
class PlaceState:
    """How a place fares: last good backup (UTC ms, 0 for none), code of what failed since."""

    ok_ms: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class NightlyParts:
    """What it works with; `jitter` gives 0 to 1."""

    make: MakeParts
    settings: BackupSettings
    keys: KnownRecipients
    office: Callable[[str], BackupOffice]
    """Head office; told how the stick fares, so that somebody there knows too."""
    is_day_open: Callable[[], bool]
    clock: Clock
    jitter: Callable[[], float]


@dataclass(slots=True)
class _Tries:
    """When a place may be tried next (monotonic ms)."""

    not_before_ms: dict[str, int] = field(default_factory=dict)


def is_due(now_ms: int, ok_ms: int, *, is_day_open: bool) -> bool:
    """Whether a backup is due; a clock that went back makes it due as well."""
    age_ms = now_ms - ok_ms
    return age_ms < 0 or age_ms >= (OVERDUE_AFTER_MS if is_day_open else DUE_AFTER_MS)


class Nightly:
    """The thread that backs up; `turn` may be called from another one."""

    def __init__(self, parts: NightlyParts) -> None:
        self._parts = parts
        self._data = parts.make.state.settings.data_dir
        self._turn = threading.Lock()
        self._tries = _Tries()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless there is nowhere to put a backup."""
        shutil.rmtree(self._data / OUT_FOLDER, ignore_errors=True)
        if not self.places():
            return
        begins_ms = self._parts.clock.mono_ms() + QUIET_START_MS
        spread_ms = int(self._parts.jitter() * SPREAD_MS)
        self._tries.not_before_ms = {STICK: begins_ms, OFFICE: begins_ms + spread_ms}
        self._thread = threading.Thread(target=self._run, name="backup", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Wait no more; what is under way is left, and removed at the next start."""
        self._stopping.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def places(self) -> tuple[str, ...]:
        """Where backups go."""
        settings = self._parts.settings
        wanted = ((STICK, bool(settings.path)), (OFFICE, settings.to_office))
        return tuple(place for place, is_wanted in wanted if is_wanted)

    def state(self) -> dict[str, PlaceState]:
        """How each place fares."""
        return read_state(self._data)

    def look(self) -> list[str]:
        """Back up where it is due; the places that were tried."""
        clock, now_ms = self._parts.clock, self._parts.clock.now_ms()
        is_open, state = self._parts.is_day_open(), self.state()
        tried: list[str] = []
        for place in self.places():
            ok_ms = state.get(place, PlaceState()).ok_ms
            if clock.mono_ms() < self._tries.not_before_ms.get(place, 0):
                continue
            if is_due(now_ms, ok_ms, is_day_open=is_open):
                self.turn(place)
                tried.append(place)
        return tried

    def turn(self, place: str) -> PlaceState:
        """Back up to one place now; what went wrong is noted and tried again later."""
        with self._turn:
            state = self.state()
            before = state.get(place, PlaceState())
            # Set first, so that what nobody foresaw is no reason to try every minute either.
            self._tries.not_before_ms[place] = self._parts.clock.mono_ms() + RETRY_MS
            try:
                self._to(place)
                after = PlaceState(self._parts.clock.now_ms())
                _log.info("backup.done", place=place)
            except RetailError as error:
                after = replace(before, error=error.code)
                _log.warning("backup.failed", place=place, because=str(error))
            except OSError as error:
                after = replace(before, error="backup.disk")
                _log.warning("backup.failed", place=place, because=str(error))
            write_state(self._data, {**state, place: after})
        return after

    def make_into(self, folder: Path, scope: Scope) -> Made:
        """One backup into a folder that a person named; raises as `make_backup`."""
        with self._turn:
            keys = self._recipients(self._parts.office("off"))
            return make_backup(self._parts.make, scope, keys, folder)

    def _to(self, place: str) -> None:
        parts = self._parts
        told = self.state().get(STICK, PlaceState()).error or "ok"
        office = parts.office(told if parts.settings.path else "off")
        keys = self._recipients(office)
        if place == STICK:
            stick = Path(parts.settings.path)
            refuse_bare_mount_point(stick, self._data)
            made = make_backup(parts.make, "full", keys, stick)
            keep_newest(parts.make.state, stick, parts.settings.keep, made.path.name)
            return
        out = self._data / OUT_FOLDER
        out.mkdir(mode=0o700, exist_ok=True)
        try:
            made = make_backup(parts.make, "tail", keys, out)
            office.put(made.path)
        finally:
            shutil.rmtree(out, ignore_errors=True)

    def _recipients(self, office: BackupOffice) -> tuple[bytes, ...]:
        """The newest list where head office can be asked, else the one that was kept."""
        try:
            keys = self._parts.keys.take(office.keys())
        except RetailError as error:
            _log.info("backup.keys_kept", because=str(error))
            keys = self._parts.keys.known()
        if not keys.keys:
            raise RefusedError("backup.no_keys")
        return keys.keys

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the outermost frame of this thread's work
                _log.exception("backup.look_failed")


def refuse_bare_mount_point(stick: Path, data_dir: Path) -> None:
    """RefusedError `backup.no_stick` where the folder is missing or lies on the box's own card.

    A backup on the card that dies with the box is none, and it would fill the card.
    """
    if not stick.is_dir() or stick.stat().st_dev == data_dir.stat().st_dev:
        raise RefusedError("backup.no_stick", path=str(stick))


def read_state(data_dir: Path) -> dict[str, PlaceState]:
    """What was noted; nothing for a file that is missing or cannot be read."""
    try:
        raw = json.loads((data_dir / STATE_FILE).read_text(encoding="utf-8"))
        return {place: PlaceState(**state) for place, state in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_state(data_dir: Path, state: dict[str, PlaceState]) -> None:
    """Note it, whole or not at all."""
    raw = {place: asdict(each) for place, each in state.items()}
    write_secret(data_dir / STATE_FILE, json.dumps(raw).encode())
