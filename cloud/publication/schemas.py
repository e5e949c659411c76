"""Shapes of the publication endpoints."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class PriceDraft(BaseModel):
    """A price that waits for a publication, and the one that it replaces."""

    gtin: str
    name: str
    store_id: str
    from_at_ms: int
    old_minor: int | None
    new_minor: int
    old_member_minor: int | None
    new_member_minor: int | None


class Draft(BaseModel):
    """Everything that waits: how much, where, and the newest prices."""

    changes: int
    items: int
    prices: int
    offers: int
    staff: int
    config: int
    stores: list[str]
    sample: list[PriceDraft]


class PublishRequest(BaseModel):
    """Why it is published."""

    note: str = Field(default="", max_length=200)


class Published(BaseModel):
    """A finished publication and how many stores it reaches."""

    rev: int
    at_ms: int
    stores: int


class Publication(BaseModel):
    """One publication of the past."""

    rev: int
    at_ms: int
    by: str
    note: str


class Publications(BaseModel):
    """The newest publications first."""

    publications: list[Publication]


class StoreConvergence(BaseModel):
    """How far a store is with what was published for it; revisions null before the first."""

    store_id: str
    name: str
    target_rev: int | None
    stored_rev: int | None
    active_rev: int | None
    shown_rev: int | None
    stored_at_ms: int | None
    active_at_ms: int | None
    shown_at_ms: int | None
    state: str
    because: str | None


class Convergence(BaseModel):
    """Every store against the newest publication."""

    target_rev: int
    stores: list[StoreConvergence]


class FetchRequest(BaseModel):
    """A manifest (SHA-256, hex) that a box wants to come to, and what it has (0 for nothing).

    `take`: whether large objects come in the answer, or as addresses that hold for a while.
    """

    manifest: str = Field(pattern="^[0-9a-f]{64}$")
    have_rev: int = Field(ge=0)
    have_inc: str = Field(default="", max_length=64)
    take: Literal["inline", "urls"] = "inline"
