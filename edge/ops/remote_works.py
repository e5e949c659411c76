"""Telemetry and commands made in one piece for the composition root."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from edge.device.wiring import Devices
from edge.fleet_settings import FleetParts, FleetSettings
from edge.identity import Identity
from edge.journal.store import Journal
from edge.logs import recent_lines
from edge.ops.care import DeviceCare
from edge.ops.command_book import CommandBook
from edge.ops.latency import Stopwatches
from edge.ops.log_pack import HttpLogOffice, LogParts
from edge.ops.machine import Machine
from edge.ops.remote import Remote, RemoteParts
from edge.ops.remote_tasks import Figures, TaskParts, tasks_of
from edge.ops.telemetry import ClockState, TelemetryParts, TelemetrySender
from edge.settings import Settings
from edge.sqlite import Writer
from edge.tls import CURRENT, BoxKeys
from shared.config.box import BoxValue
from shared.journal.entry import JournalEntry
from shared.kernel.clock import Clock
from shared.wire.message import CommandResult, DesiredState, DeviceTelemetry, message_bytes
from shared.wire.topics import up_result, up_telemetry

SALE = "sale.completed"


class Line(Protocol):
    """The line to head office."""

    def tell(self, topic: str, payload: bytes, *, may_be_lost: bool = False) -> bool:
        """Send one message; False while there is no connection."""

    def hold_line(self, seconds: float) -> None:
        """Be without head office for so long; 0 ends that."""


@dataclass(frozen=True, slots=True)
class WorksParts:
    """What the works are made from.

    `clock` counts, `clock_state` and `now_ms` are what is trusted most. `people` names whoever
    must not be named in logs; `restart` ends the service, whose supervisor starts it again.
    `wanted` is what head office wants of a field of `edge.toml`, None for nothing.
    """

    settings: Settings
    identity: Identity
    journal: Journal
    desk_file: Writer
    devices: Devices
    care: DeviceCare
    clock: Clock
    clock_state: Callable[[], ClockState]
    now_ms: Callable[[], int]
    jitter: Callable[[], float]
    is_online: Callable[[], bool]
    is_quiet: Callable[[], bool]
    print_test_page: Callable[[str], Future[Any]]
    health: Callable[[], dict[str, Any]]
    people: Callable[[], Iterator[str]]
    restart: Callable[[], None]
    price_check: Callable[[Mapping[str, str]], str]
    wanted: Callable[[str], BoxValue | None]
    may_restart: Callable[[], bool]
    is_guessed_at: Callable[[], bool] = lambda: False
    """Whether somebody seems to try PINs one after the other."""


class RemoteWorks:
    """Telemetry and commands; started before the line, stopped after it."""

    def __init__(self, parts: WorksParts, line: Callable[[], Line]) -> None:
        self._parts = parts
        self._line = line
        self._sold = 0
        clock, dev = parts.clock, parts.identity.dev
        self.watches = Stopwatches(clock.mono_ms, parts.is_online)
        self.telemetry = TelemetrySender(
            TelemetryParts(
                machine=(machine := Machine(parts.settings.data_dir)),
                clock=clock,
                clock_state=parts.clock_state,
                queue=self._unsynced,
                reports=parts.devices.reports,
                watches=self.watches,
                tell=lambda told: line().tell(up_telemetry(dev), told, may_be_lost=True),
                jitter=parts.jitter,
                certificate_days=lambda: self._certificate_days(machine),
                extra=lambda: (*self._settings_told(), *self._guessing_told()),
            )
        )
        self.remote = Remote(
            RemoteParts(
                CommandBook(parts.desk_file),
                tasks_of(self._task_parts()),
                parts.now_ms,
                clock.mono_ms,
                self._tell_result,
            )
        )

        self._own_every_s = parts.settings.telemetry.every_s
        self.fleet = FleetSettings(self._fleet_parts())

    def start(self) -> None:
        """Measure, tell and obey from now on."""
        self._tell_every(self._own_every_s)
        self._parts.journal.on_append(self._appended)
        self._parts.journal.on_acked(self.watches.acked)
        self.fleet.start()
        self.telemetry.start()
        self.remote.start()

    def stop(self) -> None:
        """End both."""
        self.remote.stop()
        self.telemetry.stop()
        self.fleet.stop()

    def desire(self, state: DesiredState) -> None:
        """Take what head office wants; returns at once."""
        self.telemetry.every(self._own_every_s or state.telemetry_s)
        self.remote.desire(state)

    def _certificate_days(self, machine: Machine) -> int | None:
        """Days that the till page's certificate and the box's own still have: the fewer."""
        parts, now_ms = self._parts, self._parts.now_ms()
        own = BoxKeys(parts.settings.data_dir).folder / CURRENT
        paths = (parts.settings.box.certificate, str(own))
        found = [machine.certificate_days(path, now_ms) for path in paths]
        return min((days for days in found if days is not None), default=None)

    def _fleet_parts(self) -> FleetParts:
        parts = self._parts

        def left_open(seconds: int) -> None:
            for each in parts.devices.printers.every:
                each.drawer.left_open_s = seconds

        return FleetParts(
            settings=parts.settings,
            wanted=parts.wanted,
            live={
                "drawer.left_open_s": left_open,
                "self_test.at": parts.care.self_test.set_at,
                "telemetry.every_s": self._tell_every,
            },
            clock=parts.clock,
            may_restart=parts.may_restart,
            restart=parts.restart,
        )

    def _tell_every(self, seconds: int) -> None:
        """How often to tell by the settings; 0 leaves it to the next word of head office."""
        self._own_every_s = seconds
        if seconds:
            self.telemetry.every(seconds)

    def _settings_told(self) -> tuple[DeviceTelemetry, ...]:
        """The settings among the devices: head office sees what waits for a restart."""
        state = self.fleet.state()
        if state.refused:
            return (DeviceTelemetry("settings", "box", "failed", "settings.refused"),)
        if state.pending:
            return (DeviceTelemetry("settings", "box", "degraded", "settings.restart"),)
        return ()

    def _guessing_told(self) -> tuple[DeviceTelemetry, ...]:
        """Wrong PINs in a row, among the devices: head office has an alert for it."""
        if not self._parts.is_guessed_at():
            return ()
        return (DeviceTelemetry("pins", "staff", "failed", "staff.pin_guessed"),)

    def _task_parts(self) -> TaskParts:
        parts, identity = self._parts, self._parts.identity
        return TaskParts(
            print_test_page=parts.print_test_page,
            printers=lambda: tuple(
                each.id for each in parts.devices.reports() if each.kind == "printer"
            ),
            begin_self_test=parts.care.self_test.begin,
            logs=LogParts(recent_lines, self._standing, self._secrets),
            office=HttpLogOffice(
                identity.cloud_url,
                f"Bearer {identity.dev}.{identity.secret}",
                BoxKeys(parts.settings.data_dir).https_trust,
            ),
            hold_line=lambda seconds: self._line().hold_line(seconds),
            figures=self._figures,
            mono_ms=parts.clock.mono_ms,
            is_quiet=parts.is_quiet,
            restart=parts.restart,
            price_check=parts.price_check,
        )

    def _standing(self) -> dict[str, Any]:
        """The first line of collected logs."""
        devices = [
            {
                "id": each.id,
                "kind": each.kind,
                "state": each.state.state,
                "code": each.state.last_fault,
            }
            for each in self._parts.devices.reports()
        ]
        return {
            "event": "standing",
            **self._parts.health(),
            "clock": asdict(self._parts.clock_state()),
            "devices": devices,
        }

    def _secrets(self) -> Iterator[str]:
        yield self._parts.identity.secret
        yield from self._parts.people()

    def _figures(self) -> Figures:
        return Figures(self._parts.journal.head()[0], self._sold, self._unsynced())

    def _unsynced(self) -> int:
        journal = self._parts.journal
        return max(journal.head()[0] - journal.acked(), 0)

    def _appended(self, entry: JournalEntry) -> None:
        if entry.type == SALE:
            self._sold += 1
            self.watches.sold(entry.seq)

    def _tell_result(self, result: CommandResult) -> bool:
        return self._line().tell(up_result(self._parts.identity.dev), message_bytes(result))


def end_service() -> None:
    """End this process as its supervisor would; it is started again."""
    os.kill(os.getpid(), signal.SIGTERM)
