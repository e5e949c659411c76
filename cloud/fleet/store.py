"""SQL of stores, claims and boxes.

Reads `box_state` and `zone_revision` beside its own tables, and opens a box's journal stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

NONCES_KEPT = 64
"""Far more than a box needs within the minutes for which a request is good."""
_PUT_STORE = text("""
    INSERT INTO store (store_id, name, time_zone, currency)
    VALUES (:store_id, :name, :time_zone, :currency)
    ON CONFLICT (store_id) DO UPDATE SET name = excluded.name,
        time_zone = excluded.time_zone, currency = excluded.currency""")
_ADD_CLAIM = text("""
    INSERT INTO claim (token_hash, store_id, expires_at_ms)
    VALUES (:token_hash, :store_id, :expires_at_ms)""")
_LOCK_CLAIM = text("""
    SELECT store_id, expires_at_ms, used_by_pub, dev, answer, nonces FROM claim
    WHERE token_hash = :token_hash FOR UPDATE""")
_USE_CLAIM = text("""
    UPDATE claim SET used_by_pub = :used_by_pub, dev = :dev, answer = CAST(:answer AS jsonb)
    WHERE token_hash = :token_hash""")
_ADD_NONCE = text("""
    UPDATE claim SET nonces = (array_append(nonces, CAST(:nonce AS bytea)))
        [greatest(1, cardinality(nonces) - :kept + 2):]
    WHERE token_hash = :token_hash""")
_ADD_DEVICE = text("""
    INSERT INTO device (dev, store_id, secret_hash, journal_pub, status, hw_fp, created_at_ms)
    VALUES (:dev, :store_id, :secret_hash, :journal_pub, 'active', :hw_fp, :created_at_ms)""")
_OPEN_STREAM = text("""
    INSERT INTO stream (stream_id, dev, store_id, ordinal, cause, opened_at_ms)
    SELECT :stream_id, :dev, :store_id, coalesce(max(ordinal), 0) + 1,
        CASE WHEN count(*) = 0 THEN 'enrol' ELSE 'swap' END, :at_ms
    FROM stream WHERE store_id = :store_id
    RETURNING ordinal, cause""")
_BOXES = text("""
    SELECT device.dev, device.store_id, store.name AS store_name, device.status AS device_status,
           coalesce(state.online, false) AS online, state.last_contact_at_ms,
           coalesce(state.unsynced, 0) AS unsynced, stream.head_seq,
           greatest(stream.edge_head, stream.head_seq) AS edge_head_seq,
           coalesce(state.sw, '') AS sw, coalesce(state.model, '') AS model,
           stream.status AS stream_status,
           stream.cause AS stream_cause, coalesce(stream.lives, 0) AS streams
    FROM device JOIN store USING (store_id)
    LEFT JOIN box_state state USING (dev)
    LEFT JOIN LATERAL (
        SELECT head_seq, edge_head, status, cause, count(*) OVER () AS lives FROM stream
        WHERE stream.dev = device.dev ORDER BY ordinal DESC LIMIT 1) stream ON true
    WHERE :dev = '' OR device.dev = :dev
    ORDER BY device.store_id, device.created_at_ms DESC""")
_RETIRE_ALL = text("""
    UPDATE device SET status = 'retiring' WHERE store_id = :store_id AND status = 'active'
    RETURNING dev""")
_LOCK_STORE = text("SELECT store_id FROM store WHERE store_id = :store_id FOR UPDATE")


@dataclass(frozen=True, slots=True)
class Store:
    """A shop: its IANA time zone and ISO 4217 currency."""

    store_id: str
    name: str
    time_zone: str
    currency: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A token for one enrolment; used once `used_by_pub` is there.

    `nonces` are those of the requests that were answered, the newest last.
    """

    store_id: str
    expires_at_ms: int
    used_by_pub: bytes | None
    dev: str | None
    answer: dict[str, Any] | None
    nonces: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Device:
    """An enrolled box; the secret is stored only as its SHA-256."""

    dev: str
    store_id: str
    secret_hash: bytes
    journal_pub: bytes
    hw_fp: str
    created_at_ms: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """The SHA-256 of a box's secret, and `active`, `retiring` or `revoked`."""

    secret_hash: bytes
    status: str


