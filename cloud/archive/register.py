"""The register: which stores, boxes and journal streams there are, signed, beside each tree.

Segments hold the entries; the register holds what a restore must know before it can read them in:
a store's time zone and currency, and which key each box signs with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
_KEYS = {"store": "store_id", "device": "dev", "stream": "stream_id"}
_OPEN = {"device": "retiring", "stream": "open"}
_REVOKE = {
    "device": "UPDATE device SET status = 'revoked' WHERE dev = %s",
    "stream": "UPDATE stream SET status = 'revoked' WHERE stream_id = decode(%s, 'hex')",
}
REVOKED = "revoked"
# A backup of before the loss does not know of it; what was decided after the register counts.
_IS_BACK = """
SELECT 1 FROM device d WHERE dev = %s AND status <> 'revoked'
    AND NOT EXISTS (SELECT FROM fleet_event e WHERE e.dev = d.dev AND e.at_ms > %s)"""
TABLES = tuple(_READ)


class Revoked(NamedTuple):
    """A row that was revoked, by its table and key."""

    table: str
    key: str


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


def add_register(connection: Connection, register: Register) -> list[Revoked]:
    """Put in what the database lacks; what it has stays as it is.

    What came as revoked is open at first, so that its entries can be read in: `revoke` ends that.
    It also ends what the database has in service and the register knew as revoked: a stolen box
    must not come back with a backup.
    """
    withheld: list[Revoked] = []
    below = driver(connection)
    for table in TABLES:
        for row in register.rows[table]:
            is_revoked = row.get("status") == REVOKED
            values = row | {"status": _OPEN[table]} if is_revoked else row
            is_new = below.execute(_ADD[table], values).rowcount
            if is_revoked and (is_new or _is_back(connection, table, row, register.at_ms)):
                withheld.append(Revoked(table, str(row[_KEYS[table]])))
    return withheld


def _is_back(connection: Connection, table: str, row: dict[str, Any], at_ms: int) -> bool:
    if table != "device":
        return False
    return driver(connection).execute(_IS_BACK, (row["dev"], at_ms)).fetchone() is not None


def revoke(connection: Connection, withheld: Sequence[Revoked]) -> None:
    """Revoke again what `add_register` let in."""
    for row in withheld:
        driver(connection).execute(_REVOKE[row.table], (row.key,))


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
