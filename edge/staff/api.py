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
from edge.replica.catalog import StaffMember
from edge.staff.approvals import Approvals
from edge.staff.badges import Badges
from edge.staff.commands import SignOff, SignOn
from edge.staff.service import (
    PIN_MAX,
    Session,
    Sessions,
    StaffRoom,
    Typed,
    check_pin,
    operator_of,
    place_of,
    refuse_at_once,
    unlock,
)
from shared.kernel.errors import ForbiddenError

SCREEN_COOKIE = "tb_screen"
_SCREEN_S = 180 * 24 * 3600


class SignInBody(BaseModel):
    """Who, and the PIN; with `new_pin` it is changed to that."""

    operator: str = Field(max_length=64)
    pin: str = Field(max_length=PIN_MAX)
    new_pin: str = Field(default="", max_length=PIN_MAX)


class BadgeBody(BaseModel):
    """The number of the badge that the lane's screen shows."""

    number: int = Field(ge=1)


class UnlockBody(BaseModel):
    """Who may try again, and the colleague whose PIN it takes."""

    operator: str = Field(max_length=64)
    approver: str = Field(max_length=64)
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
    approvals: Approvals
    badges: Badges


def room_of(request: Request) -> SignInRoom:
    """The sign-in room of an app."""
    return cast("SignInRoom", request.app.state.staff)


RoomDep = Annotated[SignInRoom, Depends(room_of)]
Anybody = Annotated[Actor, Depends(Requires(PUBLIC))]
SignedInActor = Annotated[Actor, Depends(Requires(SIGNED_IN))]

router = APIRouter(prefix="/v1/lanes/{lane}/session", tags=["session"])


@router.post("")
async def sign_in(
    room: RoomDep, _: Anybody, lane: int, body: SignInBody, request: Request, response: Response
) -> SignedIn:
    """Take a lane with operator and PIN."""
    room.desk.state(lane)
    place = _place(room, lane, body.operator, request)
    refuse_at_once(room.room, body.operator, place)
    typed = Typed(body.operator, body.pin, place, body.new_pin)
    member = await asyncio.to_thread(partial(check_pin, room=room.room, typed=typed))
    screen = request.cookies.get(SCREEN_COOKIE, "")
    if not room.sessions.is_known_screen(screen, lane):
        screen = room.room.ids.session_token()
        await asyncio.to_thread(room.sessions.know_screen, screen, lane)
        _give(response, SCREEN_COOKIE, screen, _SCREEN_S)
    return await _begin(room, lane, member, response)


@router.post("/badge")
async def sign_in_by_badge(
    room: RoomDep, _: Anybody, lane: int, body: BadgeBody, request: Request, response: Response
) -> SignedIn:
    """Take a lane with the badge that its scanner has just read, on a screen that is known."""
    room.desk.state(lane)
    if not room.sessions.is_known_screen(request.cookies.get(SCREEN_COOKIE, ""), lane):
        raise ForbiddenError("badge.screen")
    return await _begin(room, lane, room.badges.take(lane, body.number), response)


@router.post("/unlock", status_code=204)
async def let_try_again(
    room: RoomDep, _: Anybody, lane: int, body: UnlockBody, request: Request
) -> None:
    """A colleague, by PIN, lets somebody who has to wait after wrong PINs try again at once."""
    room.desk.state(lane)
    place = _place(room, lane, body.approver, request)
    refuse_at_once(room.room, body.approver, place)
    typed = Typed(body.approver, body.pin, place)
    await asyncio.to_thread(partial(_let_try_again, room.room, lane, body.operator, typed))


@router.delete("", status_code=204)
async def sign_out(room: RoomDep, _: SignedInActor, lane: int, response: Response) -> None:
    """Leave the lane; an open basket stays."""
    await asyncio.wrap_future(room.desk.put(lane, SignOff()))
    await asyncio.to_thread(room.sessions.end_lane, lane)
    response.delete_cookie(SESSION_COOKIE, path="/")


def _let_try_again(room: StaffRoom, lane: int, operator: str, typed: Typed) -> None:
    try:
        approver = check_pin(room=room, typed=typed)
    except ForbiddenError as error:
        if error.code != "session.bad_pin":
            raise
        raise ForbiddenError("approval.bad_pin") from error
    unlock(room=room, lane=lane, operator=operator, approver=approver)


def _place(room: SignInRoom, lane: int, operator: str, request: Request) -> str:
    screen, badge = request.cookies.get(SCREEN_COOKIE, ""), room.badges.shown(lane)
    is_badge = badge is not None and badge["operator"] == operator
    is_known = room.sessions.is_known_screen(screen, lane)
    return place_of(lane, is_known=is_known, is_badge=is_badge)


async def _begin(room: SignInRoom, lane: int, member: StaffMember, response: Response) -> SignedIn:
    operator = operator_of(room.room, member)
    await asyncio.wrap_future(room.desk.put(lane, SignOn(operator)))
    token = room.room.ids.session_token()
    await asyncio.to_thread(room.sessions.begin, token, Session(lane, operator.id))
    _give(response, SESSION_COOKIE, token)
    return SignedIn(
        operator=OperatorBody(id=operator.id, name=operator.name, role=operator.role),
        permissions=list(operator.permissions),
        token=token,
    )


def _give(response: Response, name: str, value: str, max_age_s: int | None = None) -> None:
    response.set_cookie(name, value, max_age_s, httponly=True, samesite="strict", path="/")
