"""The store's price counts before its zone's, and that before the chain's."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kernel.errors import RefusedError
from shared.price.levels import (
    LevelPrice,
    level_prices,
    merged_prices,
    parse_record_key,
    prices_of,
    record_key,
    record_keys,
)
from shared.price.price_book import DatedPrice, PriceLevel, price_at

STORE, ZONE, CHAIN = PriceLevel.STORE, PriceLevel.ZONE, PriceLevel.CHAIN
SHANGHAI = ZoneInfo("Asia/Shanghai")


def test_a_price_of_the_store_hides_those_above_until_it_ends() -> None:
    found = prices_of(
        {
            CHAIN: [[0, 500, None], [70, 520, 510]],
            ZONE: [[10, 450, None], [60, None, None]],
            STORE: [[20, 400, 390], [40, None, None]],
        },
        SHANGHAI,
    )
    assert found == (
        DatedPrice(0, 500, None, CHAIN),
        DatedPrice(10, 450, None, ZONE),
        DatedPrice(20, 400, 390, STORE),
        DatedPrice(40, 450, None, ZONE),
        DatedPrice(60, 500, None, CHAIN),
        DatedPrice(70, 520, 510, CHAIN),
    )


def test_an_item_whose_only_price_ended_has_none() -> None:
    found = prices_of({STORE: [[20, 400, None], [40, None, None], [60, 300, None]]}, SHANGHAI)
    assert [price_at(found, at_ms) for at_ms in (19, 20, 39, 40, 59)] == [
        None, found[0], found[0], None, None,
    ]  # fmt: skip
    assert price_at(found, 60) == DatedPrice(60, 300)


def test_a_change_above_that_the_store_hides_is_no_change() -> None:
    assert prices_of({CHAIN: [[5, 9, None], [7, 8, None]], STORE: [[0, 4, None]]}, SHANGHAI) == (
        DatedPrice(0, 4),
    )


def test_after_a_period_what_lay_under_it_counts_again() -> None:
    rows: list[list[int | str | None]] = [[0, 500, None], [10, 400, None, 20], [15, 450, None, 17]]
    assert level_prices(rows, SHANGHAI) == (
        LevelPrice(0, 500),
        LevelPrice(10, 400),
        LevelPrice(15, 450),
        LevelPrice(17, 400),
        LevelPrice(20, 500),
    )


def test_after_the_only_period_the_next_level_counts() -> None:
    found = prices_of({STORE: [[10, 400, None, 20]], CHAIN: [[0, 500, None]]}, SHANGHAI)
    assert [price.regular_minor for price in found] == [500, 400, 500]


def test_a_period_without_a_price_hides_the_level_while_it_lasts() -> None:
    rows: list[list[int | str | None]] = [[0, 400, None], [10, None, None, 20]]
    found = prices_of({STORE: rows, CHAIN: [[0, 500, None]]}, SHANGHAI)
    assert [price.regular_minor for price in found] == [400, 500, 400]


def test_a_period_may_begin_on_the_stores_own_clock() -> None:
    rows: list[list[int | str | None]] = [["2026-11-27T00:00", 400, None], [0, 500, None]]
    assert level_prices(rows, SHANGHAI) == (
        LevelPrice(0, 500),
        LevelPrice(1_795_708_800_000, 400),
    )
    utc = level_prices(rows, ZoneInfo("UTC"))
    assert utc[1].from_at_ms - 1_795_708_800_000 == 8 * 3_600_000


def test_of_two_prices_of_one_instant_the_later_row_counts() -> None:
    assert level_prices([[0, 5, None], [0, 4, 3]], SHANGHAI) == (LevelPrice(0, 4, 3),)


@pytest.mark.parametrize("row", [[0, 5], [None, 5, None], ["2026-13-01T00:00", 5, None],
                                 [0, "5", None], [0, 5, None, 9, 9]])  # fmt: skip
def test_a_row_that_is_no_price_is_refused(row: list[int | str | None]) -> None:
    with pytest.raises(RefusedError):
        level_prices([row], SHANGHAI)


def test_the_key_of_a_record_tells_the_level() -> None:
    keys = record_keys("6901234567892")
    assert [parse_record_key(key) for key in keys] == [
        ("6901234567892", level) for level in (STORE, ZONE, CHAIN)
    ]
    assert record_key("6901234567892", CHAIN) == keys[2] == "6901234567892/c"
    for key in ("/z", "", "6901234567892/x", "6901234567892/"):
        with pytest.raises(RefusedError):
            parse_record_key(key)


_PRICES = st.lists(
    st.builds(
        LevelPrice,
        st.integers(0, 30),
        st.none() | st.integers(1, 3),
        st.none() | st.integers(0, 1),
    ),
    max_size=6,
    unique_by=lambda price: price.from_at_ms,
).map(lambda prices: tuple(sorted(prices, key=lambda price: price.from_at_ms)))


@given(_PRICES, _PRICES, _PRICES)
def test_at_every_instant_the_first_level_that_says_a_price_counts(
    store: tuple[LevelPrice, ...], zone: tuple[LevelPrice, ...], chain: tuple[LevelPrice, ...]
) -> None:
    levels = {STORE: store, ZONE: zone, CHAIN: chain}
    merged = merged_prices(levels)
    for at_ms in range(32):
        wanted = None
        for level, prices in levels.items():
            said = [price for price in prices if price.from_at_ms <= at_ms]
            if said and said[-1].regular_minor is not None:
                wanted = (said[-1].regular_minor, said[-1].member_minor, level)
                break
        found = price_at(merged, at_ms)
        shown = found and (found.regular_minor, found.member_minor, found.level)
        assert shown == wanted
