"""What the till pages see of shelves; quantities in thousandths, degrees too, instants UTC ms."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from shared.kernel.quantity import QTY_MILLI_MAX


class SensorBody(BaseModel):
    """One sensor and the place that it watches; null is what it does not measure or know.

    `book_milli` is null until the item was counted once.
    """

    name: str
    label: str
    kind: Literal["weight", "temperature", "door"]
    state: str
    fault: str | None
    gtin: str
    item: str
    is_pieces: bool
    qty_milli: int | None
    book_milli: int | None
    celsius_milli: int | None
    min_milli: int | None
    max_milli: int | None
    is_open: bool | None


class TaskBody(BaseModel):
    """Something to look at, or what was done about it: see `edge.shelf.store.Task`."""

    n: int
    sensor: str
    label: str
    kind: Literal["differs", "cold"]
    gtin: str
    item: str
    is_pieces: bool
    at_ms: int
    book_milli: int
    shelf_milli: int
    celsius_milli: int
    limit_milli: int
    seen_by: str
    settled_at_ms: int | None
    how: str | None
    by: str
    reason: str


class ShelvesBody(BaseModel):
    """Everything about shelves; `unknown` are sensors that speak and that nobody set up."""

    sensors: list[SensorBody]
    tasks: list[TaskBody]
    done: list[TaskBody]
    unknown: list[str]


class CountBody(BaseModel):
    """How much of the item there is in the store, in thousandths."""

    qty_milli: int = Field(ge=0, le=QTY_MILLI_MAX)


class DismissBody(BaseModel):
    """Why nothing needs doing."""

    reason: str = Field(max_length=200)
