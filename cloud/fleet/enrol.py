"""A box becomes a store's box: one claim, one device, one journal stream.

The secret is derived from head office's key, the claim and the device, so that a repeat gives
the same one though only its hash is stored: an answer may get lost after the claim was used.
A repeat is the same box's: its journal key signs each request, for once and for now.  When the box
was heard, its answer has come, and the claim is done for.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection

from cloud.clock import random_bytes
from cloud.db import Database, notify
from cloud.desired import are_signed, touch
from cloud.fleet import standing_store, store
from cloud.fleet.broker_accounts import BrokerAccounts
from cloud.fleet.certificates import Giver
from cloud.fleet.service import token_hash
from cloud.fleet.standing import CHANNEL, REVOKED, give_secret, secret_of
from cloud.fleet.standing_store import FleetEvent
from cloud.fleet.store import Claim, Device
from cloud.pki.folder import CaFolder
from cloud.records import zone_of
from cloud.settings import Settings
from cloud.signing import HqKey, is_signed_by
from shared.journal.event import DayOpened
from shared.kernel.errors import ForbiddenError, RefusedError
from shared.kernel.ids import RANDOM_BYTES, uuid7
from shared.wire.enrolment import NONCE_BYTES, enrol_statement

TOLD_MAX, TOLD_FOR_MS = 10, 72 * 3_600_000
"""So many refused tries of a box's claim are written down within the claim's life."""
PUBLIC_KEY_BYTES = 32
DEVICE_BYTES = 10
SKEW_MS = 900_000
"""So far from now a request may have been signed; a box without a clock goes by what it is told."""
ENROLLED, RETIRED, REFUSED = "enrolled", "retiring", "enrol_refused"


@dataclass(frozen=True, slots=True)
class Proof:
    """That a request is its sender's, made once (`nonce`) and now (`t`, UTC ms)."""

    nonce: bytes
    t: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Enrol:
    """What a box brings: the claim's token and its own public key for journal heads.

    `csr` (PEM) asks for a certificate for its TLS key; empty for software that knows none.
    `proof` is its journal key's, over `enrol_statement`.
    """

    token: str
    journal_pub: bytes
    hw_fp: str
    csr: bytes
    proof: Proof


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What enrolling needs of the process."""

    database: Database
    settings: Settings
    hq_key: HqKey
    accounts: BrokerAccounts
    welcome: Callable[[Connection, str, str], None]
    """Lets the new box (store id, device id) want what its store sells by."""
    ca: CaFolder | None = None
    """The chain's CAs, where boxes get certificates."""


def enrol(parts: Enrolment, command: Enrol, at_ms: int) -> dict[str, Any]:
    """Give a box its identity; the same token with the same key gives the same answer.

    Raises ForbiddenError `enrol.proof`, RefusedError `enrol.key`, `enrol.box_too_old`,
    `enrol.clock`, `enrol.claim_unknown`, `enrol.claim_expired`, `enrol.revoked` or
    `certificate.request`, and, which is written down, `enrol.claim_used` (by another key),
    `enrol.copied` or `enrol.claim_done`; UnavailableError when the broker cannot be told.
    """
    if len(command.journal_pub) != PUBLIC_KEY_BYTES:
        raise RefusedError("enrol.key", bytes=PUBLIC_KEY_BYTES)
    _admit(command, at_ms)
    try:
        return _enrolled(parts, command, at_ms)
    except UsedClaimError as error:
        event = FleetEvent(at_ms, error.dev, error.store_id, REFUSED, "-", error.code)
        with parts.database.begin() as connection:
            told = standing_store.count(connection, error.dev, REFUSED, at_ms - TOLD_FOR_MS)
            if told < TOLD_MAX:  # nobody floods away what else was done to the box
                standing_store.add_event(connection, event)
        raise


class UsedClaimError(RefusedError):
    """Somebody brings a claim that a box (`dev`) of a store has used."""

    def __init__(self, code: str, claim: Claim) -> None:
        super().__init__(code)
        self.dev = claim.dev or ""
        self.store_id = claim.store_id


