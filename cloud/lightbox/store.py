"""SQL that makes simulated stores by the thousand. Writes `store`, `device` and `stream`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from cloud.db import copy_rows
from cloud.lightbox.identity import PREFIX, LightIdentity
from shared.kernel.canonical import sha256

SEED = "light_boxes"
TIME_ZONE, CURRENCY = "Asia/Shanghai", "CNY"

_KEEP_SEED = text(
    "INSERT INTO deployment (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING"
)
_SEED = text("SELECT value FROM deployment WHERE key = :key")
_REAL = text("SELECT count(*) FROM store WHERE store_id NOT LIKE :pattern")
_THERE = text("SELECT store_id FROM store WHERE store_id LIKE :pattern")


def seed_of(connection: Connection, fresh: bytes) -> bytes:
    """What this installation's simulated boxes are made from; `fresh` where there is none yet."""
    connection.execute(_KEEP_SEED, {"key": SEED, "value": fresh.hex()})
    return bytes.fromhex(str(connection.execute(_SEED, {"key": SEED}).scalar_one()))


def real_stores(connection: Connection) -> int:
    """How many stores are no simulated ones."""
    return int(connection.execute(_REAL, {"pattern": f"{PREFIX}%"}).scalar_one())


def simulated_stores(connection: Connection) -> set[str]:
    """The ids of those that are there already."""
    return set(connection.execute(_THERE, {"pattern": f"{PREFIX}%"}).scalars())


def add(connection: Connection, boxes: Sequence[LightIdentity], at_ms: int) -> None:
    """Add stores with one enrolled box each."""
    copy_rows(
        connection,
        "store",
        ("store_id", "name", "time_zone", "currency"),
        ((box.store_id, f"Simulated {box.number}", TIME_ZONE, CURRENCY) for box in boxes),
    )
    copy_rows(
        connection,
        "device",
        ("dev", "store_id", "secret_hash", "journal_pub", "status", "hw_fp", "created_at_ms"),
        (_device_row(box, at_ms) for box in boxes),
    )
    copy_rows(
        connection,
        "stream",
        ("stream_id", "dev", "store_id", "ordinal", "cause", "opened_at_ms"),
        ((box.stream, box.dev, box.store_id, 1, "enrol", at_ms) for box in boxes),
    )


def _device_row(box: LightIdentity, at_ms: int) -> tuple[object, ...]:
    journal_pub = box.key.public_key().public_bytes_raw()
    secret_hash = sha256(box.secret.encode())
    return box.dev, box.store_id, secret_hash, journal_pub, "active", "light box", at_ms
