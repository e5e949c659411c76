"""The shelf sensors of a box, as its settings and `sensors.toml` name them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from edge.device.ports import DeviceReport, DeviceState, Reporting, SensorCapability
from edge.device.shelf_sensor import ShelfLine, ShelfSensor
from edge.device.shelf_setup import SensorSetup, load_sensors
from edge.device.virtual_shelf import VirtualShelf
from edge.mqtt import Login
from edge.settings import Settings
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.wire.shelf_sensor import ONLINES, STATES

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Shelves:
    """All sensors of a store; nothing at all where there are none."""

    sensors: tuple[ShelfSensor, ...] = ()
    reporting: tuple[Reporting, ...] = ()
    line: ShelfLine | None = None
    virtual: VirtualShelf | None = None

    def start(self) -> None:
        """Begin to listen."""
        if self.line is not None:
            self.line.start()
        if self.virtual is not None:
            self.virtual.start()

    def stop(self) -> None:
        """Stop listening; safe to call twice."""
        if self.virtual is not None:
            self.virtual.stop()
        if self.line is not None:
            self.line.stop()


@dataclass(frozen=True, slots=True)
class BadSetup:
    """Stands in the list of devices when `sensors.toml` cannot be read: selling goes on."""

    state: DeviceState
    because: str

    def report(self) -> DeviceReport:
        """The file as a failed device."""
        return DeviceReport(
            id="shelf:setup",
            kind="shelf_sensor",
            lane=0,
            adapter="ShelfLine",
            address=self.because,
            capability=SensorCapability(),
            state=self.state,
        )


def build_shelves(settings: Settings, clock: Clock) -> Shelves:
    """Make the sensors without touching the broker."""
    if settings.shelf.kind == "none":
        return Shelves()
    try:
        setups = load_sensors(settings.data_dir)
        login = _login(settings)
    except RefusedError as error:
        because = ", ".join(str(each) for each in error.params.values() if each)
        _log.error("shelf.setup", because=because)
        failed = DeviceState("failed", clock.now_ms(), "shelf.setup")
        return Shelves(reporting=(BadSetup(failed, because),))
    return _shelves(settings, setups, login, clock)


def _shelves(
    settings: Settings, setups: Sequence[SensorSetup], login: Login | None, clock: Clock
) -> Shelves:
    sensors = tuple(ShelfSensor(each, clock) for each in setups)
    line = ShelfLine(login, sensors, clock)
    virtual = None
    if settings.shelf.kind == "virtual":
        virtual = VirtualShelf(tuple(setups), line, _speaker(login), clock)
    return Shelves(sensors, (line, *sensors), line, virtual)


def _login(settings: Settings) -> Login | None:
    """How the box hears its sensors; None for virtual ones without a broker."""
    shelf = settings.shelf
    if shelf.kind == "virtual" and not shelf.port:
        return None
    try:
        name = shelf.password_file
        path = settings.data_dir / name
        password = path.read_text(encoding="utf-8").strip() if name else ""
    except (OSError, ValueError) as error:
        raise RefusedError("shelf.setup", sensor="", field="shelf.password_file") from error
    return Login(
        host=shelf.host,
        port=shelf.port,
        client_id="tillbox-box",
        user=shelf.user,
        topics=(STATES, ONLINES),
        password=password,
    )


def _speaker(login: Login | None) -> Login | None:
    if login is None:
        return None
    return Login(
        host=login.host,
        port=login.port,
        client_id="tillbox-virtual-shelf",
        user=login.user,
        topics=(),
        password=login.password,
    )
