"""Puts the API's parts together: the one place that knows all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Connection

from cloud.archive.places import objects_of
from cloud.context import BrokerAccounts, Context
from cloud.db import database_of
from cloud.fleet.broker_accounts import MosquittoAccounts, OpenAccounts
from cloud.fleet.service import Boxes, boxes
from cloud.http.app import create_app
from cloud.identity.parts import Parts
from cloud.identity.service import Identity
from cloud.ingest.journals import Journals
from cloud.item.service import ItemImporter
from cloud.live.hub import BOXES_TOLD_MAX, LiveHub
from cloud.mail import Mailer
from cloud.posters import POSTERS
from cloud.price.importer import PriceImporter
from cloud.price.store import draft_sample
from cloud.publication.engine import Act, Publisher, begin
from cloud.publication.queries import convergence_of, has_more_stores
from cloud.release_works import SOURCES
from cloud.secret import Sealer
from cloud.settings import Settings
from cloud.signing import HqKey
from cloud.table_import import Importers
from shared.kernel.clock import Clock

IMPORTERS: Importers = {"items": ItemImporter, "prices": PriceImporter}
"""Which tables are taken over in two steps."""


def accounts_of(settings: Settings) -> BrokerAccounts:
    """Mosquitto's password file where one is named; a broker without log-ins otherwise."""
    if not settings.broker_password_file:
        return OpenAccounts()
    return MosquittoAccounts(
        Path(settings.broker_password_file), Path(settings.broker_pid_file or "/nonexistent")
    )


def context_of(settings: Settings, hq_key: HqKey, clock: Clock) -> Context:
    """The parts of an API process."""
    database, objects = database_of(settings), objects_of(settings)
    publisher = Publisher(database, objects, hq_key, SOURCES)
    return Context(
        settings=settings,
        database=database,
        clock=clock,
        objects=objects,
        hq_key=hq_key,
        people=Identity(Parts(database, clock, settings, Sealer(hq_key, "totp"), Mailer(settings))),
        boxes=Boxes(database),
        journals=Journals(database, POSTERS, clock),
        accounts=accounts_of(settings),
        sources=SOURCES,
        importers=IMPORTERS,
        draft_sample=draft_sample,
        welcome=_welcome(publisher, clock),
    )


def _welcome(publisher: Publisher, clock: Clock) -> Callable[[Connection, str, str], None]:
    """What a box that enrols begins to sell by."""

    def welcome(connection: Connection, store_id: str, dev: str) -> None:
        begin(publisher, connection, store_id, dev, Act("", clock.now_ms()))

    return welcome


def app_of(context: Context) -> FastAPI:
    """The API and the console, with their live view."""
    return create_app(context, LiveHub(context.database, box_rows(context)))


def box_rows(context: Context) -> Callable[[str], list[tuple[str, dict[str, Any]]] | None]:
    """What the console's live view shows of one box: (event name, row); None for too many."""

    def rows(dev: str) -> list[tuple[str, dict[str, Any]]] | None:
        if not dev and has_more_stores(context.database, BOXES_TOLD_MAX):
            return None
        now_ms = context.clock.now_ms()
        fleet = [("fleet", row) for row in boxes(context.database, dev)]
        converged = convergence_of(context.database, dev, now_ms)
        return fleet + [("convergence", row) for row in converged]

    return rows
