"""Shapes of the work item endpoints.  Instants are UTC milliseconds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

ITEMS_MAX = 200
INSTANT_MS_MAX = 253_402_300_799_999


class WorkFilter(BaseModel):
    """Which items a request asks for; `since_ms` is the instant of what they are about."""

    state: Literal["open", "done"] = "open"
    store: str = Field(default="", max_length=64)
    code: str = Field(default="", max_length=80)
    since_ms: int = Field(default=0, ge=0, le=INSTANT_MS_MAX)
    page: int = Field(default=1, ge=1, le=1_000_000)
    size: int = Field(default=50, ge=1, le=ITEMS_MAX)


class WorkRow(BaseModel):
    """One item: `code` has the texts `work.<code>.title`, `.what` and `.do`.

    `store_id` is null for what concerns the whole chain; `how` is `done` or `reposted`.
    """

    item: str
    kind: str
    store_id: str | None
    code: str
    at_ms: int
    is_done: bool
    how: str | None
    done_at_ms: int | None
    by: str | None
    reason: str
    notes: int


class WorkPage(BaseModel):
    """The newest first; `open` counts all open items, whatever the filter."""

    items: list[WorkRow]
    total: int
    page: int
    size: int
    open: int


class Note(BaseModel):
    """What somebody wrote."""

    at_ms: int
    by: str
    note: str


class WorkItem(BaseModel):
    """One item in full; `text` is what it is about, laid out for reading."""

    item: str
    kind: str
    store_id: str | None
    code: str
    at_ms: int
    is_done: bool
    how: str | None
    done_at_ms: int | None
    by: str | None
    reason: str
    stream: str | None
    seq: int | None
    entry_id: str | None
    entry_type: str | None
    hash: str | None
    text: str | None
    notes: list[Note]


class Said(BaseModel):
    """A note, or why an item is settled."""

    text: str = Field(max_length=1_000)


class Reposted(BaseModel):
    """What became of it: `flag` null when it is booked now, else what still forbids it."""

    flag: str | None
