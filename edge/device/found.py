"""A device that udev shows and that may be a scanner, and whether it is one. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.device.ports import Connection

SCANNER_VENDORS: frozenset[str] = frozenset(
    {
        "0536",  # Hand Held Products, now Honeywell
        "05e0",  # Symbol, now Zebra
        "05f9",  # PSC, now Datalogic
        "065a",  # Opticon
        "0745",  # CipherLab
        "080c",  # Datalogic
        "0c2e",  # Metrologic, now Honeywell
        "1eab",  # Newland
    }
)
"""Who makes little else that looks like a keyboard or a modem."""
SCANNER_MODELS: frozenset[str] = frozenset(
    {
        *("03f0:0139", "03f0:1d24", "040b:6510", "0416:c141", "04b4:bca1", "04b4:de61"),
        *("04b4:de64", "0581:0107", "0581:020c", "067e:0801", "067e:0803", "067e:0805"),
        *("0db5:0139", "0db5:013a", "24ae:0197", "24ea:0197"),
    }
)
"""Scanners of makers, or with chips, that are in other things too."""
_INTERFACE = re.compile(r":\d+\.\d+\Z")


@dataclass(frozen=True, slots=True)
class Found:
    """A keyboard or serial port that is plugged in now.

    `key` names it until it is pulled out, `port` is where it is plugged in (ID_PATH), `serial` its
    own number or "", `model` "vendor:product" in hex, `links` the names that udev gave it.
    """

    key: str
    node: str
    connection: Connection
    port: str
    serial: str = ""
    model: str = ""
    name: str = ""
    phys: str = ""
    links: tuple[str, ...] = ()
    is_marked: bool = False

    @property
    def is_scanner(self) -> bool:
        """True for what is known to be a scanner: an unknown keyboard is never one."""
        vendor = self.model.partition(":")[0]
        return self.is_marked or vendor in SCANNER_VENDORS or self.model in SCANNER_MODELS

    @property
    def address(self) -> str:
        """Where a person finds it: port and serial number."""
        return f"{self.port} {self.serial}".strip()


def plug_of(port: str) -> str:
    """A port without its interface: a scanner may show two keyboards on one plug."""
    return _INTERFACE.sub("", port)


def interface_of(port: str) -> str:
    """What `plug_of` takes off."""
    return port[len(plug_of(port)) :]
