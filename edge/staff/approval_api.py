"""Vouching for what an operator may not do alone, on the operator's own screen."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from edge.access import SIGNED_IN, Actor, Approver, Requires
from edge.staff.api import RoomDep, SignInRoom
from edge.staff.approvals import Pending
from edge.staff.service import (
    PIN_MAX,
    Typed,
    check_pin,
    note_approval,
    place_of,
    refuse_at_once,
)
from edge.staff.signed import given
from shared.kernel.errors import ForbiddenError

SignedInActor = Annotated[Actor, Depends(Requires(SIGNED_IN))]
NUMBER_MAX = 64
router = APIRouter(prefix="/v1/lanes/{lane}/approvals", tags=["approvals"])


class ApprovalBody(BaseModel):
    """Who vouches, and the PIN to show it."""

    approver: str = Field(max_length=64)
    pin: str = Field(max_length=PIN_MAX)


class Approved(BaseModel):
    """Who vouched; the request is repeated with the number in the header `Approval`."""

    number: str
    approver: str
    name: str


@router.post("/{number}")
async def approve(
    room: RoomDep, actor: SignedInActor, lane: int, number: str, body: ApprovalBody
) -> Approved:
    """Vouch by PIN for the request that waits at the lane."""
    del lane  # compared with the session's
    pending = room.approvals.waiting(actor.lane, number[:NUMBER_MAX])
    refuse_at_once(room.room, body.approver, _place(pending, body.approver))
    return await asyncio.to_thread(partial(_approve, room, pending.number, actor, body))


@router.delete("/{number}", status_code=204)
async def give_up(room: RoomDep, actor: SignedInActor, lane: int, number: str) -> None:
    """Ask for nobody's word any more."""
    del lane
    room.approvals.drop(actor.lane, number)


def _place(pending: Pending, approver: str) -> str:
    is_badge = pending.shown == approver
    return place_of(pending.asked.lane, is_known=True, is_badge=is_badge)


def _approve(room: SignInRoom, number: str, actor: Actor, body: ApprovalBody) -> Approved:
    pending = room.approvals.waiting(actor.lane, number)
    typed = Typed(body.approver, body.pin, _place(pending, body.approver))
    try:
        member = check_pin(room=room.room, typed=typed)
    except ForbiddenError as error:
        if error.code != "session.bad_pin":
            raise
        # A wrong PIN of somebody else says nothing about who is signed in here.
        raise ForbiddenError("approval.bad_pin") from error
    pending = room.approvals.waiting(actor.lane, number)
    approver = Approver(member.id, room.room.role_of(member))
    how = "badge_pin" if pending.shown == member.id else "pin"
    room.approvals.sign(pending, approver, member.name)
    note_approval(room=room.room, event=given(pending, approver, how))
    return Approved(number=pending.number, approver=member.id, name=member.name)
