"""The checker of worked baskets fails when it should, and says why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cloud.__main__ import main
from cloud.price.case_check import check_case
from cloud.price.case_run import faults_of, outcome_of
from cloud.price.cases import case_of
from shared.price.context import CouponState
from shared.price.derivation import AppliedOffer, Derivation, OfferShare

TEN_PERCENT = {"type": "percent_off", "bp": 1000}


def a_case(**words: Any) -> dict[str, Any]:
    """Two lines of 10.00 and 5.00 with 10 % off: right as it stands."""
    return {
        "id": "one",
        "conformance": "must",
        "basket": [
            {"line": "A", "sku": "A", "qty": 1, "unit_price": 1000, "tax_bp": 1300},
            {"line": "B", "sku": "B", "qty": 1, "unit_price": 500},
        ],
        "promotions": [
            {"id": "p", "level": "line", "target": {"all": True}, "reward": TEN_PERCENT}
        ],
        "expected": {"discount": 150, "total": 1350},
        **words,
    }


def expecting(**words: Any) -> dict[str, Any]:
    return a_case(expected={"discount": 150, "total": 1350, **words})


def differences(raw: dict[str, Any]) -> list[str]:
    return list(check_case(raw).differences)


def a_file(folder: Path, *cases: object, name: str = "cases.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"format": "promo-cases/1", "cases": cases}), encoding="utf-8")
    return path


def test_a_right_case_passes() -> None:
    everything = expecting(
        subtotal=1500,
        line_discounts={"A": 100, "B": 50},
        by_promotion={"p": 150},
        applied=["p"],
        not_applied=["q"],
        tax={"A": 104, "B": 0},
        tax_total=104,
    )
    assert differences(everything) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"total": 1349}, "total is 1350, expected 1349"),
        ({"discount": 149}, "discount is 150, expected 149"),
        ({"subtotal": 1499}, "subtotal is 1500, expected 1499"),
        ({"tax_total": 1}, "tax_total is 104, expected 1"),
        ({"tax": {"A": 103}}, "tax of A is 104, expected 103"),
        ({"by_promotion": {"p": 100}}, "by_promotion of p is 150, expected 100"),
        ({"by_promotion": {"q": 50}}, "by_promotion of q is 0, expected 50"),
        ({"applied": ["p", "q"]}, "q did not act"),
        ({"not_applied": ["p"]}, "p acted, it must not (150 off)"),
        ({"refunds": [10]}, "refunds are [], expected [10]"),
    ],
)
def test_what_differs_is_said(words: dict[str, Any], said: str) -> None:
    assert differences(expecting(**words)) == [said]


def test_all_differences_are_said_at_once() -> None:
    assert len(differences(expecting(total=1, discount=1, subtotal=1, applied=["q"]))) == 4


@pytest.mark.parametrize(
    ("check", "lines", "is_right"),
    [
        ("exact", {"A": 100, "B": 50}, True),
        ("exact", {"A": 101, "B": 49}, False),
        ("exact", {"A": 100}, False),
        ("within_1", {"A": 101, "B": 49}, True),
        ("within_1", {"A": 102, "B": 48}, False),
        ("listed_only", {"A": 100}, True),
        ("listed_only", {"A": 99}, False),
        ("exact", {"A": 100, "B": 50, "C": 1}, False),
    ],
)
def test_lines_are_compared_as_the_case_says(
    check: str, lines: dict[str, int], is_right: bool
) -> None:
    assert (differences(expecting(line_discounts=lines, line_check=check)) == []) is is_right


def test_a_case_without_its_total_fails() -> None:
    assert differences(a_case(expected={"discount": 150})) == ["expected.total is missing"]


def test_the_recommendation_is_checked_by_the_default_rules() -> None:
    odd = {
        "basket": [{"line": "A", "sku": "A", "qty": 1, "unit_price": 999}],
        "options": {"rounding": "floor"},
        "expected": {"discount": 99, "total": 900},
    }
    assert differences(a_case(**odd, recommended={"discount": 100, "why": "half-up"})) == []
    assert differences(a_case(**odd, recommended={"total": 900})) == [
        "by the default rules: total is 899, expected 900"
    ]


def test_a_recommendation_may_leave_the_modes_of_promotions_aside() -> None:
    half = {"type": "nth_unit", "n": 2, "bp": 5000, "pairing": "desc_groups"}
    prices = {"A": 1000, "B": 800, "C": 600, "D": 400}
    case = a_case(
        basket=[{"line": n, "sku": n, "qty": 1, "unit_price": p} for n, p in prices.items()],
        promotions=[{"id": "p", "level": "line", "target": {"all": True}, "reward": half}],
        expected={"discount": 600, "total": 2200},
    )
    assert differences({**case, "recommended": {"discount": 500}}) == []
    assert differences({**case, "recommended": {"discount": 550}}) != []


def with_promotion(**words: Any) -> dict[str, Any]:
    return a_case(promotions=[{"id": "p", "level": "line", "reward": TEN_PERCENT, **words}])


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (with_promotion(reward={"type": "lottery"}), "unknown reward 'lottery'"),
        (with_promotion(when=[{"type": "moon"}]), "unknown condition 'moon'"),
        (with_promotion(level="galaxy"), "promotions[0].level is 'galaxy'"),
        (with_promotion(reward={"type": "percent_off"}), "promotions[0].reward.bp is missing"),
        (with_promotion(reward=TEN_PERCENT | {"bp": "ten"}), "promotions[0].reward.bp must be"),
        (with_promotion(reward=TEN_PERCENT | {"bp": 12.5}), "must be a whole number"),
        (with_promotion(reward={"type": "tiers", "steps": []}), "reward.steps is missing"),
        (with_promotion(reward={"type": "bundle_price", "amount": 1}), "reward.slots is missing"),
        (with_promotion(reward={"type": "group_each", "size": 2}), "exactly one of bp and amount"),
        (with_promotion(target="everything"), "promotions[0].target must be an object"),
        (with_promotion(stack={"mode": "sometimes"}), "promotions[0].stack.mode is 'sometimes'"),
        (with_promotion(valid={"daily": [["25:00", "26:00"]]}), "'25:00' is no local time"),
        (with_promotion(valid={"daily": ["10:00"]}), "is no pair of local times"),
        (with_promotion(valid={"dates": ["2026-02-30"]}), "'2026-02-30' is no date"),
        (with_promotion(valid={"weekdays": [0]}), "from 1 (Monday) to 7"),
        (with_promotion(valid={"from": "soon"}), "promotions[0].valid.from is no ISO 8601 time"),
        (a_case(basket=[{"line": "A", "sku": "A", "qty": 1}]), "basket[0].unit_price is missing"),
        (a_case(basket="A"), "basket[0] must be an object"),
        (a_case(expected=None), "expected must be an object"),
        (a_case(expected={"discount": 150, "total": "much"}), "expected.total must be a number"),
        (a_case(at="2026-03-02T08:00:00", tz="Mars/Olympus"), "unknown time zone 'Mars/Olympus'"),
        (a_case(returns=[{"line": "Z", "qty": 1}]), "no line 'Z' in the basket"),
        (a_case(returns=[{"line": "A", "qty": 2}]), "2 of line 1 come back, 1 are there"),
        (a_case(options={"rounding": "up"}), "options.rounding is 'up', known are"),
        (a_case(options={"return_policy": "none"}), "options.return_policy is 'none'"),
        (expecting(line_check="roughly"), "expected.line_check is 'roughly'"),
        (a_case(promotions=[{"id": "p", "level": "line", "reward": TEN_PERCENT}] * 2), "one id"),
        ({"id": "empty"}, "expected must be an object"),
    ],
)
def test_a_case_that_cannot_be_understood_fails_with_the_place(
    raw: dict[str, Any], said: str
) -> None:
    (difference,) = check_case(raw).differences
    assert said in difference


def test_a_broken_case_does_not_stop_the_others(tmp_path: Path, capsys) -> None:
    path = a_file(tmp_path, a_case(id="x", expected=7), "no object", a_case())
    assert main(["price", "check", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:2]] == ["FAIL x", "FAIL case-2"]
    assert lines[-1] == "1 passed, 2 failed"


def test_missing_words_have_their_defaults_and_unknown_words_are_left_alone() -> None:
    bare = {
        "mood": "sunny",
        "basket": [{"sku": "A", "unit_price": 1000, "colour": "red"}],
        "promotions": [{"id": "p", "level": "line", "target": {}, "reward": TEN_PERCENT}],
        "expected": {"discount": 100, "total": 900, "line_discounts": {"A": 100}},
    }
    assert differences(bare) == []


def test_numbers_and_single_words_are_read_however_they_are_spelt() -> None:
    target = {"sku": "A", "not": {"tag": "old"}}
    case = with_promotion(target=target, reward={"type": "percent_off", "bp": "1000"})
    case["basket"][0]["unit_price"] = "1000"
    case["expected"] = {"discount": 100.0, "total": 1400}
    assert differences(case) == []


def test_an_empty_list_of_goods_selects_none() -> None:
    case = with_promotion(target={"sku": []})
    assert differences({**case, "expected": {"discount": 0, "total": 1500}}) == []


@pytest.mark.parametrize(
    ("qty", "is_weighed", "qty_milli"),
    [(2, False, 2000), ("0.355", True, 355), (1.5, True, 1500), ("3", True, 3000)],
)
def test_a_quantity_in_text_or_with_decimals_is_a_weight(
    qty: object, is_weighed: bool, qty_milli: int
) -> None:
    (line,) = case_of({"basket": [{"sku": "A", "qty": qty, "unit_price": 100}]}).lines
    assert (line.is_weighed, line.qty_milli) == (is_weighed, qty_milli)
    assert line.uom == ("kg" if is_weighed else "")


def test_a_weight_finer_than_a_gram_still_gives_its_exact_amount() -> None:
    basket = [{"sku": "A", "qty": "0.12345", "unit_price": 100_000, "weighed": True}]
    (line,) = case_of({"basket": basket}).lines
    assert (line.qty_milli, line.gross_minor) == (123, 12345)


@pytest.mark.parametrize(
    ("states", "state"),
    [
        (["redeemed", "valid"], CouponState.VALID),
        (["valid", "expired"], CouponState.VALID),
        (["redeemed"], CouponState.REDEEMED),
        (["burnt"], CouponState.EXPIRED),
    ],
)
def test_a_coupon_shown_twice_is_one_and_valid_when_either_is(
    states: list[str], state: CouponState
) -> None:
    raw = {"coupons": [{"code": "X", "state": each} for each in states]}
    assert case_of(raw).context.coupons == {"X": state}


def test_the_instant_is_read_on_the_clock_of_the_zone() -> None:
    at = case_of({"at": "2026-03-02T16:30:05Z", "tz": "Asia/Shanghai"}).at
    assert (at.at_ms, at.day.isoformat(), at.second) == (1_772_469_005_000, "2026-03-03", 1805)
    local = case_of({"at": "2026-03-03T00:30:05", "tz": "Asia/Shanghai"}).at
    assert local == at
    assert case_of({"at": "2026-03-03T00:30:05+08:00"}).at == at


def spoilt(**words: Any) -> list[str]:
    """The faults of the right case's outcome with something else in its derivation."""
    case = case_of(a_case())
    outcome = outcome_of(case)
    return list(faults_of(case, replace(outcome, **words)))


