"""A USB printer without a driver of the kernel, by pyusb.

Opening it takes the printer away from `usblp`: `/dev/usb/lp0` disappears until it is let go.  The
two ways cannot be mixed.  Endpoints are read from the device's own descriptors: they differ.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from tenacity.wait import wait_base

from edge.device.ports import PrinterCondition
from edge.device.supervisor import REPLUGGED
from edge.device.transport import CHUNK, LineError, line_error, take_over

_PRINTER_CLASS = 7
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class UsbAddress:
    """Vendor and product id; `serial` tells two of a kind apart, "" takes the only one."""

    vendor_id: int
    product_id: int
    serial: str = ""


@dataclass(frozen=True, slots=True)
class UsbTransport:
    """The USB printer at `where`; `backend` is pyusb's, None lets it find libusb."""

    where: UsbAddress
    backend: Any = None

    @property
    def address(self) -> str:
        """`vendor:product`, and the serial number where one is given."""
        plug = f"{self.where.vendor_id:04x}:{self.where.product_id:04x}"
        return f"{plug} {self.where.serial}".rstrip()

    @property
    def is_kept(self) -> bool:
        """Opening resets the printer."""
        return True

    @property
    def pauses(self) -> wait_base:
        """Found again at once."""
        return REPLUGGED

    def open(self) -> UsbConversation:
        """Find it, take it from the kernel's driver, learn its endpoints."""
        from escpos.printer import Usb  # noqa: PLC0415 - see edge.device.transport
        from usb.core import NoBackendError, USBError  # noqa: PLC0415

        try:
            found = self._find()
            plug = _plug_of(found)
            had_driver = _take_from_kernel(found, plug.interface)
            # Usb.open() would reset the device: half a second, and what it still holds is lost.
            printer = Usb(in_ep=plug.in_endpoint, out_ep=plug.out_endpoint)
            printer.device = found
        except NoBackendError as error:
            raise LineError("printer.no_access") from error
        except USBError as error:
            raise line_error(error) from error
        return UsbConversation(take_over(printer), plug, had_driver=had_driver)

    def _find(self) -> Any:  # noqa: ANN401 - pyusb is untyped
        import usb.core  # noqa: PLC0415 - see edge.device.transport

        where = self.where
        found = usb.core.find(
            find_all=True,
            backend=self.backend,
            idVendor=where.vendor_id,
            idProduct=where.product_id,
        )
        for device in found:
            if not where.serial or _serial_of(device) == where.serial:
                return device
        raise LineError("printer.unreachable", is_absent=True)


@dataclass(frozen=True, slots=True)
class _Plug:
    """The interface that prints; `in_endpoint` is 0 for a printer that cannot answer."""

    interface: int
    out_endpoint: int
    in_endpoint: int


class UsbConversation:
    """Conversation over the bulk endpoints of a device that is open."""

    def __init__(self, device: Any, plug: _Plug, *, had_driver: bool) -> None:  # noqa: ANN401
        self._device = device
        self._plug = plug
        self._had_driver = had_driver
        self._is_ill = False

    def send(self, data: bytes, stall_s: float) -> None:
        """Hand over all of `data`, as much at a time as the printer takes."""
        from usb.core import USBError, USBTimeoutError  # noqa: PLC0415 - see edge.device.transport

        taken = 0
        stall_ms = max(int(stall_s * 1000), 1)
        while taken < len(data):
            chunk = data[taken : taken + CHUNK]
            try:
                taken += self._device.write(self._plug.out_endpoint, chunk, stall_ms)
            except USBTimeoutError as error:
                # How much of the chunk had crossed is not told, here and below.
                raise LineError("printer.stalled", taken=taken + len(chunk)) from error
            except USBError as error:
                self._is_ill = True
                raise line_error(error, taken + len(chunk)) from error

    def receive(self, within_s: float) -> bytes:
        """What has come in; a question costs at least a millisecond, as 0 would wait for ever."""
        from usb.core import USBError, USBTimeoutError  # noqa: PLC0415 - see edge.device.transport

        if not self._plug.in_endpoint:
            return b""
        try:
            within_ms = max(int(within_s * 1000), 1)
            return bytes(self._device.read(self._plug.in_endpoint, CHUNK, within_ms))
        except USBTimeoutError:
            return b""
        except USBError as error:
            self._is_ill = True
            raise line_error(error) from error

    def port_condition(self) -> PrinterCondition | None:
        """The kernel's driver would ask this; it is detached."""
        return None

    def close(self) -> None:
        """Let the device go, and give it back to the kernel's driver where that had it."""
        import usb.util  # noqa: PLC0415 - see edge.device.transport
        from usb.core import USBError  # noqa: PLC0415

        with suppress(USBError):
            usb.util.release_interface(self._device, self._plug.interface)
        if self._is_ill:  # an endpoint that halted stays so until then
            with suppress(USBError):
                self._device.reset()
        if self._had_driver:
            with suppress(USBError, NotImplementedError):
                self._device.attach_kernel_driver(self._plug.interface)
        with suppress(USBError):
            usb.util.dispose_resources(self._device)


def _serial_of(device: Any) -> str:  # noqa: ANN401 - pyusb is untyped
    from usb.core import USBError  # noqa: PLC0415 - see edge.device.transport

    try:
        return str(device.serial_number)
    except (USBError, ValueError):  # it may not be read, or has none
        return ""


def _plug_of(device: Any) -> _Plug:  # noqa: ANN401 - pyusb is untyped
    """The printer interface, or the first one that takes bytes."""
    found = [plug for config in device for each in config if (plug := _as_plug(each)) is not None]
    if not found:
        raise LineError("printer.unreachable")
    return min(found, key=lambda plug: plug[0])[1]


def _as_plug(interface: Any) -> tuple[int, _Plug] | None:  # noqa: ANN401 - pyusb is untyped
    import usb.util  # noqa: PLC0415 - see edge.device.transport

    bulk = [
        each.bEndpointAddress
        for each in interface
        if usb.util.endpoint_type(each.bmAttributes) == usb.util.ENDPOINT_TYPE_BULK
    ]
    outs = [each for each in bulk if usb.util.endpoint_direction(each) == usb.util.ENDPOINT_OUT]
    ins = [each for each in bulk if usb.util.endpoint_direction(each) == usb.util.ENDPOINT_IN]
    if not outs:
        return None
    rank = 0 if interface.bInterfaceClass == _PRINTER_CLASS else 1
    plug = _Plug(interface.bInterfaceNumber, outs[0], ins[0] if ins else 0)
    return rank, plug


def _take_from_kernel(device: Any, interface: int) -> bool:  # noqa: ANN401 - pyusb is untyped
    """Whether the kernel's driver had it; told, because `/dev/usb/lp0` goes away with it."""
    try:
        if not device.is_kernel_driver_active(interface):
            return False
        device.detach_kernel_driver(interface)
    except NotImplementedError:
        return False
    _log.info("printer.kernel_driver_detached", address=f"{device.bus}-{device.address}")
    return True
