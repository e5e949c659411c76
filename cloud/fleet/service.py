"""Stores, claims, and whether a box is one of ours."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cloud.clock import random_bytes
from cloud.db import Database
from cloud.fleet import store
from cloud.fleet.store import Store
from shared.kernel.canonical import sha256
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.money import currency_of

CLAIM_MS = 72 * 3_600_000
TOKEN_BYTES = 16
_STORE_ID = re.compile(r"(?!chain$)[A-Za-z0-9_-]{1,32}")
"""Tables write "chain" where they mean every store."""


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A token for one box of one store, told once."""

    token: str
    expires_at_ms: int


class Boxes:
    """The enrolled boxes; see `cloud.context.Boxes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def status_of(self, dev: str, secret: str) -> str | None:
        """`active`, `retiring` or `revoked`; None unless the box has this secret."""
        with self._database.begin() as connection:
            found = store.credentials_of(connection, dev)
        if found is None or not hmac.compare_digest(found.secret_hash, sha256(secret.encode())):
            return None
        return found.status


def put_store(database: Database, place: Store) -> None:
    """Add or replace a store.

    Raises RefusedError `store.id`, `store.name`, `store.time_zone` or `currency.unknown`.
    """
    if _STORE_ID.fullmatch(place.store_id) is None:
        raise RefusedError("store.id", store_id=place.store_id[:40])
    if not place.name:
        raise RefusedError("store.name")
    try:
        ZoneInfo(place.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RefusedError("store.time_zone", time_zone=place.time_zone[:64]) from None
    currency_of(place.currency)
    with database.begin() as connection:
        store.put_store(connection, place)


def stores(database: Database) -> list[Store]:
    """Every store, by id."""
    with database.begin() as connection:
        return store.stores(connection)


def boxes(database: Database, dev: str = "") -> list[dict[str, Any]]:
    """Every box (or one) with its state."""
    with database.begin() as connection:
        return store.boxes(connection, dev)


def new_claim(database: Database, *, store_id: str, at_ms: int) -> NewClaim:
    """Make a token: 128 bits as 26 base32 characters. MissingError `store.unknown`."""
    token = base64.b32encode(random_bytes(TOKEN_BYTES)).decode().rstrip("=")
    expires_at_ms = at_ms + CLAIM_MS
    with database.begin() as connection:
        if store.find_store(connection, store_id) is None:
            raise MissingError("store.unknown", store_id=store_id[:40])
        store.add_claim(
            connection,
            token_hash=token_hash(token),
            store_id=store_id,
            expires_at_ms=expires_at_ms,
        )
    return NewClaim(token, expires_at_ms)


def token_hash(token: str) -> bytes:
    """What is stored of a token; letters may come in either case, with spaces or dashes."""
    return sha256(token.upper().replace("-", "").replace(" ", "").encode())
