"""Offer files as buyers write them: JSON or YAML, and where they are wrong."""

from __future__ import annotations

import io
import json

import pytest

from cloud.offer.file import FILE_BYTES_MAX, read_offers, yaml_text
from cloud.texts import sentence
from shared.kernel.errors import RefusedError
from shared.price.document import OfferDocument, dump_document
from shared.price.document_error import DocumentRefusedError
from shared.price.reward import Step, Tiers

YAML = """\
# 双十一
format: tillbox-offers/1
currency: CNY
offers:
  - id: 1111-tiers
    name: 满200减20
    level: basket
    target: {all: true}
    reward: {type: tiers, by: spend, steps: [{at: "200.00", amount: "20.00"}]}
    valid:
      from: 2026-11-11
      daily: [[22:00, 02:00]]
  - id: no
    level: line
    target:
      sku: [0690123456789, on, null-tea]
    reward: {type: percent_off, bp: 1250}
"""


def read(text: str | bytes) -> OfferDocument:
    return read_offers(io.BytesIO(text if isinstance(text, bytes) else text.encode()))


def refusal(text: str | bytes) -> str:
    with pytest.raises(RefusedError) as refused:
        read(text)
    return sentence(refused.value)


def test_yaml_keeps_what_looks_like_something_else() -> None:
    tiers, share = read(YAML).offers
    assert tiers.reward == Tiers(tiers.reward.by, (Step(20_000, amount=2000),))
    assert tiers.valid.from_local == ("2026-11-11", 0)
    assert tiers.valid.daily == ((79_200, 7200),)
    assert share.id == "no"
    assert share.target.skus == {"0690123456789", "on", "null-tea"}


def test_json_and_yaml_say_the_same() -> None:
    document = read(YAML)
    written = dump_document(document.entries, document.currency)
    assert read(json.dumps(written)) == document
    assert read(yaml_text(written)) == document
    assert read(b"\xef\xbb\xbf" + json.dumps(written).encode()) == document


def test_an_error_in_yaml_names_its_line() -> None:
    wrong = YAML.replace('amount: "20.00"', "amount: 20.50").replace("bp: 1250", "bp: 0")
    with pytest.raises(DocumentRefusedError) as refused:
        read(wrong)
    found = [(each.code, each.params["line"]) for each in refused.value.errors]
    assert found == [("offer.document.money_float", 9), ("offer.document.range", 17)]


def test_a_missing_word_is_told_at_the_line_of_its_object() -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        read(YAML.replace("    level: line\n", ""))
    (error,) = refused.value.errors
    assert (error.path, error.params) == ("offers[1]", {"word": "level", "line": 13})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [\n", "Line 2 cannot be read: did not find expected node content."),
        ("a: &x [1]\nb: *x", "Line 1 cannot be read: anchors"),
        ("a: !!python/object:os.system 1", "Line 1 cannot be read: tags"),
        ("a: 1\na: 2", "Line 2 cannot be read: a is there twice."),
        ("? [a]\n: 1", "Line 1 cannot be read: a word must be text."),
        ("a: 1\n---\nb: 2", "Line 2 cannot be read: a second document."),
        ("[" * 100_000, "Line 1 cannot be read: too deep."),
        ("\x00", "Line 1 cannot be read: unacceptable character"),
        ('{"a": 1,}', "Line 1 cannot be read: "),
        ('{"a": 1, "a": 2}', "a stands twice in one object."),
        ('{"a": ' * 100_000, "Line 1 cannot be read: too deep or too long."),
        (b"a: 1\nb: \xff", "Line 2 is not UTF-8 text."),
        (b" " * (FILE_BYTES_MAX + 1), "The file is larger than 4 MiB."),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(text: str | bytes, said: str) -> None:
    assert refusal(text).startswith(said)


def test_an_empty_file_is_no_document() -> None:
    with pytest.raises(DocumentRefusedError):
        read("# nothing yet\n")
