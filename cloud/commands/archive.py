"""`tillbox-cloud archive`: where the archive stands, one pass, repairs, and the way back."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing
from datetime import UTC, datetime

from cloud.archive.places import archive_of
from cloud.archive.service import ArchiveStatus, Pass, status_of
from cloud.archivist import archivist_of, believed_pub, hq_key, key_of, refill
from cloud.clock import SystemClock
from cloud.commands.flaws import flaw_text
from cloud.commands.progress import ProgressBar
from cloud.commands.say import say
from cloud.db import Database, database_of
from cloud.migrations.state import require_migrated
from cloud.recovery.refill import Refilled
from cloud.settings import Settings
from shared.kernel.errors import UnavailableError


def status(settings: Settings, chosen: Namespace) -> int:
    """Tell where the archive stands; status 1 when something needs a person."""
    del chosen
    objects = archive_of(settings)
    with closing(_opened(settings)) as database, database.begin() as connection:
        found = status_of(connection, objects)
    for line in status_lines(found):
        say(line)
    return int(bool(found.flawed) or found.drill_ok is False)


def status_lines(found: ArchiveStatus) -> list[str]:
    """The state of the archive for a person."""
    lock = found.lock_mode or "none: whoever may write to the archive can delete from it"
    tree = "none yet" if found.tree_n is None else f"number {found.tree_n} of {found.tree_day}"
    return [
        f"Lock against deletion: {lock}",
        f"Entries: {found.entries:,} of {found.streams:,} journals",
        f"  archived: {found.sealed:,}",
        f"  safe: {found.safe:,} (boxes keep the other {found.unsafe:,})",
        f"Segments: {found.segments:,}, {found.bytes / 1e6:,.1f} MB",
        f"  not read back yet: {found.unverified:,}, flawed: {found.flawed:,}",
        f"Daily seal: {tree}",
        f"Restore drill: {_drill_text(found)}",
    ]


def _drill_text(found: ArchiveStatus) -> str:
    if found.drill_at_ms is None:
        return "none yet (tillbox-cloud drill)"
    when = datetime.fromtimestamp(found.drill_at_ms / 1000, UTC)
    outcome = "brought everything back" if found.drill_ok else "FAILED: boxes keep everything"
    return f"{when:%Y-%m-%d %H:%M} UTC, {outcome}"


def run(settings: Settings, chosen: Namespace) -> int:
    """One pass now; status 1 when something did not hold."""
    with closing(_opened(settings)) as database:
        archivist = archivist_of(settings, database, archive_of(settings), SystemClock())
        done = archivist.run(at_once=chosen.now, wants_tree=chosen.tree)
    if done is None:
        raise UnavailableError("archive.busy")
    _say_pass(done)
    return int(bool(done.tampered or done.flawed))


def repair(settings: Settings, chosen: Namespace) -> int:
    """Write flawed segments again from the database, and read them back."""
    del chosen
    with closing(_opened(settings)) as database:
        archivist = archivist_of(settings, database, archive_of(settings), SystemClock())
        count = archivist.repair()
        done = None if count is None else archivist.run()
    if count is None or done is None:
        raise UnavailableError("archive.busy")
    say(f"{count} segments written again; {done.verified} read back well, {done.flawed} badly.")
    return int(bool(done.flawed))


def refill_living(settings: Settings, chosen: Namespace) -> int:
    """Bring back what the database lacks; status 1 when something could not."""
    del chosen
    with closing(_opened(settings)) as database:
        return _refill(settings, database, believed_pub(database, key_of(settings)))


def restore(settings: Settings, chosen: Namespace) -> int:
    """Restore everything from the archive alone into an empty database."""
    from cloud.migrations.run import migrate  # noqa: PLC0415 - Alembic loads slowly

    with closing(Database(chosen.into)) as database:
        migrate(database)
        return _refill(settings, database, bytes.fromhex(hq_key(settings).public_hex))


def _refill(settings: Settings, database: Database, hq_pub: bytes) -> int:
    bar = ProgressBar(sys.stderr, "segments")
    try:
        told = refill(database, archive_of(settings), hq_pub, SystemClock(), bar.show)
    finally:
        bar.close()
    _say_refilled(told)
    return int(bool(told.problems))


def _say_pass(done: Pass) -> None:
    say(f"{done.sealed} segments sealed, {done.verified} read back well, {done.flawed} badly.")
    if done.tampered:
        say(f"{done.tampered} journals do not hold: run `tillbox-cloud verify`.")
    if done.tree is not None:
        say(f"Daily seal {done.tree.n} of {done.tree.day}: root {done.tree.root.hex()}")


def _say_refilled(told: Refilled) -> None:
    say(f"{told.entries:,} entries taken in; {told.segments:,} segments, {told.trees:,} seals.")
    if not told.has_register:
        say("There was no register: give stores found here their name, zone and currency.")
    for stream in sorted(told.branches):
        say(f"{stream}: {flaw_text('refill.fork')}")
    for where, code in told.problems:
        say(f"{where}: {flaw_text(code, name=where)}")


def _opened(settings: Settings) -> Database:
    database = database_of(settings)
    require_migrated(database)
    return database
