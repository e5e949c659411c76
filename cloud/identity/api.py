"""Sessions over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from cloud.access import (
    PUBLIC,
    SESSION_COOKIE,
    SIGNED_IN,
    AnyPrincipal,
    ContextDep,
    session_token_of,
)
from cloud.answer import json_answer
from cloud.context import Principal
from cloud.identity.schemas import NewSession, Session, SignIn
from cloud.identity.service import SESSION_MS, Identity

router = APIRouter(prefix="/v1", tags=["session"])


def _identity(context: ContextDep) -> Identity:
    assert isinstance(context.people, Identity)
    return context.people


IdentityDep = Annotated[Identity, Depends(_identity)]


@router.post("/session", response_model=NewSession, dependencies=[Depends(PUBLIC)])
def sign_in(body: SignIn, request: Request, context: ContextDep, identity: IdentityDep) -> Response:
    """Sign in with a password; sets the session cookie and gives the same token."""
    address = request.client.host if request.client else ""
    opened = identity.sign_in(name=body.user, password=body.password, address=address)
    answer = json_answer(
        {
            **_shown(opened.principal),
            "token": opened.token,
            "expires_at_ms": opened.expires_at_ms,
        }
    )
    answer.set_cookie(
        SESSION_COOKIE,
        opened.token,
        max_age=SESSION_MS // 1000,
        httponly=True,
        samesite="strict",
        secure=context.settings.secure_cookies,
    )
    return answer


@router.get("/session", response_model=Session)
def who_am_i(principal: AnyPrincipal) -> Response:
    """Who is signed in."""
    return json_answer(_shown(principal))


@router.delete("/session", status_code=204, dependencies=[Depends(SIGNED_IN)])
def sign_out(request: Request, identity: IdentityDep) -> Response:
    """End this session."""
    token = session_token_of(request)
    if token is not None:
        identity.sign_out(token)
    answer = Response(status_code=204)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


def _shown(principal: Principal) -> dict[str, Any]:
    return {
        "user": principal.name,
        "name": principal.display_name,
        "role": principal.role,
        "permissions": sorted(principal.permissions),
    }
