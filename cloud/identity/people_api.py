"""Users and roles over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from cloud.access import PERMISSIONS, USER_READ, USER_WRITE, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Principal
from cloud.identity import people, roles, schemas, session_store, store
from cloud.identity.asked_api import PartsDep, caller_of
from cloud.identity.parts import Parts
from cloud.identity.people import UserChange
from cloud.identity.role import BUILT_IN, Role

router = APIRouter(prefix="/v1", tags=["people"])
READ = [Depends(Requires(USER_READ))]
Administrator = Annotated[Principal, Depends(Requires(USER_WRITE, fresh=True))]
COLUMNS = ("user", "name", "role", "mail", "state", "is_machine", "has_totp", "store_groups")


@router.get("/users", response_model=schemas.Users, dependencies=READ)
def users(parts: PartsDep) -> Response:
    """Everybody who may sign in, by name."""
    return json_answer({"users": _users(parts)})


@router.get("/users.csv", response_class=CsvAnswer, dependencies=READ)
def users_csv(parts: PartsDep) -> Response:
    """The same as a table."""
    rows = [
        [*(row[name] for name in COLUMNS[:-1]), " ".join(row["store_groups"])]
        for row in _users(parts)
    ]
    return CsvAnswer.of_rows(COLUMNS, rows, "users.csv")


@router.post("/users", status_code=201, response_model=schemas.Link)
def invite(
    body: schemas.NewUser, request: Request, actor: Administrator, parts: PartsDep
) -> Response:
    """Add a user and send an invitation; answers the link where no mail could be sent."""
    link = people.invite(parts, actor, caller_of(request, actor), body.user, _change(body))
    return json_answer({"link": link}, status=201)


@router.put("/users/{user}", status_code=204)
def change_user(
    user: str,
    body: schemas.UserFields,
    request: Request,
    actor: Administrator,
    parts: PartsDep,
) -> Response:
    """Change a user; another role, other groups or a lock end their sessions."""
    people.change(parts, actor, caller_of(request, actor), user, _change(body))
    return Response(status_code=204)


@router.post("/users/{user}/link", response_model=schemas.Link)
def send_link(user: str, request: Request, actor: Administrator, parts: PartsDep) -> Response:
    """Send a link to set a password; answers the link where no mail could be sent."""
    return json_answer({"link": people.send_link(parts, actor, caller_of(request, actor), user)})


@router.delete("/users/{user}/totp", status_code=204)
def drop_factor(user: str, request: Request, actor: Administrator, parts: PartsDep) -> Response:
    """Forget a user's second factor, after a lost telephone."""
    people.drop_factor(parts, actor, caller_of(request, actor), user)
    return Response(status_code=204)


@router.delete("/users/{user}/sessions", status_code=204)
def end_sessions(user: str, request: Request, actor: Administrator, parts: PartsDep) -> Response:
    """End all of a user's sessions."""
    people.end_sessions(parts, actor, caller_of(request, actor), user)
    return Response(status_code=204)


@router.get("/roles", response_model=schemas.Roles, dependencies=READ)
def all_roles(parts: PartsDep) -> Response:
    """Every role, and every permission there is."""
    return json_answer({"roles": roles.roles(parts), "permissions": sorted(PERMISSIONS)})


@router.put("/roles/{role}", status_code=204)
def put_role(
    role: str, body: schemas.RoleFields, request: Request, actor: Administrator, parts: PartsDep
) -> Response:
    """Add a role or change one; its people sign in again."""
    asked = Role(
        role=role,
        label=body.label.strip(),
        permissions=frozenset(body.permissions),
        is_scoped=body.is_scoped,
        needs_totp=body.needs_totp,
        is_built_in=role in BUILT_IN,
        is_changed=True,
    )
    roles.put_role(parts, actor, caller_of(request, actor), asked)
    return Response(status_code=204)


@router.delete("/roles/{role}", status_code=204)
def drop_role(role: str, request: Request, actor: Administrator, parts: PartsDep) -> Response:
    """Remove a role of one's own, or give a built-in one back its first form."""
    roles.drop_role(parts, actor, caller_of(request, actor), role)
    return Response(status_code=204)


def _users(parts: Parts) -> list[dict[str, Any]]:
    with parts.database.begin() as connection:
        found = store.users(connection)
        seen = session_store.last_seen(connection)
    return [
        {
            "user": user.name,
            "name": user.display_name,
            "role": user.role,
            "mail": user.mail,
            "state": user.state,
            "is_machine": user.is_machine,
            "has_totp": user.totp_sealed is not None,
            "store_groups": list(user.store_groups),
            "language": user.language,
            "seen_at_ms": seen.get(user.name),
        }
        for user in found
    ]


def _change(body: schemas.UserFields) -> UserChange:
    return UserChange(
        display_name=body.name.strip(),
        mail=body.mail.strip(),
        role=body.role,
        store_groups=tuple(dict.fromkeys(body.store_groups)),
        is_active=body.is_active,
        language=body.language or "",
    )
