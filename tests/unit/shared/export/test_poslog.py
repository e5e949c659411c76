from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from shared.export.entry import StoredEntry, read_entry
from shared.export.poslog import document_end, document_start, transaction
from shared.journal.event import (
    BasketVoided,
    DayClosed,
    DayOpened,
    DrawerOpened,
    EntrySalvaged,
    Event,
    OperatorSignedOff,
    OperatorSignedOn,
    ReceiptReprinted,
    SaleCompleted,
)
from shared.kernel.quantity import extended_minor
from shared.sale.basket import PriceOverride
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import SaleHeader
from tests.builders import a_basket, a_price_book, a_sale, an_item
from tests.fakes.poslog import ARTS, OWN, breaches, find, find_all, minor, signed, total
from tests.golden.made import golden_sale, sale_with_offers
from tests.unit.shared.export.exported import STORE, exported, stored


def document(*events: Event) -> ET.Element:
    made = [transaction(exported(event, seq)) for seq, event in enumerate(events)]
    text = "".join((document_start(), *made, document_end(len(events))))
    return ET.fromstring(text)  # noqa: S314 - our own text


def only(event: Event) -> ET.Element:
    [found] = find_all(document(event), "Transaction")
    return found


CONTROLS: tuple[Event, ...] = (
    DayOpened("2017-08-07"),
    OperatorSignedOn(1, "2041"),
    DrawerOpened(1, "change"),
    BasketVoided(1, 3, 1250, "no money"),
    OperatorSignedOff(1, "2041"),
    DayClosed("2017-08-07", {"business_date": "2017-08-07", "receipts": 2, "net_minor": 990}),
)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_a_document_keeps_the_orders_of_the_schema(language: str) -> None:
    sales = (SaleCompleted(golden_sale()), SaleCompleted(sale_with_offers(language)))
    assert list(breaches(document(*sales, *CONTROLS))) == []


def test_list_prices_and_modifiers_add_up_to_what_each_line_sold_for() -> None:
    for sale in (golden_sale(), sale_with_offers("en")):
        lines = find_all(only(SaleCompleted(sale)), "RetailTransaction/LineItem/Sale")
        assert len(lines) == len(sale.lines)
        for line, element in zip(sale.lines, lines, strict=True):
            assert line.unit_minor is not None
            listed = extended_minor(line.unit_minor, line.qty_milli)
            modifiers = find_all(element, "RetailPriceModifier")
            net = minor(find(element, "ExtendedAmount"))
            assert listed + sum(map(signed, modifiers)) == net == line.net_minor
            gross = net + minor(find(element, "ExtendedDiscountAmount"))
            assert gross == line.gross_minor


def test_tenders_less_change_are_the_total() -> None:
    for sale in (golden_sale(), sale_with_offers("en")):
        found = only(SaleCompleted(sale))
        tenders = find_all(found, "RetailTransaction/LineItem/Tender/Amount")
        change = find_all(found, "RetailTransaction/LineItem/TenderChange/Amount")
        paid = sum(map(minor, tenders)) - sum(map(minor, change))
        assert paid == total(found, "TransactionNetAmount") == sale.totals.net_minor
        assert total(found, "TransactionGrandAmount") == sale.totals.net_minor
        assert total(found, "TransactionGrossAmount") == sale.totals.gross_minor
        taxes = find_all(found, "RetailTransaction/LineItem/Sale/Tax/Amount")
        assert sum(map(minor, taxes)) == total(found, "TransactionTaxAmount")


@pytest.mark.parametrize("rounding_minor", [-3, 2])
def test_what_rounding_for_cash_did_is_a_total_of_its_own(rounding_minor: int) -> None:
    sale = a_sale(rounding_minor=rounding_minor)
    found = only(SaleCompleted(sale))
    assert list(breaches(document(SaleCompleted(sale)))) == []
    paid = minor(find(found, "RetailTransaction/LineItem/Tender/Amount"))
    change = minor(find(found, "RetailTransaction/LineItem/TenderChange/Amount"))
    net = total(found, "TransactionNetAmount")
    assert (net, paid - change - net) == (sale.totals.net_minor, rounding_minor)
    [told] = [
        each.text
        for each in find_all(found, "RetailTransaction/Total")
        if each.get("TotalType") == "tb:CashRoundingAmount"
    ]
    assert told == f"{'-' if rounding_minor < 0 else ''}0.0{abs(rounding_minor)}"


def test_a_price_by_hand_says_what_the_book_had_and_who_allowed_it() -> None:
    item = an_item()
    basket = a_basket(item).with_override(1, PriceOverride(700, None, "torn box", "m-1"))
    sale = a_sale(basket, a_price_book({item: 500}), [Tender(TenderKind.CASH, 700)])
    [modifier] = find_all(
        only(SaleCompleted(sale)), "RetailTransaction/LineItem/Sale/RetailPriceModifier"
    )
    assert modifier.attrib == {"MethodCode": "PriceOverride", f"{OWN}ApprovedBy": "m-1"}
    assert signed(modifier) == 200
    assert minor(find(modifier, "PreviousPrice")) == 500
    assert [each.text for each in find_all(modifier, "ReasonCode")] == ["torn box"]


