"""Parts that come from Debian: found where they are, installed as root, named when missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.lab.console import SetupError, say, step

# A normal user's PATH has no sbin, yet Debian puts servers there.
SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
WQY_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
UDEVD = Path("/lib/systemd/systemd-udevd")
LIBUSB = Path("/usr/lib/x86_64-linux-gnu/libusb-1.0.so.0")
APT_LOG_LINES = 5


def find_program(name: str) -> str | None:
    """Return the path of a program, looking also where only root usually looks."""
    return shutil.which(name, path=SEARCH_PATH)


def is_root() -> bool:
    """Tell whether this process may install Debian packages."""
    return os.geteuid() == 0


def apt_install(*packages: str) -> None:
    """Install Debian packages; raises SetupError where that is not possible."""
    names = " ".join(packages)
    apt = find_program("apt-get")
    if not is_root() or apt is None:
        message = f"This machine lacks {names}: install it (as root: apt-get install {names})."
        raise SetupError(message)
    with step(f"Installing {names} from Debian"):
        _refresh_package_lists(apt)
        done = _apt(apt, "install", "--yes", "--no-install-recommends", *packages)
        if done.returncode != 0:
            reason = (done.stdout.strip().splitlines() or ["no output"])[-APT_LOG_LINES:]
            message = f"apt-get could not install {names}: {' / '.join(reason)}"
            raise SetupError(message)


@cache
def _refresh_package_lists(apt: str) -> None:
    _apt(apt, "update")


def _apt(apt: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [apt, "--quiet", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def want_mosquitto() -> None:
    """Have the MQTT broker of production when that is possible, else say what replaces it."""
    if find_program("mosquitto") is not None:
        return
    try:
        apt_install("mosquitto")
    except SetupError:
        say("  No mosquitto here: rumqttd from PyPI stands in for it (no broker log-ins).")


def need_chromium() -> None:
    """Have the browser that the end-to-end tests drive; raises SetupError without one."""
    if find_program("chromium") is None:
        apt_install("chromium")


def need_box_tools() -> None:
    """Have what reads the box's system files and sheets; raises SetupError without it."""
    tools = {
        "systemd-analyze": "systemd",
        "chronyd": "chrony",
        "pdftoppm": "poppler-utils",
        "zbarimg": "zbar-tools",
    }
    missing = [package for program, package in tools.items() if find_program(program) is None]
    if missing:
        apt_install(*missing)


def need_device_lab() -> None:
    """Have what the device lab's machine runs beside its kernel; raises SetupError without it."""
    parts = {UDEVD: "udev", LIBUSB: "libusb-1.0-0"}
    missing = [package for part, package in parts.items() if not part.is_file()]
    if missing:
        apt_install(*missing)


def need_container() -> None:
    """Have what boots a small Debian beside this one; raises SetupError without it."""
    tools = {"mmdebstrap": "mmdebstrap", "systemd-nspawn": "systemd-container"}
    missing = [package for program, package in tools.items() if find_program(program) is None]
    if missing:
        apt_install(*missing)
    if not is_root():
        message = "The box's unit is tried in a container, which only root can boot."
        raise SetupError(message)


def need_ssh() -> None:
    """Have what speaks to the provisioned machines; raises SetupError without it."""
    tools = {"ssh": "openssh-client", "ssh-keygen": "openssh-client", "ip": "iproute2"}
    missing = {package for program, package in tools.items() if find_program(program) is None}
    if missing:
        apt_install(*sorted(missing))


def want_umockdev() -> None:
    """Have a stand-in for udev and input devices; one test says that it is missing, so no fail."""
    if find_program("umockdev-wrapper") is not None:
        return
    try:
        apt_install("umockdev")
    except SetupError:
        say("  No umockdev here: finding scanners by udev is tested in the device lab only.")


def want_chinese_font() -> None:
    """Have a font that can draw a Chinese receipt; only pictures need it, so never fail."""
    if WQY_FONT.is_file():
        return
    try:
        apt_install("fonts-wqy-microhei")
    except SetupError:
        say("  No fonts-wqy-microhei here: pictures of receipts show boxes for Chinese text.")
