"""What a till page may ask before anybody has signed in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from edge.access import PUBLIC, Actor, Requires
from edge.replica.catalog import StaffMember
from shared.kernel.money import Currency
from shared.staff.role import Role


class StoreBody(BaseModel):
    """The store, how it writes money, and the time zone (IANA name) of its receipts."""

    id: str
    name: str
    currency: str
    locale: str
    currency_symbol: str
    digits: int
    time_zone: str


class LaneBody(BaseModel):
    """A lane."""

    lane: int
    name: str


class OperatorBody(BaseModel):
    """Somebody who may sign in, and what they may vouch for; the role's names by language."""

    id: str
    name: str
    role: str
    role_names: dict[str, str]
    approves: list[str]


class LanesBody(BaseModel):
    """Where and who; `secure_context_needed` when browsers will keep features from this page."""

    store: StoreBody
    lanes: list[LaneBody]
    operators: list[OperatorBody]
    sw: str
    secure_context_needed: bool


@dataclass(frozen=True, slots=True)
class LanesRoom:
    """What this endpoint works with; in `app.state.lanes`."""

    store_id: str
    store_name: str
    time_zone: str
    currency: Currency
    locale: str
    lanes: tuple[int, ...]
    software: str
    staff: Callable[[], tuple[StaffMember, ...]]
    role_of: Callable[[StaffMember], Role]


router = APIRouter(prefix="/v1/lanes", tags=["lanes"])


@router.get("")
async def lanes(request: Request, _: Annotated[Actor, Depends(Requires(PUBLIC))]) -> LanesBody:
    """Store, lanes, and who may sign in."""
    room = cast("LanesRoom", request.app.state.lanes)
    staff = await asyncio.to_thread(room.staff)
    is_local = request.url.hostname in {"localhost", "127.0.0.1", "::1"}
    return LanesBody(
        store=StoreBody(
            id=room.store_id,
            name=room.store_name,
            currency=room.currency.code,
            locale=room.locale,
            currency_symbol=room.currency.symbol,
            digits=room.currency.digits,
            time_zone=room.time_zone,
        ),
        lanes=[LaneBody(lane=lane, name=str(lane)) for lane in room.lanes],
        operators=[_operator(each, room.role_of(each)) for each in staff],
        sw=room.software,
        secure_context_needed=request.url.scheme != "https" and not is_local,
    )


def _operator(member: StaffMember, role: Role) -> OperatorBody:
    return OperatorBody(
        id=member.id,
        name=member.name,
        role=member.role,
        role_names=dict(role.names),
        approves=sorted(role.approves),
    )
