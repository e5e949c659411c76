"""A short sealed note for the holder of a key, from somebody who has but its public half.

X25519 with a key made for the note, HKDF-SHA256 (RFC 5869, one block) over both public halves, and
one ChaCha20-Poly1305 message (RFC 8439) whose nonce may be nought as its key is never used again.
What the note is about is bound to it, so that it cannot be passed off as another one's.
"""

from __future__ import annotations

import hmac

from shared.kernel.errors import CorruptError
from shared.wire.sealed import KEY_BYTES, TAG_BYTES, Cipher

NOTE_BYTES_MAX = 4096
_NONCE = bytes(12)
_TAG = b"tillbox note 1"


def seal_note(cipher: Cipher, public: bytes, random: bytes, note: bytes, about: str) -> bytes:
    """The note for the holder of `public`'s private half; `random` are 32 bytes nobody knows."""
    assert len(random) == KEY_BYTES
    assert len(note) <= NOTE_BYTES_MAX
    own = cipher.public_of(random)
    key = _key(cipher.agree(random, public), own + public, about)
    return own + cipher.encrypt(key, _NONCE, note)


def open_note(cipher: Cipher, private: bytes, sealed: bytes, about: str) -> bytes:
    """The note; CorruptError `note.damaged` for anything else than one for this key and matter."""
    if not KEY_BYTES + TAG_BYTES <= len(sealed) <= KEY_BYTES + TAG_BYTES + NOTE_BYTES_MAX:
        raise CorruptError("note.damaged")
    other = sealed[:KEY_BYTES]
    try:
        shared = cipher.agree(private, other)
    except ValueError:  # a point that agrees with everybody
        raise CorruptError("note.damaged") from None
    key = _key(shared, other + cipher.public_of(private), about)
    note = cipher.decrypt(key, _NONCE, sealed[KEY_BYTES:])
    if note is None:
        raise CorruptError("note.damaged")
    return note


def _key(shared: bytes, publics: bytes, about: str) -> bytes:
    drawn = hmac.digest(publics, shared, "sha256")
    return hmac.digest(drawn, _TAG + about.encode() + b"\x01", "sha256")