def test_an_amount_that_does_not_divide_is_a_price_for_all_pieces() -> None:
    sale = sale_with_offers("en")
    prices = find_all(
        only(SaleCompleted(sale)), "RetailTransaction/LineItem/Sale/ActualSalesUnitPrice"
    )
    for line, price in zip(sale.lines, prices, strict=True):
        quantity = price.attrib["Quantity"]
        assert minor(price) * line.qty_milli == line.net_minor * 1000 * float(quantity)


def test_a_line_taken_out_is_there_and_cancelled() -> None:
    first, second = an_item(1), an_item(2)
    basket = a_basket(first, (second, 2)).without_line(1, "changed mind", 5)
    sale = a_sale(basket, a_price_book({first: 500, second: 300}), [Tender(TenderKind.CASH, 600)])
    found = only(SaleCompleted(sale))
    [gone] = [
        line for line in find_all(found, "RetailTransaction/LineItem") if "VoidFlag" in line.attrib
    ]
    assert gone.attrib == {"CancelFlag": "true", "VoidFlag": "true"}
    assert find(gone, "Sale/ExtendedAmount") is None
    numbers = [each.text for each in find_all(found, "RetailTransaction/LineItem/SequenceNumber")]
    assert numbers == ["2", "1", "3"]


def test_the_place_in_the_chain_and_the_receipt_are_named() -> None:
    header = SaleHeader("2-K7QM-000017", 2, "2041")
    entry = exported(SaleCompleted(a_sale(header=header)), 9)
    found = ET.fromstring(document_start() + transaction(entry) + document_end(1))[0]  # noqa: S314
    assert [each.text for each in find_all(found, "SequenceNumber")] == ["17"]
    assert [each.text for each in find_all(found, "ReceiptNumber")] == ["2-K7QM-000017"]
    assert [each.text for each in find_all(found, "TransactionID")] == [entry.id]
    assert found.attrib == {
        f"{OWN}Stream": entry.stream,
        f"{OWN}Seq": "9",
        f"{OWN}Hash": entry.hash,
        f"{OWN}Revision": "7",
    }
    [begin] = find_all(found, "BeginDateTime")
    assert begin.text == "2017-08-07T15:20:00.000+08:00"


def test_control_events_have_their_words() -> None:
    words = [
        [child.tag.replace(ARTS, "") for child in control][-1]
        for control in find_all(document(*CONTROLS), "Transaction/ControlTransaction")
    ]
    assert words == [
        *("BusinessSOD", "OperatorSignOn", "NoSale", "TransactionVoid"),
        *("OperatorSignOff", "BusinessEOD"),
    ]


def test_what_has_no_words_is_left_out_of_the_document() -> None:
    assert transaction(exported(ReceiptReprinted(1, "1-000001", 2))) == ""
    assert transaction(exported(DrawerOpened(1, "sale"))) == ""


def test_a_flagged_sale_is_told_and_marked() -> None:
    entry = exported(SaleCompleted(golden_sale()), flag="ledger.totals")
    assert 'tb:Flag="ledger.totals"' in transaction(entry)


def test_a_business_date_that_is_none_is_left_out() -> None:
    found = transaction(exported(SaleCompleted(golden_sale()), flag="x.y", biz="someday"))
    assert "BusinessDayDate" not in found


def test_an_entry_that_cannot_be_read_is_told_and_marked() -> None:
    broken = StoredEntry("5e", 3, "x", "sale.completed", 5, "ab", "ledger.sale", b'{"no":"sale"}')
    found = transaction(read_entry(STORE, broken))
    assert 'tb:Flag="ledger.sale"' in found
    assert "<ApplicationEvent>sale.completed</ApplicationEvent>" in found
    unflagged = read_entry(STORE, replace(broken, flag=""))
    assert unflagged.flag == "export.unreadable"


def test_a_salvaged_sale_is_told_where_it_was_first_written() -> None:
    inner = stored(SaleCompleted(golden_sale()), 41)
    carried = EntrySalvaged(inner.stream, 41, inner.hash, inner.body.decode())
    carrier = replace(stored(carried, 2, id=inner.id), stream="ca" * 16)
    entry = read_entry(STORE, carrier)
    assert isinstance(entry.event, SaleCompleted)
    assert (entry.stream, entry.seq, entry.hash) == (inner.stream, 41, inner.hash)
    assert entry.carrier == "ca" * 16
    assert f'tb:SalvagedBy="{"ca" * 16}"' in transaction(entry)


def test_no_name_breaks_the_document() -> None:
    item = replace(an_item(), name='<b>&amp;"\x07\x00]]>\ufffe\r\n')
    found = only(SaleCompleted(a_sale(a_basket((item, 2)), a_price_book({item: 500}))))
    [name] = find_all(found, "RetailTransaction/LineItem/Sale/Description")
    assert name.text == '<b>&amp;"\ufffd\ufffd]]>\ufffd\r\n'
    assert find_all(found, "BusinessUnit/UnitID")[0].attrib["Name"] == STORE.name
