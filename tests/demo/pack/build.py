"""Cut the demo pack out of the Complete Journey data.

One cut is four stores and eight weeks.  The rules, each found by comparing with the data:

- Baskets are numbered over all stores in order of instant, then basket id.
- Lines go that are not goods of the shop (fuel, coupons, gift cards, other departments' keys,
  products without a department) or have quantity 0; receipts left empty go with them.
- An EAN-13 is `04`, the ten-digit product id and a check digit.
- An item is weighed when it belongs to a fresh department and its single-unit lines of the open
  weeks, over all stores, are at least 8 with more than 35 % distinct shelf prices.
- A dated price appears when a line shows another whole-cent price than the line before it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.demo.pack.codes import ean13_of, label_of
from tests.demo.pack.fold import daily_close_of, price_events_of
from tests.demo.pack.model import CatalogueRow, DemoPack, Receipt, ReceiptLine
from tests.demo.pack.source import SourceLine, SourceProduct

_DROPPED = frozenset({"", "COUPON", "FUEL", "MISCELLANEOUS", "TRAVEL & LEISURE"})
_FRESH = frozenset(
    {"DELI", "FLORAL", "MEAT", "MEAT-PCKGD", "PASTRY", "PRODUCE", "SALAD BAR", "SEAFOOD"}
)
_SAMPLE_MIN = 8
_DISTINCT_PERCENT = 35


@dataclass(frozen=True, slots=True)
class Cut:
    """Which part of the data becomes the pack; local days, the last one included.

    `utc_offset` is one constant: the whole period lies in New York's daylight saving time.
    """

    store_ids: frozenset[int] = frozenset({343, 361, 367, 406})
    from_at: datetime = datetime(2017, 8, 7)  # noqa: DTZ001  wall clock, as in the tables
    to_at: datetime = datetime(2017, 10, 2)  # noqa: DTZ001
    utc_offset: timedelta = timedelta(hours=-4)
    last_week: int = 40

    def local(self, utc_s: int) -> datetime:
        """Convert seconds since 1970 to the store's wall clock."""
        return datetime.fromtimestamp(utc_s, UTC).replace(tzinfo=None) + self.utc_offset


@dataclass(slots=True)
class _Gathered:
    """What one pass over the source leaves behind."""

    baskets: set[tuple[int, int]] = field(default_factory=set)
    sold: dict[tuple[int, int], list[SourceLine]] = field(default_factory=dict)
    unit_prices: dict[int, list[int]] = field(default_factory=dict)


def build(
    products: Mapping[int, SourceProduct], lines: Iterable[SourceLine], cut: Cut | None = None
) -> DemoPack:
    """Build the pack from the source's rows (all stores, weeks 1 to `cut.last_week`)."""
    cut = cut or Cut()
    gathered = _gather(products, lines, cut)
    sold_ids = {line.product_id for sold in gathered.sold.values() for line in sold}
    weighed = {pid for pid in sold_ids if _is_weighed(gathered.unit_prices.get(pid, []))}
    catalogue = tuple(_catalogue(products, sorted(sold_ids), weighed))
    rows = {row.product_id: row for row in catalogue}
    numbers = {basket: number for number, basket in enumerate(sorted(gathered.baskets), 1)}
    receipts = tuple(
        _receipt(numbers[basket], gathered.sold[basket], rows, cut)
        for basket in sorted(gathered.sold)
    )
    return DemoPack(
        catalogue=catalogue,
        price_events=price_events_of(receipts),
        receipts=receipts,
        expected_daily_close=daily_close_of(receipts),
    )


def _gather(
    products: Mapping[int, SourceProduct], lines: Iterable[SourceLine], cut: Cut
) -> _Gathered:
    gathered = _Gathered()
    departments = {pid: product.department for pid, product in products.items()}
    fresh = {pid for pid, department in departments.items() if department in _FRESH}
    # Plain numbers keep this loop over a million lines cheap.
    epoch = datetime(1970, 1, 1)  # noqa: DTZ001
    from_s = (cut.from_at - cut.utc_offset - epoch) // timedelta(seconds=1)
    to_s = (cut.to_at - cut.utc_offset - epoch) // timedelta(seconds=1)
    for line in lines:
        basket = (line.utc_s, line.basket_id)
        gathered.baskets.add(basket)
        if line.quantity == 1 and line.product_id in fresh:
            gathered.unit_prices.setdefault(line.product_id, []).append(line.gross)
        if (
            line.store_id in cut.store_ids
            and from_s <= line.utc_s < to_s
            and line.quantity > 0
            and departments.get(line.product_id, "") not in _DROPPED
        ):
            gathered.sold.setdefault(basket, []).append(line)
    return gathered


def _is_weighed(unit_prices: list[int]) -> bool:
    distinct = len(set(unit_prices))
    return len(unit_prices) >= _SAMPLE_MIN and distinct * 100 > _DISTINCT_PERCENT * len(unit_prices)


def _catalogue(
    products: Mapping[int, SourceProduct], product_ids: list[int], weighed: set[int]
) -> Iterator[CatalogueRow]:
    plu_of = {pid: plu for plu, pid in enumerate(sorted(weighed), 1)}
    for pid in product_ids:
        product = products[pid]
        yield CatalogueRow(
            ean13=ean13_of(pid),
            product_id=pid,
            name=f"{product.product_type} {product.package_size}".strip(),
            department=product.department,
            category=product.product_category,
            brand=product.brand,
            manufacturer_id=product.manufacturer_id,
            package_size=product.package_size,
            weighed=pid in weighed,
            plu=plu_of.get(pid),
        )


def _receipt(
    number: int, sold: list[SourceLine], rows: Mapping[int, CatalogueRow], cut: Cut
) -> Receipt:
    head = sold[0]
    ordered = sorted(sold, key=lambda line: line.product_id)
    lines = (
        _receipt_line(number, place, line, rows[line.product_id])
        for place, line in enumerate(ordered, 1)
    )
    return Receipt(number, head.store_id, cut.local(head.utc_s), head.household_id, tuple(lines))


def _receipt_line(number: int, place: int, line: SourceLine, row: CatalogueRow) -> ReceiptLine:
    # A label carries the price of one piece; a line of several has no code that gives its sum.
    scan = row.ean13 if row.plu is None or line.quantity != 1 else label_of(row.plu, line.gross)
    return ReceiptLine(
        basket_no=number,
        line=place,
        scan=scan,
        ean13=row.ean13,
        quantity=line.quantity,
        weighed=row.weighed,
        gross_cents=line.gross,
        member_disc_cents=line.retail_disc,
        store_coupon_cents=line.coupon_match,
        net_cents=line.sales,
        mfr_coupon_cents=line.coupon_disc,
    )
