"""What may be set up, and what is refused."""

from typing import Any

import pytest

from shared.config.settings import (
    TENDERS,
    Payment,
    check_setting,
    in_language,
    parse_payment,
    parse_receipt,
    parse_tax,
)
from shared.kernel.errors import RefusedError
from shared.sale.tender import TenderKind


def test_the_ways_to_pay_are_those_of_the_till() -> None:
    assert set(TENDERS) == {kind.value for kind in TenderKind}


def test_good_values_are_read() -> None:
    assert parse_tax({"rate_bp": 1300}) == 1300
    assert parse_payment({"tenders": ["card", "palm"]}) == Payment(frozenset({"card"}))
    texts = parse_receipt({"header": {"en": ["Open 7-23"]}, "returns": {"zh-CN": ["七天内可退"]}})
    assert in_language(texts.header, "en") == ("Open 7-23",)
    assert in_language(texts.returns, "en") == ("七天内可退",)
    assert in_language(texts.footer, "en") == ()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("tax/food", {"rate_bp": -1}, "config.value"),
        ("tax/food", {"rate_bp": 10_001}, "config.value"),
        ("tax/food", {"rate_bp": True}, "config.value"),
        ("tax/food", {"rate_bp": "13"}, "config.value"),
        ("tax/food", {"rate_bp": 13, "rate": 1}, "config.value"),
        ("tax/a@c", {"rate_bp": 13}, "config.name"),
        ("tax/", {"rate_bp": 13}, "config.name"),
        ("payment", {"tenders": []}, "config.value"),
        ("payment", {"tenders": ["manufacturer_coupon"]}, "config.value"),
        ("payment", {"tenders": ["palm", "cash"]}, "config.value"),
        ("payment", {}, "config.value"),
        ("payment", {"tenders": 5}, "config.value"),
        ("payment", {"tenders": None}, "config.value"),
        ("receipt", {"header": {"fr": ["Bonjour"]}}, "config.value"),
        ("receipt", {"header": {"en": ["a" * 97]}}, "config.value"),
        ("receipt", {"header": {"en": ["\x1b@"]}}, "config.value"),
        ("receipt", {"header": {"en": ["a"] * 13}}, "config.value"),
        ("receipt", {"header": []}, "config.value"),
        ("receipt", {"head": {}}, "config.value"),
        ("rounding", {}, "config.value"),
        ("rounding", {"step_minor": 3}, "config.value"),
        ("rounding", {"step_minor": True}, "config.value"),
        ("rounding", {"step_minor": 5.0}, "config.value"),
        ("rounding", {"step_minor": 5, "mode": "up"}, "config.value"),
        ("rounding", {"step_minor": 5, "mode": ["down"]}, "config.value"),
        ("rounding", {"step_minor": 5, "step": 5}, "config.value"),
        ("light", {}, "config.name"),
    ],
)
def test_what_no_till_would_understand_is_refused(
    name: str, value: dict[str, Any], code: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        check_setting(name, value)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tax/food-1", {"rate_bp": 0}),
        ("payment", {"tenders": list(TENDERS)}),
        ("receipt", {}),
        ("rounding", {"step_minor": 5}),
        ("rounding", {"step_minor": 10, "mode": "down"}),
        ("receipt", {"footer": {"zh-TW": ["謝謝", ""]}}),
    ],
)
def test_what_a_till_understands_is_taken(name: str, value: dict[str, Any]) -> None:
    check_setting(name, value)
