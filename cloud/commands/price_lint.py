"""`tillbox-cloud price lint`: what is probably wrong with a file of offers."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import chain

from cloud.clock import SystemClock
from cloud.commands.say import say, say_errors
from cloud.csv_table import ImportRefusedError
from cloud.db import database_of
from cloud.offer import store
from cloud.offer.check import instant_at, lint_items
from cloud.offer.file import read_offers
from cloud.offer.item_file import read_lint_items
from cloud.settings import Settings
from cloud.texts import sentence, texts_of
from shared.kernel.errors import MissingError, RetailError
from shared.kernel.money import CURRENCIES, Currency, currency_of
from shared.price.document import OfferDocument
from shared.price.document_error import DocumentRefusedError
from shared.price.lint import Finding, Severity, has_errors, lint
from shared.price.lint_finding import finding_text
from shared.price.offer import Offer

NOUNS = {Severity.ERROR: "errors", Severity.WARNING: "warnings", Severity.INFO: "remarks"}
OfferSets = dict[str, tuple[Offer, ...]]
"""Each different set of offers that a store would sell by, under the first such store's id."""


def lint_file(settings: Settings, chosen: Namespace) -> int:
    """Print one line per finding, then the counts; returns 1 when there are errors.

    Offers that are for some stores only are judged among those of the same store. Raises
    MissingError `store.unknown` for a store that is not there.
    """
    currency = currency_of(chosen.currency) if chosen.currency else None
    try:
        with chosen.file.open("rb") as stream:
            document = read_offers(stream, currency)
        found = _findings(settings, chosen, document)
    except DocumentRefusedError as refused:
        say_errors(refused)
        return 1
    except ImportRefusedError as refused:
        _say_rows(refused)
        return 1
    stated = CURRENCIES[document.currency] if document.currency else currency
    _say(found, document, stated, is_json=chosen.json)
    return 1 if has_errors(found) else 0


def _findings(settings: Settings, chosen: Namespace, document: OfferDocument) -> list[Finding]:
    now_ms = SystemClock().now_ms()
    if chosen.items is not None:
        with chosen.items.open("rb") as stream:
            items = read_lint_items(stream)
        named = {store_id for entry in document.entries for store_id in entry.stores or ()}
        sets = _sets(document, [chosen.store] if chosen.store else [*sorted(named), ""])
        return _merged(lint(offers, items, instant_at(now_ms, None)) for offers in sets.values())
    with closing(database_of(settings)) as database, database.begin() as connection:
        places = {place.store_id: place for place in store.places(connection)}
        if chosen.store and chosen.store not in places:
            raise MissingError("store.unknown", store_id=chosen.store)
        sets = _sets(document, [chosen.store] if chosen.store else [*places] or [""])
        return _merged(
            lint(
                offers,
                list(lint_items(connection, store_id, now_ms)),
                instant_at(now_ms, places.get(store_id)),
            )
            for store_id, offers in sets.items()
        )


def _sets(document: OfferDocument, store_ids: Iterable[str]) -> OfferSets:
    found: OfferSets = {}
    seen = set[tuple[str, ...]]()
    for store_id in store_ids:
        offers = tuple(
            entry.offer
            for entry in document.entries
            if entry.stores is None or store_id in entry.stores
        )
        ids = tuple(offer.id for offer in offers)
        if ids and ids not in seen:
            seen.add(ids)
            found[store_id] = offers
    return found


def _merged(found: Iterable[Iterable[Finding]]) -> list[Finding]:
    """What several sets of offers have in common is told once."""
    by_culprits: dict[tuple[str, tuple[str, ...]], Finding] = {}
    for each in chain.from_iterable(found):
        by_culprits.setdefault((each.code, each.offers), each)
    return sorted(by_culprits.values(), key=lambda each: list(Severity).index(each.severity))


def _say(
    found: Sequence[Finding], document: OfferDocument, currency: Currency | None, *, is_json: bool
) -> None:
    texts = texts_of("en")
    if is_json:
        rows = [
            {
                "code": each.code,
                "severity": each.severity.value,
                "offers": list(each.offers),
                "params": dict(each.params),
                "text": finding_text(each, texts, currency),
            }
            for each in found
        ]
        say(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for each in found:
        culprits = f" [{', '.join(each.offers)}]" if each.offers else ""
        text = finding_text(each, texts, currency)
        say(f"{each.severity.value} {each.code}{culprits}: {text}")
    kinds = [each.severity for each in found]
    counts = ", ".join(f"{NOUNS[kind]}: {kinds.count(kind)}" for kind in Severity)
    say(f"offers: {len(document.entries)}, {counts}")


def _say_rows(refused: ImportRefusedError) -> None:
    for row in refused.rows:
        text = sentence(RetailError(row.code, **row.params))
        sys.stderr.write(f"line {row.line}, {row.column or 'row'}: {text}\n")
    sys.stderr.write(f"tillbox-cloud: {sentence(refused)}\n")
