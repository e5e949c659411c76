"""Runs inside the whole machine with Debian's own Python; tells the host in JSON lines.

Boot 1 proves the devices and then sells until the power goes; boot 2 looks at what is left.  Every
sale is told to the host only after the box has acknowledged it: the host keeps that list.
"""

import errno
import fcntl
import grp
import itertools
import json
import os
import pwd
import stat
import struct
import subprocess
import sys
import tomllib
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

DATA = Path("/var/lib/tillbox")
LAB = Path("/run/lab")
PROGRAM = "/opt/tillbox/current/bin/tillbox-edge"
LINE = Path("/dev/virtio-ports/lab")
TILLBOX = Path("/dev/tillbox")
DISK = Path("/dev/vda")
CGROUP = Path("/sys/fs/cgroup/system.slice/tillbox-edge.service/cgroup.procs")
MANAGER, MANAGER_PIN, DAY = "1001", "1234", "2017-08-07"
BOOT = int(Path("/proc/cmdline").read_text().partition("lab.boot=")[2].split()[0])
SLOW_S = 300
EVIOCGRAB = 0x40044590
# What the box or systemd replaces while it works; the rest is settings, keys and identities.
NOT_CONFIG = ("-wal", "-shm", "-journal", ".lock", ".db", "lock")
CONFIG = (DATA, Path("/etc/systemd"), Path("/etc/udev"), Path("/etc/modules-load.d"))

sys.path.insert(0, "/opt/tillbox/source")
LAB.mkdir(exist_ok=True)
PORT = tomllib.loads((DATA / "edge.toml").read_text())["box"]["port"]
(LAB / "port").write_text(str(PORT))

from tests.hardware import gadgets, inside_service  # noqa: E402 - it reads the port
from tests.hardware.inside_service import health, run, show, until  # noqa: E402

inside_service.START_WITHIN_S = SLOW_S
calls = itertools.count()
signed_in = {}
scanners = []


def call(method, path, body=None):
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": f"{BOOT}-{os.getpid()}-{next(calls)}",
        **signed_in,
    }
    data = None if body is None else json.dumps(body).encode()
    url = f"http://127.0.0.1:{PORT}{path}"
    asked = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - own address
            told = answer.read()
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {path}: {error.code} {error.read()[:300]}") from error
    return json.loads(told) if told else None


def sign_in():
    who = {"operator": MANAGER, "pin": MANAGER_PIN}
    token = call("POST", "/v1/lanes/1/session", who)["token"]
    signed_in["Authorization"] = f"Bearer {token}"


def scanner_is_ready():
    found = call("GET", "/v1/devices")["devices"]
    return any(each["kind"] == "scanner" and each["state"] == "ready" for each in found)


def plug_scanner():
    for module in ("libcomposite", "usb_f_hid", "usb_f_printer", "usb_f_acm"):
        subprocess.run(["modprobe", module], check=True)
    subprocess.run(["modprobe", "dummy_hcd", "num=4"], check=True)
    if not gadgets.ROOT.is_dir():
        subprocess.run(["mount", "-t", "configfs", "none", "/sys/kernel/config"], check=True)
    scanners.append(gadgets.KeyboardGadget("s1", gadgets.SCANNER_A).plug(0))


def is_the_boxs_own(name):
    until(name.exists, SLOW_S, str(name))
    told = name.stat()
    assert grp.getgrgid(told.st_gid).gr_name == "tillbox", name
    assert stat.S_IMODE(told.st_mode) == 0o660, name


def opens(node, flags, *, in_the_unit=True):
    """Whether the box's user may open a device, by default in the unit's own control group."""
    told = pwd.getpwnam("tillbox")
    child = os.fork()
    if child == 0:
        try:
            if in_the_unit:
                CGROUP.write_text(str(os.getpid()))
            os.setgroups(os.getgrouplist("tillbox", told.pw_gid))
            os.setgid(told.pw_gid)
            os.setuid(told.pw_uid)
            os.close(os.open(node, flags | os.O_NONBLOCK | os.O_NOCTTY))
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def is_grabbed(name):
    node = os.open(name, os.O_RDWR)
    try:
        fcntl.ioctl(node, EVIOCGRAB, struct.pack("i", 1))
    except OSError as error:
        return error.errno == errno.EBUSY
    finally:
        os.close(node)
    return False


def the_box_is_ready_by_itself():
    told = inside_service.the_box_tells_systemd_when_it_is_ready()
    ready_us = int(show("ActiveEnterTimestampMonotonic"))
    return {
        **told,
        "power to ready": f"{ready_us / 1e6:.2f} s",
        "starts it took": int(show("NRestarts")) + 1,
    }


