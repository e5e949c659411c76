"""What an item says of itself: further codes, and what changes later."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from shared.item.item import Item, ItemChange, item_changes_of
from shared.item.pack_code import PackCode, pack_codes_of, parse_pack_code
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import parse_gtin

MILK, CASE = parse_gtin("4006381333931"), parse_gtin("14006381333938")
BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
HOUR_MS = 3_600_000
MIDNIGHT_UTC_MS = 1_796_083_200_000  # 2026-12-01T00:00Z


@pytest.mark.parametrize(
    ("text", "code", "written"),
    [
        ("4006381333931", PackCode(MILK), "4006381333931"),
        (f"{CASE} * 12 * case", PackCode(CASE, 12_000, "case"), f"{CASE}*12*case"),
        (f"{CASE}*12", PackCode(CASE, 12_000), f"{CASE}*12"),
        (f"{CASE}*1*box", PackCode(CASE, 1_000, "box"), f"{CASE}*1*box"),
    ],
)
def test_a_further_code_says_how_many_units_it_stands_for(
    text: str, code: PackCode, written: str
) -> None:
    assert parse_pack_code(text) == code
    assert code.text == written
    assert pack_codes_of([code.raw]) == (code,)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("4006381333932", r"barcode\.check_digit"),
        ("4006381333931*0", r"item\.pack_units"),
        ("4006381333931*1.5", r"item\.pack_units"),
        ("4006381333931*10000", r"item\.pack_units"),
        ("4006381333931*12*a|b", r"item\.pack_uom"),
        ("4006381333931*12*a*b", r"item\.pack_uom"),
        (f"4006381333931*12*{'x' * 17}", r"item\.pack_uom"),
    ],
)
def test_a_further_code_that_cannot_be_meant_is_refused(text: str, because: str) -> None:
    with pytest.raises(RefusedError, match=because):
        parse_pack_code(text)


def test_a_scan_of_a_case_sells_its_units_and_any_other_code_one() -> None:
    milk = Item(MILK, "Milk", codes=(PackCode(CASE, 12_000, "case"),))
    assert [milk.qty_milli_of(code) for code in (MILK, CASE, "5901234123457")] == [
        1_000, 12_000, 1_000,
    ]  # fmt: skip


def test_a_change_begins_when_the_stores_own_clock_says_so() -> None:
    later = (
        ItemChange("2026-12-01T00:00", name="Whole milk"),
        ItemChange("2026-12-02T00:00", tax_class="reduced", tax_bp=700),
    )
    milk = Item(MILK, "Milk", tax_bp=1900, later=later)
    berlin_ms = MIDNIGHT_UTC_MS - HOUR_MS
    assert milk.at(berlin_ms - 1, BERLIN) == milk
    assert milk.at(berlin_ms, BERLIN).name == "Whole milk"
    assert milk.at(berlin_ms, NEW_YORK).name == "Milk"
    assert milk.at(berlin_ms + 6 * HOUR_MS, NEW_YORK).name == "Whole milk"
    day_after = milk.at(berlin_ms + 24 * HOUR_MS, BERLIN)
    assert (day_after.name, day_after.tax_class, day_after.tax_bp) == ("Whole milk", "reduced", 700)


def test_what_a_newer_headquarters_changes_beside_is_left_out() -> None:
    raw: list[tuple[str, dict[str, str | int]]] = [("2026-12-01T00:00", {"name": "A", "new": 1})]
    assert item_changes_of(raw) == (ItemChange("2026-12-01T00:00", name="A"),)
