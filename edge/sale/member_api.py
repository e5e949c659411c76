"""The endpoints of members at a lane. A phone number comes in a body and goes no further."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from edge.sale.api import Key, Operating, RoomDep, do_command
from edge.sale.members import JoinMember, NameMember
from edge.sale.schemas import CommandAnswer
from shared.member.consent import MARKETING, MEMBERSHIP, TEXT_VERSION, Consent

Phone = Annotated[str, Field(min_length=1, max_length=40)]


class PhoneBody(BaseModel):
    """A whole phone number as it was typed."""

    phone: Phone


class JoinBody(BaseModel):
    """Somebody joins: `membership` says that the words on the screen were agreed to."""

    phone: Phone
    membership: bool
    marketing: bool = False


async def _lane(lane: int) -> int:
    """The path's lane; `Requires` has compared it with the session's."""
    return lane


lane_router = APIRouter(
    prefix="/v1/lanes/{lane}/member", tags=["members"], dependencies=[Depends(_lane)]
)


@lane_router.post("", response_model=CommandAnswer)
async def find_member(
    room: RoomDep, actor: Operating, body: PhoneBody, key: Key = None
) -> Response:
    """Make the basket that of the member who has this number."""
    members = room.shop.members
    member = await asyncio.to_thread(members.find, body.phone)
    digits = await asyncio.to_thread(members.shown, member)
    return await do_command(room, actor, NameMember(member, digits), key)


@lane_router.delete("", response_model=CommandAnswer)
async def unname_member(room: RoomDep, actor: Operating, key: Key = None) -> Response:
    """Make the basket nobody's again."""
    return await do_command(room, actor, NameMember(None), key)


@lane_router.post("/join", response_model=CommandAnswer)
async def join_member(room: RoomDep, actor: Operating, body: JoinBody, key: Key = None) -> Response:
    """Let the customer become a member."""
    consents = (
        Consent(MEMBERSHIP, body.membership, TEXT_VERSION),
        Consent(MARKETING, body.marketing, TEXT_VERSION),
    )
    prepare = room.shop.members.prepare
    joining = await asyncio.to_thread(prepare, body.phone, consents, actor.name)
    return await do_command(room, actor, JoinMember(joining), key)
