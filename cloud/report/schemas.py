"""Shapes of the report endpoints.  Money is integer minor units."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel


class CloseSums(BaseModel):
    """Sums over completed sales."""

    receipts: int
    lines: int
    units: int
    gross_minor: int
    member_disc_minor: int
    offer_disc_minor: int
    store_coupon_minor: int
    net_minor: int
    mfr_coupon_minor: int
    tender_minor: int
    rounding_minor: int
    cash_minor: int
    card_minor: int


class CloseRow(CloseSums):
    """One store and business day; `box_matches` is null until the box has closed it.

    `certificate` is waiting, agrees or differs (`certificate_flaw` is why, a dotted code), null
    without one; `certificate_beside` counts receipts of that day in other journals.
    """

    store_id: str
    business_date: date
    currency: str
    box_matches: bool | None
    certificate: str | None
    certificate_flaw: str | None
    certificate_code: str | None
    certificate_beside: int | None


class CloseTotals(CloseSums):
    """All rows of one currency."""

    currency: str


class DailyClose(BaseModel):
    """Newest day first."""

    rows: list[CloseRow]
    totals: list[CloseTotals]


class LiveStore(BaseModel):
    """A store's newest business day so far."""

    store_id: str
    name: str
    currency: str
    business_date: date | None
    today_net_minor: int
    today_receipts: int
    last_sale_at_ms: int | None


class LiveSale(BaseModel):
    """One sale."""

    store_id: str
    business_date: date
    receipt_no: str
    at_ms: int
    net_minor: int
    lines: int


class LiveTotal(BaseModel):
    """All stores of one currency."""

    currency: str
    net_minor: int
    receipts: int


class Live(BaseModel):
    """What the chain sells right now."""

    stores: list[LiveStore]
    recent: list[LiveSale]
    totals: list[LiveTotal]
