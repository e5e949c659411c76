"""What stands for a phone number or a card where the number itself must not lie.

A mobile number has so few possible values that any fast hash of it can be tried out in seconds,
with a key or without where the key lies beside it.  So a number is hashed slowly first (scrypt,
RFC 7914, with a secret of the chain as its salt), which costs who tries out numbers that much for
each; a fast keyed hash then makes something different of it in each store, so that the lists of
two boxes have nothing in common.  See README.md for what that is worth when a box is stolen.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

KEY_BYTES = 32
SLOW_BYTES = 32
PHONE_REF_BYTES = 12
CARD_REF_BYTES = 10
ID_BYTES = 12
COST, BLOCK = 1 << 14, 8
"""Of scrypt: 16 MiB and some 40 ms on a server's core, four times that on a store box."""
_MEMORY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BoxKeys:
    """What a box hashes with: the chain's salt and card key, and the key of its own store."""

    salt: bytes
    card: bytes
    store: bytes


def slow_hash(phone: str, salt: bytes) -> bytes:
    """What stands for a number (E.164) in the whole chain; takes its time on purpose."""
    return hashlib.scrypt(
        phone.encode(), salt=salt, n=COST, r=BLOCK, p=1, maxmem=_MEMORY_BYTES, dklen=SLOW_BYTES
    )


def phone_ref(slow: bytes, store_key: bytes) -> str:
    """What stands for a number in one store (hex)."""
    return hmac.digest(store_key, b"phone" + slow, "sha256")[:PHONE_REF_BYTES].hex()


def card_ref(number: str, card_key: bytes) -> str:
    """What stands for a card in the chain and names it in sales, where nobody knows its member."""
    plain = number.strip().lstrip("0") or "0"
    return "c" + hmac.digest(card_key, plain.encode(), "sha256")[:CARD_REF_BYTES].hex()


def store_key(secret: bytes, store_id: str) -> bytes:
    """The key of one store, from the chain's secret."""
    return hmac.digest(secret, b"store:" + store_id.encode(), "sha256")


def box_keys(secret: bytes, store_id: str) -> BoxKeys:
    """What the box of a store gets; the secret itself stays at head office."""
    return BoxKeys(
        salt=hmac.digest(secret, b"salt", "sha256"),
        card=hmac.digest(secret, b"card", "sha256"),
        store=store_key(secret, store_id),
    )


def member_id(random: bytes) -> str:
    """A new member's id: it says nothing, and is what sales and journals name."""
    assert len(random) == ID_BYTES
    return "m" + random.hex()


def is_member_id(text: str) -> bool:
    """Whether something can be a member's id."""
    return len(text) == 1 + 2 * ID_BYTES and text[0] == "m" and _is_hex(text[1:])


def _is_hex(text: str) -> bool:
    return all(each in "0123456789abcdef" for each in text)
