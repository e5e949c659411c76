"""Shapes of the staff endpoints."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field


class OperatorChange(BaseModel):
    """An operator as HQ wants them; `pin` null keeps the old one."""

    name: str = Field(min_length=1, max_length=80)
    role: str
    pin: str | None = None
    store_ids: list[str] = Field(max_length=100_000)
    valid_from: date | None = None
    valid_to: date | None = None
    """The last day on which they may sign in, on the store's calendar."""
    must_change: bool = False
    """The PIN is good for choosing one's own at the till and for nothing else."""
    reason: str = Field(default="", max_length=200)


class Operator(BaseModel):
    """An operator; PINs are never shown."""

    operator_id: str
    name: str
    role: str
    store_ids: list[str]
    valid_from: date | None
    valid_to: date | None
    pin_day: date | None
    """When the PIN was set."""
    is_first_pin: bool
    has_badge: bool
    last_at_ms: int | None
    """When they last took a till (UTC ms), and where."""
    last_store_id: str | None
    guessed_at_ms: int | None
    """When somebody last seemed to guess at their PIN, and how many wrong ones in a row."""
    guessed_tries: int | None
    is_waiting: bool
    """The newest change is not published yet."""
    boxes: int
    """Boxes that their last changes concern, those that they were taken away from among them."""
    boxes_stored: int
    boxes_active: int
    behind_store_ids: list[str]
    """Stores whose box does not go by them yet, at most 20."""


class BadgeChange(BaseModel):
    """The code of a card that is there already; "" takes the badge away."""

    code: str = Field(max_length=40)
    reason: str = Field(default="", max_length=200)


class NewBadge(BaseModel):
    """Why an operator gets another badge."""

    reason: str = Field(default="", max_length=200)


class BadgeMade(BaseModel):
    """A badge's code, told this once; `qr_path` draws it in a square of `qr_side` modules."""

    code: str
    qr_path: str
    qr_side: int


class Operators(BaseModel):
    """Everybody, by id."""

    operators: list[Operator]
