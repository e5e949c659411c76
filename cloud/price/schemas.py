"""Shapes of the price endpoints."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, model_validator

from cloud.price.bulk import Direction, Members, Move


class PriceChange(BaseModel):
    """One item's new price; `store_ids` null means each store, `from_at_ms` null means now.

    `store_ids` may also be "zone:<id>" and "chain". `start` ("2026-11-27T00:00" on each store's
    own clock, or with an offset) takes the place of `from_at_ms`, `until` ends the price.
    `regular_minor` null lets the place say nothing, so that its zone's or the chain's counts.
    """

    gtin: str = Field(max_length=14)
    store_ids: list[str] | None = Field(default=None, max_length=100_000)
    regular_minor: int | None = Field(strict=True)
    member_minor: int | None = Field(default=None, strict=True)
    from_at_ms: int | None = Field(default=None, strict=True, ge=0, lt=1 << 42)
    start: str = Field(default="", max_length=40)
    until: str = Field(default="", max_length=40)
    reason: str = Field(default="", max_length=200)
    confirm_large: bool = False


class PriceEnding(BaseModel):
    """Prices that leave `rest` when divided by `step`: 100 and 99 for 1.99, 2.99, ..."""

    step: int = Field(ge=2, le=100_000)
    rest: int = Field(ge=0, le=99_999)
    direction: Direction = Direction.NEAREST

    @model_validator(mode="after")
    def _rest_is_less(self) -> Self:
        if self.rest >= self.step:
            raise ValueError("rest must be less than step")
        return self


class PriceBulk(BaseModel):
    """Which prices change how; what is said of items and places narrows them down.

    `move` set: `value` is the new price; percent: basis points, -1000 is a tenth less; amount:
    minor units, with their sign. `store_ids` and `start` are as in `PriceChange`.
    """

    move: Move
    value: int = Field(strict=True, ge=-99_999_999, le=99_999_999)
    ending: PriceEnding | None = None
    members: Members = Members.ALIKE
    q: str = Field(default="", max_length=100)
    department: str = Field(default="", max_length=200)
    store_ids: list[str] | None = Field(default=None, max_length=100_000)
    start: str = Field(default="", max_length=40)


class PriceDrafts(BaseModel):
    """How many stores get a new price with the next publication."""

    drafts: int


class PriceRow(BaseModel):
    """One dated price of one place; `published_rev` null while it is a draft.

    `scope` is "" (the chain), "zone:<id>" or "store-<id>", where `store_id` says the same. With
    `from_local` (or `to_local`) it is a time on each store's own clock, read as UTC beside it.
    """

    store_id: str
    scope: str
    from_at_ms: int
    from_local: str | None
    to_at_ms: int | None
    to_local: str | None
    regular_minor: int | None
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
