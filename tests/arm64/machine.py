"""A Debian 12 for 64-bit ARM on this machine: its programs run one by one through qemu-user.

The kernel knows such programs by their first bytes (binfmt_misc) and hands them to qemu.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab import debian
from tests.lab.console import SetupError

PROCESSOR = "arm64"
"""As Debian calls it; Linux and Python say aarch64."""
_QEMU = Path("/usr/bin/qemu-aarch64-static")
_FORMATS = Path("/proc/sys/fs/binfmt_misc")
# An ELF file of 64 bits, little-endian, for machine 0xb7.  F opens qemu now, so that it is also
# found from inside a container; C lets sudo be root there, which other rules do not.
_RULE = (
    r":{name}:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:"
    r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:"
    f"{_QEMU}:OCF"
)
_LIMIT_S = 3600


@contextmanager
def emulation() -> Iterator[None]:
    """Let this kernel run ARM programs meanwhile; raises SetupError where it cannot."""
    debian.need_container()
    if not _QEMU.is_file() or debian.find_program("arch-test") is None:
        debian.apt_install("qemu-user-static", "arch-test")
    if not (_FORMATS / "register").exists():
        do("mount", "-t", "binfmt_misc", "binfmt_misc", str(_FORMATS))
    # The newest rule that fits is the one that counts.
    name = f"tillbox-{PROCESSOR}-{os.getpid()}"
    if (_FORMATS / name).exists():  # whoever let it, lets it on
        yield
        return
    try:
        (_FORMATS / "register").write_bytes(_RULE.format(name=name).encode("ascii"))
    except OSError as error:
        message = f"This kernel takes no rule for ARM programs: {error.strerror}."
        raise SetupError(message) from error
    try:
        yield
    finally:
        (_FORMATS / name).write_text("-1", encoding="ascii")


class ArmMachine:
    """A copy of an unpacked system that is thrown away; its programs run without its systemd.

    `binds` are folders of this machine that it sees under other names.
    """

    def __init__(self, image: Path, folder: Path, binds: dict[Path, str]) -> None:
        self.root = folder / "root"
        self._image = image
        self._folder = folder
        self._binds = binds

    def make(self) -> None:
        """Lay the copy over the image."""
        for place in ("upper", "work", "root"):
            (self._folder / place).mkdir(parents=True)
        layers = f"lowerdir={self._image},upperdir={self._folder}/upper"
        layers += f",workdir={self._folder}/work"
        do("mount", "-t", "overlay", "overlay", "-o", layers, str(self.root))

    def command(self, *command: str, is_online: bool = False) -> list[str]:
        """What to run here so that `command` runs there; offline it has no network but its own."""
        binds = [f"--bind={here}:{there}" for here, there in self._binds.items()]
        return [
            *("systemd-nspawn", "--quiet", f"--directory={self.root}", "--machine=arm64"),
            *("--register=no", "--keep-unit", "--as-pid2", "--resolv-conf=off", "--console=pipe"),
            *([] if is_online else ["--private-network"]),
            *(*binds, *command),
        ]

    def run(self, *command: str, is_online: bool = False) -> str:
        """Run to the end and answer what it printed; SetupError with its last words."""
        return do(*self.command(*command, is_online=is_online))

    def remove(self) -> None:
        """Forget it; safe to repeat."""
        subprocess.run(["umount", "--lazy", str(self.root)], check=False, capture_output=True)


def do(*command: str) -> str:
    """Run a command here; what it printed. Raises SetupError with its last words."""
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LIMIT_S,
    )
    if done.returncode != 0:
        message = f"{' '.join(command[-4:])[:300]} failed: {(done.stderr or done.stdout)[-1500:]}"
        raise SetupError(message)
    return done.stdout
