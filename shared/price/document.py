"""Offer documents (`tillbox-offers/1`): read with all errors at once, written in one way.

{"format": "tillbox-offers/1", "currency": "CNY", "offers": [{"id": ..., "level": ...}]}

Amounts are whole minor units, or text in major units ("100.00") of the document's currency.
What is written is canonical: minor units and basis points, no defaults, sorted lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.kernel.money import CURRENCIES, Currency
from shared.price.document_error import Place, shown_as
from shared.price.document_offer import ENTRY, OFFER, OfferEntry
from shared.price.document_record import Raw, object_of
from shared.price.document_table import SELECTOR
from shared.price.document_value import JsonSchema
from shared.price.offer import Offer

FORMAT = "tillbox-offers/1"
WORDS = ("format", "currency", "offers")


@dataclass(frozen=True, slots=True)
class OfferDocument:
    """Offers in the document's order; `currency` is its ISO code where it states one."""

    entries: tuple[OfferEntry, ...]
    currency: str | None = None

    @property
    def offers(self) -> tuple[Offer, ...]:
        """The offers without their stores."""
        return tuple(entry.offer for entry in self.entries)


def parse_document(raw: object, currency: Currency | None = None) -> OfferDocument:
    """Read a document; `currency` converts amounts in major units where it names none.

    Raises DocumentRefusedError with every error.
    """
    place = Place()
    given = object_of(raw, place)
    place.raise_if_any()
    assert given is not None
    _check_head(given, place)
    stated = _currency_of(given, place)
    if "offers" not in given:
        place.wrong("required", word="offers")
    read = _entries(given.get("offers", ()), Place("offers", stated or currency, place.errors))
    place.raise_if_any()
    return OfferDocument(tuple(read), stated.code if stated else None)


def _check_head(given: Raw, place: Place) -> None:
    for word in given:
        if word not in WORDS:
            place.at(shown_as(word)).unknown(word, WORDS)
    if given.get("format") != FORMAT:
        place.at("format").wrong("format", expected=FORMAT, value=shown_as(given.get("format")))


def _currency_of(given: Raw, place: Place) -> Currency | None:
    if "currency" not in given:
        return None
    code = given["currency"]
    found = CURRENCIES.get(code) if isinstance(code, str) else None
    if found is None:
        place.at("currency").unknown(shown_as(code), tuple(CURRENCIES))
    return found


def _entries(raw: object, place: Place) -> list[OfferEntry]:
    if not isinstance(raw, list | tuple):
        place.wrong("list", value=shown_as(raw))
        return []
    first: dict[str, int] = {}
    found = []
    for number, each in enumerate(raw):
        here = place.item(number)
        entry = ENTRY.read(each, here)
        offer_id = each.get("id") if isinstance(each, dict) else None
        if isinstance(offer_id, str) and first.setdefault(offer_id, number) != number:
            earlier = place.item(first[offer_id]).path
            here.at("id").wrong("id_twice", id=shown_as(offer_id), first=earlier)
        if isinstance(entry, OfferEntry):
            found.append(entry)
    return found


def dump_document(entries: Iterable[OfferEntry], currency: str | None = None) -> JsonSchema:
    """The canonical document of these offers, in their order."""
    head: JsonSchema = {"format": FORMAT, **({"currency": currency} if currency else {})}
    return {**head, "offers": [dump_entry(entry) for entry in entries]}


def dump_entry(entry: OfferEntry) -> dict[str, object]:
    """One offer of a document, with its stores if it is not for all."""
    stores = {} if entry.stores is None else {"stores": sorted(entry.stores)}
    return {**dump_offer(entry.offer), **stores}


def parse_offer(raw: object, currency: Currency | None = None) -> Offer:
    """Read one offer without `stores`, such as a record's body.

    Raises DocumentRefusedError with every error; paths start at the offer.
    """
    place = Place("", currency)
    offer = OFFER.read(raw, place)
    place.raise_if_any()
    assert isinstance(offer, Offer)
    return offer


def dump_offer(offer: Offer) -> dict[str, object]:
    """The canonical form of an offer: minor units, basis points, no defaults, sorted lists."""
    daily = tuple(sorted(offer.valid.daily))
    return OFFER.dump(replace(offer, valid=replace(offer.valid, daily=daily)))


def offer_schema() -> JsonSchema:
    """JSON Schema (2020-12) of a document, from the tables that read it."""
    definitions = {"selector": SELECTOR.shape().schema(), "offer": ENTRY.schema()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": FORMAT,
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "currency": {"enum": list(CURRENCIES)},
            "offers": {"type": "array", "items": {"$ref": "#/$defs/offer"}},
        },
        "required": ["format", "offers"],
        "additionalProperties": False,
        "$defs": definitions,
    }
