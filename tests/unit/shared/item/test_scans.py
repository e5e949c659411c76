"""What scanners send, symbology by symbology, and what is read from it."""

from __future__ import annotations

import pytest

from shared.item.aim import SYMBOLOGIES
from shared.item.barcode import (
    BadBarcode,
    ItemBarcode,
    MemberCard,
    OtherData,
    PriceBarcode,
    TextCode,
    WeightBarcode,
    member_card_code,
    parse_barcode,
    price_label_code,
    read_barcode,
)
from shared.item.element_string import Element
from shared.item.restricted import Scaled
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import Gtin, expand_upc_e

GS = "\x1d"
TEA = Gtin("6901234567892")
TEA_14 = "06901234567892"


@pytest.mark.parametrize(
    ("scan", "symbology", "data"),
    [
        ("]E06901234567892", "EAN13", "6901234567892"),
        ("]E00036000291452", "EAN13", "0036000291452"),
        ("]E496385074", "EAN8", "96385074"),
        (f"]E496385074|]e010A1{GS}21B", "EAN8", "96385074|^10A1^21B"),
        (f"]E06901234567892|]e017270131{GS}10A", "EAN13", "6901234567892|^17270131^10A"),
        (f"]C101{TEA_14}10A1", "GS1_128_CCA", f"^01{TEA_14}10A1"),
        (f"]e001{TEA_14}10A1{GS}99X", "DataBarExpanded", f"^01{TEA_14}10A1^99X"),
        (f"]d201{TEA_14}", "DM", f"^01{TEA_14}"),
        (f"]d2{GS}01{TEA_14}", "DM", f"^01{TEA_14}"),
        (f"]Q301{TEA_14}10A{GS}17270131", "QR", f"^01{TEA_14}10A^17270131"),
        (f"]J101{TEA_14}21S", "DotCode", f"^01{TEA_14}21S"),
        ("]Q1", "QR", ""),
        ("]d1", "DM", ""),
        ("]J0", "DotCode", ""),
        ("]Q1WORDS", "QR", "WORDS"),
        ("]d1^WORDS", "DM", "\\^WORDS"),
        ("]J0\\^WORDS", "DotCode", "\\\\^WORDS"),
        ("]Q1\\WORDS", "QR", "\\WORDS"),
        (f"]Q1hTTps://a.example/01/{TEA_14}?99=X", "QR", f"hTTps://a.example/01/{TEA_14}?99=X"),
        (f"]d1http://a.example/x/01/{TEA_14}", "DM", f"http://a.example/x/01/{TEA_14}"),
        ("]I10" + TEA, "ITF", "0" + TEA),
        ("]C0" + TEA, "Code128", TEA),
        (TEA, "", TEA),
        (f"01{TEA_14}10A{GS}21B", "", f"^01{TEA_14}10A^21B"),
    ],
)
def test_a_scan_is_read(scan: str, symbology: str, data: str) -> None:
    reading = read_barcode(scan)
    assert (reading.symbology, reading.data) == (symbology, data)


@pytest.mark.parametrize(
    ("scan", "because"),
    [
        ("]", "barcode.symbology"),
        ("]E", "barcode.symbology"),
        ("]X06901234567892", "barcode.symbology"),
        ("]E112", "barcode.symbology"),
        ("]E0", "barcode.length"),
        ("]E0690123456789", "barcode.length"),
        ("]E0036000291452", "barcode.length"),
        ("]E006901234567892", "barcode.length"),
        ("]E06901234567893", "barcode.check_digit"),
        ("]E069012345678X2", "barcode.characters"),
        ("]E06901234567892|", "barcode.length"),
        ("]E06901234567892|]e0", "barcode.empty"),
        ("]E06901234567892|]e117270131", "barcode.length"),
        ("]E06901234567892|]e0ABC", "barcode.ai_unknown"),
        (f"]E06901234567892|]e001{TEA_14[:-1]}3", "barcode.ai_data"),
        ("]E06901234567892|]e00100000096385074", "barcode.ai_twice"),
        ("]E4", "barcode.length"),
        ("]E46901234567892", "barcode.length"),
        ("]E49638507", "barcode.length"),
        ("]E496385075", "barcode.check_digit"),
        ("]E49638A074", "barcode.characters"),
        ("]C1", "barcode.empty"),
        ("]e0", "barcode.empty"),
        ("]d2", "barcode.empty"),
        ("]Q3", "barcode.empty"),
        ("]J1", "barcode.empty"),
        ("]C1HELLO", "barcode.ai_unknown"),
        (f"]C101{TEA_14[:-1]}3", "barcode.ai_data"),
        ("]C10106901234", "barcode.ai_data"),
        ("]Q1https://shop.example/tea", "barcode.web_link"),
        ("]C0HELLO", "barcode.characters"),
        ("]C0", "barcode.characters"),
        ("HELLO", "barcode.characters"),
        ("", "barcode.characters"),
        ("https://shop.example/tea", "barcode.web_link"),
        (f"01{TEA_14}", "barcode.needs_symbology"),
        (f"01{TEA_14}10A1", "barcode.needs_symbology"),
        ("1234567890123456", "barcode.length"),
    ],
)
def test_what_is_no_code_is_refused_with_its_reason(scan: str, because: str) -> None:
    with pytest.raises(RefusedError, match=because.replace(".", r"\.") + r"\b"):
        read_barcode(scan)
    found = parse_barcode(scan)
    assert isinstance(found, BadBarcode)
    assert found.because == because


