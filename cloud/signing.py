"""Ed25519: head office's key, and the check of what a box signed.

Boxes trust prices only with this signature: neither the broker nor the object store can set one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.kernel.errors import CorruptError, RefusedError, UnavailableError

KEY_MODE = 0o600


class HqKey:
    """Head office's signing key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_hex = private.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> bytes:
        """The 64-byte signature of a message."""
        return self._private.sign(message)

    def derive(self, purpose: str, message: bytes) -> bytes:
        """32 bytes that only the holder of this key can compute from the message."""
        seed = hashlib.sha256(self._private.private_bytes_raw() + purpose.encode()).digest()
        return hmac.digest(seed, message, "sha256")


def create_hq_key(path: Path) -> HqKey:
    """Write a new key that only its owner may read; RefusedError `hq_key.exists`."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE)
    except FileExistsError:
        raise RefusedError("hq_key.exists", file=str(path)) from None
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(pem)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError:
        path.unlink()  # half a key would stand in the way of the next try
        raise
    return HqKey(private)


def read_hq_key(path: Path) -> HqKey:
    """Read the key.

    Raises UnavailableError `hq_key.missing`, RefusedError `hq_key.readable` when others may
    read the file too, CorruptError `hq_key.damaged`.
    """
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        raise UnavailableError("hq_key.missing", file=str(path)) from None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise RefusedError("hq_key.readable", file=str(path))
    try:
        private = load_pem_private_key(pem, password=None)
    except ValueError:
        raise CorruptError("hq_key.damaged", file=str(path)) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise CorruptError("hq_key.damaged", file=str(path))
    return HqKey(private)


def is_signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether the holder of a raw 32-byte public key signed the message."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
