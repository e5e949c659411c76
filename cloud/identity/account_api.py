"""One's own account over HTTP: every signed-in person has one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from cloud.access import AnyPrincipal, Requires
from cloud.answer import json_answer
from cloud.context import Principal
from cloud.identity import account, schemas
from cloud.identity.asked_api import PartsDep, caller_of
from cloud.qr import qr_path

router = APIRouter(prefix="/v1/account", tags=["account"])
Confirmed = Annotated[Principal, Depends(Requires(fresh=True))]


@router.get("", response_model=schemas.Account)
def read_account(request: Request, principal: AnyPrincipal, parts: PartsDep) -> Response:
    """One's own account with its sessions."""
    return json_answer(account.account(parts, caller_of(request, principal)))


@router.put("/password", status_code=204)
def change_password(
    body: schemas.PasswordChange, request: Request, principal: AnyPrincipal, parts: PartsDep
) -> Response:
    """Give oneself a new password; one's other sessions end."""
    account.change_password(parts, caller_of(request, principal), body.old, body.new)
    return Response(status_code=204)


@router.post("/totp", response_model=schemas.TotpOffer)
def offer_totp(request: Request, principal: Confirmed, parts: PartsDep) -> Response:
    """A secret for an app; it counts once a code of it was sent."""
    offer = account.offer_totp(parts, caller_of(request, principal))
    path, size = qr_path(offer.url)
    told = {"url": offer.url, "secret": offer.secret, "qr_path": path, "qr_size": size}
    return json_answer(told)


@router.put("/totp", response_model=schemas.RecoveryCodes)
def enrol_totp(
    body: schemas.TotpCode, request: Request, principal: Confirmed, parts: PartsDep
) -> Response:
    """The offered secret counts from now on; answers the recovery codes."""
    codes = account.enrol_totp(parts, caller_of(request, principal), body.code)
    return json_answer({"codes": codes})


@router.delete("/totp", status_code=204)
def drop_totp(request: Request, principal: Confirmed, parts: PartsDep) -> Response:
    """Do without a second factor, where the role lets."""
    account.drop_totp(parts, caller_of(request, principal))
    return Response(status_code=204)


@router.post("/recovery-codes", response_model=schemas.RecoveryCodes)
def renew_codes(request: Request, principal: Confirmed, parts: PartsDep) -> Response:
    """New recovery codes; the old ones are good no more."""
    return json_answer({"codes": account.renew_codes(parts, caller_of(request, principal))})


@router.delete("/sessions/{session}", status_code=204)
def end_session(
    session: str, request: Request, principal: AnyPrincipal, parts: PartsDep
) -> Response:
    """End one of one's own sessions."""
    account.end_session(parts, caller_of(request, principal), session)
    return Response(status_code=204)


@router.delete("/sessions", status_code=204)
def end_other_sessions(request: Request, principal: AnyPrincipal, parts: PartsDep) -> Response:
    """End all of one's own sessions but this."""
    account.end_other_sessions(parts, caller_of(request, principal))
    return Response(status_code=204)
