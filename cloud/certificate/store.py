"""Certificates in PostgreSQL: the boxes' own words, and what became of checking them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from cloud.db import notify

CHANNEL = "tillbox_certificate"

_ADD = text("""
    INSERT INTO day_certificate
        (entry_id, store_id, business_date, stream_id, last_seq, document, box_sig)
    VALUES (:entry_id, :store_id, :business_date, :stream_id, :last_seq, :document, :box_sig)""")
# A rebuild posts again what was checked before: the check stands.
_AWAIT_CHECK = text("""
    INSERT INTO day_certificate_check (entry_id, store_id) VALUES (:entry_id, :store_id)
    ON CONFLICT (entry_id, store_id) DO NOTHING""")
_COLUMNS = """
    c.entry_id::text AS entry_id, c.store_id, c.business_date, c.stream_id, c.last_seq, c.document,
    c.box_sig, d.journal_pub, k.state, k.flaw, k.beside, k.hq_sig, k.checked_at_ms"""
_FROM = """
    FROM day_certificate_check k JOIN day_certificate c USING (entry_id, store_id)
    LEFT JOIN stream s USING (stream_id, store_id) LEFT JOIN device d ON d.dev = s.dev"""
_NEXT = text(f"""
    SELECT {_COLUMNS} {_FROM} WHERE k.state = 'waiting'
    ORDER BY c.stream_id, c.last_seq LIMIT 1 FOR UPDATE OF k SKIP LOCKED""")
_OF_DAY = text(f"""
    SELECT {_COLUMNS} {_FROM} WHERE c.store_id = :store AND c.business_date = :day
    ORDER BY c.entry_id DESC""")
_BEFORE = text("""
    SELECT document FROM day_certificate
    WHERE stream_id = :stream AND store_id = :store AND last_seq BETWEEN 0 AND :last_seq
    ORDER BY last_seq DESC LIMIT 1""")
_BESIDE = text("""
    SELECT count(*) FROM sale
    WHERE store_id = :store AND business_date = :day AND NOT entry_id = ANY(:ids ::uuid[])""")
_NEXT_ENTRY = text("""
    SELECT id FROM entry WHERE stream_id = :stream AND store_id = :store AND seq = :seq""")
_SETTLE = text("""
    UPDATE day_certificate_check
    SET state = :state, flaw = :flaw, beside = :beside, hq_sig = :hq_sig, checked_at_ms = :at_ms
    WHERE entry_id = :entry_id AND store_id = :store_id""")


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """What a `day.closed` carries; `last_seq` is -1 when its document is no certificate."""

    entry_id: str
    store_id: str
    business_date: date
    stream_id: bytes
    last_seq: int
    document: str
    box_sig: bytes


@dataclass(frozen=True, slots=True)
class StoredCertificate(NewCertificate):
    """A certificate and its check; `journal_pub` is None when nobody knows the journal."""

    journal_pub: bytes | None
    state: str
    flaw: str | None
    beside: int
    hq_sig: bytes | None
    checked_at_ms: int | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What checking found: `flaw` None when head office's entries say the same.

    `beside` counts receipts of that store and day that other journals hold.
    """

    flaw: str | None
    beside: int = 0


def add(connection: Connection, certificates: Sequence[NewCertificate]) -> None:
    """Keep certificates and ask for their check, once the transaction commits."""
    for each in certificates:
        connection.execute(
            _ADD,
            {
                "entry_id": each.entry_id,
                "store_id": each.store_id,
                "business_date": each.business_date,
                "stream_id": each.stream_id,
                "last_seq": each.last_seq,
                "document": each.document,
                "box_sig": each.box_sig,
            },
        )
        connection.execute(_AWAIT_CHECK, {"entry_id": each.entry_id, "store_id": each.store_id})
    if certificates:
        notify(connection, CHANNEL, "")


def next_waiting(connection: Connection) -> StoredCertificate | None:
    """A certificate to check that nobody else is at; held until the transaction ends."""
    return next(iter(_stored(connection.execute(_NEXT))), None)


def of_day(connection: Connection, store_id: str, day: date) -> list[StoredCertificate]:
    """Certificates of a store's business day, newest first."""
    return _stored(connection.execute(_OF_DAY, {"store": store_id, "day": day}))


def document_before(connection: Connection, stored: NewCertificate, first_seq: int) -> str | None:
    """The certificate before entry `first_seq` of a certificate's own stream.

    Only of its own store: what a box salvages may name any stream.
    """
    wanted = {"stream": stored.stream_id, "store": stored.store_id, "last_seq": first_seq - 1}
    row = connection.execute(_BEFORE, wanted).fetchone()
    return None if row is None else str(row[0])


def receipts_beside(
    connection: Connection, stored: NewCertificate, entry_ids: Sequence[str]
) -> int:
    """How many sales of that store and day are none of these entries."""
    wanted = {
        "store": stored.store_id,
        "day": stored.business_date,
        "ids": list(entry_ids),
    }
    return int(connection.execute(_BESIDE, wanted).scalar_one())


def entry_at(connection: Connection, stored: NewCertificate, seq: int) -> str | None:
    """The id of an entry of its stream; None when it is not here, or stands in a carrier."""
    wanted = {"stream": stored.stream_id, "store": stored.store_id, "seq": seq}
    row = connection.execute(_NEXT_ENTRY, wanted).fetchone()
    return None if row is None else str(row[0])


def settle(
    connection: Connection,
    stored: NewCertificate,
    verdict: Verdict,
    hq_sig: bytes | None,
    at_ms: int,
) -> None:
    """Keep what checking found; `hq_sig` is head office's own signature where it agrees."""
    connection.execute(
        _SETTLE,
        {
            "entry_id": stored.entry_id,
            "store_id": stored.store_id,
            "state": "agrees" if verdict.flaw is None else "differs",
            "flaw": verdict.flaw,
            "beside": verdict.beside,
            "hq_sig": hq_sig,
            "at_ms": at_ms,
        },
    )


def _stored(rows: Any) -> list[StoredCertificate]:  # noqa: ANN401 - rows of the driver
    return [StoredCertificate(**row) for row in rows.mappings()]
