"""What is signed about a box's certificates: bytes that mean one thing only."""

from __future__ import annotations

from shared.kernel.canonical import sha256

_RENEWAL, _TRUST = b"tbc1", b"tbt1"


def renewal_statement(dev: str, csr: bytes, t_ms: int) -> bytes:
    """What a box's journal key signs to get its next certificate: who, for which request, when."""
    return _RENEWAL + dev.encode() + b"\x00" + sha256(csr) + t_ms.to_bytes(8, "big")


def trust_statement(dev: str, trust: bytes) -> bytes:
    """What head office signs about the certificates (PEM) that a box's servers must come from."""
    return _TRUST + dev.encode() + b"\x00" + sha256(trust)
