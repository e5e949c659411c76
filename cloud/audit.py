"""Who did and saw what: a log that only grows, each row sealed to the one before it.

The database refuses to change or delete rows (triggers). Who owns the database could drop the
triggers and write the whole log anew: so `head` is told by the command line, to be kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import lock_for_transaction
from shared.kernel.canonical import canonical_bytes, sha256
from shared.kernel.errors import CorruptError

AUDIT_LOCK = 7_461_010
TEXT_MAX = 400
GENESIS = bytes(32)
DONE, REFUSED, FAILED = "done", "refused", "failed"

_LAST = text("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
_ADD = text("""
    INSERT INTO audit (seq, at_ms, who, what, permission, object, address, outcome, facts, hash)
    VALUES (:seq, :at_ms, :who, :what, :permission, :object, :address, :outcome,
            cast(:facts AS text), :hash)""")
_ALL = text("""
    SELECT seq, at_ms, who, what, permission, object, address, outcome, facts, hash
    FROM audit ORDER BY seq""")


@dataclass(frozen=True, slots=True)
class Event:
    """One act: `what` is a dotted code or an endpoint's name, `object` what it was done to."""

    at_ms: int
    who: str
    what: str
    object: str = ""
    outcome: str = DONE
    permission: str = ""
    address: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    """What changed, as canonical JSON can say it; never a secret."""


def append(connection: Connection, event: Event) -> int:
    """Write a row in this transaction, as its last statement; answers its number.

    Others who append wait until the transaction ends.
    """
    lock_for_transaction(connection, AUDIT_LOCK)
    last = connection.execute(_LAST).one_or_none()
    seq, before = (1, GENESIS) if last is None else (last.seq + 1, last.hash)
    row = {name: _bounded(value) for name, value in asdict(event).items() if name != "facts"}
    row |= {"seq": seq, "facts": canonical_bytes(event.facts).decode()}
    connection.execute(_ADD, {**row, "hash": _sealed(before, row)})
    return int(seq)


def head(connection: Connection) -> tuple[int, str]:
    """Number and hash (hex) of the newest row; (0, "00...") for an empty log."""
    last = connection.execute(_LAST).one_or_none()
    return (0, GENESIS.hex()) if last is None else (int(last.seq), bytes(last.hash).hex())


def verify(connection: Connection, *, seq: int = 0, hash_hex: str = "") -> int:
    """Check the whole log; answers how many rows it has.

    With `seq` and `hash_hex` also that this row is there as it was told then. Raises
    CorruptError `audit.broken` with the first row that is not as it was written.
    """
    count, before = 0, GENESIS
    for row in _rows(connection):
        count += 1
        stored = bytes(row.pop("hash"))
        is_told = row["seq"] == seq and hash_hex not in {"", stored.hex()}
        if row["seq"] != count or stored != _sealed(before, row) or is_told:
            raise CorruptError("audit.broken", seq=count)
        before = stored
    if count < seq:
        raise CorruptError("audit.broken", seq=count + 1)
    return count


def _rows(connection: Connection) -> Iterator[dict[str, Any]]:
    with connection.execute(_ALL, execution_options={"stream_results": True}) as found:
        yield from (dict(row) for row in found.mappings())


def _sealed(before: bytes, row: dict[str, Any]) -> bytes:
    return sha256(before + canonical_bytes(row))


def _bounded(value: object) -> object:
    # PostgreSQL holds no NUL, and a log is no place for what somebody pastes into a form.
    return value.replace("\0", "")[:TEXT_MAX] if isinstance(value, str) else value
