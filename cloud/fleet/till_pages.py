"""The certificates that stores serve their tills with, signed by the chain CA.

A box asks with the addresses that its tablets know it by; the DNS name is head office's choice, so
that no box can be another store. Two stores may well have the same private address: who can answer
at that address of a store's own network is nothing that a certificate could say.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from cryptography.hazmat.primitives.serialization import Encoding

from cloud.db import Database
from cloud.fleet import standing_store
from cloud.fleet.standing_store import FleetEvent
from cloud.pki import authority
from cloud.pki.authority import DAY_MS
from cloud.pki.folder import CaFolder
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.kernel.private_address import is_private

ADDRESSES_MAX = 8
PER_DAY_MAX = 24
"""A box asks when its addresses change; more than hourly is a router that should be seen to."""
CERTIFIED = "till_certified"
SERIAL_BYTES = 20
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


def dns_label(store_id: str) -> str:
    """The first part of a store's DNS name; no two stores share one."""
    plain = store_id.lower().replace("_", "-").strip("-") or "store"
    if plain == store_id and _LABEL.fullmatch(store_id):
        return plain
    return f"{plain}-{sha256(store_id.encode()).hex()[:8]}"


def certify(
    database: Database, ca: CaFolder, dev: str, asked: tuple[bytes, list[str]], at_ms: int
) -> dict[str, object]:
    """Sign for a request (PEM) and addresses: {certificate, names}.

    Raises RefusedError `certificate.request`, `certificate.addresses` or `certificate.too_many`.
    """
    csr, addresses = asked
    key, places = authority.proven_key(csr), _private(addresses)
    issuer = ca.signer("chain")
    with database.begin() as connection:
        box = standing_store.lock_standing(connection, dev)
        assert box is not None, "the caller is a box"
        if standing_store.count(connection, dev, CERTIFIED, at_ms - DAY_MS) >= PER_DAY_MAX:
            raise RefusedError("certificate.too_many", dev=dev)
        suffix = authority.dns_suffix_of(issuer.certificate)
        names = [f"{dns_label(box.store_id)}.{suffix}", *places]
        event = FleetEvent(at_ms, dev, box.store_id, CERTIFIED, "-", " ".join(names))
        standing_store.add_event(connection, event)
    serial = authority.serial_of(ca.random(SERIAL_BYTES))
    made = authority.server_certificate(issuer, key, names, serial, at_ms)
    return {"certificate": made.public_bytes(Encoding.PEM).decode(), "names": names}


def _private(addresses: list[str]) -> list[str]:
    try:
        is_ours = all(is_private(each) for each in addresses)
    except ValueError:
        is_ours = False
    if not is_ours or len(addresses) > ADDRESSES_MAX:
        raise RefusedError("certificate.addresses")
    return sorted({str(ip_address(each)) for each in addresses})
