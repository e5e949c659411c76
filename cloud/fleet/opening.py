"""A new store, from its data to its first sale: claim, inventory line, and what is still to do."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Any

from cloud.db import Database
from cloud.fleet import opening_store, service, store
from cloud.fleet.opening_store import Progress
from cloud.fleet.store import Store
from shared.kernel.errors import MissingError, RefusedError
from shared.wire.claim import Claim, claim_url

HOST_PREFIX = "store-"
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*", re.IGNORECASE)
_NAME_MAX = 253


@dataclass(frozen=True, slots=True)
class Opening:
    """A store to be opened; `address` (host name or IP, "" while unknown) is its box's for IT."""

    place: Store
    address: str
    by: str


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist; `at_ms` (UTC) when it was done, None while it is to do."""

    code: str
    at_ms: int | None


def open_store(
    database: Database, opening: Opening, cloud: tuple[str, str], at_ms: int
) -> dict[str, Any]:
    """Make a store with a claim for its box; {token, expires_at_ms, claim_url, inventory}.

    `cloud` is head office's address and the fingerprint of the chain's CA ("" for a public one).
    Raises RefusedError `store.exists`, `store.address` and those of `put_store`.
    """
    place = opening.place
    if opening.address and not is_address(opening.address):
        raise RefusedError("store.address", address=opening.address[:80])
    with database.begin() as connection:
        if store.find_store(connection, place.store_id) is not None:
            raise RefusedError("store.exists", store_id=place.store_id)
    service.put_store(database, place)
    with database.begin() as connection:
        opening_store.put_site(connection, place.store_id, opening.address, at_ms, opening.by)
    made = service.new_claim(database, store_id=place.store_id, at_ms=at_ms)
    return {
        "store_id": place.store_id,
        "token": made.token,
        "expires_at_ms": made.expires_at_ms,
        "claim_url": claim_url(Claim(cloud[0], made.token, cloud[1])),
        "inventory": inventory_line(place.store_id, opening.address),
    }


def is_address(address: str) -> bool:
    """Whether it can be the name or IP address of a machine."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return len(address) <= _NAME_MAX and _NAME.fullmatch(address) is not None
    return True


def host_of(store_id: str) -> str:
    """What the store's box is called in an inventory."""
    return f"{HOST_PREFIX}{store_id}"


def inventory_line(store_id: str, address: str) -> str:
    """The box as a line of an inventory file, for those who keep one by hand."""
    return f"{host_of(store_id)} ansible_host={address or 'ADDRESS'} tillbox_store_id={store_id}"


def checklist(database: Database, store_id: str) -> dict[str, Any]:
    """Every step up to the first sale, in order; MissingError `store.unknown`."""
    with database.begin() as connection:
        found = opening_store.progress(connection, store_id)
    if found is None:
        raise MissingError("store.unknown", store_id=store_id[:40])
    steps = steps_of(found)
    return {
        "store_id": store_id,
        "name": found.name,
        "address": found.address or "",
        "dev": found.dev or "",
        "online": found.is_online,
        "steps": [{"code": step.code, "at_ms": step.at_ms} for step in steps],
        "is_done": all(step.at_ms is not None for step in steps),
    }


def steps_of(found: Progress) -> list[Step]:
    """The checklist; what comes late proves what had to be before it."""
    claimed = found.claim_expires_at_ms
    done = [
        ("store", found.made_at_ms if found.made_at_ms is not None else 0),
        ("claim", None if claimed is None else claimed - service.CLAIM_MS),
        ("enrolled", found.enrolled_at_ms),
        ("connected", found.last_contact_at_ms),
        ("prices", found.active_at_ms),
        ("first_sale", found.first_sale_at_ms),
    ]
    return [Step(code, at_ms) for code, at_ms in done]


def inventory(database: Database) -> list[dict[str, Any]]:
    """Every store with its box, as an inventory names it."""
    with database.begin() as connection:
        rows = opening_store.inventory(connection)
    return [{"host": host_of(row["store_id"]), **row} for row in rows]
