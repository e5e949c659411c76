"""Signing in and out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from edge.access import PUBLIC, SESSION_COOKIE, SIGNED_IN, Actor, Requires
from edge.desk.desk import Desk
from edge.staff.commands import SignOff, SignOn
from edge.staff.service import PIN_MAX, Session, Sessions, StaffRoom, check_pin


class SignInBody(BaseModel):
    """Who, and the PIN."""

    operator: str = Field(max_length=64)
    pin: str = Field(max_length=PIN_MAX)


class OperatorBody(BaseModel):
    """Somebody who may sign in."""

    id: str
    name: str
    role: str


class SignedIn(BaseModel):
    """`token` for programs; a browser gets a cookie."""

    operator: OperatorBody
    permissions: list[str]
    token: str


@dataclass(frozen=True, slots=True)
class SignInRoom:
    """What these endpoints work with; in `app.state.staff`."""

    desk: Desk
    room: StaffRoom
    sessions: Sessions


def _room(request: Request) -> SignInRoom:
    return cast("SignInRoom", request.app.state.staff)


RoomDep = Annotated[SignInRoom, Depends(_room)]
Anybody = Annotated[Actor, Depends(Requires(PUBLIC))]
SignedInActor = Annotated[Actor, Depends(Requires(SIGNED_IN))]

router = APIRouter(prefix="/v1/lanes/{lane}/session", tags=["session"])


@router.post("")
async def sign_in(
    room: RoomDep, _: Anybody, lane: int, body: SignInBody, response: Response
) -> SignedIn:
    """Take a lane with operator and PIN."""
    room.desk.state(lane)
    check = partial(check_pin, room=room.room, operator=body.operator, pin=body.pin)
    operator = await asyncio.to_thread(check)
    await asyncio.wrap_future(room.desk.put(lane, SignOn(operator)))
    token = room.room.ids.session_token()
    session = Session(lane, operator.id)
    await asyncio.to_thread(room.sessions.begin, token, session)
    response.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="strict", path="/")
    return SignedIn(
        operator=OperatorBody(id=operator.id, name=operator.name, role=operator.role),
        permissions=list(operator.permissions),
        token=token,
    )


@router.delete("", status_code=204)
async def sign_out(room: RoomDep, _: SignedInActor, lane: int, response: Response) -> None:
    """Leave the lane; an open basket stays."""
    await asyncio.wrap_future(room.desk.put(lane, SignOff()))
    await asyncio.to_thread(room.sessions.end_lane, lane)
    response.delete_cookie(SESSION_COOKIE, path="/")
