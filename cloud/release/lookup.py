"""Releases and settings looked up, and whether a person may approve."""

from __future__ import annotations

from sqlalchemy import Connection

from cloud.access import PUBLICATION_PUBLISH, RELEASE_APPROVE
from cloud.context import Principal
from cloud.identity.role_store import holders, roles_with
from cloud.release import store
from cloud.release.guard import DEFAULTS, GuardSetting
from cloud.release.policy import Policy
from cloud.release.store import Release
from shared.kernel.errors import MissingError
from shared.release.plan import plan_of

POLICY, GUARDS = "release_policy", "release_guard_setting"


def find(connection: Connection, release_id: int) -> Release:
    """A release; MissingError `release.unknown`."""
    release = store.find(connection, release_id)
    if release is None:
        raise MissingError("release.unknown", release_id=release_id)
    return release


def may_approve(connection: Connection, release: Release, principal: Principal) -> bool:
    """Whether a person may approve it: never their own large one while there is anybody else.

    Where nobody else could approve, who may approve at all may approve their own: a chain with
    one person at headquarters could publish nothing otherwise.
    """
    is_own = principal.name == release.created_by
    if is_own and not release.needs_approval:
        return PUBLICATION_PUBLISH in principal.permissions
    if RELEASE_APPROVE not in principal.permissions:
        return False
    able = roles_with(connection, RELEASE_APPROVE)
    return not is_own or not holders(connection, able, but=release.created_by)


def policy_of(connection: Connection) -> Policy:
    """The policy that counts."""
    kept = store.setting(connection, POLICY)
    if kept is None:
        return Policy()
    told = kept[0]
    plans = {name: plan_of(told[name]) for name in ("plan", "undo_plan") if name in told}
    return Policy(**{**told, **plans})


def guard_settings(connection: Connection) -> list[GuardSetting]:
    """Every guard as it is set; those that nobody set are as delivered."""
    kept = store.setting(connection, GUARDS)
    changed = {} if kept is None else {row["guard"]: row for row in kept[0]}
    return [
        GuardSetting(**{**changed[each.guard.value], "guard": each.guard})
        if each.guard.value in changed
        else each
        for each in DEFAULTS
    ]
