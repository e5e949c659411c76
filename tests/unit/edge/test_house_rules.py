"""What head office set up for a store, and what counts where it set up nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from edge.house_rules import ALL_TENDERS, NO_TEXTS, HouseRules
from shared.config.settings import ReceiptTexts
from shared.item.item import Item, ItemChange
from shared.kernel.clock import ClockQuality
from shared.kernel.errors import MissingError
from shared.kernel.rounding import NO_ROUNDING, CashRounding, RoundingMode
from shared.kernel.wall_clock import instant_ms
from tests.builders import an_item as a_plain_item

ZONE = ZoneInfo("Asia/Shanghai")
SWITCH_MS = instant_ms("2026-12-01T00:00", ZONE)
FOOD = {"dated": [["", {"rate_bp": 900}], ["2026-12-01T00:00", {"rate_bp": 1300}]]}


class Records:
    """The configuration of two revisions; the others are gone."""

    def __init__(self, **bodies: Mapping[str, Any]) -> None:
        self.bodies = {1: dict(bodies), 2: dict[str, Mapping[str, Any]]()}
        self.active = 1
        self.read: list[str] = []

    def active_revision(self) -> int:
        return self.active

    def config(self, key: str, revision: int) -> Mapping[str, Any] | None:
        self.read.append(key)
        if revision not in self.bodies:
            raise MissingError("replica.revision", revision=revision)
        return self.bodies[revision].get(key)


@dataclass
class StandingClock:
    """A clock that always shows the same."""

    at_ms: int

    def now_ms(self) -> int:
        return self.at_ms

    def mono_ms(self) -> int:
        return self.at_ms

    def quality(self) -> ClockQuality:
        return ClockQuality.NTP


def an_item(**fields: Any) -> Item:
    return replace(a_plain_item(), tax_bp=600, **fields)


def rules(records: Records, at_ms: int = SWITCH_MS) -> HouseRules:
    return HouseRules(records, ZONE, StandingClock(at_ms))


def test_the_rate_of_an_items_class_counts_from_its_date() -> None:
    records = Records(**{"tax/food@c": FOOD})
    item = an_item(tax_class="food")
    assert rules(records, SWITCH_MS - 1).dated(item, 1).tax_bp == 900
    assert rules(records, SWITCH_MS).dated(item, 1).tax_bp == 1300


def test_the_items_own_rate_counts_where_no_class_says_one() -> None:
    records = Records(**{"tax/food@c": FOOD})
    plain, odd = an_item(), an_item(tax_class="no class")
    wine = an_item(tax_class="wine")
    for item in (plain, odd, wine):
        assert rules(records).dated(item, 1) == item
    food = an_item(tax_class="food")
    assert rules(records).dated(food, 0) == food
    assert rules(records).dated(food, 7) == food


def test_an_item_changes_its_name_and_class_at_its_time() -> None:
    records = Records(**{"tax/food@c": FOOD})
    later = (ItemChange("2026-12-01T00:00", name="New", tax_class="food"),)
    item = an_item(later=later)
    assert rules(records, SWITCH_MS - 1).dated(item, 1) == item
    found = rules(records).dated(item, 1)
    assert (found.name, found.tax_bp) == ("New", 1300)


def test_a_store_takes_what_is_set_up_and_all_otherwise() -> None:
    cash_only = {"dated": [["", {"tenders": ["cash"]}]]}
    found = rules(Records(payment=cash_only))
    assert (found.takes("cash"), found.takes("card")) == (True, False)
    assert rules(Records()).tenders() == ALL_TENDERS.tenders


def test_cash_is_rounded_as_the_nearest_level_says_and_not_at_all_otherwise() -> None:
    swiss = {"dated": [["", {"step_minor": 5}]]}
    kind = {"dated": [["2026-12-01T00:00", {"step_minor": 10, "mode": "down"}]]}
    found = Records(**{"rounding@c": swiss, "rounding@g": kind})
    assert rules(found, SWITCH_MS - 1).rounding() == CashRounding(5, RoundingMode.NEAREST)
    assert rules(found, SWITCH_MS).rounding() == CashRounding(10, RoundingMode.DOWN)
    assert rules(Records(**{"rounding@c": {"dated": [["", {}]]}})).rounding() == NO_ROUNDING


def test_a_store_is_never_left_with_makers_coupons_alone() -> None:
    coupons = {"dated": [["", {"tenders": ["manufacturer_coupon", "shells"]}]]}
    assert rules(Records(payment=coupons)).tenders() == ALL_TENDERS.tenders


def test_receipts_have_the_lines_of_their_day() -> None:
    lines = {"dated": [["2026-12-01T00:00", {"footer": {"en": ["Merry Christmas"]}}]]}
    found = rules(Records(**{"receipt@g": lines}))
    assert found.receipt_texts(SWITCH_MS - 1) == NO_TEXTS
    assert found.receipt_texts(SWITCH_MS) == ReceiptTexts(footer={"en": ("Merry Christmas",)})


def test_a_setting_that_cannot_be_read_stops_nobody() -> None:
    broken = Records(
        payment={"dated": [["", {"tenders": []}]]}, receipt={"dated": 1}, **{"tax/food": {}}
    )
    found = rules(broken)
    assert found.tenders() == ALL_TENDERS.tenders
    assert found.receipt_texts(SWITCH_MS) == NO_TEXTS
    assert found.dated(an_item(tax_class="food"), 1).tax_bp == 600


def test_a_setting_is_read_once_per_revision() -> None:
    records = Records(payment={"dated": [["", {"tenders": ["card"]}]]})
    found = rules(records)
    assert found.takes("card")
    assert not found.takes("cash")
    assert records.read == ["payment"]
    records.active = 2
    assert found.takes("cash")


def test_the_same_number_of_another_head_office_is_read_anew() -> None:
    records = Records(payment={"dated": [["", {"tenders": ["card"]}]]})
    found = rules(records)
    assert not found.takes("cash")
    records.bodies[1]["payment"] = {"dated": [["", {"tenders": ["cash"]}]]}
    found.forget()
    assert found.takes("cash")
