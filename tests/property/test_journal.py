from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.journal.chain import chain_hashes, genesis_hash, verify_chain
from shared.journal.entry import body_bytes
from shared.journal.event import Event, SaleCompleted, UnknownEvent
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import CorruptError
from shared.wire.codec import entry_body, event_data, parse_body, parse_event
from tests.builders import STREAM_ID, a_sale, an_entry_header
from tests.property.strategies import EVENTS, OBJECTS

GENESIS = genesis_hash(STREAM_ID)


@given(st.lists(st.binary(min_size=1, max_size=80), min_size=1, max_size=6), st.data())
def test_any_flipped_bit_breaks_the_chain_where_it_is(
    bodies: list[bytes], data: st.DataObject
) -> None:
    hashes = chain_hashes(STREAM_ID, 0, GENESIS, bodies)
    place = data.draw(st.integers(0, len(bodies) - 1))
    in_hash = data.draw(st.booleans())
    victim = bytearray(hashes[place] if in_hash else bodies[place])
    victim[data.draw(st.integers(0, len(victim) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    (hashes if in_hash else bodies)[place] = bytes(victim)
    with pytest.raises(CorruptError) as refused:
        verify_chain(STREAM_ID, 0, GENESIS, zip(bodies, hashes, strict=True))
    assert refused.value.params == {"seq": place}


@given(st.lists(st.binary(max_size=20), min_size=2, max_size=6, unique=True), st.data())
def test_no_other_order_of_entries_verifies(bodies: list[bytes], data: st.DataObject) -> None:
    entries = list(zip(bodies, chain_hashes(STREAM_ID, 0, GENESIS, bodies), strict=True))
    other = data.draw(st.permutations(entries))
    assume(other != entries)
    with pytest.raises(CorruptError):
        verify_chain(STREAM_ID, 0, GENESIS, other)


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(0, 6))
def test_a_chain_may_be_verified_in_parts(bodies: list[bytes], cut: int) -> None:
    entries = list(zip(bodies, chain_hashes(STREAM_ID, 0, GENESIS, bodies), strict=True))
    middle = verify_chain(STREAM_ID, 0, GENESIS, entries[:cut])
    whole = verify_chain(STREAM_ID, 0, GENESIS, entries)
    assert verify_chain(STREAM_ID, len(entries[:cut]), middle, entries[cut:]) == whole


@given(EVENTS)
def test_any_event_survives_the_journal(event: Event) -> None:
    body = body_bytes(an_entry_header(type=event.type), event_data(event))
    assert b"\n" not in body
    raw = parse_body(body)
    again = parse_event(raw["type"], raw["data"])
    # The bytes speak composed text, so what comes back is compared in that form.
    assert canonical_bytes({"data": event_data(again)}) == canonical_bytes(
        {"data": event_data(event)}
    )
    assert canonical_bytes(raw) == body


@given(EVENTS)
def test_the_fast_encoder_writes_the_very_bytes_of_the_canonical_form(event: Event) -> None:
    header = an_entry_header(type=event.type)
    assert entry_body(header, event) == body_bytes(header, event_data(event))


@pytest.mark.parametrize("unit", [0.5, 199.0])
def test_an_event_with_a_float_gets_no_bytes(unit: float) -> None:
    sale = a_sale()
    wrong = replace(sale, lines=(replace(sale.lines[0], net_minor=unit),))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        entry_body(an_entry_header(), SaleCompleted(wrong))
    with pytest.raises(TypeError):
        entry_body(an_entry_header(), UnknownEvent("later.kind", {"amount": unit}))


@given(OBJECTS)
def test_canonical_bytes_are_a_fixed_point(value: dict[str, object]) -> None:
    try:
        data = canonical_bytes(value)
    except ValueError as clash:
        assert "composed" in str(clash)  # noqa: PT017 - two keys that differ in form only
        return
    assert canonical_bytes(json.loads(data)) == data
