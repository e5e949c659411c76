"""Shapes of the label endpoints."""

from __future__ import annotations

from pydantic import BaseModel, Field

from edge.device.ports import PrintOutcome
from edge.label.due import LIST_MAX


class LabelBody(BaseModel):
    """A label to change; amounts in minor units, `new_minor` null: take it away."""

    gtin: str
    from_at_ms: int
    name: str
    size: str
    old_minor: int | None
    new_minor: int | None
    member_minor: int | None
    revision: int
    is_due: bool


class LabelsBody(BaseModel):
    """Everything due now or soon, the oldest first."""

    labels: list[LabelBody]


class LabelKey(BaseModel):
    """Which label."""

    gtin: str = Field(max_length=14)
    from_at_ms: int


class LabelOrder(BaseModel):
    """Labels to print."""

    labels: list[LabelKey] = Field(min_length=1, max_length=LIST_MAX)


class LabelsPrinted(BaseModel):
    """What the printer said: `printed`, `not_printed` or `unknown`; and what is still due."""

    outcome: PrintOutcome
    labels: list[LabelBody]
