"""Members over HTTP: for head office's people, and for boxes.

Whoever is looked for is named in the body: addresses end up in logs.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Response

from cloud.access import (
    DEVICE,
    MEMBER_CHANGE,
    MEMBER_ERASE,
    MEMBER_EXPORT,
    MEMBER_READ,
    MEMBER_SEE_PERSONAL,
    ContextDep,
    Requires,
)
from cloud.answer import json_answer
from cloud.clock import random_bytes
from cloud.context import Context, Principal
from cloud.limiter import FailureLimiter
from cloud.member import box_service, carry, schemas, service
from cloud.member.keys import keys_of
from cloud.member.service import Author, Change, Register, Shown
from cloud.member.store import MemberRow
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.ids import DeviceId
from shared.member.consent import Consent
from shared.member.feed import dump_feed, dump_member
from shared.member.phone import normal_phone

router = APIRouter(prefix="/v1", tags=["members"])
Reader = Depends(Requires(MEMBER_READ))
Changer = Annotated[Principal, Depends(Requires(MEMBER_CHANGE))]
Eraser = Annotated[Principal, Depends(Requires(MEMBER_ERASE, fresh=True))]
Box = Annotated[DeviceId, Depends(DEVICE)]
UNKNOWN_MAX, UNKNOWN_WINDOW_MS = 200, 3_600_000
"""So many numbers that are nobody's may one box ask for in an hour, of each API process."""
_unknown = FailureLimiter(failures_max=UNKNOWN_MAX, window_ms=UNKNOWN_WINDOW_MS)
# The answer to a joining tells whether the number was known: it must not be the way around that.
_brought = FailureLimiter(failures_max=UNKNOWN_MAX, window_ms=UNKNOWN_WINDOW_MS)
_log = structlog.get_logger("cloud.member")


@router.get("/members", response_model=schemas.MemberCounts, dependencies=[Reader])
def newest_members(context: ContextDep) -> Response:
    """How many members there are, and who joined last."""
    (active, erased), rows = service.newest(_register(context))
    told = {"active": active, "erased": erased, "newest": [_row(each) for each in rows]}
    return json_answer(told)


@router.post("/members/find", response_model=schemas.FoundMembers, dependencies=[Reader])
def find_member(body: schemas.MemberQuestion, context: ContextDep) -> Response:
    """Find somebody by their whole phone number or card."""
    register = _register(context)
    if bool(body.phone) == bool(body.card):
        raise RefusedError("member.question")
    if body.phone:
        found = service.find_by_phone(register, body.phone, body.currency)
    else:
        found = service.find_by_card(register, body.card)
    return json_answer({"members": [] if found is None else [_shown(found)]})


@router.post("/members", response_model=schemas.MemberMade)
def join_member(body: schemas.NewMember, context: ContextDep, principal: Changer) -> Response:
    """Take somebody in."""
    consents = tuple(Consent(**each.model_dump()) for each in body.consents)
    made = service.join(_register(context), _change(body), consents, _author(context, principal))
    return json_answer({"member_id": made})


@router.get("/members/{member_id}", response_model=schemas.Member, dependencies=[Reader])
def show_member(member_id: str, context: ContextDep) -> Response:
    """A member without anything that names them."""
    return json_answer(_shown(service.show(_register(context), member_id)))


@router.post(
    "/members/{member_id}/personal",
    response_model=schemas.MemberPersonal,
    dependencies=[Depends(Requires(MEMBER_SEE_PERSONAL))],
)
def see_member(member_id: str, context: ContextDep) -> Response:
    """Who a member is; a POST, so that the audit log tells who saw whom."""
    found, personal = service.personal_of(_register(context), member_id)
    return json_answer({"member_id": found, **asdict(personal)})


@router.put("/members/{member_id}", status_code=204)
def change_member(
    member_id: str, body: schemas.MemberChange, context: ContextDep, principal: Changer
) -> Response:
    """Change what is known of a member."""
    del principal
    service.change(_register(context), member_id, _change(body))
    return Response(status_code=204)


