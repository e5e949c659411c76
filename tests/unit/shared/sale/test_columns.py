from __future__ import annotations

import pytest

from shared.sale.columns import char_columns, clip, rows, spread, text_columns, wrap


@pytest.mark.parametrize(
    ("char", "columns"),
    [("a", 1), ("鲜", 2), ("，", 2), ("￥", 2), ("ｱ", 1), ("—", 2), ("“", 2), ("\u0301", 0)],
)
def test_columns_of_a_character_on_a_chinese_printer(char: str, columns: int) -> None:
    assert char_columns(char) == columns


def test_columns_of_a_text() -> None:
    assert text_columns("Milk 1L") == 7
    assert text_columns("鲜牛奶 1L") == 9


def test_a_wide_character_is_not_cut_in_half() -> None:
    assert clip("鲜牛奶", 5) == "鲜牛"
    assert clip("鲜牛奶", 6) == "鲜牛奶"
    assert clip("a鲜", 1) == "a"
    assert clip("鲜", 1) == ""


def test_a_mark_stays_with_its_letter() -> None:
    assert clip("e\u0301x", 1) == "e\u0301"


def test_a_long_text_breaks_at_spaces_where_it_can() -> None:
    assert list(wrap("Organic whole milk 1 litre", 12)) == ["Organic", "whole milk 1", "litre"]
    assert list(wrap("康师傅红烧牛肉面五连包", 10)) == ["康师傅红烧", "牛肉面五连", "包"]
    assert list(wrap("Supercalifragilistic", 8)) == ["Supercal", "ifragili", "stic"]
    assert list(wrap("fits", 8)) == ["fits"]
    assert list(wrap("", 8)) == [""]


def test_trailing_space_makes_no_row() -> None:
    assert list(wrap("Milk" + " " * 40, 10)) == ["Milk"]


def test_columns_that_hold_no_wide_character_are_a_mistake() -> None:
    with pytest.raises(AssertionError):
        list(wrap("鲜", 1))


def test_left_and_right_share_a_row() -> None:
    assert spread("Total", "12.50", 16) == "Total      12.50"
    assert spread("应付", "12.50", 16) == "应付       12.50"


def test_the_left_text_gives_way() -> None:
    assert spread("Receipt number", "12.50", 12) == "Receip 12.50"
    assert spread("鲜牛奶", "12.50", 9) == "鲜  12.50"
    assert spread("x", "0123456789", 5) == "01234"


def test_rows_lose_nothing() -> None:
    assert list(rows("Total", "12.50", 12)) == ["Total  12.50"]
    assert list(rows("0.355 x 1299.00", "461.15", 16)) == ["0.355 x 1299.00", "          461.15"]
