"""The cipher of sealed files (`shared.wire.sealed`) on this side.

The other side has the same file, and a test keeps them so: the core computes and knows no cipher,
and a package for forty lines that never change would be one more that both sides must agree on.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305


class SealingCipher:
    """See `shared.wire.sealed.Cipher`."""

    def public_of(self, private: bytes) -> bytes:
        """See `Cipher`."""
        return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()

    def agree(self, private: bytes, public: bytes) -> bytes:
        """See `Cipher`."""
        own = X25519PrivateKey.from_private_bytes(private)
        return own.exchange(X25519PublicKey.from_public_bytes(public))

    def encrypt(self, key: bytes, nonce: bytes, data: bytes) -> bytes:
        """See `Cipher`."""
        return ChaCha20Poly1305(key).encrypt(nonce, data, None)

    def decrypt(self, key: bytes, nonce: bytes, data: bytes) -> bytes | None:
        """See `Cipher`."""
        try:
            return ChaCha20Poly1305(key).decrypt(nonce, data, None)
        except InvalidTag:
            return None


CIPHER = SealingCipher()
