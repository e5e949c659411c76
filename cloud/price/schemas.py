"""Shapes of the price endpoints."""

from __future__ import annotations

from pydantic import BaseModel, Field


class PriceChange(BaseModel):
    """One item's new price; `store_ids` null means all stores, `from_at_ms` null means now."""

    gtin: str = Field(max_length=14)
    store_ids: list[str] | None = Field(default=None, max_length=100_000)
    regular_minor: int = Field(strict=True)
    member_minor: int | None = Field(default=None, strict=True)
    from_at_ms: int | None = Field(default=None, strict=True, ge=0, lt=1 << 42)
    reason: str = Field(default="", max_length=200)
    confirm_large: bool = False


class PriceDrafts(BaseModel):
    """How many stores get a new price with the next publication."""

    drafts: int


class PriceRow(BaseModel):
    """One dated price of one store; `published_rev` null while it is a draft."""

    store_id: str
    from_at_ms: int
    regular_minor: int
    member_minor: int | None
    created_by: str
    created_at_ms: int
    reason: str
    published_rev: int | None


class PriceHistory(BaseModel):
    """An item's price rows, the newest first."""

    prices: list[PriceRow]


class ImportResult(BaseModel):
    """What became of a table's rows; `updated` ones correct an earlier row of that instant."""

    rows: int
    created: int
    updated: int
    unchanged: int
