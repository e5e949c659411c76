"""Every mistake that lint knows, one by one, and that good offers pass without a word."""

from __future__ import annotations

import ast
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from shared.kernel.money import CURRENCIES
from shared.price import lint as lint_module
from shared.price.context import PricingInstant
from shared.price.document import parse_offer
from shared.price.lint import Finding, LintItem, Severity, has_errors, lint
from shared.price.lint_finding import finding_text
from shared.price.offer import Level, Offer
from shared.price.reward import AmountOff

NOW = PricingInstant(1_794_326_400_000, date(2026, 11, 11), 0)
PRICE_ROOM = Path(lint_module.__file__).parent
I18N = PRICE_ROOM.parent / "i18n"
HOT = frozenset({"hot"})
ITEMS = (
    LintItem("tea", 1000, 600, "drink", HOT),
    LintItem("cola", 300, 200, "drink"),
    LintItem("bread", 500, 200, "food"),
    LintItem("ham", 12_990, 6000, "food", is_weighed=True, uom="kg"),
    LintItem("milk", 1200, None, "dairy", floor_unit_minor=1200),
    LintItem("bag", 20, 5, is_promotable=False),
)
ALL_GOODS = {"all": True}
FEW_PERCENT = {"type": "percent_off", "bp": 500}
GROUP = {"mode": "best_of", "group": "g"}


def an_offer(name: str = "a", **words: Any) -> Offer:
    plain = {"id": name, "level": "line", "target": ALL_GOODS, "reward": FEW_PERCENT}
    return parse_offer({**plain, **words})


def on(sku: str) -> dict[str, object]:
    return {"sku": [sku]}


def spend(amount: int, **scope: object) -> list[dict[str, object]]:
    return [{"type": "min_spend", "scope": scope or ALL_GOODS, "amount": amount}]


def told_of(*offers: Offer, items: tuple[LintItem, ...] = ITEMS) -> dict[str, Finding]:
    """Findings by code; of several with one code the first."""
    found: dict[str, Finding] = {}
    for each in lint(offers, items, NOW):
        found.setdefault(each.code.removeprefix("lint."), each)
    return found


def test_good_offers_pass_without_a_word() -> None:
    offers = [
        an_offer("member", when=[{"type": "member"}], target={"category": ["drink"]}),
        an_offer(
            "tiers",
            level="basket",
            reward={
                "type": "tiers",
                "by": "spend",
                "steps": [{"at": 10_000, "amount": 500}, {"at": 20_000, "amount": 1500}],
            },
            stack=GROUP,
        ),
        an_offer(
            "coupon",
            level="basket",
            reward={"type": "amount_off", "amount": 800},
            when=spend(15_000),
            coupon="TEN",
            stack=GROUP,
        ),
        an_offer(
            "second",
            target=on("bread"),
            reward={"type": "nth_unit", "n": 2, "bp": 5000},
            valid={"from": "2026-11-01", "weekdays": [6, 7], "daily": [["22:00", "02:00"]]},
        ),
    ]
    found = lint(offers, ITEMS, NOW)
    assert [each for each in found if each.severity is not Severity.INFO] == []


