"""`tillbox-cloud incarnation`: which life of the database the boxes are told of."""

from __future__ import annotations

from argparse import Namespace
from contextlib import closing

from cloud.commands.say import say
from cloud.db import database_of, incarnation
from cloud.deployment import bump_incarnation
from cloud.settings import Settings


def show(settings: Settings, chosen: Namespace) -> None:
    """Print the incarnation."""
    del chosen
    with closing(database_of(settings)) as database, database.begin() as connection:
        say(incarnation(connection))


def bump(settings: Settings, chosen: Namespace) -> None:
    """Tell all boxes that the database went back in time, where PostgreSQL cannot know it."""
    del chosen
    with closing(database_of(settings)) as database:
        say(bump_incarnation(database))
