"""Commands and questions of offers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, Any

from sqlalchemy import Connection

from cloud.db import Database
from cloud.offer import store
from cloud.offer.check import OfferLintError, findings_of
from cloud.offer.file import read_offers
from cloud.offer.plan import OfferChange, ended, plan_import
from cloud.offer.store import Author, OfferQuery, OfferVersion
from cloud.records import ScopedRecord, zone_of
from shared.kernel.errors import ErrorParam, MissingError, RefusedError
from shared.kernel.money import CURRENCIES, Currency
from shared.price.document import OfferDocument, dump_document, dump_offer, parse_offer
from shared.price.document_error import DocumentError, DocumentRefusedError, shown_as
from shared.price.document_offer import OfferEntry
from shared.price.lint import Finding, has_errors
from shared.price.offer import Offer
from shared.publication.revision import Record, RecordKind, record_bytes
from shared.wire.objects import LINE_BYTES_MAX

RECORD_BYTES_MAX = LINE_BYTES_MAX - 64
"""Room for a version number of any length."""


@dataclass(frozen=True, slots=True)
class ImportOffers:
    """A file of offers; with `is_replacing` all others end, with `is_dry` nothing is written."""

    stream: IO[bytes]
    is_replacing: bool = False
    is_dry: bool = False


@dataclass(frozen=True, slots=True)
class OfferImport:
    """What a file changes, or would change, and what there is to say about it."""

    changes: tuple[OfferChange, ...]
    findings: tuple[Finding, ...]


def import_offers(database: Database, command: ImportOffers, author: Author) -> OfferImport:
    """Take over a whole file, or nothing of it.

    Raises RefusedError `offer.file.*`, DocumentRefusedError with every error, and, unless it is
    a dry run, OfferLintError when lint finds what can only be a mistake.
    """
    with database.begin() as connection:
        store.lock(connection)
        currencies = _currencies(connection)
        document = read_offers(command.stream, _only_currency(currencies.values()))
        _check_entries(document, currencies)
        current = {each.offer_id: each for each in store.newest(connection)}
        changes = plan_import(document.entries, current, is_replacing=command.is_replacing)
        findings = findings_of(connection, changes, current, author.at_ms)
        if not command.is_dry:
            if has_errors(findings):
                raise OfferLintError(findings)
            added = (each.after for each in changes if each.is_change)
            store.append(connection, added, author)
    return OfferImport(changes, findings)


def end_offer(database: Database, offer_id: str, author: Author) -> int:
    """End an offer with the next publication; returns the number of its last version.

    Raises MissingError `offer.unknown`, RefusedError `offer.ended`.
    """
    with database.begin() as connection:
        store.lock(connection)
        before = next(
            (each for each in store.newest(connection) if each.offer_id == offer_id), None
        )
        if before is None:
            raise MissingError("offer.unknown", offer_id=shown_as(offer_id))
        change = ended(before)
        if change is None:
            raise RefusedError("offer.ended", offer_id=offer_id)
        store.append(connection, [change.after], author)
    return change.after.version


def offers(database: Database, query: OfferQuery) -> tuple[list[dict[str, Any]], int]:
    """One page of what matches, and how much matches in all."""
    with database.begin() as connection:
        return store.page(connection, query), store.count(connection, query)


def history(database: Database, offer_id: str) -> list[dict[str, Any]]:
    """An offer's versions, the newest first; MissingError `offer.unknown`."""
    with database.begin() as connection:
        found = store.history(connection, offer_id)
    if not found:
        raise MissingError("offer.unknown", offer_id=shown_as(offer_id))
    return found


def export(database: Database) -> dict[str, object]:
    """Every active offer as a document that can be imported again."""
    with database.begin() as connection:
        currency = _only_currency(_currencies(connection).values())
        entries = [
            OfferEntry(parse_offer(each.body), each.stores)
            for each in store.newest(connection)
            if each.is_active
        ]
    return dump_document(entries, currency.code if currency else None)


def offers_of(connection: Connection, store_id: str) -> tuple[Offer, ...]:
    """What is published for a store: the offers that its tills know."""
    return _parsed(store.published(connection), store_id)