TIERS = {"type": "tiers", "by": "spend"}
ONE_BY_ONE: list[tuple[str, Severity, dict[str, Any]]] = [
    ("no_goods", Severity.ERROR, {"target": on("te")}),
    ("no_goods", Severity.ERROR, {"target": on("bag")}),
    ("no_goods", Severity.ERROR, {"target": {"category": ["drink"], "unit_price_min": 1001}}),
    ("sku_unknown", Severity.WARNING, {"target": {"sku": ["tea", "te"]}}),
    ("sku_fixed", Severity.WARNING, {"target": {"sku": ["tea", "bag"]}}),
    (
        "sku_unknown",
        Severity.WARNING,
        {"target": {"category": ["food"], "not": {"sku": ["bred"]}}},
    ),
    (
        "slot_no_goods",
        Severity.ERROR,
        {
            "reward": {
                "type": "bundle_price",
                "amount": 900,
                "slots": [{"select": on("tea")}, {"select": on("x")}],
            }
        },
    ),
    (
        "slot_no_goods",
        Severity.ERROR,
        {
            "reward": {
                "type": "buy_get",
                "buy": {"select": on("x")},
                "get": {"select": on("tea")},
                "bp": 5000,
            }
        },
    ),
    ("scope_no_goods", Severity.ERROR, {"when": [{"type": "contains", "scope": on("x")}]}),
    (
        "distinct_too_many",
        Severity.ERROR,
        {"when": [{"type": "distinct", "scope": {"category": ["food"]}, "count": 3}]},
    ),
    (
        "uom_no_goods",
        Severity.ERROR,
        {"when": [{"type": "min_qty", "scope": on("tea"), "qty": 1, "uom": "kg"}]},
    ),
    (
        "gift_for_itself",
        Severity.ERROR,
        {"target": on("tea"), "reward": {"type": "gift"}, "when": spend(500, sku=["tea"])},
    ),
    (
        "step_never",
        Severity.WARNING,
        {
            "level": "basket",
            "reward": {**TIERS, "steps": [{"at": 900, "bp": 100}, {"at": 5000, "bp": 200}]},
            "when": spend(5000),
        },
    ),
    ("never_open_days", Severity.ERROR, {"valid": {"dates": ["2026-11-11"], "weekdays": [1]}}),
    (
        "never_open_days",
        Severity.ERROR,
        {
            "valid": {
                "from": "2026-11-11T12:00",
                "to": "2026-11-11T20:00",
                "daily": [["09:00", "11:00"]],
            }
        },
    ),
    ("over", Severity.WARNING, {"valid": {"to": "2026-11-11"}}),
    ("over", Severity.WARNING, {"valid": {"to": "2026-11-10T16:00:00Z"}}),
    ("over", Severity.WARNING, {"valid": {"dates": ["2026-11-10"]}}),
    ("budget_empty", Severity.WARNING, {"limits": {"budget_left": 0}}),
    ("member_limit_open", Severity.INFO, {"limits": {"per_member": 1}}),
    (
        "limit_below_set",
        Severity.ERROR,
        {
            "reward": {"type": "set_price", "size": 3, "amount": 900},
            "limits": {"per_member_units": 2},
        },
    ),
    (
        "set_in_line_group",
        Severity.ERROR,
        {"reward": {"type": "nth_unit", "n": 2, "bp": 1}, "stack": {**GROUP, "scope": "line"}},
    ),
    ("group_of_one", Severity.INFO, {"stack": GROUP}),
    ("no_room", Severity.ERROR, {"target": on("milk")}),
    (
        "no_discount",
        Severity.ERROR,
        {"target": on("tea"), "reward": {"type": "price_each", "amount": 1000}},
    ),
    (
        "no_discount",
        Severity.ERROR,
        {"target": on("tea"), "reward": {"type": "add_on", "amount": 1100}},
    ),
    (
        "no_discount",
        Severity.ERROR,
        {"target": on("tea"), "reward": {"type": "set_price", "size": 2, "amount": 2000}},
    ),
    (
        "no_discount",
        Severity.ERROR,
        {
            "reward": {
                "type": "bundle_price",
                "amount": 1600,
                "slots": [{"select": on("tea")}, {"select": on("cola"), "qty": 2}],
            }
        },
    ),
    ("price_not_lower", Severity.WARNING, {"reward": {"type": "price_each", "amount": 400}}),
    ("gift_free", Severity.WARNING, {"target": on("tea"), "reward": {"type": "gift"}}),
    (
        "gives_all",
        Severity.WARNING,
        {"level": "basket", "reward": {"type": "every", "spend": 100, "amount": 100}},
    ),
    (
        "gives_all",
        Severity.WARNING,
        {"level": "basket", "reward": {"type": "amount_off", "amount": 500}, "when": spend(500)},
    ),
    ("goods_free", Severity.WARNING, {"reward": {"type": "amount_off_each", "amount": 300}}),
]


