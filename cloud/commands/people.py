"""`tillbox-cloud user` and `tillbox-cloud audit`."""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from contextlib import closing

from cloud import audit
from cloud.clock import SystemClock
from cloud.commands.say import say
from cloud.db import database_of
from cloud.identity import people
from cloud.identity.people import Machine
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
        people.put_user(
            database,
            name=chosen.name,
            display_name=chosen.display_name,
            role=chosen.role,
            password=password,
        )
        note = audit.Event(
            SystemClock().now_ms(), _me(), "user.put", chosen.name, facts={"role": chosen.role}
        )
        with database.begin() as connection:
            audit.append(connection, note)
    say(f"{chosen.name} may sign in as {chosen.role}.")


def list_users(settings: Settings, chosen: Namespace) -> None:
    """List every console user."""
    del chosen
    with closing(database_of(settings)) as database:
        for user in people.users(database):
            say(f"{user.name}\t{user.role}\t{user.display_name}")


def make_token(settings: Settings, chosen: Namespace) -> None:
    """Print a token with which a program may use the API."""
    machine = Machine(chosen.name, chosen.role, chosen.days)
    with closing(database_of(settings)) as database:
        say(people.put_machine(database, SystemClock(), machine, by=_me()))


def reset_totp(settings: Settings, chosen: Namespace) -> None:
    """Forget a user's second factor, after a lost telephone."""
    with closing(database_of(settings)) as database:
        people.drop_factor_by_hand(database, SystemClock(), name=chosen.name, by=_me())
    say(f"{chosen.name} sets up a second factor at the next sign-in.")


def audit_head(settings: Settings, chosen: Namespace) -> None:
    """Print what proves later that nothing of the log up to now was changed."""
    del chosen
    with closing(database_of(settings)) as database, database.begin() as connection:
        seq, hash_hex = audit.head(connection)
    say(f"{seq}:{hash_hex}")


def audit_verify(settings: Settings, chosen: Namespace) -> None:
    """Check the whole log; CorruptError `audit.broken`."""
    seq, _, hash_hex = chosen.head.partition(":")
    with closing(database_of(settings)) as database, database.snapshot() as connection:
        count = audit.verify(connection, seq=int(seq or 0), hash_hex=hash_hex)
    say(f"All {count} rows are as they were written.")


def _me() -> str:
    return f"command line ({getpass.getuser()})"
