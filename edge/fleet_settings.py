"""What head office sets on this box, laid over the box's own `edge.toml`.

The values come with the prices, as dated settings of chain, zone, group and store. The box writes
down what counts (`fleet.json`), so that it starts with it; what can change while it sells changes
at once, and for the rest the box says that it waits for a restart, which it does by itself at
night when the shop is shut. A value that the rest of the settings forbids is left out and told.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from edge.settings import Settings, parse_settings, read_document
from shared.config.box import BOX_FIELDS, BoxValue
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError, RetailError

FLEET_FILE = "fleet.json"
LOOK_EVERY_S = 60.0
RESTART_AFTER_MS = 60 * 60_000
"""No restart so soon after a start: a box that cannot take a value must not start for ever."""
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


def load_with_fleet(data_dir: Path) -> Settings:
    """The box's own settings with head office's over them; raises as `load_settings`."""
    document = read_document(data_dir)
    own = parse_settings(data_dir, document)
    return _with_fleet(own, document, read_fleet(data_dir))


def read_fleet(data_dir: Path) -> dict[str, Any]:
    """What head office wants, by field; nothing where nobody can read it: the box has to start."""
    try:
        found = json.loads((data_dir / FLEET_FILE).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_fleet(data_dir: Path, wanted: Mapping[str, Any]) -> None:
    """Write it down: the old file or the new one survives a power cut."""
    path = data_dir / FLEET_FILE
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(wanted, file, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


@dataclass(frozen=True, slots=True)
class FleetState:
    """How far the box is with what head office set: fields that wait for a restart, or cannot be.

    `pending` and `refused` are names of `edge.toml`, such as `box.locale`.
    """

    pending: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetParts:
    """What it works with.

    `wanted` is what head office wants of a field now; `live` takes the value of a field that counts
    at once. `may_restart` says that nobody is served, `restart` ends the service, whose supervisor
    starts it again.
    """

    settings: Settings
    wanted: Callable[[str], BoxValue | None]
    live: Mapping[str, Callable[[Any], None]]
    clock: Clock
    may_restart: Callable[[], bool]
    restart: Callable[[], None]


class FleetSettings:
    """The thread that looks at what head office wants: each minute, and when prices change."""

    def __init__(self, parts: FleetParts) -> None:
        self._parts = parts
        self._applied = {name: parts.settings.value_of(name) for name in parts.live}
        self._state = FleetState()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._started_ms = parts.clock.mono_ms()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look from now on, first at once."""
        self._started_ms = self._parts.clock.mono_ms()
        self._thread = threading.Thread(target=self._run, name="fleet-settings", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; safe to call twice."""
        self._stopping.set()
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def touch(self) -> None:
        """Other settings may count now; returns at once."""
        self._wake.set()

    def state(self) -> FleetState:
        """What waits for a restart, and what cannot be."""
        return self._state

    def look(self) -> FleetState:
        """Write down what head office wants now, and let what can change change."""
        settings = self._parts.settings
        found = {name: self._parts.wanted(name) for name in BOX_FIELDS}
        wanted = {name: value for name, value in found.items() if value is not None}
        plain = json.loads(json.dumps(wanted))
        if plain != read_fleet(settings.data_dir):
            write_fleet(settings.data_dir, plain)
            _log.info("fleet_settings.written", fields=sorted(plain))
        then = load_with_fleet(settings.data_dir)
        self._apply(then)
        pending = [
            name
            for name in BOX_FIELDS
            if name not in self._applied and then.value_of(name) != settings.value_of(name)
        ]
        refused = sorted(set(wanted) - then.from_fleet)
        return self._note(FleetState(tuple(pending), tuple(refused)))

    def _apply(self, then: Settings) -> None:
        for name, apply in self._parts.live.items():
            value = then.value_of(name)
            if value != self._applied[name]:
                apply(value)
                self._applied[name] = value

    def _note(self, state: FleetState) -> FleetState:
        if state != self._state:
            _log.info("fleet_settings", pending=state.pending, refused=state.refused)
        self._state = state
        return state

    def turn(self) -> None:
        """Look, and restart where that is waited for, nobody is served and it is time."""
        parts, pending = self._parts, self.look().pending
        runs_ms = parts.clock.mono_ms() - self._started_ms
        if pending and runs_ms >= RESTART_AFTER_MS and parts.may_restart():
            _log.info("fleet_settings.restart", pending=pending)
            parts.restart()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except (RetailError, OSError) as error:  # a full disk, or a file that somebody edits
                _log.warning("fleet_settings.failed", because=str(error))
            except Exception:  # noqa: BLE001 - the outermost frame of this thread's work
                _log.exception("fleet_settings.failed")
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()


def _with_fleet(own: Settings, document: Mapping[str, Any], wanted: Mapping[str, Any]) -> Settings:
    """Both together; where that cannot be, each field by itself, and what cannot be is left out."""
    known = {name: value for name, value in wanted.items() if name in BOX_FIELDS}
    laid = document
    for name, value in known.items():
        laid = _laid_over(laid, name, value)
    try:
        return replace(parse_settings(own.data_dir, laid), from_fleet=frozenset(known))
    except RefusedError:
        return _one_by_one(own, document, known)


def _one_by_one(own: Settings, document: Mapping[str, Any], wanted: Mapping[str, Any]) -> Settings:
    found, taken, laid = own, frozenset[str](), document
    for name in sorted(wanted):
        tried = _laid_over(laid, name, wanted[name])
        try:
            found = parse_settings(own.data_dir, tried)
        except RefusedError:
            continue
        laid, taken = tried, taken | {name}
    return replace(found, from_fleet=taken)


def _laid_over(document: Mapping[str, Any], name: str, value: object) -> dict[str, Any]:
    section, _, field = name.partition(".")
    return {**document, section: {**document.get(section, {}), field: value}}
