from __future__ import annotations

import pytest

from shared.kernel.errors import RefusedError
from shared.kernel.gtin import canonical_gtin, check_digit, parse_gtin


# Real codes: GS1's own examples and goods off the shelf.
@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("96385074", "0000096385074"),  # EAN-8
        ("036000291452", "0036000291452"),  # UPC-A
        ("4006381333931", "4006381333931"),  # EAN-13
        ("6901234567892", "6901234567892"),
        ("04006381333931", "4006381333931"),  # GTIN-14, indicator 0
        ("14006381333938", "14006381333938"),  # GTIN-14 of a case
        ("10614141000415", "10614141000415"),
    ],
)
def test_each_length_has_one_canonical_form(text: str, canonical: str) -> None:
    assert parse_gtin(text) == canonical


@pytest.mark.parametrize(
    ("body", "digit"),
    [("9638507", "4"), ("03600029145", "2"), ("400638133393", "1"), ("629104150021", "3")],
)
def test_check_digit_of_known_codes(body: str, digit: str) -> None:
    assert check_digit(body) == digit


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "barcode.characters"),
        ("69012345678 2", "barcode.characters"),
        ("6901234567892\n", "barcode.characters"),
        ("٦٩٠١٢٣٤٥٦٧٨٩٢", "barcode.characters"),  # Arabic digits
        ("²²²²²²²²", "barcode.characters"),
        ("-901234567892", "barcode.characters"),
        ("1", "barcode.length"),
        ("123456789", "barcode.length"),
        ("12345678901", "barcode.length"),
        ("123456789012345", "barcode.length"),
        ("6901234567893", "barcode.check_digit"),
        ("96385075", "barcode.check_digit"),
    ],
)
def test_what_is_no_gtin_is_refused_with_its_reason(text: str, code: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_gtin(text)
    assert refused.value.code == code


def test_a_refusal_shows_only_the_beginning_of_a_long_text() -> None:
    with pytest.raises(RefusedError) as refused:
        parse_gtin("x" * 10_000)
    assert refused.value.params == {"code": "x" * 40}


def test_every_changed_digit_is_noticed() -> None:
    good = "6901234567892"
    for place, digit in enumerate(good):
        for other in set("0123456789") - {digit}:
            with pytest.raises(RefusedError):
                parse_gtin(good[:place] + other + good[place + 1 :])


def test_canonical_form_is_stable() -> None:
    for text in ("0000096385074", "14006381333938"):
        assert canonical_gtin(text) == text
