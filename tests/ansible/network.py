"""The lab's network: one wire, and a namespace with one plug for each host.

The bridge stands in a namespace of its own, so that nothing of this machine's own network changes
but one address, and so that all of it goes when the namespaces go.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

NAMESPACES = Path("/run/netns")
_TRIES = 40


class Network:
    """Namespaces `NAME` (the bridge) and `NAME-HOST`; made by `make`, gone with `remove`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.subnet = ""
        self._hosts: list[str] = []

    def make(self) -> str:
        """Make the bridge and this machine's own plug; the address of this machine on it."""
        ip("netns", "add", self.name)
        ip("-n", self.name, "link", "add", "br0", "type", "bridge")
        ip("-n", self.name, "link", "set", "br0", "up")
        ip("link", "add", self.name, "type", "veth", "peer", "name", "up0", "netns", self.name)
        ip("-n", self.name, "link", "set", "up0", "master", "br0", "up")
        self.subnet = _free_subnet()
        ip("addr", "add", f"{self.subnet}.1/24", "dev", self.name)
        ip("link", "set", self.name, "up")
        return f"{self.subnet}.1"

    def plug_in(self, host: str) -> str:
        """Make a host's namespace; its address."""
        address, space = self.address(host), self.space(host)
        ip("netns", "add", space)
        ip(
            *("-n", self.name, "link", "add", host, "type", "veth"),
            *("peer", "name", "eth0", "netns", space),
        )
        ip("-n", self.name, "link", "set", host, "master", "br0", "up")
        ip("-n", space, "link", "set", "lo", "up")
        ip("-n", space, "addr", "add", f"{address}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")
        ip("-n", space, "route", "add", "default", "via", f"{self.subnet}.1")
        return address

    def address(self, host: str) -> str:
        """A host's address; the first that is asked for gets the first one."""
        if host not in self._hosts:
            self._hosts.append(host)
        return f"{self.subnet}.{10 + self._hosts.index(host)}"

    def space(self, host: str) -> str:
        """The name of a host's namespace."""
        return f"{self.name}-{host}"

    def cut(self, host: str, *, is_cut: bool) -> None:
        """Pull a host's cable out, or put it back."""
        ip("-n", self.name, "link", "set", host, "down" if is_cut else "up")

    def remove(self) -> None:
        """Take all of it away; safe to repeat."""
        for space in (*map(self.space, self._hosts), self.name):
            subprocess.run(["ip", "netns", "delete", space], check=False, capture_output=True)
        self._hosts.clear()


def ip(*arguments: str) -> None:
    """Run ip(8); AssertionError with what it said."""
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"


def _free_subnet() -> str:
    told = subprocess.run(["ip", "-4", "addr"], capture_output=True, text=True, check=True).stdout
    routes = subprocess.run(["ip", "-4", "route"], capture_output=True, text=True, check=True)
    for third in range(_TRIES):
        subnet = f"10.98.{third}"
        if f" {subnet}." not in told and f"{subnet}.0/" not in routes.stdout:
            return subnet
    message = "no free subnet below 10.98.0.0/16"
    raise AssertionError(message)
