"""A store's printers: which belongs to which lane, and who helps out when one cannot print."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.device.drawer import PrinterDrawer
from edge.device.escpos_profile import PrinterProfile
from edge.device.ports import Reporting
from edge.device.printer import AbsentPrinter, StatusPrinter
from edge.device.virtual_printer import VirtualPrinter


@dataclass(frozen=True, slots=True)
class StorePrinter:
    """A printer with the drawer in its socket; `lanes` whose own it is, () for every lane.

    `is_helper` prints for a lane whose own printer cannot; its drawer never opens for that lane.
    `virtual` is the machine at the other end in training.
    """

    id: str
    port: StatusPrinter | AbsentPrinter
    drawer: PrinterDrawer
    lanes: tuple[int, ...] = ()
    is_helper: bool = True
    profile: PrinterProfile = field(default_factory=PrinterProfile)
    virtual: VirtualPrinter | None = None

    def serves(self, lane: int) -> bool:
        """Whether it is a lane's own, and with it its drawer."""
        return not self.lanes or lane in self.lanes


@dataclass(frozen=True, slots=True)
class StorePrinters:
    """All printers of a store, in the order of their settings; at least one, if only in name."""

    every: tuple[StorePrinter, ...]

    def order_for(self, lane: int) -> tuple[int, ...]:
        """Places in `every` of who may print for a lane, the lane's own first.

        Those that name the lane, then those of every lane, then the helpers of other lanes.  A
        lane that nobody serves has the first printer for its own.
        """
        named = [n for n, each in enumerate(self.every) if lane in each.lanes]
        common = [n for n, each in enumerate(self.every) if not each.lanes]
        helpers = [n for n, each in enumerate(self.every) if _helps(each, lane)]
        return tuple(named + common + helpers) or (0,)

    def of(self, lane: int) -> StorePrinter:
        """The lane's own printer; its drawer is the lane's drawer."""
        return self.every[self.order_for(lane)[0]]

    def by_id(self, printer_id: str) -> StorePrinter | None:
        """The printer with that id."""
        return next((each for each in self.every if each.id == printer_id), None)

    @property
    def reporting(self) -> tuple[Reporting, ...]:
        """Printers that there are, and their drawers."""
        found: list[Reporting] = []
        for each in self.every:
            if isinstance(each.port, StatusPrinter):
                found += (each.port, each.drawer)
        return tuple(found)

    @property
    def virtual(self) -> dict[str, VirtualPrinter]:
        """Those made of software, by id."""
        return {each.id: each.virtual for each in self.every if each.virtual is not None}

    def start(self) -> None:
        """Watch them all; UnavailableError `device.port_in_use` for a virtual one."""
        for virtual in self.virtual.values():
            virtual.start()
        for each in self.every:
            each.port.start()

    def stop(self) -> None:
        """Let them all go; safe to call twice."""
        for each in self.every:
            each.port.stop()
        for virtual in self.virtual.values():
            virtual.stop()


def _helps(printer: StorePrinter, lane: int) -> bool:
    return bool(printer.lanes) and lane not in printer.lanes and printer.is_helper
