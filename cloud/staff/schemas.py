"""Shapes of the staff endpoints."""

from __future__ import annotations

from pydantic import BaseModel, Field


class OperatorChange(BaseModel):
    """An operator as HQ wants them; `pin` null keeps the old one."""

    name: str = Field(min_length=1, max_length=80)
    role: str
    pin: str | None = None
    store_ids: list[str] = Field(max_length=100_000)


class Operator(BaseModel):
    """An operator; PINs are never shown."""

    operator_id: str
    name: str
    role: str
    store_ids: list[str]


class Operators(BaseModel):
    """Everybody, by id."""

    operators: list[Operator]
