"""Keep the certificates that day closes carry; check those that wait, and sign beside the boxes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from cloud.certificate import store
from cloud.certificate.check import check
from cloud.certificate.store import NewCertificate, StoredCertificate, Verdict
from cloud.db import Database, StatementError, unavailable_when_lost
from cloud.signing import HqKey
from shared.journal.event import DayClosed
from shared.kernel.clock import Clock
from shared.kernel.errors import RefusedError
from shared.till.certificate import (
    DOCUMENT_CHARS_MAX,
    countersign_statement,
    read_certificate,
)


class Fact(Protocol):
    """What is read of an entry: its id, its own stream (hex) and the raw data of its event."""

    id: str
    type: str
    stream: str
    data: msgspec.Raw


class _ClosedData(msgspec.Struct, gc=False):
    business_date: str
    certificate: str = ""
    certificate_sig: str = ""


_decode = msgspec.json.Decoder(_ClosedData).decode


class CertificatePoster:
    """Keeps each day close's certificate in the transaction that stores its entry."""

    entry_types = frozenset({DayClosed.type})
    tables = ("day_certificate",)

    def post(self, connection: Connection, store_id: str, entries: Sequence[Fact]) -> None:
        """Keep them, also what is none, to be found out later; older boxes make none."""
        found = (_certificate_in(store_id, entry) for entry in entries)
        store.add(connection, [each for each in found if each is not None])


def check_next(database: Database, key: HqKey, clock: Clock) -> bool:
    """Check one certificate that waits and sign it where it agrees; False when none waits."""
    with database.begin() as connection:
        stored = store.next_waiting(connection)
        if stored is None:
            return False
        verdict = _checked(connection, stored)
        hq_sig = None
        if verdict.flaw is None:
            hq_sig = key.sign(countersign_statement(stored.document, stored.box_sig))
        store.settle(connection, stored, verdict, hq_sig, clock.now_ms())
        return True


def _checked(connection: Connection, stored: StoredCertificate) -> Verdict:
    try:
        with connection.begin_nested():
            return check(connection, stored)
    except StatementError as error:
        if unavailable_when_lost(error) is not None:
            raise
        # Numbers that no database holds: one such certificate must not stop all others.
        return Verdict("certificate.entries")


def _certificate_in(store_id: str, entry: Fact) -> NewCertificate | None:
    try:
        data = _decode(entry.data)
        day, stream_id = date.fromisoformat(data.business_date), bytes.fromhex(entry.stream)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None  # the books flag such a close
    if not data.certificate:
        return None
    document = data.certificate.replace("\0", "")[:DOCUMENT_CHARS_MAX]
    try:
        last_seq = read_certificate(document).span.last_seq
    except RefusedError:
        last_seq = -1
    try:
        box_sig = bytes.fromhex(data.certificate_sig)
    except ValueError:
        box_sig = b""
    return NewCertificate(entry.id, store_id, day, stream_id, last_seq, document, box_sig)
