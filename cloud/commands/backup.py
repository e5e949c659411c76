"""`tillbox-cloud backup`, `restore` and `drill --from backup`."""

from __future__ import annotations

import os
import shutil
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from cloud.archive.places import objects_of
from cloud.backup.base import bases_of, bring_back_keys
from cloud.backup.boxes import newest_of
from cloud.backup.objects import bring_back
from cloud.backup.programs import programs_of
from cloud.backup.recover import Recovery, recovered
from cloud.backup.restore import Target, iso, prepare, require_reach
from cloud.backup.sealed_files import read_private, recipients_of
from cloud.backup.service import state_of
from cloud.backup_keeper import (
    back_up,
    copy_published,
    drop_old,
    key_files,
    passing_key_files,
    reader_of,
    rehearse,
    vault_of,
)
from cloud.clock import SystemClock, random_bytes
from cloud.commands.flaws import flaw_text
from cloud.commands.progress import ProgressBar
from cloud.commands.say import say
from cloud.db import Database, database_of, incarnation
from cloud.migrations.state import require_migrated
from cloud.recovery.backup_drill import BackupDrill
from cloud.seal_cipher import CIPHER
from cloud.settings import Settings
from cloud.texts import sentence
from shared.kernel.errors import CorruptError, RefusedError, RetailError
from shared.wire.sealed import KEY_BYTES, key_id, key_text, writer_key, writer_text

KEY_MODE = 0o600
SHOWN_MAX = 50


def run(settings: Settings, chosen: Namespace) -> None:
    """Make a base backup now."""
    del chosen
    with closing(_opened(settings)) as database, _bar("bytes of the server") as bar:
        made = back_up(settings, database, SystemClock(), bar.show)
    assert made.reaches_ms is not None
    say(
        f"{made.name}: {made.bytes / 1e6:,.1f} MB sealed in {made.took_ms / 1000:.1f} s."
        f" With the WAL behind it the database can be put back to any time from"
        f" {iso(made.reaches_ms)} UTC on."
    )


def status(settings: Settings, chosen: Namespace) -> int:
    """Tell how backups stand; status 1 when something needs a person."""
    del chosen
    clock = SystemClock()
    with closing(_opened(settings)) as database:
        state = state_of(database, clock.now_ms(), settings)
    concerns = state.concerns(clock.now_ms())
    kept = reader_of(settings, clock).stash.keeps_versions() if state.is_on else False
    last = state.archiver.last_ms
    say(f"Base backup: {_when(None if state.base is None else state.base.at_ms)}")
    say(f"WAL archived: {_when(last)}{'' if state.archiver.is_on else ' (archive_mode is off)'}")
    say(f"What is published copied: {_when(state.objects_ms)}")
    verified = state.verified
    say(f"Last verified restore: {_when(None if verified is None else verified.at_ms)}")
    say(f"Boxes with a backup of the last 3 days: {state.boxes_in_time} of {state.boxes}")
    say(f"Old versions of files are {'kept' if kept else 'NOT kept'} where backups lie.")
    for code in concerns:
        say(sentence(RetailError(f"backup.concern.{code}")))
    return int(bool(concerns))


def listed(settings: Settings, chosen: Namespace) -> None:
    """List the base backups."""
    del chosen
    for base in bases_of(reader_of(settings, SystemClock())):
        say(f"{base.name}  from {iso(base.end_ms)} UTC on")


def prune_old(settings: Settings, chosen: Namespace) -> None:
    """Delete what only reaches further back than `backup_keep_days`."""
    del chosen
    with closing(_opened(settings)) as database:
        count = drop_old(settings, database, reader_of(settings, SystemClock()))
    say(f"{count} files deleted.")


def objects(settings: Settings, chosen: Namespace) -> None:
    """Copy what is published now, as the worker does; or put back what is lost of it."""
    clock = SystemClock()
    with _bar("objects") as bar:
        if chosen.back:
            private = read_private(_key(settings, chosen))
            count = bring_back(reader_of(settings, clock), private, objects_of(settings), bar.show)
            say(f"{count:,} objects put back.")
            return
        with closing(_opened(settings)) as database:
            told = copy_published(settings, database, vault_of(settings, clock), bar.show)
    say(f"{told.objects:,} objects copied ({told.bytes / 1e6:,.1f} MB), {told.deleted:,} dropped.")
    for name in told.damaged:
        say(f"{name}: {sentence(CorruptError('backup.object_damaged', sha256=name))}")


def keys(settings: Settings, chosen: Namespace) -> None:
    """Put head office's own keys back where the settings say, as they were in the newest backup."""
    clock = SystemClock()
    private = read_private(_key(settings, chosen))
    files = key_files(settings)
    vault, passing = reader_of(settings, clock), passing_key_files(settings)
    for path in bring_back_keys(vault, private, files, passing):
        say(f"{path} put back.")
    missing = [str(path) for path in files if not path.is_file()]
    say(
        f"Neither here nor in the backup: {', '.join(missing)}"
        if missing
        else "All of them are there."
    )


def box(settings: Settings, chosen: Namespace) -> None:
    """Write a box's newest backup to a file, sealed as it is."""
    with closing(_opened(settings)) as database:
        name = newest_of(database, chosen.dev)
    stash = reader_of(settings, SystemClock()).stash
    with chosen.out.open("wb") as file:
        for chunk in stash.chunks(name):
            file.write(chunk)
    say(f"{name} -> {chosen.out}. `tillbox-edge restore` opens it with the backup key.")


