from __future__ import annotations

import pytest

from shared.journal.chain import (
    chain_hashes,
    entry_hash,
    genesis_hash,
    head_statement,
    verify_chain,
)
from shared.kernel.errors import CorruptError
from tests.builders import STREAM_ID

BODIES = [b'{"n":0}', b'{"n":1}', b'{"n":2}', b'{"n":3}']
GENESIS = genesis_hash(STREAM_ID)
HASHES = chain_hashes(STREAM_ID, 0, GENESIS, BODIES)
ENTRIES = list(zip(BODIES, HASHES, strict=True))


def refused_at(entries: list[tuple[bytes, bytes]], stream: bytes = STREAM_ID) -> object:
    with pytest.raises(CorruptError) as refused:
        verify_chain(stream, 0, GENESIS, entries)
    assert refused.value.code == "journal.chain"
    return refused.value.params["seq"]


def test_an_untouched_chain_verifies_to_its_head() -> None:
    assert verify_chain(STREAM_ID, 0, GENESIS, ENTRIES) == HASHES[-1]
    assert verify_chain(STREAM_ID, 2, HASHES[1], ENTRIES[2:]) == HASHES[-1]
    assert verify_chain(STREAM_ID, 0, GENESIS, []) == GENESIS


def test_a_changed_body_is_found_where_it_is() -> None:
    assert refused_at([*ENTRIES[:2], (b'{"n":9}', HASHES[2]), ENTRIES[3]]) == 2


def test_a_changed_hash_is_found_where_it_is() -> None:
    assert refused_at([ENTRIES[0], (BODIES[1], HASHES[2]), *ENTRIES[2:]]) == 1


def test_a_dropped_entry_is_found() -> None:
    assert refused_at([ENTRIES[0], *ENTRIES[2:]]) == 1


def test_swapped_entries_are_found() -> None:
    assert refused_at([ENTRIES[0], ENTRIES[2], ENTRIES[1], ENTRIES[3]]) == 1


def test_a_doubled_entry_is_found() -> None:
    assert refused_at([ENTRIES[0], ENTRIES[0], *ENTRIES[1:]]) == 1


def test_another_streams_entries_do_not_fit() -> None:
    other = bytes(16)
    with pytest.raises(CorruptError):
        verify_chain(other, 0, genesis_hash(other), ENTRIES)


def test_the_same_entry_at_another_place_has_another_hash() -> None:
    hashes = {entry_hash(STREAM_ID, seq, GENESIS, BODIES[0]) for seq in (0, 1, 2**63 - 1)}
    assert len(hashes) == 3


def test_a_head_statement_binds_stream_place_hash_and_time() -> None:
    statements = {
        head_statement(STREAM_ID, 5, HASHES[0], 100),
        head_statement(bytes(16), 5, HASHES[0], 100),
        head_statement(STREAM_ID, 6, HASHES[0], 100),
        head_statement(STREAM_ID, 5, HASHES[1], 100),
        head_statement(STREAM_ID, 5, HASHES[0], 101),
    }
    assert len(statements) == 5
    assert {len(statement) for statement in statements} == {4 + 16 + 8 + 32 + 8}


def test_ids_and_hashes_of_a_wrong_size_are_a_mistake() -> None:
    with pytest.raises(AssertionError):
        genesis_hash(b"short")
    with pytest.raises(AssertionError):
        entry_hash(STREAM_ID, 0, b"short", b"")
    with pytest.raises(AssertionError):
        head_statement(STREAM_ID, 0, b"short", 0)
