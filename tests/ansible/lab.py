"""The lab as a whole: its network, its mirror, its hosts and the inventory that names them."""

from __future__ import annotations

import os
import secrets
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from edge.device.virtual_printer import VirtualPrinter
from tests.ansible.host import ADMIN, Host, Image, unpack
from tests.ansible.mirror import Mirror
from tests.ansible.network import Network
from tests.ansible.plays import Played, play
from tests.hardware.service import cache_folder, mirror_line
from tests.lab import wheelhouse
from tests.lab.python_env import ROOT

OUT = ROOT / ".cache" / "ansible"
CLOUD, SECOND = "cloud", "cloud2"
"""Head office's machine, and one that joins it."""
DOMAIN = "shops.test"
HEAD_OFFICE = f"hq.{DOMAIN}"


class Lab:
    """Use it with `with`: everything that it made is gone afterwards."""

    def __init__(self, boxes: tuple[str, ...]) -> None:
        self.network = Network(f"tbx{os.getpid()}")
        self.hosts: dict[str, Host] = {}
        self.vars: dict[str, dict[str, Any]] = {}
        self.log = OUT / "plays.log"
        self.table = "table.md"
        self._names = (CLOUD, *boxes)
        self._folder = Path(tempfile.mkdtemp(prefix="tillbox-ansible-"))
        self._mirror = Mirror(_upstream(), cache_folder() / "packages")
        self.printer: VirtualPrinter

    def __enter__(self) -> Self:
        try:
            self._make()
        except BaseException:
            self.remove()
            raise
        return self

    def _make(self) -> None:
        OUT.mkdir(parents=True, exist_ok=True)
        self.log.write_text("")
        own_address = self.network.make()
        mirror = self._mirror.start(own_address)
        self.printer = VirtualPrinter(own_address, 0)
        self.printer.start()
        image = unpack(self._folder, mirror, {})
        wheelhouse.build(self.wheels, image.key)
        for name in self._names:
            self.hosts[name] = Host(name, self._folder / "hosts", self.network)
        # Every host knows the address of every other, so all are named before one is made.
        image.names.update({name: self.network.address(name) for name in self._names})
        image.names[HEAD_OFFICE] = self.network.address(CLOUD)
        for host in self.hosts.values():
            host.make(self.image_of(host.name, image))
        self.key = image.key
        self._common = common_vars(self.wheels, image.key)
        self._common["tillbox_cloud_names"] = [HEAD_OFFICE, self.network.address(CLOUD)]

    def image_of(self, name: str, image: Image) -> Image:
        """What a host begins from: the same image for all, unless a lab has others."""
        del name
        return image

    @property
    def wheels(self) -> Path:
        """The wheelhouse of this run."""
        return self._folder / "wheelhouse"

    @property
    def folder(self) -> Path:
        """Where this run may put files."""
        return self._folder

    def play(self, name: str, *arguments: str) -> Played:
        """Run a playbook on the lab's hosts."""
        return play(name, self.write_inventory(), self.log, *arguments)

    def write_inventory(self) -> Path:
        """The inventory as it is now."""
        boxes = [name for name in self._names if name not in {CLOUD, SECOND}]
        groups = ("database", "broker", "cloud_api", "cloud_worker", "monitoring")
        office = self.vars.get(CLOUD, {})
        children: dict[str, Any] = {
            f"tillbox_{group}": {"hosts": {CLOUD: office}} for group in groups
        }
        if SECOND in self.vars:
            children["tillbox_cloud_api"]["hosts"][SECOND] = self.vars[SECOND]
        children["tillbox_cloud"] = {"children": {name: {} for name in children}}
        children["tillbox_boxes"] = {"hosts": {name: self.vars.get(name, {}) for name in boxes}}
        hosts = {name: {"ansible_host": host.address} for name, host in self.hosts.items()}
        shared = {
            **self._common,
            "ansible_user": ADMIN,
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no"
            " -o LogLevel=ERROR",
        }
        file = self._folder / "inventory.yml"
        file.write_text(
            yaml.safe_dump({"all": {"hosts": hosts, "children": children, "vars": shared}})
        )
        return file

    def printer_settings(self) -> dict[str, Any]:
        """The lab's one receipt printer, as a box names it: a machine on the network."""
        host, port = self.printer.address
        return {"printer": {"kind": "network", "host": host, "port": port}}

    def set(self, **values: Any) -> None:
        """Set variables of all hosts."""
        self._common |= values

    def common(self, name: str) -> Any:
        """A variable of all hosts."""
        return self._common[name]

    def remove(self) -> None:
        """Take all of it away; safe to repeat."""
        for host in self.hosts.values():
            host.remove()
        self._mirror.stop()
        if hasattr(self, "printer"):
            self.printer.stop()
        self.network.remove()
        # Quicker than Python by far: three copies of a Debian.
        subprocess.run(["rm", "-rf", str(self._folder)], check=False)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()


def common_vars(wheels: Path, key: Path) -> dict[str, Any]:
    """What the lab's inventory says of all hosts: what a person writes into group_vars/all.yml."""
    signer = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    return {
        "tillbox_release_wheelhouse": str(wheels),
        "tillbox_release_signers": [signer],
        "tillbox_base_has_clock": False,
        "tillbox_base_admins": [{"name": ADMIN, "public": [signer]}],
        "tillbox_cloud_dns_suffix": DOMAIN,
        "tillbox_cloud_public_url": f"https://{HEAD_OFFICE}",
        "tillbox_broker_internal_password": secrets.token_urlsafe(24),
    }


def _upstream() -> str:
    return mirror_line().split()[1].removesuffix("/").removesuffix("/debian")