@router.post("/members/{member_id}/consents", status_code=204)
def change_consent(
    member_id: str, body: schemas.ConsentChange, context: ContextDep, principal: Changer
) -> Response:
    """Note that a member agreed to something, or took it back."""
    consent = Consent(**body.model_dump())
    service.agree(_register(context), member_id, consent, _author(context, principal))
    return Response(status_code=204)


@router.post(
    "/members/{member_id}/export",
    response_model=schemas.MemberCarried,
    dependencies=[Depends(Requires(MEMBER_EXPORT, fresh=True))],
)
def export_member(member_id: str, context: ContextDep) -> Response:
    """All of a member's data with their sales, to hand to the member."""
    data = carry.carried(_register(context), member_id)
    return json_answer({"data": data, "text": carry.as_text(data)})


@router.post("/members/{member_id}/erase", status_code=204)
def erase_member(
    member_id: str, body: schemas.MemberReason, context: ContextDep, principal: Eraser
) -> Response:
    """Forget who a member is, for good."""
    author = _author(context, principal)
    erased = service.erase(_register(context), member_id, author, body.reason)
    # Whoever puts back an older database needs these ids: see `tillbox-cloud members erase`.
    _log.info("member.erased", id=erased)
    return Response(status_code=204)


@router.post("/device/members", response_model=schemas.MemberFeed)
def feed_members(body: schemas.FeedQuestion, context: ContextDep, dev: Box) -> Response:
    """What changed for a box of whom it is to know."""
    found = box_service.feed(_register(context), dev, body.epoch, body.cursor)
    return json_answer(dump_feed(found))


@router.post("/device/members/find", response_model=schemas.KnownMember)
def ask_member(body: schemas.MemberAsked, context: ContextDep, dev: Box) -> Response:
    """Somebody whom a box does not know yet."""
    if bool(body.phone_slow) == bool(body.card):
        raise RefusedError("member.question")
    slow, now_ms = bytes.fromhex(body.phone_slow), context.clock.now_ms()
    _refuse_trying(context, dev, _unknown)
    try:
        found = box_service.ask(_register(context), dev, slow, body.card, now_ms)
    except MissingError:
        _unknown.failed(dev, context.clock.mono_ms())
        raise
    return json_answer({"member": dump_member(found)})


@router.post("/device/members/join", response_model=schemas.KnownMember)
def bring_member(body: schemas.BoxMember, context: ContextDep, dev: Box) -> Response:
    """Take in somebody who joined at a till; told again it changes nothing."""
    if len(body.sealed) % 2:
        raise RefusedError("member.join")
    _refuse_trying(context, dev, _brought)
    _brought.failed(dev, context.clock.mono_ms())
    sealed, now_ms = bytes.fromhex(body.sealed), context.clock.now_ms()
    found = box_service.bring(_register(context), dev, body.member, sealed, now_ms)
    return json_answer({"member": dump_member(found)})


def _refuse_trying(context: Context, dev: DeviceId, asked: FailureLimiter) -> None:
    """A store asks for strangers now and then; whoever tries out numbers with a box asks always."""
    if asked.wait_ms(dev, context.clock.mono_ms()):
        raise RefusedError("member.asked_often")


def _register(context: Context) -> Register:
    keys = keys_of(context.settings, context.hq_key)
    return Register(context.database, keys, random_bytes)


def _author(context: Context, principal: Principal) -> Author:
    return Author(principal.name, context.clock.now_ms())


def _change(body: schemas.MemberChange) -> Change:
    phone = body.phone
    return Change(
        phone=normal_phone(phone, body.currency) if phone else phone,
        name=body.name,
        birthday=body.birthday,
        language=body.language,
        cards=None if body.cards is None else tuple(body.cards),
    )


def _row(row: MemberRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in schemas.MemberRow.model_fields}


def _shown(shown: Shown) -> dict[str, Any]:
    return _row(shown.row) | {
        "cards": shown.cards,
        "consents": [asdict(each) for each in shown.consents],
        "stores": shown.stores,
        "sales": shown.sales,
    }
