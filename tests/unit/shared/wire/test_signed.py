"""A signature travels as the last field, over the very bytes that are sent."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.canonical import sha256
from shared.wire.certificate import renewal_statement, trust_statement
from shared.wire.signed import desired_statement, split_signature, with_signature

SIGNATURE = bytes(range(64))
VALUES = st.text() | st.integers() | st.booleans()
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, min_size=1)


@given(OBJECTS)
def test_what_was_signed_comes_back_byte_for_byte(said: dict[str, object]) -> None:
    body = json.dumps(said, ensure_ascii=False).encode()
    signed = with_signature(body, SIGNATURE)
    assert split_signature(signed) == (body, SIGNATURE)
    assert json.loads(signed) == {**said, "sig": SIGNATURE.hex()}


def test_a_message_without_a_signature_at_its_end_has_none() -> None:
    hexadecimal = SIGNATURE.hex()
    for payload in (
        b"",
        b"{}",
        b'{"gen":1}',
        f'{{"gen":1,"sig":"{hexadecimal[:-1]}"}}'.encode(),
        f'{{"gen":1,"sig":"{hexadecimal.upper()}"}}'.encode(),
        f'{{"gen":1,"sig":"{hexadecimal}"}} '.encode(),
        f'{{"gen":1,"sig":"{hexadecimal}","gen":2}}'.encode(),
    ):
        assert split_signature(payload) is None, payload


def test_no_statement_can_be_taken_for_another() -> None:
    """The same key signs manifests, times, trust and documents."""
    digest = sha256(b"x")
    assert desired_statement(b"x") == b"tbd1" + digest
    assert trust_statement("d-a", b"x") == b"tbt1d-a\x00" + digest
    assert renewal_statement("d-a", b"x", 258) == b"tbc1d-a\x00" + digest + bytes(6) + b"\x01\x02"
    assert renewal_statement("d-a", b"x", 1) != renewal_statement("d-a", b"x", 2)
