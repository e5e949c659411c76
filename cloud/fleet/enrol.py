"""A box becomes a store's box: one claim, one device, one journal stream.

The secret is derived from head office's key, the claim and the device, so that a repeat gives
the same one though only its hash is stored: an answer may get lost after the claim was used.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection

from cloud.clock import random_bytes
from cloud.db import Database
from cloud.fleet import store
from cloud.fleet.broker_accounts import BrokerAccounts
from cloud.fleet.service import token_hash
from cloud.fleet.store import Claim, Device
from cloud.records import zone_of
from cloud.settings import Settings
from cloud.signing import HqKey
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError
from shared.kernel.ids import RANDOM_BYTES, uuid7

PUBLIC_KEY_BYTES = 32
DEVICE_BYTES = 10
DERIVED_FOR = "device secret"


@dataclass(frozen=True, slots=True)
class Enrol:
    """What a box brings: the claim's token and its own public key for journal heads."""

    token: str
    journal_pub: bytes
    hw_fp: str


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What enrolling needs of the process."""

    database: Database
    settings: Settings
    hq_key: HqKey
    accounts: BrokerAccounts
    welcome: Callable[[Connection, str, str], None]
    """Lets the new box (store id, device id) want what its store sells by."""


def enrol(parts: Enrolment, command: Enrol, at_ms: int) -> dict[str, Any]:
    """Give a box its identity; the same token with the same key gives the same answer.

    Raises RefusedError `enrol.key`, `enrol.claim_unknown`, `enrol.claim_expired` or
    `enrol.claim_used` (by another key), UnavailableError when the broker cannot be told.
    """
    if len(command.journal_pub) != PUBLIC_KEY_BYTES:
        raise RefusedError("enrol.key", bytes=PUBLIC_KEY_BYTES)
    claim_hash = token_hash(command.token)
    with parts.database.begin() as connection:
        claim = _usable(store.lock_claim(connection, claim_hash), command, at_ms)
        if claim.answer is None or claim.dev is None:
            answer = _add_box(connection, parts, claim, command, at_ms)
            store.use_claim(
                connection,
                token_hash=claim_hash,
                used_by_pub=command.journal_pub,
                dev=answer["dev"],
                answer=orjson.dumps(answer).decode(),
            )
        else:
            answer = claim.answer
        secret = parts.hq_key.derive(DERIVED_FOR, claim_hash + answer["dev"].encode()).hex()
        store.set_secret(connection, answer["dev"], sha256(secret.encode()))
        parts.accounts.put(answer["dev"], secret)
    return {**answer, "secret": secret}


def _usable(claim: Claim | None, command: Enrol, at_ms: int) -> Claim:
    if claim is None:
        raise RefusedError("enrol.claim_unknown")
    if claim.expires_at_ms <= at_ms:
        raise RefusedError("enrol.claim_expired")
    if claim.used_by_pub is not None and bytes(claim.used_by_pub) != command.journal_pub:
        raise RefusedError("enrol.claim_used")
    return claim


def _add_box(
    connection: Connection, parts: Enrolment, claim: Claim, command: Enrol, at_ms: int
) -> dict[str, Any]:
    place = store.find_store(connection, claim.store_id)
    assert place is not None, "a claim refers to its store"
    dev = "d-" + base64.b32encode(random_bytes(DEVICE_BYTES)).decode().lower()
    stream = uuid.UUID(uuid7(at_ms, random_bytes(RANDOM_BYTES)))
    device = Device(dev, place.store_id, b"", command.journal_pub, command.hw_fp, at_ms)
    store.replace_devices(connection, device)
    ordinal = store.open_stream(
        connection, stream_id=stream.bytes, dev=dev, store_id=place.store_id
    )
    parts.welcome(connection, place.store_id, dev)
    host, port = parts.settings.device_broker()
    return {
        "dev": dev,
        "store_id": place.store_id,
        "store_name": place.name,
        "zone": place.time_zone,
        "currency": place.currency,
        "stream": stream.hex,
        "ordinal": ordinal,
        "broker": {"host": host, "port": port},
        "hq_pub": parts.hq_key.public_hex,
        "price_zone": zone_of(place.store_id),
    }
