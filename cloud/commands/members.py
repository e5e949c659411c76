"""`tillbox-cloud members`: the keys of members' personal data, and erasing again."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from contextlib import closing
from pathlib import Path

from cloud import audit
from cloud.clock import SystemClock, random_bytes
from cloud.commands.say import say
from cloud.db import Database, database_of
from cloud.member import service, store
from cloud.member.keys import init_keys, keys_of, roll_keys
from cloud.member.service import Author, Register
from cloud.migrations.state import require_migrated
from cloud.settings import Settings
from cloud.signing import read_hq_key
from shared.kernel.errors import MissingError, UnavailableError

_ID = re.compile(r"\bm[0-9a-f]{24}\b")
_ERASED = ("member.erased", "erase_member")
_NOT_DONE = (audit.REFUSED, audit.FAILED)
_MADE = """\
Wrote {file}. Keep a copy in a safe place: without it no member's data can be read.
Give every API host the same file, restart them, then: tillbox-cloud members reseal"""
_ROLLED = """\
{key_id} seals from now on; the older keys only open.
Give every API host the same file, restart them, then: tillbox-cloud members reseal"""


def init_key(settings: Settings, chosen: Namespace) -> None:
    """Make a key file of members' data; until then keys follow from head office's."""
    del chosen
    file = _file(settings)
    init_keys(file, read_hq_key(Path(settings.hq_key_file)), random_bytes)
    say(_MADE.format(file=file))


def roll_key(settings: Settings, chosen: Namespace) -> None:
    """Add a key, which seals from now on."""
    del chosen
    say(_ROLLED.format(key_id=roll_keys(_file(settings), random_bytes)))


def reseal(settings: Settings, chosen: Namespace) -> None:
    """Bring all members' data under the newest key."""
    del chosen
    with closing(database_of(settings)) as database:
        register = _register(settings, database)
        count = service.reseal(register)
        with database.begin() as connection:
            used = store.key_ids(connection)
    say(f"resealed {count} members; keys in use: {', '.join(used) or 'none'}")


def erase(settings: Settings, chosen: Namespace) -> int:
    """Erase members again whom lines on the standard input tell to have been erased.

    After an older database was put back: give it the logs, or the audit export, of the time since.
    """
    del chosen
    ids = sorted({each for line in sys.stdin for each in erased_in(line)})
    unknown = 0
    by = Author("tillbox-cloud", SystemClock().now_ms())
    with closing(database_of(settings)) as database:
        register = _register(settings, database)
        for each in ids:
            try:
                service.erase(register, each, by, "again")
            except MissingError:
                unknown += 1
    say(f"erased {len(ids) - unknown} members; {unknown} are not in this database")
    return 0 if ids else 1


def erased_in(line: str) -> list[str]:
    """Whom a line of a log or of the audit log says to have been erased; mostly nobody."""
    if not any(word in line for word in _ERASED) or any(word in line for word in _NOT_DONE):
        return []
    return _ID.findall(line)


def _register(settings: Settings, database: Database) -> Register:
    require_migrated(database)
    hq_key = read_hq_key(Path(settings.hq_key_file))
    return Register(database, keys_of(settings, hq_key), random_bytes)


def _file(settings: Settings) -> Path:
    if not settings.member_key_file:
        raise UnavailableError("member_key.no_file")
    return Path(settings.member_key_file)
