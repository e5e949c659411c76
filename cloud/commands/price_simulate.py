"""`tillbox-cloud price simulate`: what a draft of offers would have done to recorded sales."""

from __future__ import annotations

import csv
import json
import os
import sys
from argparse import Namespace
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

from cloud.commands.progress import ProgressBar
from cloud.commands.say import say, say_errors
from cloud.db import Database, database_of
from cloud.offer.file import read_offers
from cloud.offer.service import offers_of
from cloud.settings import Settings
from cloud.simulation.report import Offers, Scope, SimulationReport
from cloud.simulation.service import Progress, simulate_stores
from cloud.simulation.store import places
from cloud.simulation.view import CSV_COLUMNS, report_data, report_rows, report_texts
from shared.kernel.errors import RefusedError
from shared.kernel.money import Currency, currency_of
from shared.price.document import OfferDocument
from shared.price.document_error import DocumentRefusedError


def simulate(settings: Settings, chosen: Namespace) -> int:
    """Print the report; whole numbers of all of it to `--json` and `--csv`.

    Every error of a rule file on standard error, with its place, and exit status 1.
    """
    with closing(database_of(settings)) as database:
        try:
            scope = _scope(database, chosen)
        except DocumentRefusedError as refused:
            say_errors(refused)
            return 1
        report = _run(database, scope, chosen.jobs or os.cpu_count() or 1)
    if chosen.json is not None:
        text = json.dumps(report_data(report), ensure_ascii=False, indent=1)
        chosen.json.write_text(text + "\n", encoding="utf-8")
    if chosen.csv is not None:
        _write_csv(chosen.csv, report)
    say("\n".join(report_texts(report)))
    return 0


def _scope(database: Database, chosen: Namespace) -> Scope:
    with database.begin() as connection:
        known = places(connection)
        wanted = _stores(chosen.stores, known)
        codes = {known[store_id].currency for store_id in wanted}
        currency = currency_of(codes.pop()) if len(codes) == 1 else None
        draft = _rules(_read(chosen.rules, currency), wanted)
        if chosen.against is not None:
            today = _rules(_read(chosen.against, currency), wanted)
        else:
            today = _shared({store_id: offers_of(connection, store_id) for store_id in wanted})
    return Scope(chosen.from_on, chosen.to_on, today, draft)


def _stores(text: str | None, known: Collection[str]) -> list[str]:
    """The stores asked for, or all; RefusedError `store.unknown`."""
    if text is None:
        return sorted(known)
    wanted = sorted({store_id.strip() for store_id in text.split(",")})
    for store_id in wanted:
        if store_id not in known:
            raise RefusedError("store.unknown", store_id=store_id[:40])
    return wanted


def _read(path: Path, currency: Currency | None) -> OfferDocument:
    with path.open("rb") as stream:
        return read_offers(stream, currency)


def _rules(document: OfferDocument, store_ids: Collection[str]) -> dict[str, Offers]:
    """The document's offers of each store."""
    return _shared(
        {
            store_id: tuple(
                entry.offer
                for entry in document.entries
                if entry.stores is None or store_id in entry.stores
            )
            for store_id in store_ids
        }
    )


def _shared(rules: Mapping[str, Offers]) -> dict[str, Offers]:
    """Stores with the same offers share one tuple, which is prepared and sent but once."""
    known = dict[tuple[tuple[str, int], ...], Offers]()
    return {
        store_id: known.setdefault(tuple((each.id, each.version) for each in offers), offers)
        for store_id, offers in rules.items()
    }


def _run(database: Database, scope: Scope, jobs: int) -> SimulationReport:
    bar = ProgressBar(sys.stderr, "sales")
    try:
        for step in simulate_stores(database, scope, jobs):
            if isinstance(step, Progress):
                bar.show(step.done, step.total)
            else:
                return step
    finally:
        bar.close()
    raise AssertionError("a simulation ends with its report")


def _write_csv(path: Path, report: SimulationReport) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(CSV_COLUMNS)
        writer.writerows(report_rows(report))
