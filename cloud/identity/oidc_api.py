"""Signing in through a sign-in service, over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from cloud.access import PUBLIC, SESSION_COOKIE, ContextDep
from cloud.identity import oidc
from cloud.identity.asked_api import IdentityDep, give_cookie, stranger
from cloud.identity.oidc import FLOW_MS, Brought
from cloud.identity.parts import Caller
from shared.kernel.errors import RetailError

router = APIRouter(prefix="/v1/oidc", tags=["session"], dependencies=[Depends(PUBLIC)])
STATE_COOKIE = "tb_oidc"
PATH = "/v1/oidc"


@router.get("/start", status_code=303, response_class=RedirectResponse)
def start(
    context: ContextDep, identity: IdentityDep, again: Annotated[Literal["", "1"], Query()] = ""
) -> Response:
    """Send the browser to the sign-in service."""
    flow = oidc.begin(identity.parts, identity.service, again=again != "")
    answer = RedirectResponse(flow.url, status_code=303)
    answer.set_cookie(
        STATE_COOKIE,
        flow.state,
        max_age=FLOW_MS // 1000,
        path=PATH,
        httponly=True,
        samesite="lax",  # the browser comes back from another site
        secure=context.settings.is_https(),
    )
    return answer


def brought_back(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Brought:
    """What the browser came back with."""
    return Brought(state, request.cookies.get(STATE_COOKIE, ""), code, error)


@router.get("/callback", status_code=303, response_class=RedirectResponse)
def callback(
    request: Request,
    context: ContextDep,
    identity: IdentityDep,
    brought: Annotated[Brought, Depends(brought_back)],
) -> Response:
    """Take the person whom the service sends back; a refusal is told by the sign-in page."""
    told = stranger(request)
    before = Caller(told.address, told.agent, "", request.cookies.get(SESSION_COOKIE, ""))
    try:
        user = oidc.finish(identity.parts, identity.service, before, brought)
        opened = identity.open(user, before, "oidc")
    except RetailError as refused:
        answer = RedirectResponse(f"/?refused={refused.code}", status_code=303)
    else:
        answer = RedirectResponse("/", status_code=303)
        give_cookie(answer, context.settings, opened.token)
    answer.delete_cookie(STATE_COOKIE, path=PATH)
    return answer
