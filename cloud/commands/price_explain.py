"""`tillbox-cloud price explain`: what each offer does to a basket, and why others do nothing."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloud.commands.say import say, say_errors
from cloud.db import database_of
from cloud.offer.file import read_offers
from cloud.offer.service import offers_of
from cloud.price.case_words import CaseError
from cloud.price.cases import Case, case_of, read_cases
from cloud.price.explain_view import Voice, explained_texts
from cloud.settings import Settings
from cloud.texts import texts_of
from shared.kernel.errors import MissingError, RefusedError
from shared.kernel.money import Currency, currency_of
from shared.price.document_error import DocumentRefusedError
from shared.price.offer import Offer


def explain_basket(settings: Settings, chosen: Namespace) -> int:
    """Print a basket's prices with their reasons; errors of a rule file each on its line.

    Raises RefusedError `price.case_wrong`, `price.no_offers`, MissingError
    `price.case_unknown`, and what `read_cases` raises.
    """
    currency = currency_of(chosen.currency)
    raw = _raw_case(chosen.file, chosen.case)
    try:
        case = case_of(raw)
        offers = _rules(settings, chosen, currency)
    except CaseError as error:
        raise RefusedError("price.case_wrong", because=str(error)) from None
    except DocumentRefusedError as refused:
        say_errors(refused)
        return 1
    if offers is not None:
        case = replace(case, offers=offers)
    _refuse_without_offers(case)
    voice = Voice(texts_of(chosen.language), chosen.language, currency)
    say("\n".join(explained_texts(case, voice)))
    return 0


def _raw_case(path: Path, wanted: str | None) -> Mapping[str, Any]:
    """A case of a file of cases, or a file that is one basket."""
    found = _one_basket(path)
    if found is not None:
        return found
    cases = read_cases(path)
    for raw in cases:
        if wanted in {None, str(raw.get("id"))}:
            return raw
    raise MissingError("price.case_unknown", path=str(path), id=wanted or "")


def _one_basket(path: Path) -> Mapping[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None  # reading it as a file of cases says what is wrong
    return found if isinstance(found, dict) and "basket" in found else None


def _rules(settings: Settings, chosen: Namespace, currency: Currency) -> tuple[Offer, ...] | None:
    if chosen.rules is not None:
        with chosen.rules.open("rb") as stream:
            return read_offers(stream, currency).offers
    if chosen.store is not None:
        with closing(database_of(settings)) as database, database.begin() as connection:
            return offers_of(connection, chosen.store)
    return None


def _refuse_without_offers(case: Case) -> None:
    if not case.offers:
        raise RefusedError("price.no_offers")
