from dataclasses import replace
from datetime import date, datetime, timedelta

from tests.demo.pack.build import Cut, build
from tests.demo.pack.load import Places
from tests.demo.pack.model import DemoPack, Receipt, ReceiptLine
from tests.demo.pack.sample import sample_pack
from tests.demo.pack.source import (
    SourceLine,
    SourceProduct,
    find_source,
    read_lines,
    read_products,
)
from tests.demo.pack.tables import has_pack, read_pack

CUT = Cut(
    store_ids=frozenset({7}),
    from_at=datetime(2024, 6, 3),  # noqa: DTZ001
    to_at=datetime(2024, 6, 5),  # noqa: DTZ001
    utc_offset=timedelta(hours=-4),
)
MONDAY_UTC_S = 1_717_387_200  # 2024-06-03 04:00 UTC: the stroke of midnight in the store
SOUP, HAM, FUEL, UNKNOWN, SHOES, BROTH = 21, 22, 23, 24, 25, 26

PRODUCTS = {
    product.product_id: product
    for product in (
        SourceProduct(SOUP, 1, "GROCERY", "National", "SOUP", "TOMATO", "8 OZ"),
        SourceProduct(HAM, 1, "DELI", "National", "DELI MEATS", "HAM BULK", ""),
        SourceProduct(FUEL, 1, "FUEL", "National", "FUEL", "DIESEL", ""),
        SourceProduct(SHOES, 1, "GARDEN CENTER", "Private", "", "", "1 PR"),
        SourceProduct(BROTH, 1, "GROCERY", "National", "SOUP", "BROTH", ""),
    )
}

BASE = SourceLine(
    household_id=9,
    store_id=7,
    basket_id=1,
    product_id=SOUP,
    quantity=1,
    sales=100,
    retail_disc=0,
    coupon_disc=0,
    coupon_match=0,
    week=23,
    utc_s=MONDAY_UTC_S,
)
# Another store's year tells that ham is weighed (8 prices) and broth, priced as oddly, is not.
ELSEWHERE = [
    BASE._replace(store_id=8, basket_id=50 + n, utc_s=n, product_id=pid, sales=200 + n)
    for n in range(8)
    for pid in (HAM, BROTH)
]


def _lines_of(*lines: SourceLine) -> list[ReceiptLine]:
    return [line for receipt in _build(*lines).receipts for line in receipt.lines]


def _build(*lines: SourceLine) -> DemoPack:
    return build(PRODUCTS, [*ELSEWHERE, *lines], CUT)


def _heads(receipts: tuple[Receipt, ...]) -> list[tuple[int, str]]:
    return [(receipt.basket_no, str(receipt.at)) for receipt in receipts]


def test_baskets_are_numbered_over_all_stores_by_instant_then_id() -> None:
    pack = _build(
        BASE._replace(basket_id=5, utc_s=MONDAY_UTC_S + 60),
        BASE._replace(basket_id=4, utc_s=MONDAY_UTC_S + 60),
        BASE._replace(basket_id=6, utc_s=MONDAY_UTC_S + 30, store_id=8),
        BASE._replace(basket_id=9),
    )
    assert _heads(pack.receipts) == [
        (9, "2024-06-03 00:00:00"),
        (11, "2024-06-03 00:01:00"),
        (12, "2024-06-03 00:01:00"),
    ]


def test_only_the_days_of_the_cut_are_kept_by_the_stores_clock() -> None:
    pack = _build(
        BASE._replace(basket_id=1, utc_s=MONDAY_UTC_S - 1),
        BASE._replace(basket_id=2, utc_s=MONDAY_UTC_S + 2 * 86_400 - 1),
        BASE._replace(basket_id=3, utc_s=MONDAY_UTC_S + 2 * 86_400),
    )
    assert [row.date for row in pack.expected_daily_close] == [date(2024, 6, 4)]


def test_lines_that_are_no_goods_are_dropped_and_empty_receipts_too() -> None:
    pack = _build(
        BASE._replace(basket_id=1, product_id=FUEL, quantity=900),
        BASE._replace(basket_id=2, product_id=UNKNOWN),
        BASE._replace(basket_id=2, product_id=SOUP, quantity=0),
        BASE._replace(basket_id=3, product_id=SHOES),
    )
    assert [receipt.basket_no for receipt in pack.receipts] == [11]
    assert [row.name for row in pack.catalogue] == ["1 PR"]


def test_a_line_carries_the_sources_money() -> None:
    (line,) = _lines_of(
        BASE._replace(quantity=2, sales=130, retail_disc=50, coupon_match=20, coupon_disc=25)
    )
    assert line.scan == line.ean13 == "0400000000213"
    assert (line.gross_cents, line.net_cents) == (200, 130)
    assert (line.member_disc_cents, line.store_coupon_cents) == (50, 20)
    assert line.mfr_coupon_cents == 25


