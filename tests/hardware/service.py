"""The box's own unit under Debian's own systemd, in a container on this machine's kernel.

`systemd-nspawn` boots a small Debian in half a second; the checkout and its packages are bound into
it, read only.  What runs inside is `inside_service.py`.  The Debian is made once and lies in the
user's cache folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.hardware.machine import ROOT, Ending, Machine
from tests.integration.edge.boxes import prepare_data
from tests.lab import debian
from tests.lab.console import SetupError, step
from tests.lab.net import free_port

NAME = "service"
PACKAGES = "systemd,systemd-sysv,udev,dbus,python3,iproute2,procps,kmod"
BOX_FILES = ROOT / "firmware-config" / "box" / "root"
LIMIT_S = 240
_PROGRAM = """\
#!/usr/bin/python3
import sys
sys.path[:0] = ["/opt/tillbox/source", "/opt/tillbox/packages"]
from edge.__main__ import main
sys.exit(main())
"""
_CHECKS_UNIT = """\
[Unit]
Description=Checks of the box's unit
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /opt/tillbox/source/tests/hardware/inside_service.py
"""


def cache_folder() -> Path:
    """Where what is made once for this user lies."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tillbox"


def debian_archive() -> Path:
    """A small Debian 12 as a tar file, made once; raises SetupError with what is missing."""
    debian.need_container()
    home = cache_folder()
    archive = home / f"debian-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:16]}.tar"
    if archive.is_file():
        return archive
    home.mkdir(parents=True, exist_ok=True)
    making = archive.with_suffix(f".{os.getpid()}.tar")
    with step("Making a small Debian for the box's unit (about a minute, once)"):
        command = [
            *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}"),
            *("bookworm", str(making), "-"),
        ]
        made = subprocess.run(
            command, input=mirror_line(), text=True, capture_output=True, check=False
        )
        if made.returncode != 0:
            making.unlink(missing_ok=True)
            message = f"mmdebstrap failed: {made.stderr.strip()[-300:]}"
            raise SetupError(message)
        making.replace(archive)
    return archive


def unpack(archive: Path, root: Path) -> None:
    """Without /dev: it holds devices that are read for ever; the container brings its own."""
    root.mkdir()
    command = ["tar", f"--directory={root}", "--extract", f"--file={archive}", "--exclude=./dev/*"]
    subprocess.run(command, check=True, timeout=120)


def mirror_line() -> str:
    """The mirror that this machine itself uses."""
    for file in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        for line in text.splitlines():
            words = line.split()
            if words[:1] == ["URIs:"]:
                return f"deb {words[1]} bookworm main\n"
            if words[:1] == ["deb"]:
                address = next(word for word in words if "://" in word)
                return f"deb {address} bookworm main\n"
    message = "No Debian mirror is set up on this machine (/etc/apt)."
    raise SetupError(message)


def run(machine: Machine, on_tick: Callable[[], None]) -> Ending:
    """Boot it, wait for its checks, end it."""
    began = time.monotonic()
    shutil.rmtree(machine.out, ignore_errors=True)
    machine.out.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="tillbox-service-") as folder:
        root = Path(folder) / "root"
        unpack(debian_archive(), root)
        furnish(root, machine.out)
        code = _boot(root, machine.out, on_tick)
    console = (machine.out / "console.log").read_text(encoding="utf-8", errors="replace")
    return Ending(code, 1, time.monotonic() - began, console)


def furnish(root: Path, out: Path) -> None:
    """Put in what a provisioned box has: our files, its user, an enrolled identity, the program."""
    if sys.version_info[:2] != (3, 11):
        message = "The service check needs Python 3.11, as Debian 12 has it."
        raise SetupError(message)
    shutil.copytree(BOX_FILES / "etc/systemd", root / "etc/systemd", dirs_exist_ok=True)
    shutil.copy(BOX_FILES / "etc/sysusers.d/tillbox.conf", root / "usr/lib/sysusers.d")
    subprocess.run(["systemd-sysusers", f"--root={root}"], check=True, capture_output=True)
    shutil.copytree(BOX_FILES / "usr", root / "usr", dirs_exist_ok=True)
    program = root / "opt/tillbox/releases/1/bin/tillbox-edge"
    program.parent.mkdir(parents=True)
    program.write_text(_PROGRAM)
    program.chmod(0o755)
    (root / "opt/tillbox/current").symlink_to("releases/1")
    for place in ("source", "packages"):
        (root / "opt/tillbox" / place).mkdir()
    port = free_port()
    (out / "port").write_text(str(port))
    data = root / "var/lib/tillbox"
    data.mkdir()
    prepare_data(data, port=port)
    uid, gid = _owner(root)
    for path in (data, *data.rglob("*")):
        os.chown(path, uid, gid)
    units = root / "etc/systemd/system"
    (units / "checks.service").write_text(_CHECKS_UNIT)
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    for unit in ("tillbox-edge.service", "checks.service"):
        (wants / unit).symlink_to(f"../{unit}")


def _owner(root: Path) -> tuple[int, int]:
    for line in (root / "etc/passwd").read_text().splitlines():
        fields = line.split(":")
        if fields[0] == "tillbox":
            return int(fields[2]), int(fields[3])
    raise AssertionError(line)


def _boot(root: Path, out: Path, on_tick: Callable[[], None]) -> int | None:
    command = [
        *("systemd-nspawn", "--quiet", f"--directory={root}", f"--machine=tillbox-{os.getpid()}"),
        *("--register=no", "--keep-unit", "--resolv-conf=off", "--console=pipe", "--boot"),
        *("--link-journal=no", f"--bind={out}:/run/lab"),
        f"--bind-ro={ROOT}:/opt/tillbox/source",
        f"--bind-ro={sysconfig.get_path('purelib')}:/opt/tillbox/packages",
    ]
    with (out / "console.log").open("wb") as console:
        container = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return _ended(container, out, on_tick)
        finally:
            _kill(container)


def _ended(
    container: subprocess.Popen[bytes], out: Path, on_tick: Callable[[], None]
) -> int | None:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline and container.poll() is None:
        on_tick()
        if (out / "ended").is_file():
            on_tick()
            return int((out / "ended").read_text() or "1")
        time.sleep(0.1)
    return None


def _kill(container: subprocess.Popen[bytes]) -> None:
    """The second signal ends a container that waits for its guest."""
    for _ in range(2):
        if container.poll() is None:
            container.send_signal(signal.SIGTERM)
            time.sleep(0.5)
    if container.poll() is None:
        os.killpg(container.pid, signal.SIGKILL)
    container.wait()
