"""A sealed note opens for one key and one matter."""

from __future__ import annotations

import pytest

from edge.seal_cipher import CIPHER
from shared.kernel.errors import CorruptError
from shared.wire.note import NOTE_BYTES_MAX, open_note, seal_note

PRIVATE, OTHER, ONCE = b"\x01" * 32, b"\x02" * 32, b"\x03" * 32
PUBLIC = CIPHER.public_of(PRIVATE)


def test_a_note_opens_for_its_key() -> None:
    sealed = seal_note(CIPHER, PUBLIC, ONCE, b"+8613800138000", "box/m1")
    assert b"138" not in sealed
    assert open_note(CIPHER, PRIVATE, sealed, "box/m1") == b"+8613800138000"


def test_any_other_key_matter_or_byte_opens_nothing() -> None:
    sealed = seal_note(CIPHER, PUBLIC, ONCE, b"note", "box/m1")
    flipped = [
        sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :] for at in range(len(sealed))
    ]
    wrong = [(PRIVATE, each, "box/m1") for each in (*flipped, b"", sealed[:-1], sealed + b"x")]
    wrong += [(OTHER, sealed, "box/m1"), (PRIVATE, sealed, "box/m2")]
    wrong += [(PRIVATE, bytes(32) + sealed[32:], "box/m1")]  # a point that agrees with everybody
    wrong += [(PRIVATE, bytes(NOTE_BYTES_MAX + 100), "box/m1")]
    for private, each, about in wrong:
        with pytest.raises(CorruptError, match=r"note\.damaged"):
            open_note(CIPHER, private, each, about)