def test_a_sound_outcome_has_no_fault() -> None:
    assert spoilt() == []


def test_an_outcome_whose_sums_do_not_agree_is_a_fault() -> None:
    assert "lines are 149 off, offers give 150" in spoilt(discounts=(100, 49))
    assert "1501 - 150 is not 1350" in spoilt(subtotal=1501)


def test_shares_that_do_not_make_up_the_offer_or_the_line_are_faults() -> None:
    (applied,) = outcome_of(case_of(a_case())).derivation.applied
    shares = (OfferShare(0, 100, 1000, 1), OfferShare(1, 49, 500, 1))
    found = spoilt(derivation=Derivation((900, 450), (replace(applied, shares=shares),)))
    assert "p gives 150, its shares are 149" in found
    assert "the shares of the offers are not what comes off the lines" in found


def test_a_line_below_nought_or_above_its_price_is_a_fault() -> None:
    assert "line A costs -1, its goods 1000" in spoilt(nets=(-1, 1351))
    assert "line B costs 501, its goods 500" in spoilt(nets=(849, 501))


def test_another_result_when_priced_again_is_a_fault() -> None:
    (applied,) = outcome_of(case_of(a_case())).derivation.applied
    other: AppliedOffer = replace(applied, times=2)
    assert spoilt(derivation=Derivation((900, 450), (other,))) == [
        "priced again, the result is another"
    ]