def test_a_weighed_item_is_inferred_and_labelled() -> None:
    one, two, broth = _lines_of(
        BASE._replace(product_id=HAM, sales=250, retail_disc=50),
        BASE._replace(product_id=HAM, quantity=2, sales=555, basket_id=2),
        BASE._replace(product_id=BROTH, basket_id=3),
    )
    assert (one.weighed, one.scan) == (True, "2200001003002")
    assert (two.weighed, two.scan) == (True, two.ean13)
    assert (broth.weighed, broth.scan) == (False, broth.ean13)


def test_seven_prices_or_few_different_ones_do_not_make_an_item_weighed() -> None:
    ham = BASE._replace(product_id=HAM)
    assert not build(PRODUCTS, [*ELSEWHERE[:12], ham], CUT).catalogue[0].weighed
    often_alike = [BASE._replace(product_id=HAM, store_id=8, sales=200)] * 20
    assert not build(PRODUCTS, [*ELSEWHERE, *often_alike, ham], CUT).catalogue[0].weighed


def test_prices_are_dated_when_a_whole_cent_price_changes() -> None:
    sold = [
        (2, 200, 0, 0),  # 100 each: the first price
        (1, 100, 0, 0),  # the same
        (3, 200, 0, 0),  # no whole regular price: says nothing
        (3, 200, 100, 0),  # 66.67 for members: unclear, same regular price, says nothing
        (1, 100, 0, 0),  # whole again after an unclear one: said again
        (1, 70, 30, 0),  # a member price
        (1, 60, 30, 10),  # mixed with a store coupon: unclear
        (1, 0, 100, 0),  # free: says nothing
        (3, 200, 130, 0),  # another regular price, unclear for members
        (1, 80, 0, 20),  # a store coupon alone does not touch the price
    ]
    pack = _build(
        *(
            BASE._replace(
                basket_id=n,
                utc_s=MONDAY_UTC_S + 60 * n,
                quantity=quantity,
                sales=sales,
                retail_disc=disc,
                coupon_match=match,
            )
            for n, (quantity, sales, disc, match) in enumerate(sold)
        )
    )
    assert [
        (event.effective_at.minute, event.regular_price_cents, event.member_price_cents)
        for event in pack.price_events
    ] == [(0, 100, 100), (4, 100, 100), (5, 100, 70), (8, 110, -1), (9, 100, 100)]


def test_the_real_data_gives_the_ready_made_pack() -> None:
    """Without the data, the same comparison is made on the sample turned into source rows."""
    source = find_source()
    if source is None:
        sample = sample_pack()
        built = _rebuilt(sample)
        assert built.expected_daily_close == sample.expected_daily_close
        assert built.price_events == sample.price_events
        return
    built = build(read_products(source), read_lines(source, Cut().last_week))
    lines = sum(len(receipt.lines) for receipt in built.receipts)
    assert (len(built.receipts), lines) == (1585, 18528)
    assert (len(built.catalogue), len(built.price_events)) == (8491, 13255)
    assert len(built.expected_daily_close) == 224
    ready = Places().ready
    assert not has_pack(ready) or built == read_pack(ready)


def _rebuilt(pack: DemoPack) -> DemoPack:
    """Feed a pack's receipts back in as source rows, without labels on weighed lines."""
    products = {
        row.product_id: SourceProduct(
            row.product_id, 1, row.department, row.brand, row.category, row.name, ""
        )
        for row in pack.catalogue
    }
    weighed = {row.product_id for row in pack.catalogue if row.weighed}
    ids = {row.ean13: row.product_id for row in pack.catalogue}
    cut = Cut(
        store_ids=frozenset({11, 12}),
        from_at=datetime(2024, 3, 4),  # noqa: DTZ001
        to_at=datetime(2024, 3, 6),  # noqa: DTZ001
        utc_offset=timedelta(0),
    )
    lines = [
        SourceLine(
            household_id=receipt.member_id,
            store_id=receipt.store_id,
            basket_id=receipt.basket_no,
            product_id=ids[line.ean13],
            quantity=line.quantity,
            sales=line.net_cents,
            retail_disc=line.member_disc_cents,
            coupon_disc=line.mfr_coupon_cents,
            coupon_match=line.store_coupon_cents,
            week=10,
            utc_s=int((receipt.at - datetime(1970, 1, 1)).total_seconds()),  # noqa: DTZ001
        )
        for receipt in pack.receipts
        for line in receipt.lines
    ]
    history = [
        lines[0]._replace(store_id=99, basket_id=n, product_id=pid, quantity=1, sales=100 + n)
        for n in range(8)
        for pid in weighed
    ]
    built = build(products, [*history, *lines], cut)
    return replace(built, catalogue=pack.catalogue)
