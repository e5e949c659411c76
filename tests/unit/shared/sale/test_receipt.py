from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from shared.kernel.money import CURRENCIES
from shared.price.offer import Level, Offer
from shared.price.offer_book import OfferBook
from shared.price.reward import AmountOff
from shared.sale.basket import LineCoupon, PriceOverride, Weighed
from shared.sale.receipt import (
    Align,
    LineKind,
    ReceiptHead,
    ReceiptLine,
    receipt_lines,
    receipt_text,
)
from shared.sale.receipt_code import ReceiptLink, receipt_url
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction
from tests.builders import a_basket, a_price_book, a_sale, an_item


class KeysAsTexts(dict[str, str]):
    """A catalogue where each text is the last part of its key."""

    def __missing__(self, key: str) -> str:
        return key.rpartition(".")[2] + (" {n}" if key in {"receipt.copy", "receipt.count"} else "")


TEXTS: Mapping[str, str] = KeysAsTexts()
HEAD = ReceiptHead("Corner Shop", "2017-08-07 15:20", "Ann", CURRENCIES["USD"])
RICE, HAM = an_item(1, name="Rice"), an_item(2, name="Ham", is_weighed=True)
BOOK = a_price_book({RICE: (500, 399), HAM: 12990})


def text_of(sale: RetailTransaction, head: ReceiptHead = HEAD, columns: int = 32) -> list[str]:
    return receipt_text(receipt_lines(sale, head, TEXTS, columns), columns).split("\n")


def test_a_plain_receipt_in_full() -> None:
    assert text_of(a_sale(a_basket(RICE), BOOK)) == [
        "          Corner Shop",
        "number 343-1-000001",
        "                2017-08-07 15:20",
        "lane 1              operator Ann",
        "-" * 32,
        "Rice",
        f"  {RICE.gtin}             5.00",
        "-" * 32,
        "total      $5.00",
        "count 1",
        "cash                       20.00",
        "change                     15.00",
        "",
        "         [343-1-000001]",
        "             thanks",
    ]


def test_several_pieces_show_their_unit_price() -> None:
    assert f"  {RICE.gtin} 2 x 5.00   10.00" in text_of(a_sale(a_basket((RICE, 2)), BOOK))


def test_a_long_row_becomes_two_rather_than_lose_digits() -> None:
    basket = a_basket().with_item(HAM, HAM.gtin, 355)
    rows = text_of(a_sale(basket, BOOK, [Tender(TenderKind.CARD, 4611)]))
    place = rows.index(f"  {HAM.gtin} 0.355 x 129.90")
    assert rows[place + 1] == "46.11".rjust(32)


def test_a_weight_shows_its_decimals_its_tare_and_that_it_was_keyed_in() -> None:
    basket = a_basket().with_weighed(HAM, HAM.gtin, 500, Weighed("scale", 20))
    basket = basket.with_weighed(HAM, HAM.gtin, 1000, Weighed("manual", 0, "lb"))
    rows = text_of(a_sale(basket, BOOK, [Tender(TenderKind.CARD, 19_485)]), columns=48)
    first = rows.index(f"  {HAM.gtin} 0.500kg x 129.90".ljust(43) + "64.95")
    assert rows[first + 1] == "  tare 0.020kg"
    second = rows.index(f"  {HAM.gtin} 1.000lb x 129.90".ljust(42) + "129.90")
    assert rows[second + 1] == "  weight_manual"


def test_savings_show_where_they_arose_and_in_sum() -> None:
    basket = a_basket((RICE, 2), member="13800012479").with_coupon(1, LineCoupon(100, "c"))
    rows = text_of(a_sale(basket, BOOK))
    for row in (
        "  member_price             -2.02",
        "  store_coupon             -1.00",
        "gross                      10.00",
        "saved                      -3.02",
        "member ***2479",
    ):
        assert row in rows


@pytest.mark.parametrize(
    ("member", "shown"), [("2479", "***79"), ("7", "***"), ("13800012479", "***2479")]
)
def test_a_member_number_is_never_shown_whole(member: str, shown: str) -> None:
    assert f"member {shown}" in text_of(a_sale(a_basket(RICE, member=member), BOOK))


def test_a_price_by_hand_is_marked_and_shows_no_unit_price() -> None:
    basket = a_basket((RICE, 2)).with_override(1, PriceOverride(700, None, "x", "m"))
    rows = text_of(a_sale(basket, BOOK), columns=48)
    assert f"  {RICE.gtin} x2 price_override".ljust(44) + "7.00" in rows


