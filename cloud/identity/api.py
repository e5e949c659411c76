"""Signing in and out over HTTP, and setting a forgotten password."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.background import BackgroundTask

from cloud.access import PUBLIC, SESSION_COOKIE, AnyPrincipal, ContextDep
from cloud.answer import json_answer
from cloud.context import Principal
from cloud.identity import letters, schemas
from cloud.identity.asked_api import (
    IdentityDep,
    PartsDep,
    Stranger,
    caller_of,
    give_cookie,
    stranger,
)
from cloud.identity.parts import Caller
from cloud.identity.service import Given

router = APIRouter(prefix="/v1", tags=["session"])
FOR_ALL = [Depends(PUBLIC)]


@router.get("/sign-in", response_model=schemas.SignInWays, dependencies=FOR_ALL)
def sign_in_ways(context: ContextDep, parts: PartsDep) -> Response:
    """How one may sign in here."""
    told = context.settings
    label = (told.oidc_label or told.oidc_issuer) if told.oidc_issuer else ""
    return json_answer({"oidc": label, "can_reset": parts.mailer.can_send})


@router.post("/session", response_model=schemas.NewSession, dependencies=FOR_ALL)
def sign_in(
    body: schemas.SignIn, request: Request, context: ContextDep, identity: IdentityDep
) -> Response:
    """Sign in with a password; sets the session cookie and gives the same token.

    The session that the browser had before ends: nobody can hand a person one of theirs.
    """
    told = stranger(request)
    before = Caller(told.address, told.agent, "", request.cookies.get(SESSION_COOKIE, ""))
    opened = identity.sign_in(Given(body.user, body.password, body.code), before)
    answer = json_answer(
        {
            **shown(opened.principal),
            "token": opened.token,
            "expires_at_ms": opened.expires_at_ms,
        }
    )
    give_cookie(answer, context.settings, opened.token)
    return answer


@router.get("/session", response_model=schemas.Session)
def who_am_i(principal: AnyPrincipal) -> Response:
    """Who is signed in."""
    return json_answer(shown(principal))


@router.post("/session/confirm", status_code=204)
def confirm(
    body: schemas.Confirm, request: Request, principal: AnyPrincipal, identity: IdentityDep
) -> Response:
    """Prove again who one is, before what is dangerous."""
    given = Given(principal.name, body.password, body.code)
    identity.confirm(given, caller_of(request, principal))
    return Response(status_code=204)


@router.delete("/session", status_code=204)
def sign_out(request: Request, principal: AnyPrincipal, identity: IdentityDep) -> Response:
    """End this session."""
    identity.sign_out(caller_of(request, principal))
    answer = Response(status_code=204)
    answer.delete_cookie(SESSION_COOKIE)
    return answer


@router.post("/password-reset", status_code=202, response_class=Response, dependencies=FOR_ALL)
def ask_reset(body: schemas.ResetRequest, parts: PartsDep, who: Stranger) -> Response:
    """Send a link to a user who forgot the password; the same answer whoever that is."""
    letters.admit_reset(parts, who)
    send = BackgroundTask(letters.send_reset, parts, who, body.user, body.language)
    return Response(status_code=202, background=send)


@router.post("/password-reset/finish", status_code=204, dependencies=FOR_ALL)
def finish_reset(body: schemas.NewPassword, parts: PartsDep, who: Stranger) -> Response:
    """Set a password with the token of a link, which is good once."""
    letters.finish(parts, who, body.token, body.password)
    return Response(status_code=204)


def shown(principal: Principal) -> dict[str, Any]:
    """A signed-in person as the console reads it."""
    return {
        "user": principal.name,
        "name": principal.display_name,
        "role": principal.role,
        "permissions": sorted(principal.permissions),
        "must_enrol": principal.must_enrol,
        "is_scoped": principal.stores is not None,
        "how": principal.how,
    }
