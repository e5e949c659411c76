"""Hosts as they come out of the box: Debian 12 with a real systemd and SSH, each in a container."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from tests.ansible.network import NAMESPACES, Network
from tests.hardware.service import cache_folder, mirror_line
from tests.lab import debian
from tests.lab.console import SetupError, step

# What a bare Debian 12 or Raspberry Pi OS has that an image for containers lacks.
PACKAGES = (
    "systemd,systemd-sysv,udev,dbus,openssh-server,python3,python3-apt,iproute2,ca-certificates,"
    "kmod,sudo,netbase,procps"
)
ADMIN = "admin"
BOOT_S = 60
_RECIPE = "2"
"""Change it when what is done to the image below changes."""


def bare_debian(processor: str = "") -> Path:
    """The image as a tar file, made once for this user; raises SetupError with what is missing.

    `processor` is Debian's name of one that this machine emulates; empty for this machine's own.
    """
    debian.need_container()
    key = hashlib.sha256(f"{_RECIPE} {PACKAGES}".encode()).hexdigest()[:16]
    archive = cache_folder() / f"bare-debian-{processor and processor + '-'}{key}.tar"
    if archive.is_file():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    making = archive.with_suffix(f".{os.getpid()}.tar")
    with step(f"Making a bare Debian {processor} with SSH (once; minutes where it is emulated)"):
        command = [
            *("mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}"),
            *([f"--architectures={processor}"] if processor else []),
            f'--customize-hook=chroot "$1" useradd -m -s /bin/bash -G sudo {ADMIN}',
            f'--customize-hook=echo "{ADMIN} ALL=(ALL) NOPASSWD: ALL" > "$1/etc/sudoers.d/admin"',
            '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*',
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


@dataclass(frozen=True, slots=True)
class Image:
    """What all hosts of a lab begin from: `root` is unpacked once and only read."""

    root: Path
    key: Path
    """The private half of the key that opens every host."""
    mirror: str
    names: dict[str, str]
    """Addresses that every host can look up, by name."""


def unpack(folder: Path, mirror: str, names: dict[str, str], processor: str = "") -> Image:
    """Unpack the image and make a key for it."""
    root, key = folder / "image", folder / "key"
    root.mkdir(parents=True)
    archive = f"--file={bare_debian(processor)}"
    # Without /dev: it holds devices that are read for ever; the container brings its own.
    subprocess.run(
        ["tar", f"--directory={root}", "--extract", archive, "--exclude=./dev/*"],
        check=True,
        timeout=240,
    )
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    subprocess.run(["ssh-keygen", "-A", "-f", str(root)], check=True, capture_output=True)
    return Image(root, key, mirror, names)


class Host:
    """One machine: a copy of the image that is thrown away, on a plug of its own."""

    def __init__(self, name: str, folder: Path, network: Network) -> None:
        self.name = name
        self.address = ""
        self._folder = folder / name
        self._network = network
        self._container: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> Path:
        """The host's files as this machine sees them."""
        return self._folder / "root"

    def make(self, image: Image) -> None:
        """Lay a fresh copy over the image and plug it in."""
        self.address = self._network.plug_in(self.name)
        for place in ("upper", "work", "root"):
            (self._folder / place).mkdir(parents=True)
        layers = f"lowerdir={image.root},upperdir={self._folder}/upper,workdir={self._folder}/work"
        subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", layers, str(self.root)], check=True
        )
        self._furnish(image)

    def _furnish(self, image: Image) -> None:
        etc = self.root / "etc"
        (etc / "hostname").write_text(f"{self.name}\n")
        lines = [f"{address} {name}" for name, address in image.names.items()]
        (etc / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines, ""]))
        (etc / "apt/sources.list").write_text(f"deb {image.mirror}/debian bookworm main\n")
        ssh = self.root / f"home/{ADMIN}/.ssh"
        ssh.mkdir(mode=0o700)
        shutil.copy(image.key.with_suffix(".pub"), ssh / "authorized_keys")
        owner = (self.root / f"home/{ADMIN}").stat()
        for path in (ssh, ssh / "authorized_keys"):
            os.chown(path, owner.st_uid, owner.st_gid)

    def boot(self, *options: str) -> float:
        """Start it, with options of the container's own; the seconds until SSH answered.

        Raises SetupError with its console.
        """
        began = time.monotonic()
        command = [
            *("systemd-nspawn", "--quiet", f"--directory={self.root}"),
            f"--machine={self._network.space(self.name)}",
            *("--register=no", "--keep-unit", "--resolv-conf=off", "--console=pipe", "--boot"),
            *("--link-journal=no", "--capability=CAP_NET_ADMIN"),
            f"--network-namespace-path={NAMESPACES / self._network.space(self.name)}",
            *options,
        ]
        with (self._folder / "console.log").open("ab") as console:
            self._container = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        while not _answers(self.address):
            if time.monotonic() - began > BOOT_S or self._container.poll() is not None:
                message = f"{self.name} does not start: {self._folder}/console.log"
                raise SetupError(message)
            time.sleep(0.1)
        return time.monotonic() - began

    def inside(self, *command: str, is_checked: bool = True) -> str:
        """Run a command in the running host as root; what it printed."""
        assert self._container is not None
        space = ["nsenter", f"--target={self._init()}", "--all", "--"]
        done = subprocess.run(
            [*space, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        told = f"{self.name}: {' '.join(command)}: {done.stdout}{done.stderr}"
        assert done.returncode == 0 or not is_checked, told
        return done.stdout

    def _init(self) -> int:
        assert self._container is not None
        children = Path(f"/proc/{self._container.pid}/task/{self._container.pid}/children")
        return int(children.read_text().split()[0])

    def stop(self) -> None:
        """Cut its power, as nobody is asked; safe to repeat."""
        if self._container is not None and self._container.poll() is None:
            # The guest's own first process ends all of it at once; nspawn then follows.
            try:
                os.kill(self._init(), signal.SIGKILL)
                self._container.wait(20)
            except (OSError, IndexError, subprocess.TimeoutExpired):
                os.killpg(self._container.pid, signal.SIGKILL)
                self._container.wait()
        self._container = None

    def remove(self) -> None:
        """Stop it and forget its files; safe to repeat."""
        self.stop()
        subprocess.run(["umount", "--lazy", str(self.root)], check=False, capture_output=True)


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=1) as line:
            return line.recv(4).startswith(b"SSH")
    except OSError:
        return False
