"""Who the simulated boxes are: everything follows from one seed, so that none is written down."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.kernel.canonical import sha256
from shared.kernel.ids import DeviceId

PREFIX = "sim-"
"""Simulated stores are told from real ones by their ids."""
DEVICE_BYTES, STREAM_BYTES = 10, 16


@dataclass(frozen=True)
class LightIdentity:
    """One simulated box; `number` counts from 1. Equal seeds give equal boxes."""

    number: int
    seed: bytes = field(repr=False)

    @property
    def store_id(self) -> str:
        """Its store."""
        return f"{PREFIX}{self.number:05d}"

    @property
    def zone(self) -> str:
        """The lineage of revisions that it follows."""
        return f"store-{self.store_id}"

    @cached_property
    def dev(self) -> DeviceId:
        """Its device id."""
        digits = base64.b32encode(self._made(b"device")[:DEVICE_BYTES]).decode().lower()
        return DeviceId(f"d-{digits}")

    @cached_property
    def secret(self) -> str:
        """What it logs in with, at the API and the broker."""
        return self._made(b"secret").hex()

    @cached_property
    def stream(self) -> bytes:
        """The id of its journal's first life."""
        return self._made(b"stream")[:STREAM_BYTES]

    @cached_property
    def key(self) -> Ed25519PrivateKey:
        """What it signs its journal with."""
        return Ed25519PrivateKey.from_private_bytes(self._made(b"journal"))

    def _made(self, purpose: bytes) -> bytes:
        return sha256(b"light box\0" + self.seed + purpose + self.number.to_bytes(4, "big"))
