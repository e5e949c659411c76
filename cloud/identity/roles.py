"""Changing what a role may do, with the guard that somebody always may change it back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from cloud.access import PERMISSIONS
from cloud.context import Principal
from cloud.db import lock_for_transaction
from cloud.identity import role_store, session_store
from cloud.identity.parts import Caller, Parts
from cloud.identity.people import PEOPLE_LOCK, require_administrators
from cloud.identity.role import ADMIN, BUILT_IN, NAME, Role
from shared.kernel.errors import ForbiddenError, MissingError, RefusedError


def roles(parts: Parts) -> list[dict[str, Any]]:
    """Every role with the number of its users."""
    with parts.database.begin() as connection:
        found = role_store.roles(connection)
        return [
            {**facts(role), "users": role_store.users_of(connection, role.role)}
            for role in found.values()
        ]


def put_role(parts: Parts, actor: Principal, caller: Caller, role: Role) -> None:
    """Add a role of one's own or change any but the administrator's; its people sign in again.

    Raises RefusedError `role.name`, `role.admin`, `role.permission` or `user.last_admin`;
    ForbiddenError `role.beyond_own`.
    """
    if NAME.fullmatch(role.role) is None:
        raise RefusedError("role.name", role=role.role[:40])
    unknown = sorted(role.permissions - PERMISSIONS)
    if unknown:
        raise RefusedError("role.permission", permission=unknown[0][:40])
    with parts.database.begin() as connection:
        old = _may_change(connection, actor, role.role)
        _require_own(actor, role)
        role_store.put_role(connection, role)
        _after(connection, role.role)
        before = None if old is None else facts(old)
        parts.note(
            connection, caller, "role.changed", subject=role.role, before=before, after=facts(role)
        )


def drop_role(parts: Parts, actor: Principal, caller: Caller, name: str) -> None:
    """Remove a role of one's own, or give a built-in one back its first form.

    Raises MissingError `role.unknown`, RefusedError `role.admin`, `role.in_use` or
    `user.last_admin`; ForbiddenError `role.beyond_own`.
    """
    with parts.database.begin() as connection:
        old = _may_change(connection, actor, name)
        if old is None:
            raise MissingError("role.unknown", role=name[:40])
        used = role_store.users_of(connection, name)
        if used and name not in BUILT_IN:
            raise RefusedError("role.in_use", role=name, users=used)
        if name in BUILT_IN:
            _require_own(actor, BUILT_IN[name])
        role_store.drop_role(connection, name)
        _after(connection, name)
        parts.note(connection, caller, "role.dropped", subject=name, before=facts(old))


def facts(role: Role) -> dict[str, Any]:
    """A role as it is told."""
    return {
        "role": role.role,
        "label": role.label,
        "permissions": sorted(role.permissions),
        "is_scoped": role.is_scoped,
        "needs_totp": role.needs_totp,
        "is_built_in": role.is_built_in,
        "is_changed": role.is_changed,
    }


def _may_change(connection: Connection, actor: Principal, name: str) -> Role | None:
    lock_for_transaction(connection, PEOPLE_LOCK)
    if name == ADMIN:
        raise RefusedError("role.admin")
    old = role_store.roles(connection).get(name)
    if old is not None:
        _require_own(actor, old)
    return old


def _require_own(actor: Principal, role: Role) -> None:
    if not role.permissions <= actor.permissions:
        raise ForbiddenError("role.beyond_own", role=role.role)


def _after(connection: Connection, name: str) -> None:
    require_administrators(connection)
    session_store.close_of_role(connection, name)
