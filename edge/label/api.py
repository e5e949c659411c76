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


class PdfAnswer(Response):
    """A document to look at and print."""

    media_type = "application/pdf"


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

    def chosen(self, order: LabelOrder) -> list[DueLabel]:
        """The labels of an order; RefusedError `label.none`."""
        keys = [(key.gtin, key.from_at_ms) for key in order.labels]
        return self.labels.chosen(keys, DAYS_MAX)


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


@router.post("/print")
async def print_labels(room: RoomDep, actor: Counting, order: LabelOrder) -> LabelsPrinted:
    """Print labels at the lane's own printer; those that came out are settled."""
    chosen = await asyncio.to_thread(room.chosen, order)
    outcome = await asyncio.to_thread(room.labels.print, chosen, actor.lane, actor.name)
    left = await asyncio.to_thread(room.labels.due, 1)
    return LabelsPrinted(outcome=outcome, labels=room.bodies(left))


@router.post("/sheet", response_class=PdfAnswer)
async def label_sheet(room: RoomDep, actor: Counting, order: LabelOrder) -> Response:
    """Labels as a PDF of A4 label paper; they are settled with it."""
    chosen = await asyncio.to_thread(room.chosen, order)
    return PdfAnswer(await asyncio.to_thread(_sheet, room, chosen, actor.name))


def _sheet(room: LabelRoom, chosen: Sequence[DueLabel], by: str) -> bytes:
    from edge.label.sheet import label_sheets  # noqa: PLC0415 - draws rarely, loads slowly

    data = label_sheets(chosen, room.currency, room.texts)
    room.labels.done(chosen, by)
    return data
