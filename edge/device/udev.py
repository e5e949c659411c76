"""Keyboards and serial ports as udev sees them come and go; the only user of pyudev.

pyudev is imported late: only Linux has it, and training needs no discovery.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge.device.found import Found
from edge.device.supervisor import DeviceFaultError, StateBoard, Supervisor
from shared.kernel.clock import Clock

if TYPE_CHECKING:
    from pyudev import Context, Device

TICK_S = 0.5
_CONTROL = Path("/run/udev/control")
_SERIAL_PORTS = ("ttyACM", "ttyUSB")
OnFound = Callable[[tuple[Found, ...]], None]


class Discovery(Protocol):
    """Tells which devices are plugged in, on a thread of its own."""

    def is_available(self) -> bool:
        """False where nothing will ever be told: a container, another system."""

    def start(self, on_found: OnFound) -> None:
        """Tell everything that is there, again at each change, and at least twice a second."""

    def stop(self) -> None:
        """Stop telling; safe to call twice."""


class UdevDiscovery:
    """Discovery by libudev's monitor."""

    def __init__(self, clock: Clock, control: Path = _CONTROL) -> None:
        self._control = control
        self._board = StateBoard(clock)
        self._supervisor = Supervisor("udev", self._watch, self._board)
        self._on_found: OnFound = _nobody

    def is_available(self) -> bool:
        """Whether udev's daemon runs: libudev hears nothing without it."""
        return self._control.exists()

    def start(self, on_found: OnFound) -> None:
        """Tell what is there and each change."""
        self._on_found = on_found
        self._supervisor.start()

    def stop(self) -> None:
        """Stop telling."""
        self._supervisor.stop()

    def _watch(self, stop: threading.Event) -> None:
        from pyudev import Context, Monitor  # noqa: PLC0415 - Linux only, see above

        try:
            context = Context()
            monitor = Monitor.from_netlink(context)
            monitor.filter_by("input")
            monitor.filter_by("tty")
            monitor.start()
            found = _listed(context)
            self._board.write("ready")
            while not stop.is_set():
                self._on_found(tuple(found.values()))
                device = monitor.poll(TICK_S)
                while device is not None:
                    _note(found, device)
                    device = monitor.poll(0)
        except (OSError, ImportError) as error:
            # Too much at once for its buffer, or no library: begin anew with what is there.
            raise DeviceFaultError("scanner.no_udev") from error


def _listed(context: Context) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for subsystem in ("input", "tty"):
        for device in context.list_devices(subsystem=subsystem):
            _note(found, device)
    return found


def _note(found: dict[str, Found], device: Device) -> None:
    """Enter a device, or strike it off when it is gone."""
    key = device.device_path
    if device.action in {"remove", "unbind", "offline"}:
        found.pop(key, None)
        return
    if not device.device_node:
        return
    seen = _keyboard(device) if device.subsystem == "input" else _serial_port(device)
    if seen is not None:
        found[key] = seen


def _keyboard(device: Device) -> Found | None:
    if device.properties.get("ID_INPUT_KEYBOARD") != "1" or not device.sys_name.startswith("event"):
        return None
    parent = device.parent
    told = {} if parent is None else {key: parent.properties.get(key, "") for key in _OF_INPUT}
    # Where no bus driver gave a name, as for Bluetooth, the input device's own words remain.
    phys, name = told.get("PHYS", "").strip('"'), told.get("NAME", "").strip('"')
    given = device.properties
    return Found(
        key=device.device_path,
        node=device.device_node,
        connection="keyboard",
        port=given.get("ID_PATH") or phys or name,
        serial=given.get("ID_SERIAL_SHORT") or told.get("UNIQ", "").strip('"'),
        model=_model(device) or _product(told.get("PRODUCT", "")),
        name=given.get("ID_MODEL", name).replace("_", " "),
        phys=phys,
        links=tuple(device.device_links),
        is_marked=given.get("TILLBOX_SCANNER") == "1",
    )


def _serial_port(device: Device) -> Found | None:
    if not device.sys_name.startswith(_SERIAL_PORTS):
        return None
    given = device.properties
    return Found(
        key=device.device_path,
        node=device.device_node,
        connection="serial",
        port=given.get("ID_PATH") or device.device_path,
        serial=given.get("ID_SERIAL_SHORT", ""),
        model=_model(device),
        name=given.get("ID_MODEL", "").replace("_", " "),
        links=tuple(device.device_links),
        is_marked=given.get("TILLBOX_SCANNER") == "1",
    )


_OF_INPUT = ("PHYS", "NAME", "UNIQ", "PRODUCT")


def _model(device: Device) -> str:
    vendor, model = device.properties.get("ID_VENDOR_ID"), device.properties.get("ID_MODEL_ID")
    return f"{vendor}:{model}".lower() if vendor and model else ""


def _product(product: str) -> str:
    """Of "3/c2e/200/111": bus, vendor, product, version without leading noughts."""
    parts = product.split("/")
    return f"{parts[1]:0>4}:{parts[2]:0>4}".lower() if len(parts) > 2 else ""  # noqa: PLR2004


def _nobody(_: tuple[Found, ...]) -> None:
    """Nobody listens yet."""
