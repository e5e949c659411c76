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
    reason: str = Field(default="", max_length=200)


class Operator(BaseModel):
    """An operator; PINs are never shown."""

    operator_id: str
    name: str
    role: str
    store_ids: list[str]
    valid_from: date | None
    valid_to: date | None


class Operators(BaseModel):
    """Everybody, by id."""

    operators: list[Operator]
