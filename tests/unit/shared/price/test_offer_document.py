"""What an offer document may say, and how it is told that it may not."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.kernel.errors import RefusedError
from shared.kernel.money import CURRENCIES
from shared.price import document as document_module
from shared.price.condition import ALL, MinQty, MinSpend, Selector
from shared.price.document import (
    FORMAT,
    OfferEntry,
    dump_document,
    dump_offer,
    parse_document,
    parse_offer,
)
from shared.price.document_error import DocumentError, DocumentRefusedError
from shared.price.offer import Level, Offer, Stack, StackMode, Validity
from shared.price.reward import AmountOff, PercentOff, Step, TierBy, Tiers

PRICE_ROOM = Path(document_module.__file__).parent
I18N = PRICE_ROOM.parent / "i18n"
ALL_GOODS = {"all": True}
TEN_OFF = {"type": "amount_off", "amount": 1000}


def a_raw(**words: object) -> dict[str, object]:
    """A right offer, changed by these words; None takes a word away."""
    plain = {"id": "a", "level": "basket", "target": ALL_GOODS, "reward": TEN_OFF, **words}
    return {word: value for word, value in plain.items() if value is not None}


def a_document(*offers: object, **words: object) -> dict[str, object]:
    return {"format": FORMAT, "currency": "CNY", "offers": list(offers), **words}


def errors_of(raw: object, **words: Any) -> tuple[DocumentError, ...]:
    with pytest.raises(DocumentRefusedError) as refused:
        parse_document(raw, **words)
    assert refused.value.code == "offer.document"
    assert refused.value.params == {"count": len(refused.value.errors)}
    return refused.value.errors


def found_in(*offers: object) -> list[tuple[str, str]]:
    """Path below `offers` and short code of each error."""
    return [
        (each.path.removeprefix("offers"), each.code.removeprefix("offer.document."))
        for each in errors_of(a_document(*offers))
    ]


def test_an_offer_reads_into_its_values() -> None:
    raw = a_raw(
        name="满减",
        when=[{"type": "min_spend", "scope": {"category": ["tea"]}, "amount": "99.9", "op": "gt"}],
        reward={"type": "tiers", "by": "spend", "steps": [{"at": "200", "percent": "12.5"}]},
        coupon="DOUBLE11",
        stack={"mode": "best_of", "group": "coupon"},
        valid={"from": "2026-11-11T00:00:00+08:00", "daily": [["22:00", "02:00"]]},
    )
    (offer,) = parse_document(a_document(raw)).offers
    assert offer == Offer(
        "a",
        Level.BASKET,
        Tiers(TierBy.SPEND, (Step(20_000, bp=1250),)),
        when=(MinSpend(Selector(categories=frozenset({"tea"})), 9990, is_strict=True),),
        coupon="DOUBLE11",
        stack=Stack(StackMode.BEST_OF, "coupon"),
        valid=Validity(from_at_ms=1_794_326_400_000, daily=((79_200, 7200),)),
        names={"zh-CN": "满减", "zh-TW": "满减", "en": "满减"},
    )


def test_what_is_written_says_no_more_than_it_must() -> None:
    offer = Offer("a", Level.LINE, PercentOff(1000), Selector(skus=frozenset({"c", "a", "b"})))
    assert dump_offer(offer) == {
        "id": "a",
        "level": "line",
        "target": {"sku": ["a", "b", "c"]},
        "reward": {"type": "percent_off", "bp": 1000},
    }


def test_two_spellings_of_one_offer_are_written_alike() -> None:
    first = a_raw(
        reward={"type": "percent_off", "percent": "10.50", "cap": "5"},
        target={"sku": ["b", "a"]},
        valid={
            "to": "2026-11-12T00:00:00+08:00",
            "daily": [["12:00:00", "13:00"], ["08:00", "09:00"]],
        },
        priority=0,
    )
    second = a_raw(
        reward={"type": "percent_off", "bp": 1050, "cap": 500},
        target={"sku": ["a", "b"]},
        valid={"to": "2026-11-11T16:00:00Z", "daily": [["08:00", "09:00"], ["12:00", "13:00"]]},
    )
    read = [dump_offer(parse_offer(raw, CURRENCIES["CNY"])) for raw in (first, second)]
    assert read[0] == read[1]
    assert read[0]["valid"] == {
        "to": "2026-11-11T16:00:00Z",
        "daily": [["08:00", "09:00"], ["12:00", "13:00"]],
    }


def test_stores_belong_to_the_document_and_not_to_the_offer() -> None:
    raw = a_raw(stores=["17", "12"])
    read = parse_document(a_document(raw))
    assert read.entries == (OfferEntry(parse_offer(a_raw()), ("12", "17")),)
    assert dump_document(read.entries, read.currency)["offers"] == [a_raw(stores=["12", "17"])]
    with pytest.raises(DocumentRefusedError):
        parse_offer(raw)


def test_sets_of_slots_need_no_target() -> None:
    slots = [{"select": {"sku": ["a"]}}, {"select": {"sku": ["b"]}, "qty": 2}]
    bundle = a_raw(
        level="line", target=None, reward={"type": "bundle_price", "amount": 0, "slots": slots}
    )
    assert parse_offer(bundle).target == ALL


def test_quantities_may_have_three_decimals_in_text() -> None:
    when = [{"type": "min_qty", "scope": ALL_GOODS, "qty": "1.5", "uom": "kg"}]
    offer = parse_offer(a_raw(when=when))
    assert offer.when == (MinQty(ALL, 1500, "kg"),)
    assert dump_offer(offer)["when"] == when


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("100.00", "CNY", 10_000), ("0.5", "CNY", 50), ("7", "TWD", 7), ("7.0", "TWD", 7)],
)
def test_text_is_money_in_major_units(text: str, currency: str, minor: int) -> None:
    offer = parse_offer(a_raw(reward={"type": "amount_off", "amount": text}), CURRENCIES[currency])
    assert offer.reward == AmountOff(minor)


@pytest.mark.parametrize(
    ("amount", "what"),
    [
        ("1.005", "money_digits"),
        (12.5, "money_float"),
        (True, "money"),
        (None, "money"),
        ("¥5", "money"),
        ("-5", "money"),
        ("1e3", "money"),
        ("٣", "money"),
        (0, "range"),
        (-5, "range"),
        (10**15, "range"),
        ("0.00", "range"),
    ],
)
def test_money_that_is_not_exact_and_positive_is_refused(amount: object, what: str) -> None:
    reward = {"type": "amount_off", "amount": amount}
    assert found_in({**a_raw(), "reward": reward}) == [("[0].reward.amount", what)]


def test_money_in_text_wants_a_currency() -> None:
    raw = a_document(a_raw(reward={"type": "amount_off", "amount": "5.00"}))
    del raw["currency"]
    assert [error.code for error in errors_of(raw)] == ["offer.document.currency_missing"]
    assert parse_document(raw, CURRENCIES["CNY"]).offers[0].reward == AmountOff(500)


LINE = {"level": "line"}
SHARE = {"type": "percent_off"}
STEPS = {"type": "tiers", "by": "spend"}
WRONG: list[tuple[dict[str, object], str, str]] = [
    ({"id": ""}, ".id", "text_empty"),
    ({"id": 7}, ".id", "text"),
    ({"id": "x" * 65}, ".id", "text_long"),
    ({"coupon": "A\nB"}, ".coupon", "text_signs"),
    ({"coupon": " A"}, ".coupon", "text_signs"),
    ({"level": None}, "", "required"),
    ({"level": "basked"}, ".level", "misspelt"),
    ({"prio": 1, "zzzz": 1}, ".prio", "misspelt"),
    ({"zzzz": 1}, ".zzzz", "unknown"),
    ({"priority": 1.5}, ".priority", "whole"),
    ({"priority": "1"}, ".priority", "whole"),
    ({"version": 0}, ".version", "range"),
    ({"ignores_floor": 1}, ".ignores_floor", "flag"),
    ({"target": None}, "", "required"),
    ({"target": {}}, ".target", "ambiguous"),
    ({"target": {"undiscounted": False}}, ".target", "ambiguous"),
    ({"target": {"all": False}}, ".target.all", "only_true"),
    ({"target": {"sku": []}}, ".target.sku", "empty"),
    ({"target": {"sku": "a"}}, ".target.sku", "list"),
    ({"target": {"sku": ["a", 5]}}, ".target.sku[1]", "text"),
    ({"target": {"not": ALL_GOODS}}, ".target", "nothing"),
    ({"target": {"not": {}}}, ".target.not", "ambiguous"),
    ({"target": {"unit_price_min": 5, "unit_price_max": 4}}, ".target", "price_range"),
    ({"target": ["a"]}, ".target", "object"),
    ({"when": {"type": "member"}}, ".when", "list"),
    ({"when": [{"type": "membr"}]}, ".when[0].type", "misspelt"),
    ({"when": [{"type": "order_no", "n": 0}]}, ".when[0].n", "range"),
    ({"when": [{"type": "contains"}]}, ".when[0]", "required"),
    ({"when": [{"type": "min_qty", "scope": ALL_GOODS, "qty": 1.5}]}, ".when[0].qty", "quantity"),
    ({"reward": {"amount": 5}}, ".reward", "required"),
    ({"reward": {"type": 5}}, ".reward.type", "text"),
    ({"reward": {**SHARE, "bp": 0}}, ".reward.bp", "range"),
    ({"reward": {**SHARE, "bp": 10_001}}, ".reward.bp", "range"),
    ({"reward": {**SHARE, "percent": "12.345"}}, ".reward.percent", "percent"),
    ({"reward": {**SHARE, "percent": "100.01"}}, ".reward.percent", "percent"),
    ({"reward": {**SHARE, "percent": 12.5}}, ".reward.percent", "percent"),
    ({"reward": {**SHARE, "percent": "5", "bp": 500}}, ".reward", "both"),
    ({"reward": SHARE}, ".reward", "required"),
    ({"reward": {"type": "gift"}}, ".level", "level"),
    ({"reward": {"type": "nth_unit", "n": 1, "bp": 5000}, **LINE}, ".reward.n", "range"),
    ({"reward": {"type": "group_each", "size": 2}, **LINE}, ".reward", "one_of"),
    ({"reward": {**STEPS, "steps": []}}, ".reward.steps", "empty"),
    ({"reward": {"type": "tiers", "steps": []}}, ".reward", "required"),
    ({"reward": {**STEPS, "steps": [{"at": 1}]}}, ".reward.steps[0]", "one_of"),
    (
        {"reward": {**STEPS, "steps": [{"at": 2, "bp": 1}, {"at": 2, "bp": 2}]}},
        ".reward.steps[1].at",
        "steps_order",
    ),
    (
        {"reward": {**STEPS, "steps": [{"at": 1, "amount": 2}, {"at": 2, "amount": 2}]}},
        ".reward.steps[1].amount",
        "steps_gain",
    ),
    ({"stack": {"mode": "best_of"}}, ".stack", "required"),
    ({"stack": {"mode": "stack", "group": "x"}}, ".stack.group", "unknown"),
    ({"stack": {}}, ".stack", "required"),
    ({"limits": {"max_times": 0}}, ".limits.max_times", "range"),
    ({"valid": {"from": "2026-02-30"}}, ".valid.from", "time"),
    ({"valid": {"from": "20260201"}}, ".valid.from", "time"),
    ({"valid": {"from": 1_502_090_400_000}}, ".valid.from", "time"),
    ({"valid": {"to": "2206-02-01"}}, ".valid.to", "time_range"),
    ({"valid": {"from": "2026-02-02", "to": "2026-02-02"}}, ".valid", "time_order"),
    ({"valid": {"from": "2026-02-02", "to": "2026-03-02T00:00Z"}}, ".valid", "time_mixed"),
    ({"valid": {"dates": ["2026-13-01"]}}, ".valid.dates[0]", "date"),
    ({"valid": {"weekdays": [0]}}, ".valid.weekdays[0]", "range"),
    ({"valid": {"daily": ["08:00"]}}, ".valid.daily[0]", "window"),
    ({"valid": {"daily": [["08:00", "08:00"]]}}, ".valid.daily[0]", "window_empty"),
    ({"valid": {"daily": [["24:00", "08:00"]]}}, ".valid.daily[0][0]", "clock"),
    ({"valid": {"daily": [["8:00", "09:60"]]}}, ".valid.daily[0][0]", "clock"),
    ({"name": {}}, ".name", "name"),
    ({"name": {"fr": "Thé"}}, ".name", "unknown"),
    ({"stores": []}, ".stores", "empty"),
]


@pytest.mark.parametrize(("words", "path", "what"), WRONG)
def test_an_error_names_its_place(words: dict[str, object], path: str, what: str) -> None:
    assert found_in(a_raw(**words))[0] == (f"[0]{path}", what)


def test_a_misspelt_word_comes_with_the_one_that_was_meant() -> None:
    (error,) = errors_of(a_document(a_raw(reward={"type": "amount_of", "amount": 5})))
    assert error.params["nearest"] == "amount_off"
    assert "percent_off" in str(error.params["known"])


def test_all_errors_of_all_offers_come_at_once() -> None:
    raw = a_document(a_raw(level="x", target={}), a_raw(id="b", reward={}), a_raw(id="b"), extra=1)
    raw["format"] = "promo-cases/1"
    raw["currency"] = "XXX"
    assert [error.path for error in errors_of(raw)] == [
        *("extra", "format", "currency", "offers[0].level", "offers[0].target"),
        *("offers[1].reward", "offers[2].id"),
    ]


def test_an_id_may_stand_once() -> None:
    (error,) = errors_of(a_document(a_raw(), a_raw(id="b"), a_raw()))
    assert (error.path, error.code) == ("offers[2].id", "offer.document.id_twice")
    assert error.params["first"] == "offers[0]"


@pytest.mark.parametrize("raw", [None, [], "text", {1: 2}, {}])
def test_what_is_no_document_is_refused(raw: object) -> None:
    assert len(errors_of(raw)) >= 1


def test_selections_nest_only_so_deep() -> None:
    selector: dict[str, object] = {"sku": ["a"]}
    for _ in range(500):
        selector = {"sku": ["a"], "not": selector}
    path, what = found_in(a_raw(target=selector))[0]
    assert (path, what) == ("[0].target" + ".not" * 5, "deep")


def test_an_empty_list_of_conditions_is_no_condition() -> None:
    assert parse_offer(a_raw(when=[])).when == ()


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_every_error_has_a_text_that_its_parameters_fill(language: str) -> None:
    texts = json.loads((I18N / f"{language}.json").read_text(encoding="utf-8"))
    calls = [
        node
        for path in PRICE_ROOM.glob("document*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "wrong"
    ]
    assert len(calls) > 30
    for call in calls:
        (what,) = (each.value for each in call.args if isinstance(each, ast.Constant))
        text = texts[f"error.offer.document.{what}"]
        given = {keyword.arg for keyword in call.keywords}
        assert set(re.findall(r"\{(\w+)\}", text)) <= given, what


def test_a_refused_document_is_a_refusal() -> None:
    with pytest.raises(RefusedError):
        parse_offer({})
