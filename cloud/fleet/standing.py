"""In service, retiring or revoked: what a box may do, and who decided it.

A retiring box may only bring its journal's tail; a revoked one nothing at all, and its broker
log-in is gone.  What it had signed can still be brought by another box of the store.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud.db import Database, notify
from cloud.desired import touch
from cloud.fleet import standing_store, store
from cloud.fleet.broker_accounts import BrokerAccounts
from cloud.fleet.certificates import revoke_all
from cloud.fleet.standing_store import FleetEvent, Standing
from cloud.signing import HqKey
from shared.kernel.canonical import sha256
from shared.kernel.errors import MissingError, RefusedError

ACTIVE, RETIRING, REVOKED = "active", "retiring", "revoked"
CHANNEL = "tillbox_standing"
"""NOTIFY channel; the payload is the device."""
DERIVED_FOR = "device secret"


@dataclass(frozen=True, slots=True)
class Order:
    """Who changes a box's standing, when (UTC ms) and why."""

    dev: str
    by: str
    reason: str
    at_ms: int


def retire(database: Database, order: Order) -> None:
    """Take a box out of service; it may still bring its journal's tail.

    Raises MissingError `box.unknown`, RefusedError `box.not_in_service` or `box.reason`.
    """
    with database.begin() as connection:
        box = _locked(connection, order)
        if box.status != ACTIVE:
            raise RefusedError("box.not_in_service", dev=box.dev, status=box.status)
        _change(connection, box, RETIRING, order)


def revoke(database: Database, accounts: BrokerAccounts, order: Order) -> None:
    """Shut a lost or stolen box out; the broker drops its connection.

    Once more drops its connection once more, and is no second event.
    Raises MissingError `box.unknown`, RefusedError `box.reason`, UnavailableError when the
    broker cannot be told.
    """
    with database.begin() as connection:
        box = _locked(connection, order)
        if box.status == REVOKED:
            notify(connection, CHANNEL, box.dev)
        else:
            _change(connection, box, REVOKED, order)
        revoke_all(connection, order.dev, order.at_ms)
        accounts.remove(order.dev)


def shut_out_again(connection: Connection, order: Order) -> None:
    """Revoke what a restored database had forgotten; the broker knows it still."""
    _change(connection, _locked(connection, order), REVOKED, order)
    revoke_all(connection, order.dev, order.at_ms)


def reinstate(database: Database, accounts: BrokerAccounts, hq_key: HqKey, order: Order) -> None:
    """Put a box back into service, with the secret that it has.

    Raises MissingError `box.unknown`, RefusedError `box.other_in_service`, `box.never_enrolled`
    or `box.reason`, UnavailableError when the broker cannot be told.
    """
    with database.begin() as connection:
        box = _locked(connection, order)
        other = standing_store.other_active(connection, box)
        if other is not None:
            raise RefusedError("box.other_in_service", dev=other, store_id=box.store_id)
        token_hash = standing_store.claim_of(connection, box.dev)
        if token_hash is None:
            raise RefusedError("box.never_enrolled", dev=box.dev)
        _change(connection, box, ACTIVE, order)
        give_secret(connection, accounts, box.dev, secret_of(hq_key, token_hash, box.dev))


def secret_of(hq_key: HqKey, token_hash: bytes, dev: str) -> str:
    """A box's secret: the same whenever it is asked for, and stored nowhere."""
    return hq_key.derive(DERIVED_FOR, token_hash + dev.encode()).hex()


def give_secret(connection: Connection, accounts: BrokerAccounts, dev: str, secret: str) -> None:
    """Let a box in with its secret, at the API and at the broker."""
    store.set_secret(connection, dev, sha256(secret.encode()))
    accounts.put(dev, secret)


def history(database: Database, dev: str) -> tuple[list[dict[str, Any]], list[FleetEvent]]:
    """A box's journal lives and what was done to it, the newest first; MissingError."""
    with database.begin() as connection:
        if store.credentials_of(connection, dev) is None:
            raise MissingError("box.unknown", dev=dev[:40])
        found = standing_store.streams(connection, dev)
        return found, standing_store.events(connection, dev)


def _locked(connection: Connection, order: Order) -> Standing:
    if not order.reason.strip():
        raise RefusedError("box.reason")
    box = standing_store.lock_standing(connection, order.dev)
    if box is None:
        raise MissingError("box.unknown", dev=order.dev[:40])
    return box


def _change(connection: Connection, box: Standing, status: str, order: Order) -> None:
    standing_store.set_status(connection, box.dev, status)
    event = FleetEvent(order.at_ms, box.dev, box.store_id, status, order.by, order.reason.strip())
    standing_store.add_event(connection, event)
    touch(connection, box.dev, order.at_ms)
    notify(connection, CHANNEL, box.dev)
