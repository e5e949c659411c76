"""The console's roles as data. The operators of a store are the staff room's.

The built-in roles stand here and get new permissions with new software; one that a person
changed, and those of one's own, are rows in `app_role` (see `role_store`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloud.access import (
    AUDIT_READ,
    CONFIG_WRITE,
    EXPORT_READ,
    FLEET_ALERT,
    FLEET_COMMAND,
    FLEET_ENROL,
    FLEET_READ,
    ITEM_READ,
    ITEM_WRITE,
    MEMBER_CHANGE,
    MEMBER_ERASE,
    MEMBER_EXPORT,
    MEMBER_READ,
    MEMBER_SEE_PERSONAL,
    PERMISSIONS,
    PRICE_WRITE,
    PUBLICATION_PUBLISH,
    RELEASE_APPROVE,
    REPORT_READ,
    SOFTWARE_PUBLISH,
    STAFF_WRITE,
    STORE_WRITE,
    USER_READ,
    WORK_READ,
    WORK_WRITE,
)

ADMIN = "admin"
CARER = frozenset({FLEET_ENROL, FLEET_COMMAND, FLEET_ALERT})
"""Who looks after the boxes."""
READER = frozenset({ITEM_READ, FLEET_READ, REPORT_READ, WORK_READ})

ROLES: dict[str, frozenset[str]] = {
    ADMIN: PERMISSIONS,
    "buyer": READER | {ITEM_WRITE, PRICE_WRITE, PUBLICATION_PUBLISH},
    # Changes nothing by itself: it is the second pair of eyes, and a hand on the brake.
    "approver": READER | {PUBLICATION_PUBLISH, RELEASE_APPROVE},
    "it": READER | CARER | {STORE_WRITE, STAFF_WRITE, SOFTWARE_PUBLISH, WORK_WRITE},
    # Exports hold whole sales with their members: not for everybody who may read sums.
    "accountant": READER | {CONFIG_WRITE, EXPORT_READ, WORK_WRITE},
    # Reads everything, who did what included, and changes nothing.
    "auditor": READER | {EXPORT_READ, AUDIT_READ, USER_READ},
    "member_service": frozenset({MEMBER_READ, MEMBER_SEE_PERSONAL, MEMBER_CHANGE}),
    # Answers what members may ask for by law, and looks at who looked at them.
    "privacy": frozenset(
        {MEMBER_READ, MEMBER_SEE_PERSONAL, MEMBER_EXPORT, MEMBER_ERASE, AUDIT_READ}
    ),
    "area_manager": frozenset({FLEET_READ, REPORT_READ}),
    "reader": READER,
}
SCOPED = frozenset({"area_manager"})
WITHOUT_TOTP = frozenset({"area_manager", "reader"})
"""Who changes nothing, and sees sums only."""
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Role:
    """What its people may do; `is_scoped`: only for the stores of their groups."""

    role: str
    label: str
    permissions: frozenset[str]
    is_scoped: bool
    needs_totp: bool
    is_built_in: bool = False
    is_changed: bool = False


BUILT_IN: dict[str, Role] = {
    name: Role(
        role=name,
        label="",
        permissions=permissions,
        is_scoped=name in SCOPED,
        needs_totp=name not in WITHOUT_TOTP,
        is_built_in=True,
    )
    for name, permissions in ROLES.items()
}


def changed(stored: Role) -> Role:
    """A stored role as it counts: permissions that this software does not know are left out."""
    return Role(
        role=stored.role,
        label=stored.label,
        permissions=stored.permissions & PERMISSIONS,
        is_scoped=stored.is_scoped,
        needs_totp=stored.needs_totp,
        is_built_in=stored.role in BUILT_IN,
        is_changed=True,
    )