def a_scanner_has_its_name_and_the_box_has_grabbed_it():
    sign_in()
    plug_scanner()
    name = TILLBOX / "input" / "SCN0001"
    is_the_boxs_own(name)
    took_s = until(scanner_is_ready, SLOW_S, "the scanner to be ready at /v1/devices")
    assert is_grabbed(name)
    return {"name to ready": f"{took_s} s"}


def what_a_scanner_reads_is_sold():
    call("POST", "/v1/day/open", {"business_date": DAY})
    before = health()["head_seq"]
    scanners[0].scan(gtin(3), gap_s=0.03)
    told = until(lambda: is_sold_for(300), SLOW_S, "a scanned basket to be paid")
    assert health()["head_seq"] > before
    return {"scan to paid": f"{told} s"}


def sold_for(minor):
    """The receipt of what lies in the basket; AssertionError while there is nothing to pay."""
    paid = {"kind": "cash", "amount_minor": minor}
    receipt_no = call("POST", "/v1/lanes/1/tenders", paid)["receipt_no"]
    assert receipt_no
    return receipt_no


def is_sold_for(minor):
    with suppress(AssertionError):
        return sold_for(minor)


def printers_and_serial_lines_have_names_too():
    gadgets.PrinterGadget("p1", gadgets.PRINTER).plug(1)
    gadgets.SerialGadget("a1", gadgets.SERIAL_PRINTER).plug(2)
    for name in ("printer-PRN0001", "serial-SER0001"):
        is_the_boxs_own(TILLBOX / name)


def the_unit_may_open_the_stores_devices_and_no_disk():
    for name in ("input/SCN0001", "printer-PRN0001", "serial-SER0001"):
        assert opens(TILLBOX / name, os.O_RDWR), name
    # Only the unit's own rule is left to forbid it.
    DISK.chmod(0o644)
    assert opens(DISK, os.O_RDONLY, in_the_unit=False)
    assert not opens(DISK, os.O_RDONLY)
    DISK.chmod(0o660)


def the_journal_holds_entry_for_entry():
    command = ["runuser", "-u", "tillbox", "--", PROGRAM, "verify-journal", str(DATA), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert done.returncode == 0, told
    assert told["ok"], told
    return {"entries": sum(each["entries"] for each in told["journals"])}


def no_settings_file_is_empty():
    files = [path for place in CONFIG for path in place.rglob("*") if is_config(path)]
    assert len(files) > 5, files
    empty = [str(path) for path in files if path.stat().st_size == 0]
    assert empty == [], empty
    return {"files": len(files)}


def is_config(path):
    return path.is_file() and not path.is_symlink() and not path.name.endswith(NOT_CONFIG)


def the_scanner_is_known_again():
    sign_in()
    plug_scanner()
    took_s = until(scanner_is_ready, SLOW_S, "the scanner to be ready again")
    return {"plugged to ready": f"{took_s} s"}


def gtin(number):
    """The EAN-13 of the n-th item, as tests/builders.py makes it."""
    digits = f"690{number:09d}"
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-total % 10}"


CHECKS = {
    1: [
        the_box_is_ready_by_itself,
        inside_service.it_runs_as_its_own_user_without_rights,
        a_scanner_has_its_name_and_the_box_has_grabbed_it,
        what_a_scanner_reads_is_sold,
        printers_and_serial_lines_have_names_too,
        the_unit_may_open_the_stores_devices_and_no_disk,
    ],
    2: [
        the_box_is_ready_by_itself,
        the_journal_holds_entry_for_entry,
        no_settings_file_is_empty,
        the_scanner_is_known_again,
    ],
}


def sell_for_ever(tell):
    while True:
        call("POST", "/v1/lanes/1/scans", {"code": gtin(4)})
        tell({"sold": sold_for(400)})


def receipts():
    return [each["receipt_no"] for each in call("GET", "/v1/receipts?lane=1&limit=200")]


def main():
    until(LINE.exists, SLOW_S, "the line to the host")
    with LINE.open("w", buffering=1) as line:

        def tell(what):
            line.write(json.dumps(what) + "\n")

        failures = 0
        for function in CHECKS[BOOT]:
            result = run(function)
            result["check"] = f"boot {BOOT}::{function.__name__}"
            failures += result["outcome"] != "passed"
            tell(result)
        if BOOT == 1 and not failures:
            sell_for_ever(tell)
        if BOOT == 2 and not failures:
            tell({"receipts": receipts()})
        tell({"end": min(failures, 1)})


if __name__ == "__main__":
    sys.exit(main())
