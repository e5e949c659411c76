from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.wire.batch import decode_batch, encode_batch
from shared.wire.codec import parse_body, parse_event
from shared.wire.message import Ack, Birth, DesiredState, Hello, Report, parse_message
from tests.builders import a_batch_header
from tests.property.strategies import OBJECTS

BODIES = st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\n", b"")), min_size=1)


@given(BODIES, st.integers(0, 2**40))
def test_any_batch_arrives_byte_for_byte(bodies: list[bytes], from_seq: int) -> None:
    header = a_batch_header(bodies, from_seq)
    assert decode_batch(encode_batch(header, bodies)) == (header, bodies)


@given(BODIES, st.data())
def test_a_damaged_batch_is_refused_or_still_the_same_kind(
    bodies: list[bytes], data: st.DataObject
) -> None:
    payload = bytearray(encode_batch(a_batch_header(bodies), bodies))
    payload[data.draw(st.integers(0, len(payload) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        header, found = decode_batch(bytes(payload))
    except RefusedError:
        return
    assert header.count == len(found)


@given(BODIES, st.integers(1, 400))
def test_a_cut_batch_is_refused(bodies: list[bytes], missing: int) -> None:
    payload = encode_batch(a_batch_header(bodies), bodies)
    with pytest.raises(RefusedError):
        decode_batch(payload[:-missing])


@given(st.binary(max_size=200))
def test_noise_is_refused_and_nothing_else(noise: bytes) -> None:
    assume(not noise.startswith(b"{"))  # {} is an entry's body like any other object
    for read in (
        decode_batch,
        parse_body,
        lambda data: parse_message(Hello, data),
        lambda data: decode_batch(b"\x01" + data),
        lambda data: decode_batch(b"\x02" + data),
    ):
        with pytest.raises(RefusedError):
            read(noise)


@given(OBJECTS)
def test_any_object_is_a_message_or_refused(value: dict[str, object]) -> None:
    try:
        payload = canonical_bytes(value)
    except ValueError:
        return
    kinds: tuple[Any, ...] = (Ack, Hello, Birth, Report, DesiredState)
    for kind in kinds:
        with pytest.raises(RefusedError):
            parse_message(kind, payload)
    with pytest.raises(RefusedError):
        parse_event("sale.completed", value)
