"""The journal key: Ed25519, one per box, in a file that only its owner can read.

A box without a secure element keeps the key in a file: tamper evidence is strong from the first
acknowledgement of the cloud on, not against somebody with root before it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.identity import write_secret
from shared.kernel.errors import CorruptError

KEY_FILE = "journal.key"
_KEY_BYTES = 32


class Signer(Protocol):
    """Signs heads of the journal."""

    @property
    def public_hex(self) -> str:
        """Public key, 64 hex digits."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Signature of 64 bytes."""
        ...


class FileSigner:
    """An Ed25519 key held in memory, read from a file."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public_hex = self._key.public_key().public_bytes_raw().hex()

    @property
    def public_hex(self) -> str:
        """Public key, 64 hex digits."""
        return self._public_hex

    def sign(self, message: bytes) -> bytes:
        """Signature of 64 bytes."""
        return self._key.sign(message)


def load_or_create(path: Path) -> FileSigner:
    """The key in `path`, made at the first call; CorruptError `journal.key` if it is damaged."""
    if not path.exists():
        write_secret(path, Ed25519PrivateKey.generate().private_bytes_raw())
    return load(path)


def load(path: Path) -> FileSigner:
    """The key in `path`; CorruptError `journal.key` if it is missing or damaged.

    An enrolled box makes no new one: the cloud knows the old one, and would refuse every batch.
    """
    seed = path.read_bytes() if path.exists() else b""
    if len(seed) != _KEY_BYTES:
        raise CorruptError("journal.key", path=str(path))
    return FileSigner(seed)
