"""`tillbox-cloud verify`: chains, signatures, segments and daily seals, read only."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing

from cloud.archive.places import archive_of
from cloud.archive.seal import Sealer, Terms
from cloud.clock import monotonic_s
from cloud.commands.flaws import flaw_text
from cloud.commands.progress import ProgressBar
from cloud.commands.say import say
from cloud.db import Database, database_of
from cloud.migrations.state import require_migrated
from cloud.recovery.verify import Findings, Flaw, Verifier
from cloud.settings import Settings
from shared.kernel.errors import RefusedError
from shared.kernel.hexadecimal import is_hex


def verify(settings: Settings, chosen: Namespace) -> int:
    """Check; each journal's first flaw by its number, and status 1 when there is one.

    Raises RefusedError `ingest.stream` for what is no journal's id.
    """
    if chosen.stream is not None and not is_hex(chosen.stream, 16):
        raise RefusedError("ingest.stream")
    stream = None if chosen.stream is None else bytes.fromhex(chosen.stream)
    started_s = monotonic_s()
    bar = ProgressBar(sys.stderr, "entries")
    with closing(database_of(settings)) as database:
        require_migrated(database)
        sealer = _sealer(settings, database) if chosen.archive else None
        try:
            found = Verifier(database, sealer, bar.show).verify(chosen.store, stream)
        finally:
            bar.close()
    for flaw in found.flaws:
        say(flaw_line(flaw))
    say(_summary(found, monotonic_s() - started_s))
    return int(bool(found.flaws))


def flaw_line(flaw: Flaw) -> str:
    """Where and what."""
    where = f"journal {flaw.stream}, entry {flaw.seq}" if flaw.stream else f"daily seal {flaw.seq}"
    return f"{where}: {flaw_text(flaw.code, seq=flaw.seq, name=flaw.object)}"


def _sealer(settings: Settings, database: Database) -> Sealer:
    return Sealer(database, archive_of(settings), Terms())


def _summary(found: Findings, took_s: float) -> str:
    outcome = f"{len(found.flaws)} flaws" if found.flaws else "all sound"
    return (
        f"{found.entries:,} entries of {found.streams:,} journals, {found.signatures:,} signatures,"
        f" {found.segments:,} segments read back, {found.trees:,} daily seals"
        f" in {took_s:.1f} s: {outcome}."
    )
