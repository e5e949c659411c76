from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from enum import IntEnum

import pytest

from shared.journal.entry import body_bytes
from shared.journal.event import SaleCompleted
from shared.kernel.canonical import canonical_bytes, sha256
from shared.sale.tender import Tender, TenderKind
from shared.wire.codec import event_data
from tests.builders import a_basket, a_sale, an_entry_header, an_item
from tests.counting import calls_of


class Colour(IntEnum):
    RED = 1


def test_keys_are_sorted_at_every_depth_and_nothing_is_spaced() -> None:
    value = {"b": [1, {"z": None, "a": True}], "a": "x", "ä": 1, "B": -5}
    assert canonical_bytes(value) == '{"B":-5,"a":"x","b":[1,{"a":true,"z":null}],"ä":1}'.encode()


def test_lists_and_tuples_read_alike() -> None:
    assert canonical_bytes({"a": (1, 2)}) == canonical_bytes({"a": [1, 2]}) == b'{"a":[1,2]}'


def test_it_is_what_the_standard_encoder_makes_of_the_same_data() -> None:
    body = body_bytes(an_entry_header(), event_data(SaleCompleted(a_sale())))
    again = json.dumps(
        json.loads(body), ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
    assert body == again
    assert canonical_bytes(json.loads(body)) == body


def test_text_is_composed() -> None:
    decomposed, composed = "cafe\u0301", "caf\u00e9"
    assert canonical_bytes({"name": decomposed}) == canonical_bytes({"name": composed})
    assert canonical_bytes({decomposed: [decomposed]}) == canonical_bytes({composed: [composed]})
    assert json.loads(canonical_bytes({"a": [("\u1100\u1161", 1)]})) == {"a": [["\uac00", 1]]}


@pytest.mark.parametrize("before", ["\n", "\t", "\x1f", '"', "\\"])
def test_a_mark_behind_an_escape_does_not_join_it(before: str) -> None:
    text = f"{before}\u0303\u0307"
    assert json.loads(canonical_bytes({"name": text})) == {"name": text}


def test_keys_that_compose_to_one_are_refused() -> None:
    with pytest.raises(ValueError, match="composed"):
        canonical_bytes({"caf\u00e9": 1, "cafe\u0301": 2})


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        float("inf"),
        b"bytes",
        {1, 2},
        object(),
        Colour.RED,
        OrderedDict(a=1),
        [1, [2, [3.5]]],
        {"deep": {"er": (1.5,)}},
        {1: "number as a key"},
        {None: "nothing as a key"},
    ],
)
def test_what_has_no_single_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        canonical_bytes({"value": value})


def test_text_that_utf8_cannot_say_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogate"):
        canonical_bytes({"name": "\ud800"})


def test_sha256_is_the_standard_one() -> None:
    assert sha256(b"abc") == hashlib.sha256(b"abc").digest()


def encoded_lines(count: int) -> int:
    """The calls that the bytes of a sale with so many lines take."""
    basket = a_basket(*(an_item(n) for n in range(count)))
    data = event_data(SaleCompleted(a_sale(basket, tenders=[Tender(TenderKind.CARD, 500 * count)])))
    return calls_of(lambda: canonical_bytes(data))


def test_each_line_of_a_sale_costs_a_few_calls_and_none_per_field() -> None:
    first, second = encoded_lines(50), encoded_lines(100)
    assert second - first <= 50 * 4