def stores(connection: Connection) -> list[Store]:
    """Every store, by id."""
    found = connection.execute(
        text("SELECT store_id, name, time_zone, currency FROM store ORDER BY store_id")
    )
    return [Store(*row) for row in found]


def find_store(connection: Connection, store_id: str) -> Store | None:
    """The store with that id."""
    statement = text(
        "SELECT store_id, name, time_zone, currency FROM store WHERE store_id = :store_id"
    )
    row = connection.execute(statement, {"store_id": store_id}).one_or_none()
    return None if row is None else Store(*row)


def put_store(connection: Connection, store: Store) -> None:
    """Add or replace a store."""
    connection.execute(
        _PUT_STORE,
        {
            "store_id": store.store_id,
            "name": store.name,
            "time_zone": store.time_zone,
            "currency": store.currency,
        },
    )


def add_claim(
    connection: Connection, *, token_hash: bytes, store_id: str, expires_at_ms: int
) -> None:
    """Add a claim."""
    connection.execute(
        _ADD_CLAIM,
        {"token_hash": token_hash, "store_id": store_id, "expires_at_ms": expires_at_ms},
    )


def lock_claim(connection: Connection, token_hash: bytes) -> Claim | None:
    """The claim of a token; others who bring it wait for this transaction."""
    row = connection.execute(_LOCK_CLAIM, {"token_hash": token_hash}).one_or_none()
    if row is None:
        return None
    store_id, expires_at_ms, used_by_pub, dev, answer, nonces = row
    known = frozenset(bytes(each) for each in nonces)
    return Claim(store_id, expires_at_ms, used_by_pub, dev, answer, known)


def add_nonce(connection: Connection, token_hash: bytes, nonce: bytes) -> None:
    """Note that a request was answered, so that a copy of it is not."""
    values = {"token_hash": token_hash, "nonce": nonce, "kept": NONCES_KEPT}
    connection.execute(_ADD_NONCE, values)


def use_claim(
    connection: Connection, *, token_hash: bytes, used_by_pub: bytes, dev: str, answer: str
) -> None:
    """Note who used a claim, and the answer without its secret (JSON text)."""
    connection.execute(
        _USE_CLAIM,
        {"token_hash": token_hash, "used_by_pub": used_by_pub, "dev": dev, "answer": answer},
    )


def replace_devices(connection: Connection, device: Device) -> list[str]:
    """Add a store's box; those before it, which are answered, may only bring their tails."""
    connection.execute(_LOCK_STORE, {"store_id": device.store_id})
    replaced = connection.execute(_RETIRE_ALL, {"store_id": device.store_id}).scalars().all()
    connection.execute(
        _ADD_DEVICE,
        {
            "dev": device.dev,
            "store_id": device.store_id,
            "secret_hash": device.secret_hash,
            "journal_pub": device.journal_pub,
            "hw_fp": device.hw_fp,
            "created_at_ms": device.created_at_ms,
        },
    )
    return [str(dev) for dev in replaced]


def open_stream(connection: Connection, stream_id: bytes, device: Device) -> tuple[int, str]:
    """Open a new box's journal stream; the store's next ordinal, and `enrol` or `swap`."""
    parameters = {
        "stream_id": stream_id,
        "dev": device.dev,
        "store_id": device.store_id,
        "at_ms": device.created_at_ms,
    }
    ordinal, cause = connection.execute(_OPEN_STREAM, parameters).one()
    return int(ordinal), str(cause)


def set_secret(connection: Connection, dev: str, secret_hash: bytes) -> None:
    """Store the hash of a box's secret."""
    statement = text("UPDATE device SET secret_hash = :secret_hash WHERE dev = :dev")
    connection.execute(statement, {"dev": dev, "secret_hash": secret_hash})


def credentials_of(connection: Connection, dev: str) -> Credentials | None:
    """What a box must know, and its status."""
    statement = text("SELECT secret_hash, status FROM device WHERE dev = :dev")
    found = connection.execute(statement, {"dev": dev}).one_or_none()
    return None if found is None else Credentials(bytes(found[0]), str(found[1]))


def boxes(connection: Connection, dev: str = "") -> list[dict[str, Any]]:
    """Every box (or one) with its state, as the console shows it."""
    return [dict(row) for row in connection.execute(_BOXES, {"dev": dev}).mappings()]
