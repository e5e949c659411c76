"""Bodies and answers of opening a store."""

from __future__ import annotations

from pydantic import BaseModel, Field


class NewStore(BaseModel):
    """A store to be opened; `address`: name or IP by which IT reaches its box, "" if unknown."""

    store_id: str = Field(max_length=32)
    name: str = Field(max_length=200)
    time_zone: str = Field(max_length=64)
    currency: str = Field(max_length=3)
    address: str = Field(default="", max_length=253)


class OpenedStore(BaseModel):
    """What the box is set up with: the claim as text, as URL, and the URL as a QR code.

    `qr_path` is the `d` of an SVG path in a square of `qr_modules`, without its white border;
    `inventory` is the box's line in an inventory file.
    """

    store_id: str
    token: str
    expires_at_ms: int
    claim_url: str
    qr_path: str
    qr_modules: int
    inventory: str


class ChecklistStep(BaseModel):
    """`code`: store, claim, enrolled, connected, prices or first_sale; `at_ms` null: to do."""

    code: str
    at_ms: int | None


class Checklist(BaseModel):
    """How far a store is on the way to its first sale."""

    store_id: str
    name: str
    address: str
    dev: str
    online: bool
    steps: list[ChecklistStep]
    is_done: bool


class InventoryHost(BaseModel):
    """A store's box as an inventory names it; `address` and `dev` are "" while unknown."""

    host: str
    store_id: str
    name: str
    time_zone: str
    address: str
    dev: str
    sw: str
    online: bool
    groups: list[str]


class Inventory(BaseModel):
    """One host for each store."""

    hosts: list[InventoryHost]
