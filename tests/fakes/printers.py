"""The virtual printer at the other end of a terminal line or of a USB bus."""

from __future__ import annotations

import array
import os
import pty
import select
import threading
import tty
from collections import deque
from types import SimpleNamespace
from typing import Any

from usb.backend import IBackend
from usb.core import USBError, USBTimeoutError

from edge.device.virtual_printer import PrinterFault, PrinterModel

_TURN_S = 0.01


class TerminalPrinter(PrinterModel):
    """On a pseudo terminal: `path` is what the host opens.  Switched off it neither reads nor
    answers; `stall` leaves it on and makes it take nothing more."""

    def __init__(self, columns: int = 48) -> None:
        super().__init__(columns)
        self._host, device = pty.openpty()
        tty.setraw(device)
        self._device = device
        self.path = os.ttyname(device)
        self.is_stalled = False
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def set_fault(self, fault: PrinterFault | None) -> None:
        super().set_fault(fault)
        self._answer(self.pushed())

    def set_drawer(self, *, is_open: bool) -> None:
        super().set_drawer(is_open=is_open)
        self._answer(self.pushed())

    def close(self) -> None:
        self._is_over.set()
        self._thread.join(3)
        os.close(self._host)
        os.close(self._device)

    def _serve(self) -> None:
        while not self._is_over.is_set():
            ready, _, _ = select.select([self._host], [], [], _TURN_S)
            if self.is_stalled or not ready:
                self._is_over.wait(_TURN_S)
                continue
            data = os.read(self._host, 4096)
            if self.condition != "offline":
                self._answer(self.take(data) + self.pushed())

    def _answer(self, data: bytes) -> None:
        if data:
            os.write(self._host, data)


class UsbPrinter(PrinterModel):
    """On a USB bus of its own: `backend` stands where pyusb has libusb.

    Its endpoints are not those that python-escpos supposes.  `takes` limits what it takes from
    now on, None is no limit; unplugged it is gone from the bus.
    """

    VENDOR, PRODUCT, SERIAL = 0x0FE6, 0x811E, "PRN0001"
    OUT, IN = 0x03, 0x84

    def __init__(self, columns: int = 48) -> None:
        super().__init__(columns)
        self.backend: Any = _Bus(self)
        self.takes: int | None = None
        self.is_plugged = True
        self.has_driver = True
        self.answers: deque[int] = deque()

    def set_fault(self, fault: PrinterFault | None) -> None:
        super().set_fault(fault)
        self.answers.extend(self.pushed())

    def set_drawer(self, *, is_open: bool) -> None:
        super().set_drawer(is_open=is_open)
        self.answers.extend(self.pushed())

    def close(self) -> None:
        self.is_plugged = False


class _Bus(IBackend):  # type: ignore[misc] # pyusb is untyped
    """One device; the descriptors of a printer that answers."""

    def __init__(self, printer: UsbPrinter) -> None:
        self._printer = printer

    def enumerate_devices(self) -> list[str]:
        return ["printer"] if self._printer.is_plugged else []

    def get_device_descriptor(self, dev: str) -> Any:
        return SimpleNamespace(
            **dict.fromkeys(("bDeviceClass", "bDeviceSubClass", "bDeviceProtocol"), 0),
            bLength=18,
            bDescriptorType=1,
            bcdUSB=0x200,
            bMaxPacketSize0=64,
            idVendor=UsbPrinter.VENDOR,
            idProduct=UsbPrinter.PRODUCT,
            bcdDevice=1,
            iManufacturer=0,
            iProduct=0,
            iSerialNumber=3,
            bNumConfigurations=1,
            bus=1,
            address=2,
            port_number=1,
            port_numbers=(1,),
            speed=3,
        )

    def get_configuration_descriptor(self, dev: str, config: int) -> Any:
        if config:
            raise IndexError(config)
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=2,
            wTotalLength=32,
            bNumInterfaces=1,
            bConfigurationValue=1,
            iConfiguration=0,
            bmAttributes=0xC0,
            bMaxPower=50,
            extra_descriptors=[],
        )

    def get_interface_descriptor(self, dev: str, intf: int, alt: int, config: int) -> Any:
        if intf or alt or config:
            raise IndexError(intf)
        return SimpleNamespace(
            bLength=9,
            bDescriptorType=4,
            bInterfaceNumber=0,
            bAlternateSetting=0,
            bNumEndpoints=2,
            bInterfaceClass=7,
            bInterfaceSubClass=1,
            bInterfaceProtocol=2,
            iInterface=0,
            extra_descriptors=[],
        )

    def get_endpoint_descriptor(self, dev: str, ep: int, intf: int, alt: int, config: int) -> Any:
        return SimpleNamespace(
            bLength=7,
            bDescriptorType=5,
            bmAttributes=2,
            wMaxPacketSize=64,
            bInterval=0,
            bRefresh=0,
            bSynchAddress=0,
            extra_descriptors=[],
            bEndpointAddress=(UsbPrinter.OUT, UsbPrinter.IN)[ep],
        )

    def open_device(self, dev: str) -> str:
        self._refuse_absent()
        return dev

    def close_device(self, dev_handle: str) -> None:
        """Nothing to close."""

    def set_configuration(self, dev_handle: str, config_value: int) -> None:
        self._refuse_absent()

    def get_configuration(self, dev_handle: str) -> int:
        return 1

    def claim_interface(self, dev_handle: str, intf: int) -> None:
        if self._printer.has_driver:
            raise USBError("Resource busy", errno=16)

    def release_interface(self, dev_handle: str, intf: int) -> None:
        """Anybody may have it."""

    def reset_device(self, dev_handle: str) -> None:
        self._printer.connected()

    def is_kernel_driver_active(self, dev_handle: str, intf: int) -> bool:
        return self._printer.has_driver

    def detach_kernel_driver(self, dev_handle: str, intf: int) -> None:
        self._printer.has_driver = False

    def attach_kernel_driver(self, dev_handle: str, intf: int) -> None:
        self._printer.has_driver = True

    def ctrl_transfer(self, *args: Any) -> int:
        """Serve string descriptors: which languages, and the serial number."""
        self._refuse_absent()
        data = args[5]
        text = UsbPrinter.SERIAL.encode("utf-16-le") if args[3] & 0xFF else b"\x09\x04"
        whole = bytes((len(text) + 2, 3)) + text
        data[: len(whole)] = array.array("B", whole)
        return len(whole)

    def bulk_write(self, dev_handle: str, ep: int, intf: int, data: Any, timeout: int) -> int:
        self._refuse_absent()
        assert ep == UsbPrinter.OUT
        printer, sent = self._printer, bytes(data)
        if printer.takes is not None:
            sent = sent[: printer.takes]
            printer.takes -= len(sent)
        if not sent:
            raise USBTimeoutError("Operation timed out", errno=110)
        if printer.condition != "offline":
            printer.answers.extend(printer.take(sent) + printer.pushed())
        return len(sent)

    def bulk_read(self, dev_handle: str, ep: int, intf: int, buff: Any, timeout: int) -> int:
        self._refuse_absent()
        assert ep == UsbPrinter.IN
        answers = self._printer.answers
        if not answers:
            raise USBTimeoutError("Operation timed out", errno=110)
        count = min(len(answers), len(buff))
        buff[:count] = array.array("B", [answers.popleft() for _ in range(count)])
        return count

    def _refuse_absent(self) -> None:
        if not self._printer.is_plugged:
            raise USBError("No such device", errno=19)
