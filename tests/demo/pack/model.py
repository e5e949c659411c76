"""The demo's input: a catalogue, dated prices, real receipts and the close they must give.

One dataclass per CSV table, one field per column.  Money is integer US cents, instants are the
store's wall clock (naive, America/New_York), quantities are whole units.
"""

from dataclasses import dataclass
from datetime import date, datetime

NO_WHOLE_PRICE = -1
"""Member price of a `PriceEvent` that is not a whole cent (an N-for-X deal)."""


@dataclass(frozen=True, slots=True)
class CatalogueRow:
    """One item; `plu` numbers the weighed ones and is None for all others."""

    ean13: str
    product_id: int
    name: str
    department: str
    category: str
    brand: str
    manufacturer_id: int
    package_size: str
    weighed: bool
    plu: int | None


@dataclass(frozen=True, slots=True)
class PriceEvent:
    """From `effective_at` on, the store's unit prices; never for a weighed item."""

    store_id: int
    ean13: str
    effective_at: datetime
    regular_price_cents: int
    member_price_cents: int


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One sold line: gross - member_disc - store_coupon = net, always.

    `scan` is what the scanner gives: the EAN-13, or for a weighed item sold once `22`, the
    five-digit PLU, the five-digit gross cents and a check digit.  A manufacturer's coupon
    lowers what the customer pays, not the net.
    """

    basket_no: int
    line: int
    scan: str
    ean13: str
    quantity: int
    weighed: bool
    gross_cents: int
    member_disc_cents: int
    store_coupon_cents: int
    net_cents: int
    mfr_coupon_cents: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """One basket at the till; `basket_no` grows with time over all stores."""

    basket_no: int
    store_id: int
    at: datetime
    member_id: int
    lines: tuple[ReceiptLine, ...]

    @property
    def tender_cents(self) -> int:
        """What the customer pays, after the manufacturers' coupons."""
        return sum(line.net_cents - line.mfr_coupon_cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class DailyClose:
    """Sums of one store and day; tender = net - mfr_coupon."""

    store_id: int
    date: date
    receipts: int
    lines: int
    units: int
    gross_cents: int
    member_disc_cents: int
    store_coupon_cents: int
    net_cents: int
    mfr_coupon_cents: int
    tender_cents: int


@dataclass(frozen=True, slots=True)
class DemoPack:
    """Everything the demo replays, in the order of the tables."""

    catalogue: tuple[CatalogueRow, ...]
    price_events: tuple[PriceEvent, ...]
    receipts: tuple[Receipt, ...]
    expected_daily_close: tuple[DailyClose, ...]
