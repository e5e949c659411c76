"""The faster encoder writes the very bytes that the canonical form asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.publication.revision import Record, record_bytes
from shared.wire.codec import record_line

LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
BODIES = st.none() | st.dictionaries(st.text(max_size=6), VALUES, max_size=6)


@given(st.text(max_size=8), st.text(max_size=14), BODIES)
def test_both_encoders_say_the_same(kind: str, key: str, body: dict[str, object] | None) -> None:
    record = Record(kind, key, body)
    try:
        wanted = record_bytes(record)
    except ValueError:  # text that UTF-8 cannot say, or keys that are equal once composed
        return
    assert record_line(record) == wanted


def test_a_float_is_refused_by_the_faster_one_too() -> None:
    with pytest.raises(TypeError):
        record_line(Record("price", "1", {"prices": [1.5]}))
