"""GS1 element strings: taken apart, checked by GS1's own rules, put together again."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.item import gs1_table
from shared.item.element_string import (
    FNC1,
    Element,
    check_data,
    check_pairings,
    read_elements,
    write_elements,
)
from shared.item.gs1_ai import find_identifier, identifiers, matches
from shared.item.gs1_rules import CHARACTERS, RULES, UNCHECKED_RULES
from shared.kernel.errors import RefusedError

TEA = "06901234567892"
COUPON = "106141416543213150110120"
DICTIONARY = Path(__file__).parents[5] / "shared" / "data" / "gs1" / "gs1-syntax-dictionary.txt"


def test_elements_end_at_their_length_or_at_a_separator() -> None:
    assert read_elements(f"01{TEA}1727013110LOT-1{FNC1}21S 1".replace(" ", "")) == (
        Element("01", TEA),
        Element("17", "270131"),
        Element("10", "LOT-1"),
        Element("21", "S1"),
    )


def test_a_needless_separator_does_no_harm() -> None:
    needed = f"01{TEA}17270131"
    assert read_elements(f"01{TEA}{FNC1}17270131{FNC1}") == read_elements(needed)


def test_the_same_element_twice_counts_once_and_another_one_is_refused() -> None:
    assert read_elements(f"10A{FNC1}10A") == (Element("10", "A"),)
    with pytest.raises(RefusedError, match=r"barcode\.ai_twice"):
        read_elements(f"10A{FNC1}10B")


def test_separators_are_written_where_they_are_needed() -> None:
    elements = (Element("10", "A"), Element("01", TEA), Element("21", "B"), Element("99", "C"))
    assert write_elements(elements) == f"10A{FNC1}01{TEA}21B{FNC1}99C"


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "barcode.empty"),
        (FNC1, "barcode.ai_unknown"),
        ("05123", "barcode.ai_unknown"),
        ("3106001750", "barcode.ai_unknown"),
        ("0", "barcode.ai_unknown"),
        ("10", "barcode.ai_data"),
        (f"10{FNC1}21A", "barcode.ai_data"),
        (f"10{'A' * 21}", "barcode.ai_data"),
        ("10A^B", "barcode.ai_data"),
        ("10A#B", "barcode.ai_data"),
        ("10é", "barcode.ai_data"),
        ("1726013", "barcode.ai_data"),
        (f"01{TEA}2", "barcode.ai_unknown"),
        ("30123456789", "barcode.ai_data"),
        ("30１２", "barcode.ai_data"),
    ],
)
def test_what_is_no_element_string_is_refused(text: str, because: str) -> None:
    with pytest.raises(RefusedError, match=because.replace(".", r"\.")):
        read_elements(text)


GOOD_AND_BAD = [
    ("00", "csum", ["340123450000000000"], ["340123450000000001", "34012345000000000"]),
    ("01", "csum", [TEA, "98765432109213"], ["06901234567893", "0690123456789X"]),
    ("11", "yymmd0", ["240229", "261200", "990228"], ["230229", "261301", "260431", "260001"]),
    ("7006", "yymmdd", ["240229"], ["240200", "230229"]),
    ("7250", "yyyymmdd", ["19991231", "20000229"], ["19000229", "19991200", "00001231"]),
    ("422", "iso3166", ["156", "158", "752"], ["000", "999", "15"]),
    ("7030", "iso3166999", ["156A", "999A"], ["998A", "156"]),
    ("4307", "iso3166alpha2", ["CN", "TW"], ["XX", "cn"]),
    ("3912", "iso4217", ["156100", "9011"], ["000100", "15"]),
    ("253", "csum", ["6901234567892", "6901234567892ABC"], ["6901234567891"]),
    ("401", "gcppos1", ["6901X"], ["690", "69A1X"]),
    ("8006", "pieceoftotal", [f"{TEA}0102", f"{TEA}0202"], [f"{TEA}0302", f"{TEA}0002"]),
    ("8003", "zero", ["06901234567892", "06901234567892S1"], ["16901234567892"]),
    ("8001", "nonzero", ["12341234512311", "00010000100100"], ["00001234512311", "12340000012311"]),
    ("8001", "winding", ["12341234512390"], ["12341234512320"]),
    ("8007", "iban", ["DE89370400440532013000"], ["DE88370400440532013000", "DE8"]),
    ("8008", "hh", ["26013123", "2601312359", "260131235959"], ["26013124", "2601312360"]),
    ("8011", "nozeroprefix", ["0", "12"], ["012"]),
    ("8013", "csumalpha", ["1987654Ad4X4bL5ttr2310c2K"], ["1987654Ad4X4bL5ttr2310c2L", "1987"]),
    ("8014", "hasnondigit", ["1987654Ad4X4bL5ttr2310c2K"], ["19876543"]),
    ("4300", "pcenc", ["A%20B", "%E4%B8%AD"], ["A%2", "%zz"]),
    (
        "4309",
        "latitude",
        ["02790858483015297971", "18000000003600000000"],
        ["18000000010000000000"],
    ),
    ("4309", "longitude", ["00000000003600000000"], ["00000000003600000001"]),
    ("4321", "yesno", ["0", "1"], ["2"]),
    ("4324", "hhmi", ["2601312359"], ["2601312400", "2601312360"]),
    ("4330", "hyphen", ["002500", "002500-"], ["002500+"]),
    ("7040", "importeridx", ["1ABC", "1AB-", "1AB_"], ["1AB!", "AABC"]),
    ("7241", "mediatype", ["01", "10", "80", "99"], ["00", "11", "79"]),
    ("7252", "iso5218", ["0", "1", "2", "9"], ["3"]),
    ("7258", "posinseqslash", ["1/3", "3/3"], ["4/3", "0/3", "123", "1-3"]),
    ("8010", "Y", ["6901A-#/"], ["6901a", "6901_"]),
    ("8030", "Z", ["AZaz09-_=="], ["A+B", "A=B"]),
    ("8043", "length", ["1" * 18, "1" * 19, "1" * 20], ["1" * 17, "1" * 21]),
    ("423", "iso3166", ["156", "156158", "156158752156158"], ["156000", "1561", "156" * 6]),
    (
        "8110",
        "couponcode",
        [
            COUPON,
            f"{COUPON}101101209",
            f"{COUPON}101101200061414",
            f"{COUPON}21101209326013142601015012345661061414190110",
        ],
        [
            "706141416543213150110120",
            "106141416543213150115120",
            "10614141654321315011012",
            f"{COUPON}3260231",
            f"{COUPON}32601313260131",
            f"{COUPON}7",
            f"{COUPON}9301",
            "A06141416543213150110120",
        ],
    ),
    (
        "8112",
        "couponposoffer",
        ["0106141416543210123456", "100614146543213012345678"],
        ["2106141416543210123456", "010614141654321012345", "01061414165432101234567"],
    ),
]


@pytest.mark.parametrize(("ai", "rule", "good", "bad"), GOOD_AND_BAD)
def test_data_follows_the_rules_of_its_identifier(
    ai: str, rule: str, good: list[str], bad: list[str]
) -> None:
    identifier = identifiers()[ai]
    for data in good:
        check_data(identifier, data)
    for data in bad:
        with pytest.raises(RefusedError, match=r"barcode\.ai_data"):
            check_data(identifier, data)


def test_every_rule_of_the_table_is_known_or_named_as_unchecked() -> None:
    used = {
        rule
        for identifier in identifiers().values()
        for component in identifier.components
        for rule in component.rules
    }
    assert used == RULES.keys() | UNCHECKED_RULES
    assert not RULES.keys() & UNCHECKED_RULES
    assert set("NXYZ") == CHARACTERS.keys()


def test_no_identifier_begins_another() -> None:
    for ai in identifiers():
        assert not any(ai[:length] in identifiers() for length in range(1, len(ai)))
        found = find_identifier(f"x{ai}9", 1)
        assert found is not None
        assert found.ai == ai


@pytest.mark.parametrize(
    ("ais", "because"),
    [
        (["10"], "barcode.ai_alone"),
        (["01", "37"], "barcode.ai_together"),
        (["01", "255"], "barcode.ai_together"),
        (["02"], "barcode.ai_alone"),
        (["01", "3102", "3103"], "barcode.ai_together"),
        (["01", "250"], "barcode.ai_alone"),
        (["01", "3922"], "barcode.ai_alone"),
        (["8040", "01"], "barcode.ai_alone"),
        (["21", "235", "01"], "barcode.ai_together"),
    ],
)
def test_what_must_not_or_cannot_stand_so_is_refused(ais: list[str], because: str) -> None:
    with pytest.raises(RefusedError, match=because.replace(".", r"\.")):
        check_pairings([Element(ai, "") for ai in ais])


@pytest.mark.parametrize(
    "ais",
    [
        ["01", "10", "17", "21"],
        ["02", "37", "00"],
        ["01", "250", "21"],
        ["01", "3103", "3922"],
        ["01", "21", "8040"],
        ["99"],
        ["414", "254"],
    ],
)
def test_what_goes_together_is_taken(ais: list[str]) -> None:
    check_pairings([Element(ai, "") for ai in ais])


def test_a_pattern_stands_for_any_digits() -> None:
    assert matches("3103", "310n")
    assert matches("3565", "35nn")
    assert not matches("3203", "310n")
    assert not matches("31", "310n")


@pytest.mark.skipif(
    not DICTIONARY.is_file(), reason="GS1's syntax dictionary is not beside this tree"
)
def test_the_table_says_what_the_dictionary_says() -> None:
    text = DICTIONARY.read_text(encoding="utf-8")
    assert f"Release: {gs1_table.RELEASE}" in text
    rows = [line.partition("#")[0].split() for line in text.splitlines() if line[:1].isdigit()]
    ours = [line.replace(" | ", " ").split() for line in gs1_table.TABLE.splitlines()]
    assert len(ours) == len(rows)
    for row, mine in zip(rows, ours, strict=True):
        flags = row.pop(1) if set(row[1]) <= set("*?") else "-"
        spelled = flags.replace("*", "F").replace("?", "D")
        assert mine == [row[0], spelled, *row[1:]]
