"""Whatever is sold, an export says the same as the day's Z report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import reduce

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.export.poslog import document_end, document_start, transaction
from shared.export.rows import Row, rows_of
from shared.journal.event import Event
from shared.till.z_report import ZReport, fold_z
from tests.fakes.poslog import breaches, find, find_all, minor, signed, total
from tests.property.strategies import EVENTS
from tests.unit.shared.export.exported import exported

DAY = "2017-08-07"
DAYS = st.lists(EVENTS, max_size=6)


def z_of(events: list[Event]) -> ZReport:
    return reduce(fold_z, events, ZReport(DAY))


@settings(max_examples=30)
@given(DAYS)
def test_the_sums_of_the_rows_are_the_z_report(events: list[Event]) -> None:
    rows = [row for seq, event in enumerate(events) for row in rows_of(exported(event, seq))]
    sales = [row for row in rows if row["kind"] == "sale"]
    z = z_of(events)
    for name in ("gross", "member_disc", "offer_disc", "store_coupon", "net", "mfr_coupon"):
        assert amount(sales, name) == getattr(z, f"{name}_minor")
    assert amount(sales, "tender") == z.tender_minor
    tenders = [row for row in rows if row["kind"] == "tender"]
    cash = amount([row for row in tenders if row["tender"] == "cash"], "amount")
    assert cash - amount(sales, "change") == z.cash_minor
    assert amount([row for row in tenders if row["tender"] == "card"], "amount") == z.card_minor
    counted = {kind: sum(row["kind"] == kind for row in rows) for kind in ("sale", "no_sale")}
    assert (counted["sale"], counted["no_sale"]) == (z.receipts, z.no_sales)
    lines = [row for row in rows if row["kind"] == "line" and not row["is_voided"]]
    assert (len(lines), amount(lines, "net")) == (z.lines, z.net_minor)


def amount(rows: list[Row], name: str) -> int:
    return sum(int(str(row[f"{name}_minor"])) for row in rows)


@settings(max_examples=30)
@given(DAYS)
def test_the_sums_of_the_document_are_the_z_report(events: list[Event]) -> None:
    made = [transaction(exported(event, seq)) for seq, event in enumerate(events)]
    text = "".join((document_start(), *made, document_end(len(made))))
    root = ET.fromstring(text)  # noqa: S314 - our own text
    assert list(breaches(root)) == []
    sales = [
        found
        for found in find_all(root, "Transaction")
        if find(found, "RetailTransaction") is not None
    ]
    z = z_of(events)
    assert len(sales) == z.receipts
    assert sum(total(sale, "TransactionNetAmount") for sale in sales) == z.net_minor
    assert sum(total(sale, "TransactionGrossAmount") for sale in sales) == z.gross_minor
    lines = [line for sale in sales for line in find_all(sale, "RetailTransaction/LineItem/Sale")]
    assert sum(minor(find(line, "ExtendedAmount")) for line in lines) == z.net_minor
    assert [line for line in lines if not modifiers_fit(line)] == []


def modifiers_fit(line: ET.Element) -> bool:
    """Discounts are the modifiers, a price by hand apart."""
    shares = [
        signed(modifier)
        for modifier in find_all(line, "RetailPriceModifier")
        if modifier.get("MethodCode") != "PriceOverride"
    ]
    return -sum(shares) == minor(find(line, "ExtendedDiscountAmount"))
