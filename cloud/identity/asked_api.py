"""What endpoints of this room take from a request, and the cookie that they give."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request, Response

from cloud.access import SESSION_COOKIE, ContextDep, session_token_of
from cloud.context import Principal
from cloud.identity.parts import Caller, Parts
from cloud.identity.service import Identity
from cloud.identity.session_store import HOUR_MS
from cloud.settings import Settings

AGENT_MAX = 200


def identity_of(context: ContextDep) -> Identity:
    """The identity room of this process."""
    assert isinstance(context.people, Identity)
    return context.people


IdentityDep = Annotated[Identity, Depends(identity_of)]


def parts_of(identity: IdentityDep) -> Parts:
    """What the functions of this room work with."""
    return identity.parts


PartsDep = Annotated[Parts, Depends(parts_of)]


def stranger(request: Request) -> Caller:
    """Where a request of nobody in particular comes from."""
    address = request.client.host if request.client else ""
    return Caller(address, request.headers.get("User-Agent", "")[:AGENT_MAX])


def caller_of(request: Request, principal: Principal) -> Caller:
    """Where a signed-in person's request comes from, and whose it is."""
    told = stranger(request)
    return Caller(told.address, told.agent, principal.name, session_token_of(request) or "")


Stranger = Annotated[Caller, Depends(stranger)]


def give_cookie(answer: Response, settings: Settings, token: str) -> None:
    """Let the browser keep the session; no script and no foreign page ever has it."""
    answer.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=settings.session_hours * HOUR_MS // 1000,
        httponly=True,
        samesite="strict",
        secure=settings.is_https(),
    )
