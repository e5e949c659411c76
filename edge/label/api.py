"""The label page of the tills."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from edge.access import Actor, Requires
from edge.label.schemas import LabelBody, LabelOrder, LabelsBody, LabelsPrinted
from edge.label.service import Labels
from edge.label.store import DueLabel
from edge.texts import Texts
from shared.kernel.clock import Clock
from shared.kernel.money import Currency
from shared.staff.permission import STOCK_COUNT

DAYS_MAX = 14
PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class LabelRoom:
    """What these endpoints work with; in `app.state.label`."""

    labels: Labels
    clock: Clock
    currency: Currency
    texts: Texts

    def bodies(self, labels: Sequence[DueLabel]) -> list[LabelBody]:
        """Labels as the page shows them."""
        now_ms = self.clock.now_ms()
        return [
            LabelBody(
                gtin=label.gtin,
                from_at_ms=label.change.from_at_ms,
                name=label.name,
                size=label.size,
                old_minor=label.change.old_minor,
                new_minor=label.change.new_minor,
                member_minor=label.change.member_minor,
                revision=label.revision,
                is_due=label.change.from_at_ms <= now_ms,
            )
            for label in labels
        ]


def _room(request: Request) -> LabelRoom:
    return cast("LabelRoom", request.app.state.label)


RoomDep = Annotated[LabelRoom, Depends(_room)]
Counting = Annotated[Actor, Depends(Requires(STOCK_COUNT))]
Days = Annotated[int, Query(ge=0, le=DAYS_MAX)]

router = APIRouter(prefix="/v1/labels", tags=["labels"])


@router.get("")
async def labels(room: RoomDep, _: Counting, days: Days = 1) -> LabelsBody:
    """Labels that must change now or within so many days."""
    found = await asyncio.to_thread(room.labels.due, days)
    return LabelsBody(labels=room.bodies(found))


@router.post("/print", response_model=LabelsPrinted, responses={200: {"content": {PDF: {}}}})
async def print_labels(
    room: RoomDep, actor: Counting, order: LabelOrder
) -> LabelsPrinted | Response:
    """Print labels at the lane's printer, or answer a PDF of label sheets; both settle them."""
    keys = [(key.gtin, key.from_at_ms) for key in order.labels]
    chosen = await asyncio.to_thread(room.labels.chosen, keys, DAYS_MAX)
    if order.as_sheet:
        return Response(await asyncio.to_thread(_sheet, room, chosen, actor.name), media_type=PDF)
    outcome = await asyncio.to_thread(room.labels.print, chosen, actor.lane, actor.name)
    left = await asyncio.to_thread(room.labels.due, 1)
    return LabelsPrinted(outcome=outcome, labels=room.bodies(left))


def _sheet(room: LabelRoom, chosen: Sequence[DueLabel], by: str) -> bytes:
    from edge.label.sheet import label_sheets  # noqa: PLC0415 - draws rarely, loads slowly

    data = label_sheets(chosen, room.currency, room.texts)
    room.labels.done(chosen, by)
    return data