@pytest.mark.parametrize(("code", "severity", "words"), ONE_BY_ONE)
def test_one_offer_is_blamed(code: str, severity: Severity, words: dict[str, Any]) -> None:
    found = told_of(an_offer(**words))
    assert found[code].severity is severity
    assert found[code].offers == ("a",)


def test_what_no_document_can_say_is_found_too() -> None:
    empty = Offer("a", Level.BASKET, AmountOff(100), coupon=" ")
    assert told_of(empty)["coupon_empty"].severity is Severity.ERROR


def test_a_dead_offer_is_blamed_for_nothing_else() -> None:
    over = an_offer(reward={"type": "percent_off", "bp": 9000}, valid={"to": "2026-11-01"})
    assert set(told_of(over)) == {"over"}


COSTLY: list[tuple[dict[str, Any], dict[str, object]]] = [
    (
        {"reward": {"type": "percent_off", "bp": 4500}},
        {"item": "cola", "qty": 1, "price_minor": 165, "cost_minor": 200},
    ),
    (
        {"reward": {"type": "amount_off_each", "amount": 101}},
        {"item": "cola", "qty": 1, "price_minor": 199, "cost_minor": 200},
    ),
    (
        {"reward": {"type": "price_each", "amount": 5999}},
        {"item": "ham", "qty": 1, "price_minor": 5999, "cost_minor": 6000},
    ),
    (
        {"reward": {"type": "nth_unit", "n": 2, "bp": 10_000}, "target": on("tea")},
        {"item": "tea", "qty": 2, "price_minor": 500, "cost_minor": 600},
    ),
    (
        {"reward": {"type": "set_price", "size": 3, "amount": 599}, "target": on("cola")},
        {"item": "cola", "qty": 3, "price_minor": 199, "cost_minor": 200},
    ),
    (
        {
            "level": "basket",
            "target": on("tea"),
            "reward": {
                **TIERS,
                "steps": [{"at": 1000, "amount": 300}, {"at": 3000, "amount": 1250}],
            },
        },
        {"item": "tea", "qty": 3, "price_minor": 583, "cost_minor": 600},
    ),
    (
        {
            "reward": {
                "type": "buy_get",
                "buy": {"select": on("cola"), "qty": 1},
                "get": {"select": on("tea")},
                "bp": 10_000,
            }
        },
        {"item": "tea", "qty": 2, "price_minor": 150, "cost_minor": 400},
    ),
]


@pytest.mark.parametrize(("words", "params"), COSTLY)
def test_the_worst_item_below_cost_is_named(
    words: dict[str, Any], params: dict[str, object]
) -> None:
    found = told_of(an_offer(**words))["below_cost"]
    assert found.offers == ("a",)
    assert found.params == params


@pytest.mark.parametrize(
    "words",
    [
        {"reward": {"type": "percent_off", "bp": 3333}, "target": on("cola")},
        {"reward": {"type": "amount_off_each", "amount": 100}},
        {"reward": {"type": "percent_off", "bp": 9000}, "target": on("milk")},
        {"reward": {"type": "nth_unit", "n": 2, "bp": 5000}},
    ],
)
def test_what_covers_its_cost_is_not_told(words: dict[str, Any]) -> None:
    assert "below_cost" not in told_of(an_offer(**words))


def test_cost_is_compared_with_the_price_without_tax() -> None:
    taxed = LintItem("wine", 1130, 950, tax_bp=1300)
    four = an_offer(reward={"type": "percent_off", "bp": 400})
    assert "below_cost" not in told_of(four, items=(taxed,))
    six = an_offer(reward={"type": "percent_off", "bp": 600})
    assert told_of(six, items=(taxed,))["below_cost"].params["cost_minor"] == 1074


def test_a_floor_that_keeps_the_cost_is_no_loss_unless_it_is_ignored() -> None:
    floored = LintItem("wine", 1000, 900, floor_unit_minor=900)
    half = {"type": "percent_off", "bp": 5000}
    assert "below_cost" not in told_of(an_offer(reward=half), items=(floored,))
    ignoring = an_offer(reward=half, ignores_floor=True)
    assert told_of(ignoring, items=(floored,))["below_cost"].params["price_minor"] == 500