def test_the_order_of_the_lines_may_decide_a_tie_and_nothing_else() -> None:
    one_free = {"type": "percent_off", "bp": 10000, "max_units": 1}
    tie = a_case(
        basket=[
            {"line": "A", "sku": "A", "qty": 1, "unit_price": 1000},
            {"line": "B", "sku": "B", "qty": 1, "unit_price": 1000},
        ],
        promotions=[
            {"id": "free", "level": "line", "target": {"all": True}, "reward": one_free},
            {"id": "p", "level": "basket", "target": {"sku": ["A"]}, "reward": TEN_PERCENT},
        ],
        expected={"discount": 1000, "total": 1000},
    )
    assert differences(tie) == []  # B first: B is free, and A gets its 10 % as well
    case = case_of(tie)
    totals = [
        outcome_of(replace(case, lines=lines)).total for lines in (case.lines, case.lines[::-1])
    ]
    assert totals == [1000, 900]


def test_two_lines_of_one_size_are_a_tie_where_the_largest_comes_first() -> None:
    groups = {"type": "group_each", "size": 3, "bp": 1000, "order": "largest_line_first"}
    case = a_case(
        basket=[
            {"line": "A", "sku": "A", "qty": 2, "unit_price": 1000},
            {"line": "B", "sku": "B", "qty": 2, "unit_price": 2000},
        ],
        promotions=[{"id": "p", "level": "line", "target": {"all": True}, "reward": groups}],
        expected={"discount": 400, "total": 5600},
    )
    assert differences(case) == []  # B first: 200 + 200 + 100


