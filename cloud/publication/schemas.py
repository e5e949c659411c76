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


class Publication(BaseModel):
    """One publication of the past."""

    rev: int
    at_ms: int
    by: str
    note: str


class Publications(BaseModel):
    """The newest publications first."""

    publications: list[Publication]


class KindConvergence(BaseModel):
    """How far a store is with one column: what it should have, what it sells or runs with.

    Revisions are numbers, software is text. `at_ms` (UTC) where it waits for its instant,
    `since_ms` when it was announced.
    """

    target: int | str | None
    running: int | str | None
    state: str
    because: str | None
    at_ms: int | None
    since_ms: int | None


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
    last_contact_at_ms: int | None
    dev: str | None
    state: str
    because: str | None
    announced_at_ms: int | None
    held_until_ms: int | None
    cells: dict[str, KindConvergence]


class Convergence(BaseModel):
    """Every store against the newest publication."""

    target_rev: int
    stores: list[StoreConvergence]


class Reached(BaseModel):
    """How many stores have, sell with and show what they should."""

    total: int
    stored: int
    active: int
    shown: int


class Matrix(BaseModel):
    """A page of stores, and how many of the filter are in each state, whole and by column."""

    target_rev: int
    total: int
    page: int
    size: int
    counts: dict[str, int]
    kinds_counts: dict[str, dict[str, int]]
    reached: Reached
    stores: list[StoreConvergence]


class MatrixFilter(BaseModel):
    """Which stores to show: by state, by the state of one kind, by group, by id or name."""

    state: str = Field(default="", max_length=20)
    kind: Literal["", "catalog", "price", "promotion", "config", "software"] = ""
    group: str = Field(default="", max_length=64)
    q: str = Field(default="", max_length=100)
    page: int = Field(default=1, ge=1, le=100_000)
    size: int = Field(default=100, ge=1, le=500)


class ConvergenceSummary(Reached):
    """The fleet in a few numbers."""

    target_rev: int
    states: dict[str, int]


class FetchRequest(BaseModel):
    """A manifest (SHA-256, hex) that a box wants to come to, and what it has (0 for nothing).

    `take`: whether large objects come in the answer, or as addresses that hold for a while.
    """

    manifest: str = Field(pattern="^[0-9a-f]{64}$")
    have_rev: int = Field(ge=0)
    have_inc: str = Field(default="", max_length=64)
    take: Literal["inline", "urls"] = "inline"
