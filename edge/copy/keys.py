"""Whose signatures count: this box's own journal key and those of the boxes before it."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.kernel.errors import CorruptError
from shared.kernel.hexadecimal import is_hex

_KEY_BYTES = 32


class KnownKeys:
    """Journal keys (hex); `verify` says whether one of them signed.

    A journal that a box began offline is unknown to everybody else, so a key counts for every
    journal: the statement that is signed names the stream.
    """

    def __init__(self, keys_hex: Iterable[str]) -> None:
        self._keys = [_key_of(text) for text in dict.fromkeys(keys_hex)]

    def __len__(self) -> int:
        return len(self._keys)

    def verify(self, signature: bytes, statement: bytes) -> bool:
        """Whether one of the keys signed the statement."""
        return any(_is_signed(key, signature, statement) for key in self._keys)


def _key_of(text: str) -> Ed25519PublicKey:
    if not is_hex(text, _KEY_BYTES):
        raise CorruptError("salvage.key", key=text[:80])
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))


def _is_signed(key: Ed25519PublicKey, signature: bytes, statement: bytes) -> bool:
    try:
        key.verify(signature, statement)
    except InvalidSignature:
        return False
    return True
