"""Whatever an offer says, its document says the same, in one way only."""

from __future__ import annotations

import io
import json
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloud.offer.file import read_offers, yaml_text
from shared.kernel.canonical import canonical_bytes
from shared.price.condition import Condition
from shared.price.document import (
    dump_document,
    dump_offer,
    offer_schema,
    parse_document,
    parse_offer,
)
from shared.price.document_error import DocumentError, DocumentRefusedError
from shared.price.document_table import CONDITION_WORDS, REWARD_WORDS
from shared.price.offer import Offer
from shared.price.reward import Reward
from tests.property.json_schema import fits
from tests.property.offer_strategies import ENTRIES, offers

SCHEMA = offer_schema()
RAW = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "all", "2026-01-01", "12.5", "sku", "type", "spend", "línea"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["all", "sku", "type", "bp", "steps", "x"]), inner)
    ),
    max_leaves=6,
)


@given(offers())
def test_an_offer_survives_its_document(offer: Offer) -> None:
    written = dump_offer(offer)
    assert parse_offer(written) == offer
    assert dump_offer(parse_offer(written)) == written
    assert parse_offer(json.loads(canonical_bytes(written))) == offer


@given(st.lists(ENTRIES, max_size=3, unique_by=lambda entry: entry.offer.id))
def test_a_document_survives_json_and_yaml(entries: list[Any]) -> None:
    document = dump_document(entries, "CNY")
    assert fits(document, SCHEMA, SCHEMA)
    for text in (json.dumps(document), yaml_text(document)):
        read = read_offers(io.BytesIO(text.encode()))
        assert read.entries == tuple(entries)
        assert read.currency == "CNY"


@given(ENTRIES, st.data())
def test_one_changed_value_is_refused_or_fits_the_schema(entry: Any, data: st.DataObject) -> None:
    document = deepcopy(dump_document([entry], "CNY"))
    parent, word = data.draw(st.sampled_from(places(document)))
    parent[word] = data.draw(RAW)
    assert errors_of(document) or fits(document, SCHEMA, SCHEMA)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place of a document, as its container and its key there."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in pairs:
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += places(inner)
    return found


@given(RAW)
def test_anything_else_is_refused_with_places_and_codes(raw: object) -> None:
    errors = errors_of(raw)
    assert errors
    assert all(error.code.startswith("offer.document.") for error in errors)


def errors_of(raw: object) -> tuple[DocumentError, ...]:
    try:
        parse_document(raw)
    except DocumentRefusedError as refused:
        return refused.errors
    return ()


def test_every_kind_of_reward_and_condition_has_a_word() -> None:
    assert set(REWARD_WORDS) == set(kinds_of(Reward))
    assert set(CONDITION_WORDS) == set(kinds_of(Condition))


def kinds_of(union: Any) -> list[type]:
    """The members of a union of unions."""
    inner = [each for each in union.__args__ if hasattr(each, "__args__")]
    return [each for each in union.__args__ if each not in inner] + [
        kind for each in inner for kind in kinds_of(each)
    ]
