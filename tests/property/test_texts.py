from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.item.barcode import (
    BadBarcode,
    ItemBarcode,
    MemberCard,
    PriceBarcode,
    member_card_code,
    parse_barcode,
    price_label_code,
)
from shared.kernel.gtin import check_digit, parse_gtin
from shared.sale.columns import clip, rows, spread, text_columns, wrap

DIGITS = st.text("0123456789", min_size=0, max_size=16)
ROW_TEXT = st.text(
    st.sampled_from("ab 鲜牛奶，“—é\u0301\u3000ｱ1.") | st.characters(exclude_categories=["Cs"]),
    max_size=60,
)
COLUMNS = st.integers(2, 48)


@given(DIGITS)
def test_a_wrong_check_digit_is_never_an_item(text: str) -> None:
    if text and check_digit(text[:-1]) != text[-1]:
        assert isinstance(parse_barcode(text), BadBarcode)


@given(
    st.sampled_from([7, 11, 12, 13]).flatmap(
        lambda n: st.text("0123456789", min_size=n, max_size=n)
    )
)
def test_each_spelling_of_a_gtin_means_the_same(body: str) -> None:
    text = body + check_digit(body)
    gtin = parse_gtin(text)
    assert parse_gtin(gtin) == gtin
    assert parse_barcode(text.zfill(13)) == parse_barcode(text.zfill(14)) == parse_barcode(gtin)


@given(st.integers(0, 99_999), st.integers(0, 99_999))
def test_a_printed_label_is_read_as_it_was_meant(plu: int, amount: int) -> None:
    code = price_label_code(str(plu), amount)
    assert parse_barcode(code) == PriceBarcode(f"{plu:05d}", amount)


@given(st.integers(0, 9_999_999_999))
def test_a_printed_card_is_read_as_it_was_meant(number: int) -> None:
    assert parse_barcode(member_card_code(str(number))) == MemberCard(str(number))
    assert not isinstance(parse_barcode(member_card_code(str(number))), ItemBarcode)


@given(ROW_TEXT, COLUMNS)
def test_wrapped_rows_fit_and_lose_nothing_that_is_seen(text: str, columns: int) -> None:
    pieces = list(wrap(text, columns))
    assert all(text_columns(piece) <= columns for piece in pieces)
    assert seen("".join(pieces)) == seen(text)


@given(ROW_TEXT, ROW_TEXT, COLUMNS)
def test_a_spread_row_has_exactly_its_columns(left: str, right: str, columns: int) -> None:
    # A wide character may leave the last column free.
    assert columns - 1 <= text_columns(spread(left, right, columns)) <= columns


@given(ROW_TEXT, ROW_TEXT.filter(lambda text: text_columns(text) <= 2), COLUMNS)
def test_rows_fit_and_lose_nothing_that_is_seen(left: str, right: str, columns: int) -> None:
    found = list(rows(left, right, columns))
    assert all(text_columns(row) <= columns for row in found)
    assert seen("".join(found)) == seen(left + right)


@given(ROW_TEXT, st.integers(0, 48))
def test_a_clipped_text_is_the_longest_beginning_that_fits(text: str, columns: int) -> None:
    kept = clip(text, columns)
    assert text.startswith(kept)
    assert text_columns(kept) <= columns
    if kept != text:
        assert text_columns(text[: len(kept) + 1]) > columns


def seen(text: str) -> str:
    return re.sub(r"\s", "", text)
