"""What a store box with a 64-bit ARM processor (Raspberry Pi) installs, made on any machine.

    make wheelhouse ARCH=arm64 [KEY=file]

fetches the wheels of requirements-edge.lock for Debian 12 on ARM.  One part, evdev, is published as
source alone: it is built here by Debian's own compiler for ARM through an emulator, once, and kept
in the user's cache folder.  A box never compiles and never asks a package index.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.ansible.host import bare_debian
from tests.ansible.mirror import Mirror
from tests.arm64.machine import PROCESSOR, ArmMachine, do, emulation
from tests.hardware.service import cache_folder, mirror_line
from tests.lab import wheelhouse
from tests.lab.console import SetupError, run_quietly, say, step
from tests.lab.net import LOOPBACK
from tests.lab.python_env import ROOT, VENV, entries_of

EVDEV = "evdev"
OUT = ROOT / "dist" / f"wheelhouse-{PROCESSOR}"
COMPILER = ("gcc", "libc6-dev", "linux-libc-dev", "python3-dev", "python3-venv")
_GLIBC_MINOR = 36
# Every tag that Debian 12's C library takes: with the oldest alone pip takes old releases.
_PLATFORMS = (
    *(f"manylinux_2_{minor}_aarch64" for minor in range(_GLIBC_MINOR, 16, -1)),
    "manylinux2014_aarch64",
)
_ABIS = ("cp311", "abi3", "none")


def build(out: Path, key: Path | None = None) -> None:
    """Fill OUT/edge with all that a box installs, signed when there is a key."""
    home = out / "edge"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    parts = dict(entries_of(wheelhouse.lock_of("edge").read_text(encoding="utf-8")))
    evdev = parts.pop(EVDEV)
    target = ("--python-version=3.11", "--implementation=cp", "--only-binary=:all:")
    tags = [f"--platform={each}" for each in _PLATFORMS] + [f"--abi={each}" for each in _ABIS]
    _download("".join(parts.values()), home, *target, *tags)
    shutil.copy(evdev_wheel(evdev, parts["setuptools"]), home)
    wheelhouse.product_wheel(home)
    wheelhouse.seal(home, key)


def evdev_wheel(lock: str, setuptools: str) -> Path:
    """evdev for ARM, built once for each version; its lock entries give versions and hashes."""
    kept = cache_folder() / f"arm64-wheels-{hashlib.sha256(lock.encode()).hexdigest()[:16]}"
    if found := list(kept.glob("*.whl")):
        return found[0]
    with (
        step("Building evdev for ARM (minutes, once)"),
        emulation(),
        tempfile.TemporaryDirectory(prefix="tillbox-evdev-") as folder,
    ):
        source = Path(folder) / "source"
        source.mkdir()
        _download(lock, source, f"--no-binary={EVDEV}", "--no-build-isolation")
        _download(setuptools, source, "--only-binary=:all:")
        _compile(Path(folder), source)
        kept.mkdir(parents=True, exist_ok=True)
        [made] = source.glob(f"{EVDEV}-*.whl")
        return Path(shutil.copy(made, kept))


def _compile(folder: Path, source: Path) -> None:
    image = folder / "image"
    image.mkdir()
    do("tar", f"--directory={image}", "-xf", str(bare_debian(PROCESSOR)), "--exclude=./dev/*")
    upstream = mirror_line().split()[1].removesuffix("/").removesuffix("/debian")
    mirror = Mirror(upstream, cache_folder() / "packages")
    machine = ArmMachine(image, folder / "machine", {source: "/source"})
    machine.make()
    try:
        address = mirror.start(LOOPBACK)
        sources = machine.root / "etc/apt/sources.list"
        sources.write_text(f"deb {address}/debian bookworm main\n", encoding="utf-8")
        machine.run("apt-get", "--quiet", "update", is_online=True)
        install = ("apt-get", "--quiet", "--yes", "--no-install-recommends", "install")
        machine.run("env", "DEBIAN_FRONTEND=noninteractive", *install, *COMPILER, is_online=True)
        _pip(machine)
    finally:
        machine.remove()
        mirror.stop()


def _pip(machine: ArmMachine) -> None:
    machine.run("/usr/bin/python3", "-m", "venv", "/opt/build")
    pip = ("/opt/build/bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check")
    offline = ("--no-index", "--find-links=/source", "--no-deps")
    machine.run(*pip, "install", "--upgrade", *offline, "setuptools")
    machine.run(
        *(*pip, "wheel", *offline, "--no-build-isolation", "--no-binary=evdev"),
        *("--wheel-dir=/source", EVDEV),
    )


def _download(lock: str, home: Path, *options: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".lock") as file:
        file.write(lock)
        file.flush()
        run_quietly(
            [
                *(str(VENV / "bin" / "python"), "-m", "pip", "download", "--no-deps", "--quiet"),
                *("--disable-pip-version-check", "--require-hashes", f"--dest={home}"),
                *(*options, "-r", file.name),
            ],
            cwd=ROOT,
            hint="pip could not fetch the pinned wheels for ARM: see the lines above.",
        )


def main(arguments: Sequence[str]) -> int:
    """Build from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.arm64.wheels")
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    parser.add_argument("--key", type=Path, metavar="FILE", help="private SSH key that signs it")
    chosen = parser.parse_args(arguments)
    try:
        with step("Fetching the wheels of a box for ARM"):
            build(chosen.out, chosen.key)
    except SetupError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    version = (chosen.out / "edge" / wheelhouse.VERSION).read_text(encoding="ascii").strip()
    say(f"  {chosen.out / 'edge'}: {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
