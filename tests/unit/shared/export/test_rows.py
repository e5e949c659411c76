from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from shared.export.entry import StoredEntry, read_entry
from shared.export.rows import COMMON, KINDS, end_line, json_lines, rows_of
from shared.journal.event import (
    AgeConfirmed,
    AgedGoods,
    BasketVoided,
    DayClosed,
    DayOpened,
    DrawerOpened,
    Event,
    OperatorSignedOff,
    OperatorSignedOn,
    ReceiptReprinted,
    RevisionActivated,
    SaleCompleted,
    UnknownEvent,
)
from shared.sale.pack import PackFacts
from shared.sale.tender import Tender, TenderKind
from tests.builders import ENTRY_ID, a_basket, a_price_book, a_sale, an_item
from tests.golden.made import golden_sale, sale_with_offers
from tests.unit.shared.export.exported import STORE, exported

README = Path(__file__).parents[4] / "cloud" / "export" / "README.md"
EVENTS: dict[str, Event] = {
    "day_opened": DayOpened("2017-08-07"),
    "day_closed": DayClosed("2017-08-07", {"receipts": 1}),
    "basket_voided": BasketVoided(1, 2, 500, "left"),
    "age_confirmed": AgeConfirmed(1, 18, (AgedGoods("0400000000017", "Beer", 18),), ENTRY_ID),
    "no_sale": DrawerOpened(1, "change"),
    "drawer_opened": DrawerOpened(1, "sale"),
    "reprint": ReceiptReprinted(1, "1-000001", 2),
    "signed_on": OperatorSignedOn(1, "2041"),
    "signed_off": OperatorSignedOff(1, "2041"),
    "other": RevisionActivated("z", 3, "ab"),
}


@pytest.mark.parametrize("kind", EVENTS)
def test_each_event_is_one_row_of_its_kind(kind: str) -> None:
    [row] = rows_of(exported(EVENTS[kind]))
    assert row["kind"] == kind
    assert tuple(row) == (*COMMON, *KINDS[kind])


def test_an_event_of_newer_software_keeps_its_data() -> None:
    [row] = rows_of(exported(UnknownEvent("till.counted", {"minor": 5})))
    assert (row["kind"], row["entry_type"]) == ("other", "till.counted")
    assert json.loads(str(row["data"]))["data"] == {"minor": 5}


@pytest.mark.parametrize("sale", [golden_sale(), sale_with_offers("en")])
def test_every_row_of_a_sale_has_its_columns_and_is_flat(sale: object) -> None:
    rows = list(rows_of(exported(SaleCompleted(sale))))  # type: ignore[arg-type]
    assert {row["kind"] for row in rows} == {"sale", "line", "modifier", "tender"}
    for row in rows:
        assert tuple(row) == (*COMMON, *KINDS[str(row["kind"])])
        assert all(value is None or isinstance(value, str | int) for value in row.values())


def test_lines_add_up_to_the_sale_and_amounts_stand_twice() -> None:
    rows = list(rows_of(exported(SaleCompleted(sale_with_offers("en")))))
    sale, lines = rows[0], [row for row in rows if row["kind"] == "line"]
    for name in ("gross", "member_disc", "offer_disc", "store_coupon", "net", "tax"):
        assert sum(int(str(row[f"{name}_minor"])) for row in lines) == sale[f"{name}_minor"]
    assert sale["gross"] == f"{int(str(sale['gross_minor'])) / 100:.2f}"


def test_a_line_taken_out_is_a_row_without_amounts() -> None:
    first, second = an_item(1), an_item(2)
    basket = a_basket(first, second).without_line(1, "changed mind", 5)
    sale = a_sale(basket, a_price_book({first: 500, second: 300}), [Tender(TenderKind.CASH, 300)])
    [gone] = [row for row in rows_of(exported(SaleCompleted(sale))) if row.get("is_voided")]
    assert tuple(gone) == (*COMMON, *KINDS["line"])
    assert (gone["void_reason"], gone["net_minor"], gone["net"]) == ("changed mind", None, None)


def test_what_cannot_be_read_keeps_its_text() -> None:
    broken = StoredEntry("5e", 3, "x", "sale.completed", -1, "ab", "entry.at", b"\xffno json")
    [row] = rows_of(read_entry(STORE, broken))
    assert tuple(row) == (*COMMON, *KINDS["unreadable"])
    assert (row["body"], row["flag"], row["at"]) == ("\ufffdno json", "entry.at", "")


def test_a_row_is_one_line_and_the_last_line_counts_them() -> None:
    lines = list(json_lines(exported(SaleCompleted(golden_sale()))))
    assert [line.count("\n") for line in lines] == [1] * len(lines)
    assert "康师傅" in lines[1]
    assert json.loads(end_line(9, 2)) == {"kind": "end", "rows": 9, "entries": 2}


def test_the_page_about_the_columns_names_them_all_and_no_other() -> None:
    page = README.read_text(encoding="utf-8")
    told = {
        kind: set(re.findall(r"`(\w+)`", columns))
        for kind, columns in re.findall(r"^\| `(\w+)` \| (.*) \|$", page, re.MULTILINE)
    }
    # A column of money stands for two: x and x_minor.
    expected = {
        kind: {name.removesuffix("_minor") for name in columns}
        for kind, columns in {"common": COMMON, **KINDS}.items()
    }
    assert {kind: names - {"at"} for kind, names in told.items()} == {
        kind: names - {"at"} for kind, names in expected.items()
    }


def test_the_last_millisecond_of_the_year_9999_breaks_no_export() -> None:
    entry = exported(DrawerOpened(1, "check"), at=253_402_300_799_999, biz="")
    assert (entry.at, entry.day) == ("", "")
    assert [json.loads(line)["kind"] for line in json_lines(entry)]


def test_a_line_names_the_pack_that_its_code_told_of() -> None:
    sale = golden_sale()
    line = replace(sale.lines[0], pack=PackFacts("L7", "", "2027-01-31"))
    rows = rows_of(exported(SaleCompleted(replace(sale, lines=(line, *sale.lines[1:])))))
    found = [(row["lot"], row["serial"], row["expiry"]) for row in rows if row["kind"] == "line"]
    assert found[0] == ("L7", None, "2027-01-31")
    assert set(found[1:]) == {(None, None, None)}
