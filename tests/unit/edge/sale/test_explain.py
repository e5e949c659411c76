"""`tillbox-edge barcode`: one JSON object for each code."""

import io
import json
from typing import Any

import pytest

from edge.__main__ import main
from shared.item.barcode import price_label_code
from shared.kernel.gtin import check_digit

GS = "\x1d"


def explain(
    capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0
) -> list[dict[str, Any]]:
    assert main(["barcode", *arguments]) == status
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_each_code_has_a_line_in_its_order(capsys: pytest.CaptureFixture[str]) -> None:
    found = explain(capsys, "4006381333931", "4006381333932", "96385074", status=1)
    assert [(each["code"], each["ok"]) for each in found] == [
        ("4006381333931", True),
        ("4006381333932", False),
        ("96385074", True),
    ]
    assert found[0] == {
        "code": "4006381333931",
        "ok": True,
        "kind": "item",
        "gtin": "4006381333931",
        "data": "4006381333931",
    }
    assert found[1]["error"] == "barcode.check_digit"
    assert "4006381333932 is wrong" in found[1]["message"]


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        (price_label_code("42", 199), {"kind": "price", "plu": "00042", "price_minor": 199}),
        (
            f"210012300355{check_digit('210012300355')}",
            {"kind": "weight", "plu": "00123", "weight": "0.355"},
        ),
        ("2900000024793", {"kind": "member", "member": "2479", "gtin": "2900000024793"}),
        ("]Q1HELLO", {"kind": "text", "symbology": "QR", "data": "HELLO"}),
        ("]C100340123450000000000", {"kind": "gs1", "elements": {"00": "340123450000000000"}}),
    ],
)
def test_a_code_is_explained(
    code: str, facts: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = explain(capsys, code)
    assert found.items() >= facts.items()


@pytest.mark.parametrize("separator", [GS, "{GS}", "\\x1d", "\\u001d"])
def test_a_separator_may_be_typed(separator: str, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = explain(capsys, f"]d2010690123456789210A1{separator}21S7")
    assert found == {
        "code": f"]d2010690123456789210A1{GS}21S7",
        "ok": True,
        "kind": "item",
        "gtin": "6901234567892",
        "lot": "A1",
        "serial": "S7",
        "symbology": "DM",
        "elements": {"01": "06901234567892", "10": "A1", "21": "S7"},
        "data": "^010690123456789210A1^21S7",
    }


def test_a_price_in_the_country_of_the_label(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = explain(capsys, "--country", "se", "2188060112340")
    facts = {"kind": "price", "gtin": "2188060100002", "price": "123.4", "money": "123.4, SEK"}
    assert found.items() >= facts.items()


def test_a_refused_element_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = explain(capsys, "]d2010690123456789217261131", status=1)
    assert found["error"] == "barcode.ai_data"
    assert found["details"] == {"ai": "17", "because": "yymmd0"}


def test_codes_come_from_standard_input_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"96385074\n]d2010690123456789210A1{GS}21S7\r\n"))
    found = explain(capsys, "-", "4006381333931")
    assert [each["gtin"] for each in found] == ["0000096385074", "6901234567892", "4006381333931"]


def test_a_country_without_rules_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["barcode", "--country", "ZZ", "1"]) == 1
    assert "country ZZ are not known" in capsys.readouterr().err


def test_labels_and_cards_are_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["barcode", "--member", "2479"]) == 0
    assert main(["barcode", "--price-label", "42", "199"]) == 0
    assert capsys.readouterr().out.split() == ["2900000024793", price_label_code("42", 199)]


def test_a_price_that_is_no_number_makes_no_label(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["barcode", "--price-label", "42", "1.99"]) == 1
    assert "does not fit a label" in capsys.readouterr().err
