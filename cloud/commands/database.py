"""`tillbox-cloud migrate`."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from cloud.commands.say import say
from cloud.db import database_of
from cloud.migrations import newest
from cloud.migrations.state import is_migrated
from cloud.settings import Settings


def migrate(settings: Settings, chosen: Namespace) -> None:
    """Make or update the tables."""
    del chosen
    with closing(database_of(settings)) as database:
        if not is_migrated(database):
            # Alembic takes half a second to load, and most starts have nothing to do.
            from cloud.migrations.run import migrate as run  # noqa: PLC0415

            run(database)
            say("The tables have been changed.")
    say(f"The database is at step {newest()}.")
