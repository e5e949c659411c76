"""`tillbox-cloud store` and `claim`."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing

from cloud.clock import SystemClock
from cloud.commands.say import say
from cloud.db import database_of
from cloud.fleet import service as fleet
from cloud.fleet.store import Store
from cloud.settings import Settings


def add_store(settings: Settings, chosen: Namespace) -> None:
    """Add or change a store."""
    place = Store(chosen.store_id, chosen.name, chosen.time_zone, chosen.currency)
    with closing(database_of(settings)) as database:
        fleet.put_store(database, place)
    say(f"Store {place.store_id} is {place.name}, {place.time_zone}, {place.currency}.")


def list_stores(settings: Settings, chosen: Namespace) -> None:
    """List every store."""
    del chosen
    with closing(database_of(settings)) as database:
        for place in fleet.stores(database):
            say(f"{place.store_id}\t{place.name}\t{place.time_zone}\t{place.currency}")


def claim(settings: Settings, chosen: Namespace) -> None:
    """Print a new enrolment token, alone on standard output for scripts."""
    with closing(database_of(settings)) as database:
        made = fleet.new_claim(database, store_id=chosen.store_id, at_ms=SystemClock().now_ms())
    say(made.token)
    sys.stderr.write(f"On the box: tillbox-edge enrol --cloud {settings.url()} --token <token>\n")
