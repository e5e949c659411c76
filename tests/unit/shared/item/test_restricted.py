"""Packs whose number carries a price, weight or count, by the rules of each country."""

from __future__ import annotations

import pytest

from shared.item.barcode import (
    BadBarcode,
    ItemBarcode,
    MemberCard,
    PriceBarcode,
    WeightBarcode,
    member_card_code,
    parse_barcode,
    price_label_code,
    scheme_of,
)
from shared.item.labels import own_scheme
from shared.item.restricted import (
    COUNTRIES,
    Measure,
    Scaled,
    measure_check_digit,
    read_pack,
)
from shared.kernel.errors import RefusedError
from shared.kernel.gtin import Gtin, check_digit

PLACES = {"23": "1.234", "24": "12.34", "25": "123.4"}
PRICES = {"20": "12.34", "21": "123.4", "22": "1234"}


def with_check(body: str) -> str:
    return body + check_digit(body)


def cases() -> list[tuple[str, str, Measure, str, str]]:
    """Country, body of twelve digits, what it carries, how much, the body of the item."""
    rows = [
        (country, f"{prefix}5678901234", Measure.WEIGHT, value, f"{prefix}5678900000")
        for country in ("SE", "NO", "FI", "EE", "LV", "LT")
        for prefix, value in PLACES.items()
    ]
    rows += [
        (country, f"{prefix}5678901234", Measure.PRICE, value, f"{prefix}5678900000")
        for country in ("SE", "NO")
        for prefix, value in PRICES.items()
    ]
    rows += [
        ("DK", f"{prefix}4321003975", Measure.PRICE, "39.75", f"{prefix}4321000000")
        for prefix in ("21", "22", "23", "24")
    ]
    rows += [
        ("DK", f"{prefix}4321001250", Measure.WEIGHT, "1.250", f"{prefix}4321000000")
        for prefix in ("26", "28")
    ]
    rows.append(("DK", "271234501250", Measure.WEIGHT, "1.250", "271234500000"))
    for prefixes, measure, value in (
        (("22", "23"), Measure.PRICE, "2.39"),
        (("25", "26"), Measure.COUNT, "239"),
        (("28", "29"), Measure.WEIGHT, "0.239"),
    ):
        rows += [
            ("DE", f"{prefix}5678400239", measure, value, f"{prefix}5678000000")
            for prefix in prefixes
        ]
    rows.append(("GB", "205678991234", Measure.PRICE, "12.34", "205678900000"))
    return rows


@pytest.mark.parametrize(("country", "body", "measure", "value", "item"), cases())
def test_a_pack_carries_its_measure(
    country: str, body: str, measure: Measure, value: str, item: str
) -> None:
    code = with_check(body)
    pack = read_pack(Gtin(code), COUNTRIES[country])
    assert pack is not None
    assert (pack.gtin, pack.measure, str(pack.value)) == (with_check(item), measure, value)
    assert pack.currency == (COUNTRIES[country].currency if measure is Measure.PRICE else "")
    # The item's own number, and the same label read as fourteen digits.
    again = read_pack(pack.gtin, COUNTRIES[country])
    assert again is not None
    assert again.gtin == pack.gtin
    assert parse_barcode(f"0{code}", scheme_of(country)) == ItemBarcode.of_pack(pack)


@pytest.mark.parametrize(
    ("country", "prefixes"),
    [
        ("SE", "02 26 27 28 29"),
        ("NO", "02 26 27 28 29"),
        ("FI", "02 20 21 22 26 27 28 29"),
        ("EE", "02 20 21 22 26 27 28 29"),
        ("DK", "02 20 25 29"),
        ("DE", "02 20 21 24 27"),
        ("GB", "02 21 22 23 24 25 26 27 28 29"),
    ],
)
def test_other_prefixes_are_plain_items(country: str, prefixes: str) -> None:
    for prefix in prefixes.split():
        gtin = Gtin(with_check(f"{prefix}1111111111"))
        assert read_pack(gtin, COUNTRIES[country]) is None


def test_only_thirteen_digits_carry_a_measure() -> None:
    case = with_check("1235678901234")
    assert parse_barcode(case, scheme_of("SE")) == ItemBarcode(Gtin(case))
    short = with_check("2356789")
    assert parse_barcode(short, scheme_of("SE")) == ItemBarcode(Gtin(short.zfill(13)))


@pytest.mark.parametrize(
    ("value", "digit"),
    [("1234", "9"), ("0000", "0"), ("00239", "4"), ("00012", "9"), ("06870", "1"), ("00000", "0")],
)
def test_a_measure_has_a_check_digit_of_its_own(value: str, digit: str) -> None:
    assert measure_check_digit(value) == digit


@pytest.mark.parametrize("length", [4, 5])
def test_any_single_wrong_digit_of_a_measure_is_seen(length: int) -> None:
    for at in range(length):
        digits = {
            measure_check_digit("7" * at + str(digit) + "3" * (length - at - 1))
            for digit in range(10)
        }
        assert len(digits) == 10


def test_a_measure_that_does_not_check_is_refused() -> None:
    label = with_check("225678500239")
    assert parse_barcode(label, scheme_of("DE")) == BadBarcode(label, "barcode.label_check")


def test_a_country_goes_before_the_chains_own_scheme() -> None:
    label = price_label_code("123", 1590)
    assert parse_barcode(label) == PriceBarcode("00123", 1590)
    found = parse_barcode(label, scheme_of("SE"))
    assert isinstance(found, ItemBarcode)
    assert found.price == Scaled(1590, 0)
    assert scheme_of("CN") == scheme_of("TW") == scheme_of("")


def test_members_keep_their_cards_where_the_country_leaves_the_prefix_free() -> None:
    assert parse_barcode(member_card_code("7"), scheme_of("SE")) == MemberCard("7")
    assert not isinstance(parse_barcode(member_card_code("7"), scheme_of("DE")), MemberCard)


@pytest.mark.parametrize("country", ["XX", "se", "CHE"])
def test_an_unknown_country_is_refused(country: str) -> None:
    with pytest.raises(RefusedError, match=r"barcode\.country"):
        scheme_of(country)


@pytest.mark.parametrize(
    ("number", "digits", "units"),
    [
        (Scaled(1234, 2), 3, 12340),
        (Scaled(1230, 3), 2, 123),
        (Scaled(1234, 3), 2, None),
        (Scaled(5, 0), 0, 5),
    ],
)
def test_a_number_keeps_its_value_in_finer_units_or_has_none(
    number: Scaled, digits: int, units: int | None
) -> None:
    assert number.at(digits) == units


def test_a_chain_chooses_its_own_prefixes() -> None:
    own = own_scheme([2, 28], [21, 22], [])
    assert own_scheme([21], [22], [29]) == scheme_of("")
    assert parse_barcode(with_check("21234500999"), own) == WeightBarcode("12345", 999)
    assert parse_barcode(with_check("281234500999"), own) == WeightBarcode("12345", 999)
    assert parse_barcode(with_check("211234500999"), own) == PriceBarcode("12345", 999)
    assert parse_barcode(member_card_code("7"), own) == ItemBarcode(Gtin(member_card_code("7")))
    assert scheme_of("SE", own).prefixes == ()