@pytest.mark.parametrize(
    ("upc_e", "upc_a"),
    [
        ("04252614", "042100005264"),
        ("01234565", "012345000065"),
        ("04210007", "042000001007"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
    ],
)
def test_a_upc_e_is_the_upc_a_that_it_stands_for(upc_e: str, upc_a: str) -> None:
    assert expand_upc_e(upc_e) == upc_a
    assert parse_barcode(f"]E0{upc_e}") == ItemBarcode(Gtin(f"0{upc_a}"))


@pytest.mark.parametrize("text", ["04252615", "24252614", "0425261", "0425261X"])
def test_what_is_no_upc_e_is_not_spelled_out(text: str) -> None:
    with pytest.raises(RefusedError, match=r"barcode\."):
        expand_upc_e(text)


def test_eight_digits_are_an_ean_8_unless_the_scanner_says_upc_e() -> None:
    assert parse_barcode("96385074") == ItemBarcode(Gtin("0000096385074"))
    assert isinstance(parse_barcode("04252614"), BadBarcode)


def test_lot_serial_and_expiry_come_with_the_item() -> None:
    found = parse_barcode(f"]d201{TEA_14}1727013110L-7{GS}21S1")
    assert found == ItemBarcode(TEA, lot="L-7", serial="S1", expiry="270131")
    assert parse_barcode(f"]d201{TEA_14}70032701311200") == ItemBarcode(TEA, expiry="270131")


def test_the_component_above_an_ean_tells_of_the_same_pack() -> None:
    found = parse_barcode(f"]E0{TEA}|]e01727013110L-7")
    assert found == ItemBarcode(TEA, lot="L-7", expiry="270131")


def test_a_label_stays_a_label_below_a_component() -> None:
    label = price_label_code("77", 250)
    assert parse_barcode(f"]E0{label}|]e099X") == PriceBarcode("00077", 250)
    assert parse_barcode("]E02112345678900") == WeightBarcode("12345", 67890)


@pytest.mark.parametrize(
    ("elements", "facts"),
    [
        ("3103001750", {"weight": Scaled(1750, 3)}),
        ("3101000017", {"weight": Scaled(17, 1)}),
        ("3012", {"count": 12}),
        ("31030017503922985", {"weight": Scaled(1750, 3), "price": Scaled(985, 2)}),
        (
            "31030017503931901850",
            {"weight": Scaled(1750, 3), "price": Scaled(850, 1), "currency": "TWD"},
        ),
    ],
)
def test_an_item_that_varies_says_how_much(elements: str, facts: dict[str, object]) -> None:
    found = parse_barcode(f"]e00190614141000015{elements}")
    assert found == ItemBarcode(Gtin("90614141000015"), **facts)  # type: ignore[arg-type]


def test_an_item_that_does_not_vary_is_a_piece_whatever_it_weighs() -> None:
    assert parse_barcode(f"]e001{TEA_14}3103001750") == ItemBarcode(TEA)


def test_a_pallet_is_no_item() -> None:
    sscc = Element("00", "340123450000000000")
    assert parse_barcode("]C100340123450000000000") == OtherData((sscc,))


def test_words_in_a_square_code_are_kept_for_coupons_and_badges() -> None:
    assert parse_barcode("]Q1SUMMER-10") == TextCode("SUMMER-10")
    assert parse_barcode("]C0SUMMER-10") == BadBarcode("SUMMER-10", "barcode.characters")


def test_a_members_phone_may_show_the_card_as_a_square_code() -> None:
    assert parse_barcode("]Q1" + member_card_code("2479")) == MemberCard("2479")
    assert parse_barcode("]Q1" + TEA) == TextCode(TEA)


def test_a_magazine_is_the_same_item_whichever_issue_it_is() -> None:
    magazine = Gtin("9770317847001")
    assert parse_barcode(f"]E3{magazine}03") == ItemBarcode(magazine)
    assert parse_barcode(f"]E3{magazine}00319") == ItemBarcode(magazine)
    for add_on in ("", "1", "123", "1X"):
        assert isinstance(parse_barcode(f"]E3{magazine}{add_on}"), BadBarcode)


def test_every_identifier_is_a_letter_and_a_digit() -> None:
    assert all(len(each) == 2 and each[1].isdigit() for each in SYMBOLOGIES)