def test_of_two_units_of_one_price_the_floor_may_bind_either() -> None:
    half = {"type": "percent_off", "bp": 5000, "max_units": 1}
    case = a_case(
        basket=[
            {"line": "A", "sku": "A", "qty": 1, "unit_price": 1000, "min_unit_price": 900},
            {"line": "B", "sku": "B", "qty": 1, "unit_price": 1000},
        ],
        promotions=[{"id": "p", "level": "line", "target": {"all": True}, "reward": half}],
        expected={"discount": 100, "total": 1900},
    )
    assert differences(case) == []  # B first: 500 off


def test_a_total_that_depends_on_the_order_without_a_tie_is_a_fault() -> None:
    found = outcome_of(case_of(a_case())).derivation
    assert "scanned as B, A the total is 1350, not 1351" in spoilt(
        derivation=replace(found, nets=(901, 450))
    )


def test_the_file_passes_and_the_last_line_counts(tmp_path: Path, capsys) -> None:
    path = a_file(tmp_path, a_case(), a_case(id="two", conformance="policy"))
    assert main(["price", "check", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "must: 1 passed, 0 failed",
        "policy: 1 passed, 0 failed",
        "2 passed, 0 failed",
    ]


def test_a_failure_is_one_line_and_the_status_is_1(tmp_path: Path, capsys) -> None:
    path = a_file(tmp_path, a_case(), a_case(id="two", expected={"discount": 0, "total": 1}))
    assert main(["price", "check", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FAIL two: total is 1350, expected 1; discount is 150, expected 0"
    assert lines[1:] == ["must: 1 passed, 1 failed", "policy: 0 passed, 0 failed", lines[-1]]
    assert lines[-1] == "1 passed, 1 failed"


def test_one_case_is_shown_with_its_basket_and_offers(tmp_path: Path, capsys) -> None:
    late = {"id": "late", "level": "basket", "reward": TEN_PERCENT, "coupon": "X"}
    case = a_case(returns=[{"line": "A", "qty": 1}])
    case["promotions"].append(late)
    path = a_file(tmp_path, case, a_case(id="two"))
    assert main(["price", "check", str(path), "--case", "one"]) == 0
    shown = capsys.readouterr().out
    assert "p: 150 off 1500: 100 of A (1 unit), 50 of B (1 unit)" in shown
    assert "late did not act: coupon_missing (coupon X)" in shown
    assert "1 of A back: 900" in shown
    assert "two" not in shown
    assert shown.splitlines()[-1] == "1 passed, 0 failed"


def test_all_results_are_written_as_json(tmp_path: Path, capsys) -> None:
    path = a_file(tmp_path, a_case(), a_case(id="two", expected=None))
    written = tmp_path / "results.json"
    assert main(["price", "check", str(path), "--json", str(written)]) == 1
    found = json.loads(written.read_text(encoding="utf-8"))
    assert (found["passed"], found["failed"]) == (1, 1)
    assert found["cases"][0]["line_discounts"] == {"A": 100, "B": 50}
    assert found["cases"][0]["by_promotion"] == {"p": 150}
    assert found["cases"][1]["differences"] == ["expected must be an object"]
    assert capsys.readouterr().out.splitlines()[-1] == "1 passed, 1 failed"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "No such file"),
        ("no json", "cannot be read as JSON"),
        ("[]", "no file of worked baskets"),
        ('{"format": "promo-cases/2", "cases": []}', "no file of worked baskets"),
        ('{"format": "promo-cases/1"}', "no file of worked baskets"),
    ],
)
def test_what_is_no_file_of_cases_is_refused_in_one_sentence(
    tmp_path: Path, capsys, content: str | None, said: str
) -> None:
    path = tmp_path / "cases.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main(["price", "check", str(path)]) == 1
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""


