"""What a box signs when it enrols: bytes that mean one thing only."""

from __future__ import annotations

from shared.kernel.canonical import sha256

NONCE_BYTES = 16
_ENROLMENT = b"tbe1"


def enrol_statement(token: str, journal_pub: bytes, csr: bytes, nonce: bytes, t_ms: int) -> bytes:
    """The claim and both keys that shall count for it, once (`nonce`) and now (`t_ms`, UTC).

    The journal key (32 bytes, raw) signs it: who only read a claim, or a request, has not got it.
    """
    assert len(nonce) == NONCE_BYTES
    fresh = nonce + t_ms.to_bytes(8, "big")
    return _ENROLMENT + sha256(token.encode()) + journal_pub + sha256(csr) + fresh