def test_a_copy_and_a_training_receipt_cannot_be_taken_for_a_receipt() -> None:
    head = replace(HEAD, is_training=True, copy=3)
    lines = receipt_lines(a_sale(a_basket(RICE), BOOK), head, TEXTS, 32)
    assert [line for line in lines if line.text == "training"] == [
        ReceiptLine("training", Align.CENTER, bold=True)
    ] * 2
    assert ReceiptLine("copy 3", Align.CENTER, bold=True, scale=2) in lines


def test_a_centred_text_that_is_too_long_goes_on_below() -> None:
    texts = KeysAsTexts({"receipt.thanks": "Thank you for shopping with all of us"})
    lines = receipt_lines(a_sale(), HEAD, texts, 32)
    assert [line.text for line in lines[-2:]] == ["Thank you for shopping with all", "of us"]


def test_large_lines_use_half_the_columns() -> None:
    head = replace(HEAD, store_name="惠民超市中山路旗舰店")
    lines = receipt_lines(a_sale(a_basket(RICE), BOOK), head, TEXTS, 32)
    large = [line.text for line in lines if line.scale == 2]
    assert large == ["惠民超市中山路旗", "舰店", "total      $5.00"]


def test_the_receipt_number_is_there_for_a_scanner() -> None:
    lines = receipt_lines(a_sale(), HEAD, TEXTS, 48)
    (barcode,) = [line for line in lines if line.kind is LineKind.BARCODE]
    assert (barcode.text, barcode.align) == ("343-1-000001", Align.CENTER)


def test_exact_money_brings_no_change_line() -> None:
    rows = text_of(a_sale(a_basket(RICE), BOOK, [Tender(TenderKind.CARD, 500)]))
    assert [row for row in rows if row.startswith(("change", "saved", "gross", "member"))] == []


def test_currencies_without_cents() -> None:
    head = replace(HEAD, currency=CURRENCIES["TWD"])
    assert "total     NT$500" in text_of(a_sale(a_basket(RICE), BOOK), head)


def test_text_to_the_right() -> None:
    assert receipt_text([ReceiptLine("牛奶", Align.RIGHT)], 8) == "    牛奶"


def with_offers(*offers: Offer, **item: object) -> RetailTransaction:
    rice = replace(RICE, **item)  # type: ignore[arg-type]
    book = replace(a_price_book({rice: (500, 399)}), offers=OfferBook.of(offers))
    return a_sale(a_basket((rice, 2)), book)


def test_an_offer_is_named_on_its_line_and_in_sum() -> None:
    offer = Offer("o", Level.LINE, AmountOff(150), names={"zh-CN": "立减"})
    rows = text_of(with_offers(offer))
    place = rows.index("  立减                     -1.50")
    assert rows[place - 1] == f"  {RICE.gtin} 2 x 5.00   10.00"
    assert rows[place + 2 : place + 5] == [
        "gross                      10.00",
        "  立减                     -1.50",
        "saved                      -1.50",
    ]


def test_a_long_name_of_an_offer_is_not_cut() -> None:
    name = "Buy any two of the week, save"
    offer = Offer("o", Level.LINE, AmountOff(150), names={"en": name})
    rows = text_of(with_offers(offer))
    place = rows.index(f"  {name}")
    assert rows[place + 1] == "-1.50".rjust(32)


@pytest.mark.parametrize(
    ("tax_bp", "rate", "tax"), [(1300, "13", "1.15"), (1250, "12.5", "1.11"), (605, "6.05", "0.57")]
)
def test_the_tax_in_the_price_is_told_by_rate(tax_bp: int, rate: str, tax: str) -> None:
    texts = KeysAsTexts({"receipt.tax": "tax {rate}%"})
    sale = with_offers(tax_bp=tax_bp)
    rows = receipt_text(receipt_lines(sale, HEAD, texts, 32), 32).split("\n")
    assert f"tax {rate}%".ljust(28) + tax in rows


LINK = ReceiptLink("343", "2017-08-07", "1-000001", "7K3M-90XQ-H2VD-4T8A")


def test_the_foot_bears_the_check_code_in_words_and_as_an_address_to_scan() -> None:
    head = replace(HEAD, link=LINK, public_url="https://hq.example/")
    lines = receipt_lines(a_sale(a_basket(RICE), BOOK), head, TEXTS, 40)
    address = receipt_url("https://hq.example", LINK)
    assert lines[-4] == ReceiptLine(address, Align.CENTER, kind=LineKind.QR)
    assert receipt_text(lines, 40).split("\n")[-4:] == [
        "                 thanks",
        "        code 7K3M-90XQ-H2VD-4T8A",
        "              hq.example/r",
        "store 343       business_date 2017-08-07",
    ]


def test_without_an_address_the_code_alone_is_printed() -> None:
    rows = text_of(a_sale(), replace(HEAD, link=LINK, copy=1))
    assert rows[-1].strip() == "code 7K3M-90XQ-H2VD-4T8A"
    assert "2017-08-07" not in rows[-2]