def open_file(settings: Settings, chosen: Namespace) -> None:
    """Open one sealed file, such as `keys/hq.key.tbk`."""
    key = _key(settings, chosen)
    vault = reader_of(settings, SystemClock())
    handle = os.open(chosen.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE)
    with os.fdopen(handle, "wb") as file:
        for chunk in vault.reading(chosen.name, read_private(key)):
            file.write(chunk)
    say(f"{chosen.name} -> {chosen.out}")


def make_key(settings: Settings, chosen: Namespace) -> None:
    """Make a backup key; never overwrites one."""
    del settings
    private = random_bytes(KEY_BYTES)
    public = CIPHER.public_of(private)
    try:
        handle = os.open(chosen.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_MODE)
    except FileExistsError:
        raise RefusedError("backup.key_exists", file=str(chosen.out)) from None
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(key_text(private, public))
        file.flush()
        os.fsync(file.fileno())
    say(f"Wrote {chosen.out}. Copy it to two places away from the servers, then delete it here.")
    _say_settings(private)


def show_writer(settings: Settings, chosen: Namespace) -> None:
    """Print what the servers are told of a key: whom to seal for, and what proves who sealed."""
    _say_settings(read_private(_key(settings, chosen)))


def _say_settings(private: bytes) -> None:
    public = CIPHER.public_of(private)
    say("Set on the servers; the second is a secret, and not for whoever keeps the bucket:")
    say(f'backup_recipients = "{public.hex()}"')
    say(f'backup_writer_keys = "{writer_text(public, writer_key(private))}"')


def show_key(settings: Settings, chosen: Namespace) -> None:
    """Print the public half of a key, or the keys that backups are sealed for."""
    if chosen.file is not None:
        say(CIPHER.public_of(read_private(chosen.file)).hex())
        return
    for each in recipients_of(settings):
        say(f"{each.hex()}  ({key_id(each)})")


def restore(settings: Settings, chosen: Namespace) -> None:
    """Restore the server as it was at an instant into a new folder, ready to be started."""
    clock = SystemClock()
    began_ms = clock.mono_ms()
    key = _key(settings, chosen)
    target = Target(None if chosen.to is None else _ms_of(chosen.to))
    with _bar("sealed bytes") as bar:
        prepared = prepare(
            reader_of(settings, clock), read_private(key), target, chosen.into, bar.show
        )
    say(f"Unpacked {prepared.base.name} and {prepared.segments} pieces of WAL, all proven.")
    if target.to_ms is None:  # to an instant the server itself says when the log does not reach it
        require_reach(prepared, clock.now_ms() if chosen.seen is None else _ms_of(chosen.seen))
    recovery = Recovery(programs_of(settings), settings.database_url, clock, time.sleep)
    with recovered(recovery, prepared, is_rehearsal=False) as database:
        _say_restored(database)
    shutil.rmtree(prepared.wal)  # replayed
    say(f"{(clock.mono_ms() - began_ms) / 1000:.1f} s. Now: start PostgreSQL on {chosen.into},")
    say("then `tillbox-cloud archive refill`, then `tillbox-cloud backup run`.")
    say("The boxes see that the database is another one, and bring what it lacks by themselves.")


def drill(settings: Settings, chosen: Namespace) -> int:
    """Restore the newest backup beside the living database and compare."""
    with closing(_opened(settings)) as database, _bar("sealed bytes") as bar:
        told = rehearse(settings, database, SystemClock(), bar.show, chosen.scratch)
    _say_drill(told)
    return int(not told.is_ok)


def _say_drill(told: BackupDrill) -> None:
    for where, code in told.differences[:SHOWN_MAX]:
        say(f"{where}: {flaw_text(code, name=where)}")
    say(
        f"{told.entries:,} entries of {told.streams:,} journals restored in"
        f" {told.took_ms / 1000:.1f} s (unpacking {told.unpack_ms / 1000:.1f} s, replaying"
        f" {told.replay_ms / 1000:.1f} s); {told.tables:,} books compared,"
        f" {told.objects:,} published objects looked for."
    )
    if told.is_ok:
        say("The backups alone bring the database back.")
    else:
        say(f"THE DRILL FAILED with {len(told.differences)} differences.")


def _say_restored(database: Database) -> None:
    with database.begin() as connection:
        found = connection.exec_driver_sql(
            "SELECT count(*), coalesce(max(rx_at_ms), 0) FROM stream WHERE head_seq >= 0"
        ).one()
        life = incarnation(connection)
    newest = iso(found[1]) if found[1] else "none"
    say(f"{found[0]:,} journals, the newest batch of {newest} UTC; incarnation {life}.")


def _key(settings: Settings, chosen: Namespace) -> Path:
    if chosen.key is not None:
        return Path(chosen.key)
    if not settings.backup_key_file:
        raise RefusedError("backup.key_missing", file="--key")
    return Path(settings.backup_key_file)


def _ms_of(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RefusedError("backup.time", text=text[:40]) from None
    if at.tzinfo is None:
        raise RefusedError("backup.time", text=text[:40])
    return int(at.timestamp() * 1000)


def _when(at_ms: int | None) -> str:
    return "never" if at_ms is None else f"{iso(at_ms)} UTC"


@contextmanager
def _bar(what: str) -> Iterator[ProgressBar]:
    bar = ProgressBar(sys.stderr, what)
    try:
        yield bar
    finally:
        bar.close()


def _opened(settings: Settings) -> Database:
    database = database_of(settings)
    require_migrated(database)
    return database
