"""The register: which stores, boxes and journal streams there are, signed, beside each tree.

Segments hold the entries; the register holds what a restore must know before it can read them in:
a store's time zone and currency, and which key each box signs with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from cloud.db import driver
from cloud.signing import HqKey, is_signed_by
from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import CorruptError

REGISTER_KIND = "register"
REGISTER_TAG = b"tbr1"
_READ = {
    "store": "SELECT store_id, name, time_zone, currency FROM store ORDER BY 1",
    "device": """
        SELECT dev, store_id, encode(secret_hash, 'hex') AS secret_hash,
            encode(journal_pub, 'hex') AS journal_pub, status, hw_fp, created_at_ms
        FROM device ORDER BY 1""",
    "stream": """
        SELECT encode(stream_id, 'hex') AS stream_id, dev, store_id, ordinal, status, cause,
            previous::text AS previous, opened_at_ms
        FROM stream ORDER BY 1""",
}
_ADD = {
    "store": """
        INSERT INTO store (store_id, name, time_zone, currency)
        VALUES (%(store_id)s, %(name)s, %(time_zone)s, %(currency)s) ON CONFLICT DO NOTHING""",
    "device": """
        INSERT INTO device (dev, store_id, secret_hash, journal_pub, status, hw_fp, created_at_ms)
        VALUES (%(dev)s, %(store_id)s, decode(%(secret_hash)s, 'hex'),
            decode(%(journal_pub)s, 'hex'), %(status)s, %(hw_fp)s, %(created_at_ms)s)
        ON CONFLICT DO NOTHING""",
    "stream": """
        INSERT INTO stream (stream_id, dev, store_id, ordinal, status, cause, previous,
            opened_at_ms)
        VALUES (decode(%(stream_id)s, 'hex'), %(dev)s, %(store_id)s, %(ordinal)s, %(status)s,
            %(cause)s, %(previous)s::jsonb, %(opened_at_ms)s)
        ON CONFLICT DO NOTHING""",
}
TABLES = tuple(_READ)


@dataclass(frozen=True, slots=True)
class Register:
    """Rows by table, as they were at `at_ms` (UTC)."""

    at_ms: int
    rows: dict[str, list[dict[str, Any]]]


def read_register(connection: Connection, at_ms: int) -> Register:
    """The register as the database has it now."""
    below, rows = driver(connection), {}
    for table in TABLES:
        found = below.execute(_READ[table])
        names = [column.name for column in found.description or ()]
        rows[table] = [dict(zip(names, row, strict=True)) for row in found]
    return Register(at_ms, rows)


def add_register(connection: Connection, register: Register) -> None:
    """Put in what the database lacks; what it has stays as it is."""
    with driver(connection).cursor() as cursor:
        for table in TABLES:
            cursor.executemany(_ADD[table], register.rows[table])


def register_lines(register: Register, key: HqKey) -> bytes:
    """The signed form that lies in the archive."""
    body = canonical_bytes({"at": register.at_ms, **register.rows})
    sig = key.sign(REGISTER_TAG + sha256(body))
    header = {"kind": REGISTER_KIND, "v": 1, "hq_pub": key.public_hex, "sig": sig.hex()}
    return canonical_bytes(header) + b"\n" + body


def parse_register(lines: bytes, hq_pub: bytes) -> Register:
    """Read what `register_lines` wrote; CorruptError `register.form`, `register.signature`."""
    header, _, body = lines.partition(b"\n")
    try:
        sig = bytes.fromhex(json.loads(header)["sig"])
        if not is_signed_by(hq_pub, sig, REGISTER_TAG + sha256(body)):
            raise CorruptError("register.signature")
        raw = json.loads(body)
        return Register(raw["at"], {table: raw[table] for table in TABLES})
    except (ValueError, KeyError, TypeError):
        raise CorruptError("register.form") from None