def _admit(command: Enrol, at_ms: int) -> None:
    """Look at the proof, before anything that costs."""
    proof = command.proof
    if len(proof.nonce) != NONCE_BYTES or not proof.signature:
        raise RefusedError("enrol.box_too_old")
    statement = enrol_statement(
        command.token, command.journal_pub, command.csr, proof.nonce, proof.t
    )
    if not is_signed_by(command.journal_pub, proof.signature, statement):
        raise ForbiddenError("enrol.proof")
    if abs(proof.t - at_ms) > SKEW_MS:
        raise RefusedError("enrol.clock", minutes=SKEW_MS // 60_000, now_ms=at_ms)


def _enrolled(parts: Enrolment, command: Enrol, at_ms: int) -> dict[str, Any]:
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
            _refuse_repeat(connection, claim, claim.dev)
            answer = claim.answer
        store.add_nonce(connection, claim_hash, command.proof.nonce)
        tls = _certificate(connection, parts, command, answer["dev"], at_ms)
        is_signed = are_signed(connection)
        secret = secret_of(parts.hq_key, claim_hash, answer["dev"])
        give_secret(connection, parts.accounts, answer["dev"], secret)
    return {**answer, "secret": secret, "tls": tls, "signed_documents": is_signed}


def _certificate(
    connection: Connection, parts: Enrolment, command: Enrol, dev: str, at_ms: int
) -> dict[str, Any] | None:
    """The box's certificate and what goes with it; None where it asked for none."""
    if parts.ca is None or not command.csr:
        return None
    giver = Giver(parts.settings, parts.ca, parts.hq_key)
    return giver.give(connection, dev, command.csr, at_ms)


def _refuse_repeat(connection: Connection, claim: Claim, dev: str) -> None:
    """A repeat gives the box its log-in again; one that was shut out stays out.

    A box that was heard has got its answer: who asks now has its key and is not the box, or is a
    box that forgot who it is and must be a new one.
    """
    box = standing_store.lock_standing(connection, dev)
    if box is None or box.status == REVOKED:
        raise RefusedError("enrol.revoked", dev=dev)
    if standing_store.was_heard(connection, dev):
        raise UsedClaimError("enrol.claim_done", claim)


def _usable(claim: Claim | None, command: Enrol, at_ms: int) -> Claim:
    if claim is None:
        raise RefusedError("enrol.claim_unknown")
    if claim.expires_at_ms <= at_ms:
        raise RefusedError("enrol.claim_expired")
    if claim.used_by_pub is not None and bytes(claim.used_by_pub) != command.journal_pub:
        raise UsedClaimError("enrol.claim_used", claim)
    if command.proof.nonce in claim.nonces:
        raise UsedClaimError("enrol.copied", claim)
    return claim


def _add_box(
    connection: Connection, parts: Enrolment, claim: Claim, command: Enrol, at_ms: int
) -> dict[str, Any]:
    place = store.find_store(connection, claim.store_id)
    assert place is not None, "a claim refers to its store"
    dev = "d-" + base64.b32encode(random_bytes(DEVICE_BYTES)).decode().lower()
    stream = uuid.UUID(uuid7(at_ms, random_bytes(RANDOM_BYTES)))
    device = Device(dev, place.store_id, b"", command.journal_pub, command.hw_fp, at_ms)
    replaced = store.replace_devices(connection, device)
    previous = standing_store.open_streams(connection, place.store_id)
    ordinal, cause = store.open_stream(connection, stream.bytes, device)
    _write_down(connection, device, replaced)
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
        "cause": cause,
        "previous": previous,
        "day": _newest_day(connection, place.store_id),
        "broker": {"host": host, "port": port},
        "hq_pub": parts.hq_key.public_hex,
        "price_zone": zone_of(place.store_id),
        "public_url": parts.settings.public_url.rstrip("/"),
    }


def _write_down(connection: Connection, device: Device, replaced: list[str]) -> None:
    """Note the new box, and tell those before it that they are replaced."""
    at_ms, store_id, dev = device.created_at_ms, device.store_id, device.dev
    enrolled = FleetEvent(at_ms, dev, store_id, ENROLLED, "-", "")
    standing_store.add_event(connection, enrolled)
    for old in replaced:
        retired = FleetEvent(at_ms, old, store_id, RETIRED, "-", dev)
        standing_store.add_event(connection, retired)
        touch(connection, old, at_ms)
        notify(connection, CHANNEL, old)


def _newest_day(connection: Connection, store_id: str) -> dict[str, Any] | None:
    """The store's business day as far as its boxes have told: {biz, is_open}."""
    found = standing_store.newest_day(connection, store_id)
    if found is None:
        return None
    kind, body = found
    try:
        biz = orjson.loads(body)["data"]["business_date"]
        date.fromisoformat(biz)
    except (ValueError, KeyError, TypeError):  # a fact that makes no sense is stored all the same
        return None
    return {"biz": biz, "is_open": kind == DayOpened.type}
