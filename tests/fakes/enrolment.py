"""Boxes that the cloud knows, put into the database without the enrolment's ceremony; and it."""

from __future__ import annotations

import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from cloud.db import Database
from shared.wire.enrolment import NONCE_BYTES, enrol_statement
from tests.fakes.box_stream import BoxStream

STORE = text("""
    INSERT INTO store VALUES (:store, 'Store ' || :store, 'America/New_York', 'USD')
    ON CONFLICT DO NOTHING""")
DEVICE = text("""
    INSERT INTO device (dev, store_id, secret_hash, journal_pub, status, hw_fp, created_at_ms)
    VALUES (:dev, :store, '', :pub, 'active', '', 0) ON CONFLICT DO NOTHING""")
STREAM = text("""
    INSERT INTO stream (stream_id, dev, store_id, ordinal, status)
    VALUES (:stream, :dev, :store, :ordinal, 'open')""")


def journal_key(seed: str) -> Ed25519PrivateKey:
    """The journal key of a made-up box; `seed` are 64 hex digits."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))


def enrol_body(token: str, key: Ed25519PrivateKey, t_ms: int, csr: str = "") -> dict[str, Any]:
    """What a box posts to enrol, at an instant by its clock."""
    public, nonce = key.public_key().public_bytes_raw(), os.urandom(NONCE_BYTES)
    statement = enrol_statement(token, public, csr.encode(), nonce, t_ms)
    signed = {"nonce": nonce.hex(), "t": t_ms, "proof": key.sign(statement).hex()}
    return {"token": token, "journal_pub": public.hex(), "hw_fp": "f", "csr": csr, **signed}


def enrol(database: Database, box: BoxStream) -> None:
    """Give a box its store, its device row and its stream."""
    values = {
        "dev": box.dev,
        "store": box.store_id,
        "pub": box.journal_pub,
        "stream": box.stream_id,
        "ordinal": box.ordinal,
    }
    with database.begin() as connection:
        for statement in (STORE, DEVICE, STREAM):
            connection.execute(statement, values)
