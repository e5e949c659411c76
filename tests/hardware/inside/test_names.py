"""The box's udev rules on real devices: names that stay, and who may open them."""

from __future__ import annotations

import grp
import stat
import subprocess
from pathlib import Path

from tests.hardware.gadgets import (
    KEYBOARD_OF_THE_OFFICE,
    PRINTER,
    SCANNER_A,
    SCANNER_B,
    SERIAL_PRINTER,
)
from tests.hardware.inside.conftest import Bench
from tests.hardware.inside.listening import until

TILLBOX = Path("/dev/tillbox")


def properties(node: Path) -> dict[str, str]:
    told = subprocess.run(
        ["udevadm", "info", "--query=property", f"--name={node}"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    pairs = (line.partition("=") for line in told.stdout.splitlines())
    return {key: value for key, _, value in pairs}


def assert_is_the_boxs_own(node: Path) -> None:
    told = node.stat()
    assert grp.getgrgid(told.st_gid).gr_name == "tillbox"
    assert stat.S_IMODE(told.st_mode) == 0o660


def test_every_scanner_has_a_name_by_its_serial_number(bench: Bench) -> None:
    bench.keyboard(SCANNER_A).plug(0)
    bench.keyboard(SCANNER_B).plug(1)
    for serial in ("SCN0001", "SCN0002"):
        name = TILLBOX / "input" / serial
        until(name.exists, str(name))
        assert_is_the_boxs_own(name)
        told = properties(name)
        assert told["TILLBOX_SCANNER"] == told["LIBINPUT_IGNORE_DEVICE"] == "1"
        assert told["ID_SERIAL_SHORT"] == serial


def test_an_ordinary_keyboard_stays_a_keyboard(bench: Bench) -> None:
    bench.keyboard(KEYBOARD_OF_THE_OFFICE).plug(0)
    name = Path("/dev/input/by-path/platform-dummy_hcd.0-usb-0:1:1.0-event-kbd")
    until(name.exists, str(name))
    told = properties(name)
    assert "TILLBOX_SCANNER" not in told
    assert "LIBINPUT_IGNORE_DEVICE" not in told


def test_a_printer_has_names_by_serial_number_and_by_port(bench: Bench) -> None:
    bench.printer(PRINTER).plug(2)
    by_serial = TILLBOX / "printer-PRN0001"
    until(by_serial.exists, str(by_serial))
    assert_is_the_boxs_own(by_serial)
    until(lambda: len(list(TILLBOX.glob("printer-*"))) == 2, "the name by port as well")
    assert all(path.samefile("/dev/usb/lp0") for path in TILLBOX.glob("printer-*"))
    # pyusb opens the device itself, not the driver's node.
    device = Path("/sys/bus/usb/devices/3-1")
    bus, number = (int((device / name).read_text()) for name in ("busnum", "devnum"))
    assert_is_the_boxs_own(Path(f"/dev/bus/usb/{bus:03}/{number:03}"))


def test_a_serial_device_has_a_name_and_no_modem_manager(bench: Bench) -> None:
    bench.serial(SERIAL_PRINTER).plug(3)
    name = TILLBOX / "serial-SER0001"
    until(name.exists, str(name))
    assert_is_the_boxs_own(name)
    assert properties(name)["ID_MM_DEVICE_IGNORE"] == "1"
