"""`tillbox-cloud user`."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from contextlib import closing

from cloud.commands.say import say
from cloud.db import database_of
from cloud.identity import service as identity
from cloud.settings import Settings
from shared.kernel.errors import RefusedError


def add_user(settings: Settings, chosen: Namespace) -> None:
    """Add or replace a console user; RefusedError `user.no_terminal` when none can type."""
    if chosen.password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    elif not sys.stdin.isatty():
        raise RefusedError("user.no_terminal")
    else:
        password = getpass.getpass(f"Password for {chosen.name}: ")
    with closing(database_of(settings)) as database:
        identity.put_user(
            database,
            name=chosen.name,
            display_name=chosen.display_name,
            role=chosen.role,
            password=password,
        )
    say(f"{chosen.name} may sign in as {chosen.role}.")


def list_users(settings: Settings, chosen: Namespace) -> None:
    """List every console user."""
    del chosen
    with closing(database_of(settings)) as database:
        for user in identity.users(database):
            say(f"{user.name}\t{user.role}\t{user.display_name}")
