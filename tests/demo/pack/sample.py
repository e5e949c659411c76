"""A small pack of our own invention, for tests where the real one is absent.

Two stores, two days, twelve receipts.  Every oddity of the real data is in it once: labels of
weighed goods with and without a member discount, two weighed pieces on one line (no label),
3-for-2.00 deals with and without a whole regular price, a free piece, a store's and a
manufacturer's coupon (once above its line's net), a receipt the coupon pays in full, a price
change, a sale just after midnight.
Prices and sums are written down by hand, not computed, so they can check the computing.
"""

from datetime import date, datetime
from typing import NamedTuple

from tests.demo.pack.codes import ean13_of, label_of
from tests.demo.pack.model import (
    NO_WHOLE_PRICE,
    CatalogueRow,
    DailyClose,
    DemoPack,
    PriceEvent,
    Receipt,
    ReceiptLine,
)

NORTH = 11
SOUTH = 12


class _Sold(NamedTuple):
    product_id: int
    quantity: int
    gross: int
    member_disc: int = 0
    store_coupon: int = 0
    mfr_coupon: int = 0


# product id, name, department, category, package size, PLU
_ITEMS = (
    (1001, "Hearth oat flakes 500 g", "GROCERY", "CEREAL", "500 g", None),
    (1002, "家常酱油 500 ml", "GROCERY", "SAUCES", "500 ml", None),
    (1003, "山泉乌龙茶 100 g", "GROCERY", "TEA", "100 g", None),
    (1004, "Ridge tomato soup 400 g", "GROCERY", "SOUP", "400 g", None),
    (1005, "稻香大米 5 kg", "GROCERY", "RICE", "5 kg", None),
    (1006, "Birch dish soap 750 ml", "HOUSEHOLD", "CLEANING", "750 ml", None),
    (1007, "Lantern battery AA, 4 pack", "HOUSEHOLD", "BATTERIES", "4 pack", None),
    (1008, "Brook whole milk 1 l", "GROCERY", "MILK", "1 l", None),
    (1009, "红豆面包 80 g", "PASTRY", "BREAD", "80 g", None),
    (1010, "Cedar paper towel 2 rolls", "HOUSEHOLD", "PAPER", "2 rolls", None),
    (1011, "Island beef noodles 90 g", "GROCERY", "NOODLES", "90 g", None),
    (1012, "Vale plain yogurt 150 g", "GROCERY", "YOGURT", "150 g", None),
    (1013, "Quarry sparkling water 500 ml", "GROCERY", "WATER", "500 ml", None),
    (1014, '芝麻糖 "小包" 200 g', "GROCERY", "SWEETS", "200 g", None),
    (1015, "Harbour tuna in oil 160 g", "GROCERY", "FISH - SHELF STABLE", "160 g", None),
    (1016, "Orchard apples, loose", "PRODUCE", "APPLES", "", 1),
    (1017, "五花肉", "MEAT", "PORK", "", 2),
    (1018, "Dell ham, sliced", "DELI", "DELI MEATS", "", 3),
    (1019, "Bay salmon fillet", "SEAFOOD", "SEAFOOD - FRESH", "", 4),
    (1020, "散装花生", "PRODUCE", "NUTS", "", 5),
)

_RECEIPTS = (
    (101, SOUTH, "2024-03-04 08:31:47", 503, (
        _Sold(1003, 1, 899),
        _Sold(1006, 1, 325, member_disc=26),
        _Sold(1018, 1, 640),
    )),
    (102, NORTH, "2024-03-04 09:02:10", 501, (
        _Sold(1001, 1, 349, member_disc=50),
        _Sold(1008, 2, 258),
        _Sold(1016, 1, 412),
    )),
    (104, NORTH, "2024-03-04 12:15:33", 502, (
        _Sold(1002, 1, 459, store_coupon=50, mfr_coupon=50),
        _Sold(1011, 3, 237, member_disc=37),
        _Sold(1017, 1, 1580, member_disc=300),
    )),
    (107, SOUTH, "2024-03-04 13:05:00", 504, (
        _Sold(1010, 2, 598),
        _Sold(1011, 1, 79, mfr_coupon=100),
        _Sold(1019, 1, 2045, member_disc=409),
    )),
    (108, NORTH, "2024-03-04 18:40:05", 503, (
        _Sold(1005, 1, 1299, member_disc=200),
        _Sold(1009, 4, 500),
        _Sold(1012, 3, 200),
    )),
    (110, SOUTH, "2024-03-04 19:59:59", 505, (
        _Sold(1014, 1, 275, member_disc=275),
        _Sold(1016, 2, 733),
    )),
    (111, NORTH, "2024-03-05 00:10:20", 506, (
        _Sold(1007, 1, 549),
        _Sold(1013, 6, 534, member_disc=54),
    )),
    (115, SOUTH, "2024-03-05 09:00:00", 504, (
        _Sold(1015, 1, 419, member_disc=70, mfr_coupon=349),
    )),
    (116, NORTH, "2024-03-05 10:20:30", 501, (
        _Sold(1001, 1, 349),
        _Sold(1011, 1, 79, member_disc=12),
        _Sold(1020, 1, 318),
    )),
    (119, SOUTH, "2024-03-05 11:11:11", 503, (
        _Sold(1003, 1, 949, member_disc=150),
        _Sold(1012, 1, 67),
        _Sold(1018, 1, 555, member_disc=55),
    )),
    (120, NORTH, "2024-03-05 17:45:00", 502, (
        _Sold(1004, 2, 378, member_disc=40, store_coupon=25, mfr_coupon=25),
        _Sold(1008, 1, 135),
        _Sold(1017, 1, 1120),
    )),
    (123, SOUTH, "2024-03-05 20:30:45", 505, (
        _Sold(1002, 2, 918, member_disc=120),
        _Sold(1005, 1, 1299),
        _Sold(1010, 1, 299),
        _Sold(1016, 1, 388),
    )),
)  # fmt: skip

