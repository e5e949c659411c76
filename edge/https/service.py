"""Keep the till pages' certificate good: ask head office in time, and serve with what it gave."""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from edge.https.store import Certified, TillFiles
from shared.kernel.errors import RetailError
from shared.kernel.private_address import is_private

LOOK_EVERY_S = 60.0
"""How often the addresses of the machine are looked at: a router may give others any day."""
RETRY_MIN_S, RETRY_MAX_S = 2.0, 900.0
ADDRESSES_MAX = 8
"""What head office signs in one certificate."""
OWN_SCREEN = "127.0.0.1"
"""How the screen that hangs on the box itself opens the till page."""
_ROUTES, _INTERFACES = Path("/proc/net/route"), Path("/sys/class/net")
_EVERYWHERE = "00000000"
_SIOCGIFADDR = 0x8915
_ADDRESS_AT = slice(20, 24)
_log = structlog.get_logger("https")


class Signers(Protocol):
    """Head office, as far as it signs."""

    def certify(self, request: str, addresses: list[str]) -> str:
        """The certificate (PEM) for a request's key; RetailError when it is not given.

        It adds the store's own name to the addresses.
        """
        ...


def is_due(now_ms: int, certified: Certified | None, addresses: frozenset[str]) -> str:
    """Why a new certificate is wanted, "" when none is. Pure.

    Renewed at two thirds of its life; one that lacks an address of this machine is of no use
    to a tablet that knows the box by it.
    """
    if certified is None:
        return "none"
    if certified.is_makeshift:
        return "makeshift"
    if not certified.is_trusted:
        return "signer"
    if not addresses <= certified.names:
        return "address"
    life_ms = certified.not_after_ms - certified.not_before_ms
    return "age" if now_ms >= certified.not_before_ms + life_ms * 2 // 3 else ""


@dataclass(frozen=True, slots=True)
class Reached:
    """An address of this machine, and what it is reached by."""

    address: str
    is_way_out: bool
    """Whether the interface is the one to everywhere else: tablets are on that network."""
    is_hardware: bool
    """Whether it is a network card; bridges of containers and tunnels are none."""


def chosen(found: Iterable[Reached]) -> frozenset[str]:
    """The private addresses to be certified for, and that of the box's own screen. Pure.

    Head office certifies `ADDRESSES_MAX`: of more the likeliest, the same ones each time.
    """
    private = {each for each in found if is_private(each.address)}
    ranked = sorted(private, key=_rank)
    ours = dict.fromkeys(
        each.address for each in ranked if not ipaddress.ip_address(each.address).is_loopback
    )
    return frozenset([OWN_SCREEN, *list(ours)[: ADDRESSES_MAX - 1]])


def _rank(each: Reached) -> tuple[bool, bool, int]:
    return not each.is_way_out, not each.is_hardware, int(ipaddress.ip_address(each.address))


def private_addresses() -> frozenset[str]:
    """The IPv4 addresses by which tablets of the store, and its own screen, reach this machine."""
    found, ways_out = [], _ways_out()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        for _, name in socket.if_nameindex():
            wanted = struct.pack("256s", name.encode()[:15])
            try:
                answer = fcntl.ioctl(any_socket.fileno(), _SIOCGIFADDR, wanted)
            except OSError:  # an interface without an address
                continue
            address = str(ipaddress.IPv4Address(answer[_ADDRESS_AT]))
            is_hardware = (_INTERFACES / name / "device").exists()
            found.append(Reached(address, name in ways_out, is_hardware))
    return chosen(found)


def _ways_out() -> set[str]:
    """The interfaces of the default routes."""
    try:
        lines = _ROUTES.read_text(encoding="ascii").splitlines()
    except OSError:
        return set()
    rows = (line.split() for line in lines[1:])
    return {row[0] for row in rows if len(row) > 1 and row[1] == _EVERYWHERE}


class CertificateKeeper:
    """One thread. `context` serves with the newest certificate at once, old connections go on."""

    def __init__(
        self,
        files: TillFiles,
        signers: Signers,
        now_ms: Callable[[], int],
        addresses: Callable[[], frozenset[str]] = private_addresses,
    ) -> None:
        self._files = files
        self._signers = signers
        self._now_ms = now_ms
        self._addresses = addresses
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="certificate", daemon=True)
        self._contexts: list[ssl.SSLContext] = []
        self._failures = 0

    def start(self) -> None:
        """Make sure that there is a certificate, then look after it."""
        self._files.ready(self._addresses() | {"localhost"}, self._now_ms())
        self._thread.start()

    def stop(self) -> None:
        """End; an answer under way is waited for no longer than its time-out."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def serve_with(self, context: ssl.SSLContext) -> None:
        """Put every new certificate into that context."""
        self._contexts.append(context)

    def look(self) -> str:
        """Renew when it is due; answers why it was. Raises RetailError when it was not given."""
        addresses = self._addresses()
        why = is_due(self._now_ms(), self._files.certified(), addresses)
        if why:
            self._files.take(self._signers.certify(self._files.request(), sorted(addresses)))
            for context in self._contexts:
                context.load_cert_chain(self._files.certificate, self._files.key)
            _log.info("https.certified", because=why, addresses=sorted(addresses))
        return why

    def _run(self) -> None:
        while not self._stop.is_set():
            wait_s = LOOK_EVERY_S
            try:
                self.look()
                self._failures = 0
            except (RetailError, ValueError, OSError) as error:
                self._failures += 1
                wait_s = min(RETRY_MAX_S, RETRY_MIN_S * 2 ** min(self._failures - 1, 10))
                _log.info("https.waiting", because=str(error), again_s=wait_s)
            self._stop.wait(wait_s)
