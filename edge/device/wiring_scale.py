"""Scales and customer displays of a box, as its settings name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, cast

from edge.device.display import DisplayConfig, DisplayDialect, DisplayEncoding, SerialDisplay
from edge.device.place import path_of
from edge.device.ports import Reporting
from edge.device.scale import ScaleConfig, SerialScale
from edge.device.scale_frames import ScaleProtocol
from edge.device.virtual_display import VirtualDisplay
from edge.device.virtual_scale import VirtualScale
from edge.device.wiring_scanner import LOOPBACK
from edge.settings import DisplaySettings, ScaleSettings, Settings
from shared.kernel.clock import Clock


class _Part(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Counter:
    """What stands between cashier and customer, by lane; virtual ones beside their adapters.

    A path without `{lane}` is one scale for all its lanes.
    """

    scales: dict[int, SerialScale] = field(default_factory=dict)
    displays: dict[int, SerialDisplay] = field(default_factory=dict)
    virtual_scales: dict[int, VirtualScale] = field(default_factory=dict)
    virtual_displays: dict[int, VirtualDisplay] = field(default_factory=dict)

    @property
    def is_virtual(self) -> bool:
        """Whether the training page has something of it to show."""
        return bool(self.virtual_scales or self.virtual_displays)

    @property
    def reporting(self) -> tuple[Reporting, ...]:
        """All of them, each once."""
        return (*_once(self.scales), *self.displays.values())

    def start(self) -> None:
        """Start everything; UnavailableError `device.port_in_use` for a virtual one."""
        for each in self._parts():
            each.start()

    def stop(self) -> None:
        """Stop everything; safe to call twice."""
        for each in reversed(self._parts()):
            each.stop()

    def _parts(self) -> list[_Part]:
        """Virtual ones first: their adapters call them up."""
        virtual: list[_Part] = [*self.virtual_scales.values(), *self.virtual_displays.values()]
        return [*virtual, *_once(self.scales), *self.displays.values()]


def build_counter(settings: Settings, clock: Clock) -> Counter:
    """Make them without touching them."""
    counter = Counter()
    if settings.scale.kind != "none":
        _add_scales(counter, settings, clock)
    if settings.display.kind != "none":
        _add_displays(counter, settings, clock)
    return counter


def _add_scales(counter: Counter, settings: Settings, clock: Clock) -> None:
    scale = settings.scale
    is_shared = scale.kind != "virtual" and "{lane}" not in scale.path
    for lane in scale.lanes or settings.lane_numbers():
        if is_shared and counter.scales:
            counter.scales[lane] = next(iter(counter.scales.values()))
            continue
        path = partial(path_of, scale.path, lane)
        if scale.kind == "virtual":
            address = (LOOPBACK, _port(scale, lane))
            peer = VirtualScale(address, clock, max_milli=scale.max_milli)
            counter.virtual_scales[lane] = peer
            path = partial(getattr, peer, "url")
        protocol = "toledo8217" if scale.kind == "virtual" else scale.kind
        config = ScaleConfig(
            path=path,
            lane=0 if is_shared and len(scale.lanes or settings.lane_numbers()) > 1 else lane,
            protocol=cast("ScaleProtocol", protocol),
            baud=scale.baud,
            unit=scale.unit,
            max_milli=scale.max_milli,
            division_milli=scale.division_milli,
        )
        counter.scales[lane] = SerialScale(config, clock)


def _add_displays(counter: Counter, settings: Settings, clock: Clock) -> None:
    display = settings.display
    for lane in display.lanes or settings.lane_numbers():
        path = partial(path_of, display.path, lane)
        if display.kind == "virtual":
            peer = VirtualDisplay((LOOPBACK, _port(display, lane)), display.columns)
            counter.virtual_displays[lane] = peer
            path = partial(getattr, peer, "url")
        config = DisplayConfig(
            path=path,
            lane=lane,
            dialect="epson" if display.kind == "virtual" else cast("DisplayDialect", display.kind),
            baud=display.baud,
            columns=display.columns,
            encoding=cast("DisplayEncoding", display.encoding),
        )
        counter.displays[lane] = SerialDisplay(config, clock)


def _port(settings: ScaleSettings | DisplaySettings, lane: int) -> int:
    return settings.port + lane - 1 if settings.port else 0


def _once(scales: dict[int, SerialScale]) -> tuple[SerialScale, ...]:
    return tuple({id(each): each for each in scales.values()}.values())