def test_an_unknown_id_is_refused(tmp_path: Path, capsys) -> None:
    assert main(["price", "check", str(a_file(tmp_path, a_case())), "--case", "nine"]) == 1
    assert "no case with the id nine" in capsys.readouterr().err


def test_a_case_without_history_is_a_first_order() -> None:
    first = {"type": "order_no", "n": 1}
    promotion = {**a_case()["promotions"][0], "when": [first]}
    assert differences(a_case(promotions=[promotion])) == []
    no_longer = a_case(promotions=[promotion], history={"orders_before": 1})
    assert differences(no_longer) != []


@pytest.mark.parametrize(
    ("promotion", "said"),
    [
        ({"target": {"skus": ["A"]}}, "promotions[0].target.skus is no word of a selector"),
        (
            {"reward": {"type": "buy_get", "buy": {"sku": ["A"]}, "get": {"select": {}}, "bp": 1}},
            "promotions[0].reward.buy.select is missing",
        ),
    ],
)
def test_a_misspelt_word_never_means_all_goods(promotion: dict[str, Any], said: str) -> None:
    (found,) = differences(a_case(promotions=[{**a_case()["promotions"][0], **promotion}]))
    assert said in found


def test_two_promotions_of_one_id_are_refused() -> None:
    promotion = a_case()["promotions"][0]
    assert differences(a_case(promotions=[promotion, promotion])) == ["two promotions have one id"]


def test_the_best_of_offers_without_a_named_group_acts_alone() -> None:
    base = {**a_case()["promotions"][0], "stack": {"mode": "best_of"}}
    fifth = {**base, "id": "fifth", "reward": {"type": "percent_off", "bp": 2000}}
    case = a_case(promotions=[base, fifth])
    assert differences({**case, "expected": {"discount": 300, "total": 1200}}) == []


def test_spellings_that_say_the_same_are_read_alike() -> None:
    promotion = {**a_case()["promotions"][0], "coupon": "C"}
    spelt = a_case(promotions=[promotion], coupons=[{"code": "C", "state": "VALID"}])
    assert differences(spelt) == []
    pieces = [{"line": "A", "sku": "A", "qty": 2.0, "unit_price": 500}]
    second = {"type": "nth_unit", "n": 2, "bp": 5000}
    case = a_case(basket=pieces, promotions=[{**a_case()["promotions"][0], "reward": second}])
    assert differences({**case, "expected": {"discount": 250, "total": 750}}) == []


def test_a_tie_between_units_of_which_some_were_cheaper_is_no_fault() -> None:
    basket = [
        {"line": "A", "sku": "A", "qty": 2, "unit_price": 1000},
        {"line": "B", "sku": "B", "qty": 1, "unit_price": 500},
        {"line": "C", "sku": "C", "qty": 1, "unit_price": 100},
    ]
    rewards = [
        ({"sku": ["A"]}, {"type": "percent_off", "bp": 5000, "max_units": 1}),
        ({"all": True}, {"type": "nth_unit", "n": 3, "bp": 5000}),
        ({"sku": ["B"]}, {"type": "group_each", "size": 1, "amount": 100}),
    ]
    promotions = [
        {"id": str(n), "level": "line", "target": target, "reward": reward, "priority": -n}
        for n, (target, reward) in enumerate(rewards)
    ]
    case = a_case(basket=basket, promotions=promotions)
    outcome = outcome_of(case_of(case))
    assert list(faults_of(case_of(case), outcome)) == []


def test_what_is_recommended_stands_for_a_source_that_no_option_can_follow() -> None:
    source = {"discount": 151, "total": 1349, "line_discounts": {"A": 101, "B": 50}}
    ours = {"discount": 150, "total": 1350}
    assert differences(a_case(expected=source, recommended=ours)) == []
    assert differences(a_case(expected=source, recommended={"discount": 151})) != []
    wrong_lines = {**ours, "line_discounts": {"A": 99, "B": 51}}
    assert differences(a_case(expected=source, recommended=wrong_lines)) != []
