"""Carbon copies of journal entries: what a tablet or a USB stick keeps, good without the box.

A carbon is one line of JSON. It proves itself: the hash follows from the one before it and the
body, and the box's journal key has signed that hash, so any copy from any place is as good as the
journal itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.journal.chain import entry_hash, head_statement
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import CorruptError, RefusedError
from shared.kernel.hexadecimal import is_hex

CARBON_VERSION = 1
CARBON_BYTES_MAX = 1024 * 1024
Verify = Callable[[bytes, bytes], bool]
"""Signature and message: whether the stream's box signed it."""


@dataclass(frozen=True, slots=True)
class Carbon:
    """Entry `seq` of a stream (hex): its body and hash, the hash before it, and the signature.

    `sig` is over the head statement of this entry, made at `at_ms` (UTC).
    """

    stream: str
    seq: int
    prev: bytes
    hash: bytes
    at_ms: int
    sig: bytes
    body: bytes

    @property
    def statement(self) -> bytes:
        """What the box signed."""
        return head_statement(bytes.fromhex(self.stream), self.seq, self.hash, self.at_ms)


def carbon_line(carbon: Carbon) -> bytes:
    """One line, without its line feed."""
    return canonical_bytes(
        {
            "v": CARBON_VERSION,
            "stream": carbon.stream,
            "seq": carbon.seq,
            "prev": carbon.prev.hex(),
            "hash": carbon.hash.hex(),
            "at": carbon.at_ms,
            "sig": carbon.sig.hex(),
            "body": carbon.body.decode(),
        }
    )


def read_carbon(line: bytes) -> Carbon:
    """Read a line; RefusedError `carbon.line` when it is none, `carbon.too_large`."""
    if len(line) > CARBON_BYTES_MAX:
        raise RefusedError("carbon.too_large", size=len(line))
    try:
        raw = json.loads(line)
        found = _carbon_of(raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise RefusedError("carbon.line") from None
    return found


def check_carbon(carbon: Carbon, verify: Verify) -> None:
    """CorruptError `carbon.hash` or `carbon.signature`, each with the `seq`."""
    stream = bytes.fromhex(carbon.stream)
    if entry_hash(stream, carbon.seq, carbon.prev, carbon.body) != carbon.hash:
        raise CorruptError("carbon.hash", seq=carbon.seq)
    if not verify(carbon.sig, carbon.statement):
        raise CorruptError("carbon.signature", seq=carbon.seq)


def _carbon_of(raw: dict[str, Any]) -> Carbon:
    sizes = (("stream", 16), ("prev", 32), ("hash", 32), ("sig", 64))
    numbers = (raw["seq"], raw["at"])
    if raw["v"] != CARBON_VERSION or not all(is_hex(raw[name], size) for name, size in sizes):
        raise ValueError
    if any(type(number) is not int or not 0 <= number < 1 << 63 for number in numbers):
        raise ValueError
    return Carbon(
        stream=raw["stream"],
        seq=raw["seq"],
        prev=bytes.fromhex(raw["prev"]),
        hash=bytes.fromhex(raw["hash"]),
        at_ms=raw["at"],
        sig=bytes.fromhex(raw["sig"]),
        body=raw["body"].encode(),
    )
