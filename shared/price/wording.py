"""From a reason or hint in codes to a sentence in a person's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from shared.kernel.money import Currency, format_minor
from shared.kernel.quantity import format_milli
from shared.price.eligibility import Param
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook

FALLBACK_LANGUAGES = ("zh-CN", "en")


class Told(Protocol):
    """A `WhyNot` or a `Hint`."""

    @property
    def offer(self) -> Offer:
        """Whose reason it is."""
        ...

    @property
    def code(self) -> str:
        """Which text."""
        ...

    @property
    def params(self) -> Mapping[str, Param]:
        """What fills it."""
        ...


def name_of(offer: Offer, language: str) -> str:
    """The offer's name in a language, in another one that it has, or its id."""
    for wanted in (language, *FALLBACK_LANGUAGES):
        name = offer.names.get(wanted)
        if name:
            return name
    return next(iter(offer.names.values()), offer.id)


def why_not_text(
    told: Told, texts: Mapping[str, str], language: str, currency: Currency, book: OfferBook
) -> str:
    """The sentence of `offer.why.<code>`."""
    return _filled(texts[f"offer.why.{told.code}"], told, language, currency, book)


def hint_text(
    told: Told, texts: Mapping[str, str], language: str, currency: Currency, book: OfferBook
) -> str:
    """The sentence of `offer.hint.<code>`."""
    return _filled(texts[f"offer.hint.{told.code}"], told, language, currency, book)


def _filled(text: str, told: Told, language: str, currency: Currency, book: OfferBook) -> str:
    text = text.replace("{name}", name_of(told.offer, language))
    for name, value in told.params.items():
        text = text.replace(f"{{{name}}}", _shown(name, value, language, currency, book))
    return text


def _shown(name: str, value: Param, language: str, currency: Currency, book: OfferBook) -> str:
    if name.endswith("_minor"):
        return f"{currency.symbol}{format_minor(int(value), currency)}"
    if name.endswith("_milli"):
        return format_milli(int(value))
    if name == "offer":
        offer = book.find(str(value))
        return str(value) if offer is None else name_of(offer, language)
    return str(value)
