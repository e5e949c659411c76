"""USB keyboards for libudev and evdev without a kernel's help, through umockdev.

Runs inside `umockdev-wrapper`, whose preloaded library shows /sys, /dev and udev's messages as
this testbed has them.
"""

from __future__ import annotations

import ctypes
import struct
from dataclasses import dataclass
from pathlib import Path

_BUS_USB, _VERSION, _EV_VERSION = 3, 0x0111, 0x00010001
_EV_SYN, _EV_KEY, _EV_MSC, _EV_LED = 0, 1, 4, 17
_KEYS = (*range(1, 54), *range(54, 84), 86, 87, 88, 96, 97, 98, 100, *range(102, 112), 125)
_ENTER = 28
_DIGITS = "1234567890"
_STEP_S = 0.002


@dataclass(frozen=True)
class UsbKeyboard:
    """A device in HID keyboard mode: scanner or not, by its numbers."""

    n: int
    port: str
    vendor: str = "0c2e"
    product: str = "0200"
    serial: str = ""
    name: str = "Tillbox Lab Scanner"

    @property
    def node(self) -> str:
        return f"/dev/input/event{self.n}"

    @property
    def sys_path(self) -> str:
        return f"{self._input}/event{self.n}"

    @property
    def _input(self) -> str:
        return f"/devices/platform/lab/usb1/{self.port}/input/input{self.n}"

    @property
    def phys(self) -> str:
        return f"usb-lab-{self.port}/input0"

    def description(self) -> str:
        """The device and its parent as umockdev-record writes them."""
        both = {
            "ID_BUS": "usb",
            "ID_INPUT": "1",
            "ID_INPUT_KEY": "1",
            "ID_INPUT_KEYBOARD": "1",
            "ID_MODEL": self.name.replace(" ", "_"),
            "ID_MODEL_ID": self.product,
            "ID_PATH": f"platform-lab-usb-0:{self.port}:1.0",
            "ID_SERIAL_SHORT": self.serial,
            "ID_VENDOR_ID": self.vendor,
            "SUBSYSTEM": "input",
        }
        event = both | {"DEVNAME": self.node, "MAJOR": "13", "MINOR": str(64 + self.n)}
        parent = both | {
            "NAME": f'"{self.name}"',
            "PHYS": f'"{self.phys}"',
            "PRODUCT": f"3/{self.vendor}/{self.product}/111",
            "UNIQ": f'"{self.serial}"',
        }
        return "\n".join(
            [
                *(f"P: {self.sys_path}", f"N: input/event{self.n}"),
                *(f"E: {name}={value}" for name, value in event.items() if value),
                f"A: dev=13:{64 + self.n}\\n",
                *("", f"P: {self._input}"),
                *(f"E: {name}={value}" for name, value in parent.items() if value),
                *("", ""),
            ]
        )

    def answers(self) -> str:
        """What its input device answers to the ioctls that evdev asks."""
        identity = struct.pack(
            "HHHH", _BUS_USB, int(self.vendor, 16), int(self.product, 16), _VERSION
        )
        told = [
            ("EVIOCGID 0", identity),
            *self._texts(),
            ("EVIOCGVERSION 0", struct.pack("I", _EV_VERSION)),
            ("EVIOCGBIT(0) 4", _bits(_EV_SYN, _EV_KEY, _EV_MSC, _EV_LED)[:4]),
            ("EVIOCGBIT(0) 8", _bits(_EV_SYN, _EV_KEY, _EV_MSC, _EV_LED)),
            ("EVIOCGBIT(1) 96", _bits(*_KEYS)),
            ("EVIOCGBIT(4) 8", _bits(4)),
            ("EVIOCGBIT(17) 8", _bits(0, 1, 2)),
            ("EVIOCGEFFECTS 0", bytes(4)),
        ]
        lines = [f"{request} {data.hex().upper()}" for request, data in told]
        return "\n".join([f"@DEV {self.node}", *lines, ""])

    def _texts(self) -> list[tuple[str, bytes]]:
        texts = {"NAME": self.name, "PHYS": self.phys, "UNIQ": self.serial}
        return [
            (f"EVIOCG{what}(0) {len(text) + 1}", text.encode().ljust(256, b"\0"))
            for what, text in texts.items()
        ]

    def typing(self, digits: str, after_s: float = 0.05) -> str:
        """Evemu events of these digits and Enter, at a scanner's speed."""
        at_s, lines = after_s, []
        for code in (*(2 + _DIGITS.index(digit) for digit in digits), _ENTER):
            for value in (1, 0):
                lines += [
                    f"E: {at_s:.6f} 0001 {code:04x} {value:04d}",
                    f"E: {at_s:.6f} 0000 0000 0000",
                ]
                at_s += _STEP_S
        return "\n".join([*lines, ""])


class Bus:
    """The testbed: plug in, pull out, type."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._library = ctypes.CDLL("libumockdev.so.0")
        self._library.umockdev_testbed_new.restype = ctypes.c_void_p
        self._library.umockdev_testbed_uevent.restype = None
        self._library.umockdev_testbed_remove_device.restype = None
        self._testbed = ctypes.c_void_p(self._library.umockdev_testbed_new())

    def plug_in(self, device: UsbKeyboard) -> None:
        """The device is there, and udev tells so."""
        self._load("umockdev_testbed_add_from_file", None, device.description())
        self._load("umockdev_testbed_load_ioctl", device.node, device.answers())
        self._tell(device, "add")

    def pull_out(self, device: UsbKeyboard) -> None:
        """It is not there any more."""
        self._tell(device, "remove")
        self._library.umockdev_testbed_remove_device(
            self._testbed, f"/sys{device.sys_path}".encode()
        )

    def type(self, device: UsbKeyboard, digits: str) -> None:
        """Type them, once the device is open."""
        self._load("umockdev_testbed_load_evemu_events", device.node, device.typing(digits))

    def _tell(self, device: UsbKeyboard, action: str) -> None:
        path = f"/sys{device.sys_path}".encode()
        self._library.umockdev_testbed_uevent(self._testbed, path, action.encode())

    def _load(self, function: str, node: str | None, text: str) -> None:
        file = self._folder / f"{function}-{len(list(self._folder.iterdir()))}"
        file.write_text(text, encoding="utf-8")
        error = ctypes.c_void_p()
        given = [] if node is None else [node.encode()]
        call = getattr(self._library, function)
        done = call(self._testbed, *given, str(file).encode(), ctypes.byref(error))
        assert done, (function, text)


def _bits(*numbers: int) -> bytes:
    return sum(1 << number for number in numbers).to_bytes(96, "little")
