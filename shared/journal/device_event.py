"""Facts about a store's devices and shelves, kept beside the sales in the same journal.

Written by the watch over the devices, never by a lane while it sells.  `lane` is 0 for what serves
the whole store.  Weights and quantities in thousandths, temperatures in thousandths of a degree
Celsius, durations in milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class DeviceFaulted:
    """A device stopped being of use; `code` says why, `state` what it is now.

    One fact for each trouble, not for each try: the next comes only after `device.recovered`.
    """

    type: ClassVar[str] = "device.faulted"
    device: str
    kind: str
    lane: int
    code: str
    state: str


@dataclass(frozen=True, slots=True)
class DeviceRecovered:
    """A device that had faulted is ready again; `times` counts its faults in between."""

    type: ClassVar[str] = "device.recovered"
    device: str
    kind: str
    lane: int
    after_ms: int
    times: int = 1


@dataclass(frozen=True, slots=True)
class DeviceBound:
    """A person gave a device to a lane; `address` is its port path and serial number."""

    type: ClassVar[str] = "device.bound"
    device: str
    kind: str
    lane: int
    address: str


@dataclass(frozen=True, slots=True)
class DevicesTested:
    """A self-test, at night or asked for; `results` by device: passed, or the code of a fault."""

    type: ClassVar[str] = "devices.tested"
    results: dict[str, str]
    is_passed: bool


@dataclass(frozen=True, slots=True)
class StockCounted:
    """A person said how much of an item is there; the book of the shelf starts anew from it."""

    type: ClassVar[str] = "stock.counted"
    gtin: str
    qty_milli: int
    reason: str
    sensor: str = ""


@dataclass(frozen=True, slots=True)
class ShelfDiffered:
    """A shelf holds less or more than the book says; a task for a person until it is settled."""

    type: ClassVar[str] = "shelf.differed"
    sensor: str
    gtin: str
    book_milli: int
    shelf_milli: int


@dataclass(frozen=True, slots=True)
class ShelfSettled:
    """The task of a `shelf.differed` is done; `how`: counted, agrees or dismissed."""

    type: ClassVar[str] = "shelf.settled"
    sensor: str
    gtin: str
    how: str


@dataclass(frozen=True, slots=True)
class ColdChainBroken:
    """A cooled place was out of its limits for longer than goods allow."""

    type: ClassVar[str] = "cold_chain.broken"
    sensor: str
    celsius_milli: int
    limit_milli: int
    since_at_ms: int


@dataclass(frozen=True, slots=True)
class ColdChainRestored:
    """It is within its limits again; `worst_milli` is the worst that was measured."""

    type: ClassVar[str] = "cold_chain.restored"
    sensor: str
    celsius_milli: int
    worst_milli: int
    for_ms: int


DeviceEvent = (
    DeviceFaulted
    | DeviceRecovered
    | DeviceBound
    | DevicesTested
    | StockCounted
    | ShelfDiffered
    | ShelfSettled
    | ColdChainBroken
    | ColdChainRestored
)
DEVICE_EVENTS = (
    DeviceFaulted,
    DeviceRecovered,
    DeviceBound,
    DevicesTested,
    StockCounted,
    ShelfDiffered,
    ShelfSettled,
    ColdChainBroken,
    ColdChainRestored,
)
