"""Shapes of the shelf endpoints: see `cloud.shelf.service.ShelfFact`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel


class ShelfFactRow(BaseModel):
    """One fact; quantities and degrees Celsius in thousandths, instants UTC milliseconds."""

    at_ms: int
    store_id: str
    what: Literal["counted", "differed", "settled", "broken", "restored"]
    sensor: str
    gtin: str
    item: str
    book_milli: int | None
    shelf_milli: int | None
    celsius_milli: int | None
    limit_milli: int | None
    how: str
    by: str


class ShelfHistory(BaseModel):
    """`standing` are the differences and warm places whose end was not told."""

    facts: list[ShelfFactRow]
    standing: list[ShelfFactRow]
    has_more: bool