class OfferRecords:
    """Offers as records; see `cloud.records.RecordSource`.

    An offer for all stores is a record of each zone: one that becomes an offer for some stores
    must not be removed and added in one revision under two scopes.
    """

    name = "offer"

    def drafts(self, connection: Connection) -> Iterator[ScopedRecord]:
        """Offers that changed: a record where they hold, a removal everywhere else."""
        new = store.new_store_ids(connection)
        known = [store_id for store_id in _currencies(connection) if store_id not in set(new)]
        changed = list(store.drafts(connection))
        for offer in changed:
            for store_id in known:
                yield ScopedRecord(zone_of(store_id), _record_in(offer, store_id))
        if new:
            drafted = {offer.offer_id for offer in changed}
            yield from self._welcomes(connection, new, drafted)

    def take(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        store.take_drafts(connection, release_id)

    def give_back(self, connection: Connection, release_id: int) -> None:
        """See RecordSource."""
        store.give_drafts_back(connection, release_id)

    def mark_published(self, connection: Connection, release_id: int, rev: int) -> None:
        """See RecordSource."""
        store.mark_published(connection, release_id, rev)

    def begin(self, connection: Connection, store_id: str) -> Iterator[ScopedRecord]:
        """See `cloud.records.Beginnings`."""
        if store_id not in store.new_store_ids(connection):
            return
        store.greet(connection, store_id)
        # What is drafted, or was taken back and waits again, the next release says to all stores.
        waiting = {offer.offer_id for offer in store.drafts(connection)}
        for offer in store.published(connection):
            if offer.is_in(store_id) and offer.offer_id not in waiting:
                yield ScopedRecord(zone_of(store_id), record_of(offer))

    def _welcomes(
        self, connection: Connection, store_ids: Iterable[str], drafted: Collection[str]
    ) -> Iterator[ScopedRecord]:
        """What a store begins with, drafted or not."""
        offers = list(store.newest(connection))
        for store_id in store_ids:
            for offer in offers:
                if offer.is_in(store_id) or offer.offer_id in drafted:
                    yield ScopedRecord(zone_of(store_id), _record_in(offer, store_id))


def record_of(offer: OfferVersion) -> Record:
    """An offer as it is published."""
    return Record(RecordKind.OFFER, offer.offer_id, offer.body)


def _record_in(offer: OfferVersion, store_id: str) -> Record:
    if offer.is_in(store_id):
        return record_of(offer)
    return Record(RecordKind.OFFER, offer.offer_id, None)


def _parsed(versions: Iterable[OfferVersion], store_id: str) -> tuple[Offer, ...]:
    return tuple(parse_offer(each.body) for each in versions if each.is_in(store_id))


def _currencies(connection: Connection) -> dict[str, str]:
    return {place.store_id: place.currency for place in store.places(connection)}


def _only_currency(codes: Iterable[str]) -> Currency | None:
    """The currency in which all stores sell; None where they differ, or there are none."""
    known = set(codes)
    return CURRENCIES.get(known.pop()) if len(known) == 1 else None


def _check_entries(document: OfferDocument, currencies: Mapping[str, str]) -> None:
    """Refuse offers for stores that are not there or sell in another currency, and giants."""
    errors = [
        error
        for number, entry in enumerate(document.entries)
        for error in _entry_errors(f"offers[{number}]", entry, document.currency, currencies)
    ]
    if errors:
        raise DocumentRefusedError(errors)


def _entry_errors(
    path: str, entry: OfferEntry, currency: str | None, currencies: Mapping[str, str]
) -> Iterator[DocumentError]:
    for place, store_id in enumerate(entry.stores or ()):
        if store_id not in currencies:
            yield DocumentError(
                f"{path}.stores[{place}]", "store.unknown", {"store_id": shown_as(store_id)}
            )
    for store_id in currencies if entry.stores is None else entry.stores:
        found = currencies.get(store_id)
        if None not in {currency, found} and found != currency:
            stated: dict[str, ErrorParam] = {"store_id": store_id, "currency": found}
            yield DocumentError(f"{path}.stores", "offer.document.other_currency", stated)
            break
    size = len(record_bytes(Record(RecordKind.OFFER, entry.offer.id, dump_offer(entry.offer))))
    if size > RECORD_BYTES_MAX:
        limits: dict[str, ErrorParam] = {"kb": size // 1000, "limit_kb": RECORD_BYTES_MAX // 1000}
        yield DocumentError(path, "offer.document.too_large", limits)
