"""USB devices made of software, plugged into the lab's own kernel: dummy_hcd and configfs.

Port `n` is `dummy_udc.n`: what is bound to it appears on a USB bus of its own, through the same
drivers as a device on a real cable.  Bytes go in and out at the device's end of the cable:
`/dev/hidgN`, `/dev/g_printerN`, `/dev/ttyGSN`.
"""

from __future__ import annotations

import os
import time
import tty
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path("/sys/kernel/config/usb_gadget")
BUS = Path("/sys/bus/usb/devices")
PATIENCE_S = 5
ENGLISH = "strings/0x409"
HIGH_SPEED = "0x0200"
# A boot keyboard's report (HID 1.11, appendix B.1), without its lamps: one byte of modifier keys,
# one that is reserved, six keys of 0 to 101.
KEYBOARD = bytes.fromhex(
    "05 01 09 06 a1 01"  # generic desktop, keyboard: an application
    "05 07 19 e0 29 e7 15 00 25 01 75 01 95 08 81 02"  # eight modifier bits
    "95 01 75 08 81 01"  # a constant byte
    "95 06 75 08 15 00 25 65 05 07 19 00 29 65 81 00"  # six keys
    "c0"
)
KEYBOARD_BYTES = 8
CONTROL, SHIFT = 0x01, 0x02
ENTER = "\n"
GROUP_SEPARATOR = "\x1d"
_USAGES: dict[str, int] = {
    **{chr(ord("a") + n): 0x04 + n for n in range(26)},
    **{str(n): 0x1E + n - 1 for n in range(1, 10)},
    "0": 0x27,
    ENTER: 0x28,
    "\t": 0x2B,
    **dict(zip(" -=[]\\", range(0x2C, 0x32), strict=True)),
    **dict(zip(";'`,./", range(0x33, 0x39), strict=True)),
}
_SHIFTED = dict(zip('!@#$%^&*()_+{}|:"~<>?', "1234567890-=[]\\;'`,./", strict=True))


@dataclass(frozen=True, slots=True)
class Identity:
    """How a device names itself; many cheap ones have no `serial`."""

    vendor_id: int
    product_id: int
    product: str
    serial: str | None = None


SCANNER_A = Identity(0x0C2E, 0x0200, "1D Scanner", "SCN0001")
SCANNER_B = Identity(0x0C2E, 0x0200, "1D Scanner", "SCN0002")
NAMELESS = Identity(0x0C2E, 0x0206, "1D Scanner")
KEYBOARD_OF_THE_OFFICE = Identity(0x046D, 0xC31C, "USB Keyboard")
PRINTER = Identity(0x04B8, 0x0E15, "TM-T20II", "PRN0001")
SERIAL_PRINTER = Identity(0x0525, 0xA4A7, "Serial printer", "SER0001")
SERIAL_SCANNER = Identity(0x0C2E, 0x0A07, "Serial scanner", "SSC0001")


class Gadget:
    """One USB device with one function; made at once, there for the kernel while plugged in."""

    def __init__(self, name: str, identity: Identity, function: str) -> None:
        self._home = ROOT / name
        self._function = self._home / "functions" / f"{function}.{name}"
        self._home.mkdir()
        self._describe(identity)
        self._function.mkdir()
        self.set_up()
        config = self._home / "configs/c.1"
        config.mkdir()
        (config / self._function.name).symlink_to(self._function)

    def set_up(self) -> None:
        """Write the function's own attributes."""

    def plug(self, port: int) -> Self:
        """Put the plug into a port; answers itself."""
        write(self._home / "UDC", f"dummy_udc.{port}")
        return self

    def unplug(self) -> None:
        """Pull the plug and wait until the kernel has seen it; harmless when it is out."""
        bound = (self._home / "UDC").read_text(encoding="ascii").strip()
        if bound:
            write(self._home / "UDC", "\n")
            # The buses are numbered from 1, and each has a single port.
            device = BUS / f"{int(bound.rpartition('.')[2]) + 1}-1"
            deadline = time.monotonic() + PATIENCE_S
            while device.exists() and time.monotonic() < deadline:
                time.sleep(0.002)

    def remove(self) -> None:
        """Take the device apart, in the order that the kernel asks for."""
        self.unplug()
        config = self._home / "configs/c.1"
        (config / self._function.name).unlink()
        config.rmdir()
        self._function.rmdir()
        (self._home / ENGLISH).rmdir()
        self._home.rmdir()

    def attribute(self, name: str) -> str:
        """What the kernel says of the function."""
        return (self._function / name).read_text(encoding="ascii").strip()

    def set(self, name: str, value: str | bytes) -> None:
        """Write one attribute of the function."""
        write(self._function / name, value)

    def _describe(self, identity: Identity) -> None:
        write(self._home / "idVendor", f"0x{identity.vendor_id:04x}")
        write(self._home / "idProduct", f"0x{identity.product_id:04x}")
        write(self._home / "bcdUSB", HIGH_SPEED)
        texts = self._home / ENGLISH
        texts.mkdir(parents=True)
        write(texts / "manufacturer", "Lab")
        write(texts / "product", identity.product)
        if identity.serial is not None:
            write(texts / "serialnumber", identity.serial)


