"""How deep each kind of offer cuts, seen in baskets as a till prices them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from shared.price.context import PricingInstant
from shared.price.depth import DepthGauge, told_share
from shared.price.document import parse_offer
from shared.price.lint_catalogue import LintItem
from shared.price.offer import Offer

NOW = PricingInstant(1_794_326_400_000, date(2026, 11, 11), 0)
ITEMS = (
    LintItem("tea", 1000, 600, "drink"),
    LintItem("cola", 400, 200, "drink"),
    LintItem("milk", 1200, None, "dairy", floor_unit_minor=1200),
)
DRINKS = {"category": ["drink"]}
GAUGE = DepthGauge(ITEMS, NOW)


def an_offer(reward: dict[str, Any], **words: Any) -> Offer:
    plain = {"id": "a", "level": "line", "target": DRINKS, "reward": reward}
    return parse_offer({**plain, **words})


def slot(sku: str) -> dict[str, Any]:
    return {"select": {"sku": [sku]}, "qty": 1}


@pytest.mark.parametrize(
    ("reward", "bp"),
    [
        ({"type": "percent_off", "bp": 2_500}, 2_500),
        ({"type": "amount_off", "amount": 100}, 2_500),
        ({"type": "amount_off_each", "amount": 300}, 7_500),
        ({"type": "amount_off_line", "amount": 400}, 10_000),
        ({"type": "price_each", "amount": 100}, 9_000),
        ({"type": "set_price", "size": 2, "amount": 500}, 7_500),
        ({"type": "bundle_price", "amount": 700, "slots": [slot("tea"), slot("cola")]}, 5_000),
        ({"type": "nth_unit", "n": 2, "bp": 5_000}, 2_500),
        ({"type": "buy_get", "buy": slot("tea"), "get": slot("tea"), "bp": 10_000}, 5_000),
        ({"type": "tiers", "by": "spend", "steps": [{"at": 1_000, "amount": 500}]}, 5_000),
        ({"type": "tiers", "by": "qty", "steps": [{"at": 2, "bp": 4_000}]}, 4_000),
        ({"type": "every", "spend": 2_000, "amount": 1_000}, 5_000),
        ({"type": "group_each", "size": 3, "bp": 3_000}, 3_000),
        ({"type": "gift"}, 10_000),
        ({"type": "add_on", "amount": 100}, 9_000),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_each_kind_of_offer_has_a_depth(reward: dict[str, Any], bp: int) -> None:
    level = "basket" if reward["type"] in {"amount_off", "tiers", "every"} else "line"
    assert GAUGE.of(an_offer(reward, level=level)) == bp


def test_a_gift_is_measured_by_what_has_to_be_bought_for_it() -> None:
    spend = [{"type": "min_spend", "scope": {"all": True}, "amount": 9_000}]
    gift = an_offer({"type": "gift"}, target={"sku": ["tea"]}, when=spend)
    assert GAUGE.of(gift) == 1_000


def test_a_floor_keeps_an_offer_from_cutting() -> None:
    dairy = {"category": ["dairy"]}
    assert GAUGE.of(an_offer({"type": "percent_off", "bp": 5_000}, target=dairy)) == 0


def test_an_offer_without_goods_has_the_share_that_it_names() -> None:
    offer = an_offer({"type": "percent_off", "bp": 5_000}, target={"sku": ["gone"]})
    assert (GAUGE.of(offer), told_share(offer)) == (0, 5_000)
    assert DepthGauge((), NOW).of(offer) == 0
    assert told_share(an_offer({"type": "gift"})) == 0