_PRICES = (
    (SOUTH, 1003, "2024-03-04 08:31:47", 899, 899),
    (SOUTH, 1006, "2024-03-04 08:31:47", 325, 299),
    (NORTH, 1001, "2024-03-04 09:02:10", 349, 299),
    (NORTH, 1008, "2024-03-04 09:02:10", 129, 129),
    (NORTH, 1002, "2024-03-04 12:15:33", 459, 459),
    (NORTH, 1011, "2024-03-04 12:15:33", 79, NO_WHOLE_PRICE),
    (SOUTH, 1010, "2024-03-04 13:05:00", 299, 299),
    (SOUTH, 1011, "2024-03-04 13:05:00", 79, 79),
    (NORTH, 1005, "2024-03-04 18:40:05", 1299, 1099),
    (NORTH, 1009, "2024-03-04 18:40:05", 125, 125),
    (SOUTH, 1014, "2024-03-04 19:59:59", 275, 0),
    (NORTH, 1007, "2024-03-05 00:10:20", 549, 549),
    (NORTH, 1013, "2024-03-05 00:10:20", 89, 80),
    (SOUTH, 1015, "2024-03-05 09:00:00", 419, 349),
    (NORTH, 1001, "2024-03-05 10:20:30", 349, 349),
    (NORTH, 1011, "2024-03-05 10:20:30", 79, 67),
    (SOUTH, 1003, "2024-03-05 11:11:11", 949, 799),
    (SOUTH, 1012, "2024-03-05 11:11:11", 67, 67),
    (NORTH, 1004, "2024-03-05 17:45:00", 189, NO_WHOLE_PRICE),
    (NORTH, 1008, "2024-03-05 17:45:00", 135, 135),
    (SOUTH, 1002, "2024-03-05 20:30:45", 459, 399),
    (SOUTH, 1005, "2024-03-05 20:30:45", 1299, 1299),
)

# receipts, lines, units, gross, member_disc, store_coupon, net, mfr_coupon, tender
_CLOSE = (
    DailyClose(NORTH, date(2024, 3, 4), 3, 9, 17, 5294, 587, 50, 4657, 50, 4607),
    DailyClose(NORTH, date(2024, 3, 5), 3, 8, 14, 3462, 106, 25, 3331, 25, 3306),
    DailyClose(SOUTH, date(2024, 3, 4), 3, 8, 10, 5594, 710, 0, 4884, 100, 4784),
    DailyClose(SOUTH, date(2024, 3, 5), 3, 8, 9, 4894, 395, 0, 4499, 349, 4150),
)

_PLU_OF = {product_id: plu for product_id, *_, plu in _ITEMS}


def sample_pack() -> DemoPack:
    """Give the sample; the same every time."""
    return DemoPack(
        catalogue=tuple(
            CatalogueRow(
                ean13=ean13_of(product_id),
                product_id=product_id,
                name=name,
                department=department,
                category=category,
                brand="House",
                manufacturer_id=1,
                package_size=size,
                weighed=plu is not None,
                plu=plu,
            )
            for product_id, name, department, category, size, plu in _ITEMS
        ),
        price_events=tuple(
            PriceEvent(store_id, ean13_of(product_id), _at(at), regular, member)
            for store_id, product_id, at, regular, member in _PRICES
        ),
        receipts=tuple(
            Receipt(
                basket_no=number,
                store_id=store_id,
                at=_at(at),
                member_id=member_id,
                lines=tuple(_line(number, place, sold) for place, sold in enumerate(lines, 1)),
            )
            for number, store_id, at, member_id, lines in _RECEIPTS
        ),
        expected_daily_close=_CLOSE,
    )


def _line(number: int, place: int, sold: _Sold) -> ReceiptLine:
    plu = _PLU_OF[sold.product_id]
    ean13 = ean13_of(sold.product_id)
    return ReceiptLine(
        basket_no=number,
        line=place,
        scan=ean13 if plu is None or sold.quantity != 1 else label_of(plu, sold.gross),
        ean13=ean13,
        quantity=sold.quantity,
        weighed=plu is not None,
        gross_cents=sold.gross,
        member_disc_cents=sold.member_disc,
        store_coupon_cents=sold.store_coupon,
        net_cents=sold.gross - sold.member_disc - sold.store_coupon,
        mfr_coupon_cents=sold.mfr_coupon,
    )


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
