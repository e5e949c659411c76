"""`tillbox-cloud price explain` tells what acted on a basket, what did not, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.__main__ import main

BASKET: dict[str, Any] = {
    "basket": [
        {"line": "牛奶", "sku": "milk", "qty": 3, "unit_price": 1290, "tax_bp": 900},
        {
            "line": "苹果",
            "sku": "apple",
            "qty": "1.235",
            "unit_price": 980,
            "weighed": True,
            "uom": "kg",
        },
    ],
    "promotions": [
        {
            "id": "half",
            "name": "牛奶第二件半价",
            "level": "line",
            "target": {"sku": ["milk"]},
            "reward": {"type": "nth_unit", "n": 2, "bp": 5000},
        },
        {
            "id": "ten",
            "level": "basket",
            "target": {"all": True},
            "when": [{"type": "min_spend", "scope": {"all": True}, "amount": 5000}],
            "reward": {"type": "amount_off", "amount": 800},
        },
    ],
}
RULES = {
    "format": "tillbox-offers/1",
    "offers": [
        {
            "id": "apples",
            "name": {"en": "Apples", "zh-CN": "苹果节"},
            "level": "line",
            "target": {"sku": ["apple"]},
            "reward": {"type": "percent_off", "bp": 1000},
        }
    ],
}


def a_file(folder: Path, content: object, name: str = "basket.json") -> str:
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["price", "explain", *words]) == 0
    return capsys.readouterr().out


def test_a_basket_is_told_with_amounts_shares_reasons_and_hints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = told(capsys, a_file(tmp_path, BASKET), "--language", "zh-CN")
    assert text.splitlines() == [
        "行        数量   原价   优惠   实付  税额",
        "牛奶         3  38.70  -6.45  32.25  2.66",
        "苹果  1.235 kg  12.10   0.00  12.10  0.00",
        "合计            50.80  -6.45  44.35  2.66",
        "",
        "已享优惠",
        "  牛奶第二件半价 [half]: 优惠 6.45，基数 38.70",
        "    牛奶：6.45，1 件",
        "",
        "未享优惠及原因",
        "  ten: 还差 ¥5.65（满 ¥50.00）",
        "",
        "可告诉顾客",
        "  ten：再买 ¥5.65 就有优惠",
    ]


def test_other_rules_may_be_tried_on_a_basket(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = a_file(tmp_path, RULES, "rules.json")
    text = told(capsys, a_file(tmp_path, BASKET), "--rules", rules, "--currency", "USD")
    assert "  Apples [apples]: 1.21 off 12.10\n    苹果: 1.21, 1 unit(s)" in text
    assert "half" not in text


def test_one_case_of_a_file_is_chosen_by_its_id(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [{**BASKET, "id": "one"}, {**BASKET, "id": "two", "basket": []}]
    path = a_file(tmp_path, {"format": "promo-cases/1", "cases": cases})
    assert "苹果" in told(capsys, path)
    assert told(capsys, path, "--case", "two").splitlines()[-4:] == [
        *("", "Offers that did not, and why"),
        "  牛奶第二件半价 [half]: No goods of this offer in the basket",
        "  ten: Spend ¥50.00 more (from ¥50.00)",
    ]
    assert main(["price", "explain", path, "--case", "three"]) == 1
    assert "three" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({**BASKET, "promotions": []}, "--rules"),
        ({**BASKET, "basket": [{"qty": 1, "unit_price": "x"}]}, "unit_price"),
        ({"format": "other/1"}, "promo-cases/1"),
        ([], "promo-cases/1"),
    ],
)
def test_a_basket_that_cannot_be_told_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: object, said: str
) -> None:
    assert main(["price", "explain", a_file(tmp_path, content)]) == 1
    assert said in capsys.readouterr().err


def test_every_error_of_a_rule_file_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {**RULES, "offers": [{**RULES["offers"][0], "level": "lane"}, {"id": "x"}]}  # type: ignore[dict-item]
    rules = a_file(tmp_path, wrong, "rules.json")
    assert main(["price", "explain", a_file(tmp_path, BASKET), "--rules", rules]) == 1
    said = capsys.readouterr().err
    assert "offers[0].level" in said
    assert "offers[1]" in said
