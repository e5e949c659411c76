"""The console's roles as data. The operators of a store are the staff room's."""

from __future__ import annotations

from cloud.access import (
    CONFIG_WRITE,
    EXPORT_READ,
    FLEET_ALERT,
    FLEET_COMMAND,
    FLEET_ENROL,
    FLEET_READ,
    ITEM_READ,
    ITEM_WRITE,
    PERMISSIONS,
    PRICE_WRITE,
    PUBLICATION_PUBLISH,
    RELEASE_APPROVE,
    REPORT_READ,
    SOFTWARE_PUBLISH,
    STAFF_WRITE,
    STORE_WRITE,
    WORK_READ,
    WORK_WRITE,
)

CARER = frozenset({FLEET_ENROL, FLEET_COMMAND, FLEET_ALERT})
"""Who looks after the boxes."""
READER = frozenset({ITEM_READ, FLEET_READ, REPORT_READ, WORK_READ})

ROLES: dict[str, frozenset[str]] = {
    "admin": PERMISSIONS,
    "buyer": READER | {ITEM_WRITE, PRICE_WRITE, PUBLICATION_PUBLISH},
    # Changes nothing by itself: it is the second pair of eyes, and a hand on the brake.
    "approver": READER | {PUBLICATION_PUBLISH, RELEASE_APPROVE},
    "it": READER | CARER | {STORE_WRITE, STAFF_WRITE, SOFTWARE_PUBLISH, WORK_WRITE},
    # Exports hold whole sales with their members: not for everybody who may read sums.
    "accountant": READER | {CONFIG_WRITE, EXPORT_READ, WORK_WRITE},
    "reader": READER,
}
