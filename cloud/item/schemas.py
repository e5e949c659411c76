"""Shapes of the catalogue's endpoints."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

PAGE_SIZE_MAX = 500
PAGE_MAX = 100_000


class CatalogueFilter(BaseModel):
    """What to look for; `store` says whose prices to show."""

    q: str = Field(default="", max_length=100)
    department: str = Field(default="", max_length=200)
    store: str = Field(default="", max_length=32)
    page: int = Field(default=1, ge=1, le=PAGE_MAX)
    size: int = Field(default=50, ge=1, le=PAGE_SIZE_MAX)


class ExportFilter(BaseModel):
    """Which items to export; everything when nothing is said."""

    q: str = Field(default="", max_length=100)
    department: str = Field(default="", max_length=200)


class ItemPictureChange(BaseModel):
    """What `POST /v1/pictures` answered as `image`; "" takes the picture away."""

    image: str = Field(max_length=71, pattern="^(sha256:[0-9a-f]{64})?$")
    reason: str = Field(default="", max_length=200)


class ItemBulk(ExportFilter):
    """Which items change how; what is null stays as it is. Tags are added and taken away."""

    category: str | None = Field(default=None, max_length=200)
    brand: str | None = Field(default=None, max_length=200)
    to_department: str | None = Field(default=None, max_length=200)
    tax_bp: int | None = Field(default=None, ge=0, le=10_000)
    tax_class: str | None = Field(default=None, max_length=32, pattern="^[a-z0-9_-]*$")
    is_promotable: bool | None = None
    age_limit: int | None = Field(default=None, ge=0, le=99)
    shelf_life_days: int | None = Field(default=None, ge=0, le=9_999)
    min_margin_bp: int | None = Field(default=None, ge=0, le=9_999)
    add_tags: list[str] = Field(default=[], max_length=20)
    drop_tags: list[str] = Field(default=[], max_length=20)


class ImportResult(BaseModel):
    """What became of a table's rows."""

    rows: int
    created: int
    updated: int
    unchanged: int


class ItemCode(BaseModel):
    """A further barcode, and how many units of the item bear it together."""

    code: str
    units: int
    uom: str


class LaterChange(BaseModel):
    """What changes from a time on the stores' own clocks; null: as before."""

    from_local: str
    name: str | None
    tax_class: str | None
    tax_bp: int | None


class CatalogueItem(BaseModel):
    """An item with the price in force; prices are null where the store has none."""

    gtin: str
    name: str
    department: str
    category: str
    brand: str
    package_size: str
    is_weighed: bool
    plu: str | None
    tags: list[str]
    tax_bp: int
    is_promotable: bool
    min_price_minor: int
    min_margin_bp: int | None
    cost_minor: int | None
    uom: str
    codes: list[ItemCode]
    age_limit: int
    shelf_life_days: int
    tax_class: str
    image: str
    later: list[LaterChange]
    regular_minor: int | None
    member_minor: int | None
    price_from_at_ms: int | None
    has_draft: bool


class Catalogue(BaseModel):
    """One page of the catalogue."""

    items: list[CatalogueItem]
    total: int
    page: int
    size: int


class Departments(BaseModel):
    """Every department that has an item."""

    departments: list[str]


class ItemEvent(BaseModel):
    """One change of an item; `changes` is {field: [old, new]}, empty for a new item.

    `from_local` is not empty where a change was planned for that time.
    """

    is_new: bool
    changes: dict[str, list[Any]]
    from_local: str
    changed_by: str
    changed_at_ms: int
    reason: str


class ItemHistory(BaseModel):
    """Who changed an item, when and why, the newest first."""

    events: list[ItemEvent]