class KeyboardGadget(Gadget):
    """A scanner as it leaves the factory: a USB keyboard that types fast."""

    def __init__(self, name: str, identity: Identity) -> None:
        super().__init__(name, identity, "hid")
        self._fd: int | None = None

    def set_up(self) -> None:
        """Be a boot keyboard."""
        self.set("protocol", "1")
        self.set("subclass", "1")
        self.set("report_length", str(KEYBOARD_BYTES))
        self.set("report_desc", KEYBOARD)

    def unplug(self) -> None:
        """Pull the plug, in mid code if need be."""
        self._hang_up()
        super().unplug()

    def scan(self, code: str, gap_s: float = 0.002, end: str = ENTER) -> None:
        """Type a code and its terminator; `gap_s` after each key."""
        for character in code + end:
            self.press(character)
            time.sleep(gap_s)

    def press(self, character: str) -> None:
        """One key down and up again; waits while the kernel has not fetched the last report."""
        modifiers, usage = _key(character)
        os.write(self._line(), bytes((modifiers, 0, usage, 0, 0, 0, 0, 0)))
        os.write(self._line(), bytes(KEYBOARD_BYTES))

    def _line(self) -> int:
        if self._fd is None:
            minor = int(self.attribute("dev").rpartition(":")[2])
            self._fd = os.open(f"/dev/hidg{minor}", os.O_RDWR)
        return self._fd

    def _hang_up(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


class PrinterGadget(Gadget):
    """A printer of USB's printer class: `/dev/usb/lpN` here, `/dev/g_printerN` at its end."""

    def __init__(self, name: str, identity: Identity) -> None:
        super().__init__(name, identity, "printer")
        self._node = Path()

    def plug(self, port: int) -> Self:
        """Put the plug in; the kernel makes its end of the cable meanwhile."""
        before = set(Path("/dev").glob("g_printer*"))
        super().plug(port)
        [self._node] = set(Path("/dev").glob("g_printer*")) - before
        return self

    def set_up(self) -> None:
        """Name the language it speaks."""
        self.set("pnp_string", "MFG:EPSON;CMD:ESC/POS;MDL:TM-T20II;CLS:PRINTER;")
        self.set("q_len", "10")

    def open(self) -> int:
        """The printer's end of the cable, never waiting."""
        return os.open(self._node, os.O_RDWR | os.O_NONBLOCK)


class SerialGadget(Gadget):
    """A device of USB's serial class (CDC-ACM): `/dev/ttyACMN` here, `/dev/ttyGSN` at its end."""

    def __init__(self, name: str, identity: Identity) -> None:
        super().__init__(name, identity, "acm")

    def open(self) -> int:
        """The device's end of the cable, never waiting, no byte changed on the way."""
        node = f"/dev/ttyGS{self.attribute('port_num')}"
        descriptor = os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(descriptor)
        return descriptor


def write(path: Path, value: str | bytes) -> None:
    """One attribute in one system call; the kernel reads nothing in pieces."""
    with path.open("wb", buffering=0) as file:
        file.write(value.encode("ascii") if isinstance(value, str) else value)


def _key(character: str) -> tuple[int, int]:
    if character == GROUP_SEPARATOR:
        return CONTROL, _USAGES["]"]
    if character in _SHIFTED:
        return SHIFT, _USAGES[_SHIFTED[character]]
    if character.isupper():
        return SHIFT, _USAGES[character.lower()]
    return 0, _USAGES[character]
