"""What each error of an offer document tells besides its place, and the last that is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shared.kernel.errors import ErrorParam
from shared.kernel.money import CURRENCIES
from shared.price.condition import MinQty, Selector
from shared.price.document import FORMAT, dump_offer, offer_schema, parse_document, parse_offer
from shared.price.document_error import DocumentError, DocumentRefusedError
from shared.price.offer import Validity
from shared.price.reward import PercentOff, Step, Tiers

GOLDEN = Path(__file__).parents[3] / "golden"
ALL_GOODS = {"all": True}
SHARE = {"type": "percent_off"}
SPEND = {"type": "tiers", "by": "spend"}
LONG = "x" * 61


def a_raw(**words: object) -> dict[str, object]:
    plain = {"id": "a", "level": "line", "target": ALL_GOODS, "reward": {**SHARE, "bp": 500}}
    return {word: value for word, value in {**plain, **words}.items() if value is not None}


def errors_of(**words: object) -> list[DocumentError]:
    raw = {"format": FORMAT, "currency": "CNY", "offers": [a_raw(**words)]}
    with pytest.raises(DocumentRefusedError) as refused:
        parse_document(raw)
    return list(refused.value.errors)


def amount(value: object) -> dict[str, object]:
    return {"reward": {"type": "amount_off", "amount": value}}


def qty(value: object) -> dict[str, object]:
    return {"when": [{"type": "min_qty", "scope": ALL_GOODS, "qty": value}]}


def steps(*each: dict[str, object]) -> dict[str, object]:
    return {"level": "basket", "reward": {**SPEND, "steps": list(each)}}


TOLD: list[tuple[dict[str, object], str, str, dict[str, ErrorParam]]] = [
    ({"id": 7}, "id", "text", {"value": "7"}),
    ({"id": LONG + "xxxx"}, "id", "text_long", {"limit": 64}),
    ({"id": " a"}, "id", "text_signs", {"value": " a"}),
    ({"id": "a\nb"}, "id", "text_signs", {"value": "a?b"}),
    ({"priority": "1"}, "priority", "whole", {"value": "1"}),
    ({"priority": True}, "priority", "whole", {"value": "True"}),
    ({"version": 0}, "version", "range", {"value": "0", "least": 1, "most": 9_999_999}),
    ({"ignores_floor": 1}, "ignores_floor", "flag", {"value": "1"}),
    ({"name": 7}, "name", "name", {"value": "7"}),
    ({"name": {"fr": "x"}}, "name", "unknown", {"word": "fr", "known": "zh-CN, zh-TW, en"}),
    ({"target": {"all": False}}, "target.all", "only_true", {"value": "False"}),
    ({"target": {"sku": "a"}}, "target.sku", "list", {"value": "a"}),
    ({"target": 5}, "target", "object", {"value": "5"}),
    ({"target": None}, "", "required", {"word": "target"}),
    (
        {"target": {"sku": ["a"], "unit_price_min": 5, "unit_price_max": 4}},
        "target",
        "price_range",
        {"least": 5, "most": 4},
    ),
    ({"reward": {"amount": 5}}, "reward", "required", {"word": "type"}),
    ({"reward": {"type": 5}}, "reward.type", "text", {"value": "5"}),
    ({"reward": SHARE}, "reward", "required", {"word": "bp"}),
    (
        {"reward": {**SHARE, "bp": 500, "percent": "5"}},
        "reward",
        "both",
        {"first": "bp", "second": "percent"},
    ),
    (
        {"reward": {"type": "group_each", "size": 2}},
        "reward",
        "one_of",
        {"words": "amount, bp"},
    ),
    ({"reward": {**SHARE, "percent": "0"}}, "reward.percent", "percent", {"value": "0"}),
    ({"reward": {**SHARE, "percent": 5}}, "reward.percent", "percent", {"value": "5"}),
    (amount(1.5), "reward.amount", "money_float", {"value": "1.5"}),
    (amount(None), "reward.amount", "money", {"value": "None"}),
    (amount("5 元"), "reward.amount", "money", {"value": "5 元"}),
    (
        amount("1.005"),
        "reward.amount",
        "money_digits",
        {"value": "1.005", "currency": "CNY", "digits": 2},
    ),
    (
        amount("0.00"),
        "reward.amount",
        "range",
        {"value": "0", "least": 1, "most": 99_999_999_999},
    ),
    (qty(1.5), "when[0].qty", "quantity", {"value": "1.5"}),
    (qty("0"), "when[0].qty", "quantity", {"value": "0"}),
    (qty("1.0005"), "when[0].qty", "quantity", {"value": "1.0005"}),
    (
        steps({"at": 5, "amount": 2}, {"at": 4, "amount": 3}),
        "reward.steps[1].at",
        "steps_order",
        {"at": 4, "before": 5},
    ),
    (
        steps({"at": 5, "amount": 3}, {"at": 6, "amount": 2}),
        "reward.steps[1].amount",
        "steps_gain",
        {"value": 2, "before": 3},
    ),
    (
        steps({"at": 5, "bp": 3}, {"at": 6, "bp": 3}),
        "reward.steps[1].bp",
        "steps_gain",
        {"value": 3, "before": 3},
    ),
    ({"valid": {"from": 5}}, "valid.from", "time", {"value": "5"}),
    (
        {"valid": {"from": "2026-02-01T10:00:00.500"}},
        "valid.from",
        "time",
        {"value": "2026-02-01T10:00:00.500"},
    ),
    (
        {"valid": {"from": "1999-12-31"}},
        "valid.from",
        "time_range",
        {"from_year": 2000, "to_year": 2099},
    ),
    ({"valid": {"dates": ["2026-02-30"]}}, "valid.dates[0]", "date", {"value": "2026-02-30"}),
    ({"valid": {"dates": ["２026-02-03"]}}, "valid.dates[0]", "date", {"value": "２026-02-03"}),
    ({"valid": {"daily": ["08:00"]}}, "valid.daily[0]", "window", {"value": "08:00"}),
    (
        {"valid": {"daily": [["08:00", "08:00:00"]]}},
        "valid.daily[0]",
        "window_empty",
        {"value": "08:00"},
    ),
    ({"valid": {"daily": [[8, "09:00"]]}}, "valid.daily[0][0]", "clock", {"value": "8"}),
    ({"valid": {"daily": [["08:60", "10:00"]]}}, "valid.daily[0][0]", "clock", {"value": "08:60"}),
    (
        {"valid": {"daily": [["08:00:60", "10:00"]]}},
        "valid.daily[0][0]",
        "clock",
        {"value": "08:00:60"},
    ),
    (
        {"valid": {"daily": [["08:00", "24:00:01"]]}},
        "valid.daily[0][1]",
        "clock",
        {"value": "24:00:01"},
    ),
]


@pytest.mark.parametrize(("words", "path", "what", "params"), TOLD)
def test_an_error_tells_what_stood_there_and_what_may(
    words: dict[str, object], path: str, what: str, params: dict[str, ErrorParam]
) -> None:
    place = f"offers[0].{path}".rstrip(".")
    assert errors_of(**words) == [DocumentError(place, f"offer.document.{what}", params)]


def test_steps_may_change_from_one_kind_of_gain_to_the_other() -> None:
    read = parse_offer(a_raw(**steps({"at": 5, "amount": 3}, {"at": 6, "bp": 2})))
    assert read.reward == Tiers(read.reward.by, (Step(5, amount=3), Step(6, bp=2)))


def test_a_name_may_be_given_in_one_language_alone() -> None:
    assert parse_offer(a_raw(name={"en": "Tea"})).names == {"en": "Tea"}


def test_the_ends_of_what_may_be_said_may_be_said() -> None:
    offer = parse_offer(
        a_raw(
            id="x" * 64,
            reward={**SHARE, "percent": "0.01"},
            target={"sku": ["a"], "unit_price_min": 4, "unit_price_max": 4},
            when=[{"type": "min_qty", "scope": ALL_GOODS, "qty": "0.001"}],
            valid={"daily": [["00:00", "24:00"], ["23:59:59", "00:00:01"]], "to": "2099-12-31"},
        )
    )
    assert offer.id == "x" * 64
    assert offer.reward == PercentOff(1)
    assert offer.target == Selector(frozenset({"a"}), unit_price_min=4, unit_price_max=4)
    assert [each.qty_milli for each in offer.when if isinstance(each, MinQty)] == [1]
    assert offer.valid == Validity(to_local=("2099-12-31", 0), daily=((0, 86_400), (86_399, 1)))
    assert parse_offer(a_raw(reward={**SHARE, "percent": "100"})).reward == PercentOff(10_000)


@pytest.mark.parametrize(("written", "milli"), [(3, 3000), ("3.000", 3000), ("0.25", 250)])
def test_a_quantity_is_pieces_or_a_weight_in_text(written: object, milli: int) -> None:
    offer = parse_offer(a_raw(**qty(written)))
    assert [each.qty_milli for each in offer.when if isinstance(each, MinQty)] == [milli]
    (dumped,) = dump_offer(offer)["when"]  # type: ignore[misc]
    assert repr(dumped["qty"]) == ("3" if milli == 3000 else "'0.25'")


def test_windows_are_written_in_the_order_of_the_day() -> None:
    offer = replace(parse_offer(a_raw()), valid=Validity(daily=((7200, 7260), (3600, 3660))))
    assert dump_offer(offer)["valid"] == {"daily": [["01:00", "01:01"], ["02:00", "02:01"]]}


def test_places_in_a_single_offer_start_at_the_offer() -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        parse_offer(a_raw(priority="1"))
    assert [error.path for error in refused.value.errors] == ["priority"]


def test_a_document_may_be_in_any_currency_of_the_house() -> None:
    for code in CURRENCIES:
        assert parse_document({"format": FORMAT, "currency": code, "offers": []}).currency == code


def test_a_document_without_its_list_of_offers_says_so_once() -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        parse_document({"format": FORMAT})
    assert refused.value.errors == (
        DocumentError("", "offer.document.required", {"word": "offers"}),
    )


def test_errors_of_the_head_tell_what_may_stand_there() -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        parse_document({"format": "x", "currency": "XXX", "offers": 5, "zzzzzz": 1})
    codes = ", ".join(CURRENCIES)
    words = "format, currency, offers"
    assert [(each.path, each.code, each.params) for each in refused.value.errors] == [
        ("zzzzzz", "offer.document.unknown", {"word": "zzzzzz", "known": words}),
        ("format", "offer.document.format", {"expected": FORMAT, "value": "x"}),
        ("currency", "offer.document.unknown", {"word": "XXX", "known": codes}),
        ("offers", "offer.document.list", {"value": "5"}),
    ]


def test_the_schema_is_the_one_that_editors_were_given() -> None:
    given = json.loads((GOLDEN / "offer_schema.json").read_text(encoding="utf-8"))
    assert offer_schema() == given