def test_goods_that_lose_money_anyway_are_told_once_for_all_offers() -> None:
    bad = LintItem("wine", 900, 1000)
    found = told_of(an_offer(), items=(bad, *ITEMS))
    assert found["cost_above_price"].params == {"item": "wine", "count": 1}
    assert "below_cost" not in found


def test_offers_that_only_together_sell_below_cost_are_all_named() -> None:
    twenty = {"type": "percent_off", "bp": 2000}
    offers = [
        an_offer("one", reward=twenty, target=on("cola")),
        an_offer("two", reward=twenty, target={"category": ["drink"]}, coupon="C"),
        an_offer("late", reward=twenty, valid={"from": "2027-01-01"}, target=on("bread")),
    ]
    found = told_of(*offers)["below_cost_together"]
    assert found.offers == ("one", "two")
    assert found.params["item"] == "cola"
    assert found.params["price_minor"] == 192


def test_offers_of_different_times_or_members_do_not_add_up() -> None:
    twenty = {"type": "percent_off", "bp": 2000}
    weeks = [
        an_offer("one", reward=twenty, valid={"to": "2026-12-01"}),
        an_offer("two", reward=twenty, valid={"from": "2026-12-01"}),
    ]
    gold, silver = (
        an_offer(tier, reward=twenty, when=[{"type": "member", "tiers": [tier]}])
        for tier in ("gold", "silver")
    )
    assert "below_cost_together" not in told_of(*weeks)
    assert "below_cost_together" not in told_of(gold, silver)


def grouped(name: str, **words: Any) -> Offer:
    return an_offer(name, **{"stack": GROUP, **words})


def test_the_smaller_offer_of_a_group_is_beaten() -> None:
    ten = {"type": "amount_off", "amount": 1000}
    weak = grouped("weak", level="basket", reward=ten, when=spend(20_000))
    strong = grouped("strong", level="basket", reward=ten, when=spend(10_000))
    found = told_of(weak, strong)
    assert found["beaten"].offers == ("weak", "strong")


@pytest.mark.parametrize(
    "words",
    [
        {"when": [{"type": "member"}]},
        {"target": on("tea")},
        {"valid": {"weekdays": [1]}},
        {"coupon": "C"},
        {"limits": {"max_times": 1}},
        {"reward": {"type": "percent_off", "bp": 1000, "cap": 100}},
        {"level": "price"},
    ],
)
def test_an_offer_that_asks_for_more_beats_nobody(words: dict[str, Any]) -> None:
    ten = {"type": "percent_off", "bp": 1000}
    narrow = grouped("narrow", **{"reward": ten, **words})
    found = told_of(grouped("wide"), narrow)
    assert "wide" not in {name for each in beaten_of(found) for name in each.offers[:1]}


def beaten_of(found: dict[str, Finding]) -> list[Finding]:
    return [each for code, each in found.items() if code in {"beaten", "twin"}]


def test_an_offer_that_asks_for_less_and_gives_more_beats_another_kind() -> None:
    third = grouped("third", reward={"type": "percent_off", "bp": 3000}, target=on("tea"))
    special = grouped("special", reward={"type": "price_each", "amount": 800}, target=on("tea"))
    assert told_of(third, special)["beaten"].offers == ("special", "third")


def test_two_alike_are_told_once() -> None:
    found = lint([grouped("one"), grouped("two")], ITEMS, NOW)
    assert [each.offers for each in found if each.code == "lint.twin"] == [("two", "one")]


def test_rewards_that_nobody_can_compare_are_tried_on_baskets() -> None:
    second = {"type": "nth_unit", "n": 2, "bp": 1000}
    found = told_of(
        grouped("a", reward=second), grouped("b", reward={"type": "percent_off", "bp": 2000})
    )
    assert found["beaten_in_samples"].offers == ("a", "b")


def test_an_exclusive_offer_that_always_wins_shuts_others_out() -> None:
    always = an_offer("always", stack={"mode": "exclusive", "choose": "always"}, target=on("tea"))
    found = told_of(always, an_offer("shut", target=on("tea")), an_offer("free", target=on("cola")))
    assert found["shut_out"].offers == ("shut", "always")


