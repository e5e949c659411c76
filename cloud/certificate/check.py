"""Make a day's certificate again from the entries that arrived, and say where the box's differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from cloud import kept
from cloud.certificate import store
from cloud.certificate.store import StoredCertificate, Verdict
from cloud.kept import KeptEntry
from cloud.signing import is_signed_by
from shared.journal.chain import verify_chain
from shared.journal.event import DayOpened, SaleCompleted
from shared.kernel.errors import CorruptError, RefusedError
from shared.sale.receipt_no import parse_receipt_no
from shared.till.certificate import (
    DayCertificate,
    DaySale,
    DaySpan,
    GrandTotals,
    box_statement,
    certificate_of,
    read_certificate,
)
from shared.till.certificate_check import flaw_after, flaw_between, flaw_within, missing_number

SPAN_MAX = 200_000
"""Entries of one day; a busy store makes some thousand."""


def check(connection: Connection, stored: StoredCertificate) -> Verdict:
    """Check a certificate against the stored entries of its journal and its day."""
    try:
        certificate = read_certificate(stored.document)
        _check_frame(connection, stored, certificate)
        entries = _entries(connection, stored, certificate)
        ids = _check_entries(certificate, entries)
        _check_before(connection, stored, certificate)
    except RefusedError as flaw:
        return Verdict(flaw.code)
    return Verdict(None, store.receipts_beside(connection, stored, ids))


def _check_frame(
    connection: Connection, stored: StoredCertificate, certificate: DayCertificate
) -> None:
    """What can be said without the entries: place, signature, sense, and where the close stands."""
    span, public = certificate.span, stored.journal_pub
    place = (stored.store_id, stored.business_date.isoformat(), stored.stream_id.hex())
    if (span.store, span.business_date, span.stream) != place:
        raise RefusedError("certificate.place")
    statement = box_statement(stored.document)
    if public is None or not is_signed_by(public, stored.box_sig, statement):
        raise RefusedError("certificate.signature")
    _raise(flaw_within(certificate))
    close_id = store.entry_at(connection, stored, span.last_seq + 1)
    if close_id not in {None, stored.entry_id}:
        raise RefusedError("certificate.range")
    if not 0 <= span.last_seq - span.first_seq < SPAN_MAX:
        raise RefusedError("certificate.range")


def _entries(
    connection: Connection, stored: StoredCertificate, certificate: DayCertificate
) -> list[KeptEntry]:
    """The day's entries and the one before them, whole and chained."""
    span = certificate.span
    first = max(0, span.first_seq - 1)
    entries = kept.entries_of(connection, stored.store_id, span.stream, (first, span.last_seq))
    if [entry.seq for entry in entries] != list(range(first, span.last_seq + 1)):
        raise RefusedError("certificate.missing")
    before = kept.hash_before(connection, stored.store_id, entries[0])
    if before is not None:
        try:
            pairs = [(entry.body, entry.hash) for entry in entries]
            verify_chain(stored.stream_id, first, before, pairs)
        except CorruptError:
            raise RefusedError("certificate.chain") from None
    return entries


def _check_entries(certificate: DayCertificate, entries: Sequence[KeptEntry]) -> list[str]:
    """Make the certificate again and compare; the ids of the day's sales."""
    span = certificate.span
    day = [entry for entry in entries if entry.seq >= span.first_seq]
    opened = kept.fields_of(day[0].body)
    is_opening = (day[0].type, opened.get("biz")) == (DayOpened.type, span.business_date)
    if span.first_seq > 0 and not is_opening:
        raise RefusedError("certificate.range")
    sold = [entry for entry in day if entry.type == SaleCompleted.type]
    sales = [_day_sale(entry, span.business_date) for entry in sold]
    found = DaySpan(
        span.store,
        span.business_date,
        span.stream,
        span.first_seq,
        span.last_seq,
        _grand_totals(entries[0]),
        _grand_totals(entries[-1]),
    )
    _raise(flaw_between(certificate, certificate_of(found, sales)))
    if missing_number(sales) is not None:
        raise RefusedError("certificate.gap")
    return [entry.id for entry in sold]


def _check_before(
    connection: Connection, stored: StoredCertificate, certificate: DayCertificate
) -> None:
    """That it goes on where the journal's certificate before it ended."""
    document = store.document_before(connection, stored, certificate.span.first_seq)
    if document is not None:
        _raise(flaw_after(read_certificate(document), certificate))


def _day_sale(entry: KeptEntry, business_date: str) -> DaySale:
    body = kept.fields_of(entry.body)
    try:
        sale = body["data"]["sale"]
        number, net_minor = parse_receipt_no(sale["receipt_no"]), sale["totals"]["net_minor"]
    except (KeyError, TypeError):
        raise RefusedError("certificate.entries") from None
    if number is None or type(net_minor) is not int or body.get("biz") != business_date:
        raise RefusedError("certificate.entries")
    return DaySale(number, entry.hash, net_minor)


def _grand_totals(entry: KeptEntry) -> GrandTotals:
    totals: Any = kept.fields_of(entry.body).get("gt")
    try:
        return int(totals["sales"]), int(totals["refunds"])
    except (KeyError, TypeError, ValueError):
        raise RefusedError("certificate.entries") from None


def _raise(flaw: str | None) -> None:
    if flaw is not None:
        raise RefusedError(flaw)
