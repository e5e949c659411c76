"""A signature inside a JSON message, over the very bytes that are sent.

It is the last field, so that whoever verifies cuts it off and never serialises again; readers that
know nothing of it see one field more.
"""

from __future__ import annotations

import re

from shared.kernel.canonical import sha256

_FIELD, _END = b',"sig":"', b'"}'
_SIGNED = re.compile(rb'\A(\{.+),"sig":"([0-9a-f]{128})"\}\Z', re.DOTALL)
_DESIRED = b"tbd1"


def with_signature(body: bytes, signature: bytes) -> bytes:
    """A JSON object (bytes, not empty) with its signature as the last field."""
    assert body[:1] + body[-1:] == b"{}", "a signature goes into an object"
    return body[:-1] + _FIELD + signature.hex().encode() + _END


def split_signature(payload: bytes) -> tuple[bytes, bytes] | None:
    """What was signed, and the signature; None for a message without one."""
    found = _SIGNED.match(payload)
    return None if found is None else (found[1] + b"}", bytes.fromhex(found[2].decode()))


def desired_statement(body: bytes) -> bytes:
    """What head office signs of a desired document."""
    return _DESIRED + sha256(body)