def test_the_better_of_two_exclusive_offers_beats_the_other() -> None:
    alone = {"mode": "exclusive", "choose": "best"}
    more = {"type": "percent_off", "bp": 600}
    found = told_of(an_offer("less", stack=alone), an_offer("more", stack=alone, reward=more))
    assert found["beaten"].offers == ("less", "more")


def test_stacking_offers_of_one_level_on_the_same_goods_are_told() -> None:
    drinks = an_offer("drinks", target={"category": ["drink"]})
    hot = an_offer("hot", target={"tag": ["hot"]})
    found = told_of(drinks, hot)["overlap"]
    assert (found.severity, found.offers) == (Severity.WARNING, ("drinks", "hot"))
    assert found.params == {"offers": 2, "item": "tea", "count": 1}


def test_offers_on_top_of_earlier_levels_are_told_once_each() -> None:
    special = {"type": "price_each", "amount": 250}
    found = told_of(
        an_offer("one", level="price", target=on("cola"), reward=special),
        an_offer("two", level="price", target=on("bread"), reward=special),
        an_offer("late", level="basket", reward=FEW_PERCENT),
    )["overlap_levels"]
    assert found.severity is Severity.INFO
    assert found.offers[0] == "late"
    assert found.params["count"] == 2


@pytest.mark.parametrize(
    "words",
    [
        {"valid": {"from": "2026-12-01"}},
        {"valid": {"from": "2026-11-20", "to": "2026-11-25", "daily": [["08:00", "09:00"]]}},
        {"target": {"category": ["food"]}},
        {"stack": GROUP},
    ],
)
def test_offers_that_never_meet_do_not_overlap(words: dict[str, Any]) -> None:
    first = an_offer(
        "first",
        target={"category": ["drink"]},
        valid={"to": "2026-12-01", "daily": [["10:00", "11:00"]]},
    )
    found = told_of(first, an_offer("second", **{"target": {"category": ["drink"]}, **words}))
    assert "overlap" not in found


def test_members_of_one_group_should_choose_in_one_way() -> None:
    by_line = grouped("line", stack={**GROUP, "scope": "line"})
    assert told_of(grouped("basket"), by_line)["group_scopes"].offers == ("basket", "line")


def test_without_a_catalogue_only_words_are_judged_and_that_is_said() -> None:
    found = told_of(an_offer(target=on("te"), valid={"to": "2026-11-01"}), items=())
    assert set(found) == {"no_catalogue", "over"}


def test_errors_come_first_and_decide() -> None:
    good, lost = an_offer("a", valid={"to": "2026-11-01"}), an_offer("b", target=on("te"))
    found = lint([good, lost], ITEMS, NOW)
    ranks = [list(Severity).index(each.severity) for each in found]
    assert ranks == sorted(ranks)
    assert has_errors(found)
    assert not has_errors(lint([good], ITEMS, NOW))


def test_an_amount_in_a_text_has_its_currency() -> None:
    found = told_of(an_offer(reward={"type": "percent_off", "bp": 4500}))["below_cost"]
    texts = json.loads((I18N / "en.json").read_text(encoding="utf-8"))
    assert "¥1.65" in finding_text(found, texts, CURRENCIES["CNY"])
    assert " 165," in finding_text(found, texts, None)


@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
def test_every_finding_has_a_text_that_its_parameters_fill(language: str) -> None:
    texts = json.loads((I18N / f"{language}.json").read_text(encoding="utf-8"))
    codes = set()
    for path in PRICE_ROOM.glob("lint*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            codes |= codes_in(node)
    assert len(codes) > 25
    assert {f"offer.lint.{code}" for code in codes} <= set(texts)
    for code, words in [(code, words) for code, _, words in ONE_BY_ONE]:
        text = finding_text(told_of(an_offer(**words))[code], texts, None)
        assert re.findall(r"\{\w+\}", text) == []


def codes_in(node: ast.AST) -> set[str]:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return set()
    if node.func.id not in {"_error", "_warning", "_info", "tell"}:
        return set()
    return {
        each.value
        for each in node.args[1:2]
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
