"""What each command of `tillbox-cloud` does."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

from cloud import compose, logs
from cloud.clock import SystemClock
from cloud.fleet import service as fleet
from cloud.fleet.store import Store
from cloud.identity import service as identity
from cloud.migrations import run as migrations
from cloud.server import open_socket, server_of
from cloud.settings import Settings
from cloud.signing import create_hq_key, read_hq_key
from cloud.worker import run as run_worker

SECRETS = frozenset({"broker_password", "s3_secret_key", "database_url"})


def migrate(settings: Settings, chosen: Namespace) -> None:
    """Make or update the tables."""
    del chosen
    with closing(compose.database_of(settings)) as database:
        _say(f"The database is at step {migrations.migrate(database)}.")


def api(settings: Settings, chosen: Namespace) -> None:
    """Run the API and the console until a signal."""
    settings = replace(
        settings,
        host=chosen.host or settings.host,
        port=settings.port if chosen.port is None else chosen.port,
    )
    context = compose.context_of(settings, read_hq_key(Path(settings.hq_key_file)), SystemClock())
    with closing(context.database) as database:
        migrations.require_migrated(database)
        listener = open_socket(settings.host, settings.port)
        host, port = listener.getsockname()[:2]
        logs.set_up(settings.log_level)
        _say(f"Tillbox cloud answers on http://{host}:{port}")
        server_of(compose.app_of(context)).run(sockets=[listener])


def worker(settings: Settings, chosen: Namespace) -> int:
    """Take in the stores' journals until a signal."""
    del chosen
    with closing(compose.database_of(settings)) as database:
        migrations.require_migrated(database)
    logs.set_up(settings.log_level)
    return run_worker(settings)


def settings(settings: Settings, chosen: Namespace) -> None:
    """List every setting; secrets only as being there or not."""
    del chosen
    for field in fields(settings):
        value = getattr(settings, field.name)
        shown = "(set)" if field.name in SECRETS and value else repr(value)
        _say(f"{field.name} = {shown}")


def init_hq_key(settings: Settings, chosen: Namespace) -> None:
    """Make head office's key."""
    del chosen
    path = Path(settings.hq_key_file)
    key = create_hq_key(path)
    _say(f"Wrote {path}. Keep a copy in a safe place: boxes trust no other key.")
    _say(f"Its public half: {key.public_hex}")


def add_user(settings: Settings, chosen: Namespace) -> None:
    """Add or replace a console user."""
    if chosen.password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = getpass.getpass(f"Password for {chosen.name}: ")
    with closing(compose.database_of(settings)) as database:
        identity.put_user(
            database,
            name=chosen.name,
            display_name=chosen.display_name,
            role=chosen.role,
            password=password,
        )
    _say(f"{chosen.name} may sign in as {chosen.role}.")


def list_users(settings: Settings, chosen: Namespace) -> None:
    """List every console user."""
    del chosen
    with closing(compose.database_of(settings)) as database:
        for user in identity.users(database):
            _say(f"{user.name}\t{user.role}\t{user.display_name}")


def add_store(settings: Settings, chosen: Namespace) -> None:
    """Add or change a store."""
    place = Store(chosen.store_id, chosen.name, chosen.time_zone, chosen.currency)
    with closing(compose.database_of(settings)) as database:
        fleet.put_store(database, place)
    _say(f"Store {place.store_id} is {place.name}, {place.time_zone}, {place.currency}.")


def list_stores(settings: Settings, chosen: Namespace) -> None:
    """List every store."""
    del chosen
    with closing(compose.database_of(settings)) as database:
        for place in fleet.stores(database):
            _say(f"{place.store_id}\t{place.name}\t{place.time_zone}\t{place.currency}")


def claim(settings: Settings, chosen: Namespace) -> None:
    """Print a new enrolment token, alone on standard output for scripts."""
    with closing(compose.database_of(settings)) as database:
        made = fleet.new_claim(database, store_id=chosen.store_id, at_ms=SystemClock().now_ms())
    _say(made.token)
    sys.stderr.write(f"On the box: tillbox-edge enrol --cloud {settings.url()} --token <token>\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
