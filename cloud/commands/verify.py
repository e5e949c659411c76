"""`tillbox-cloud verify`: chains, signatures, segments and daily seals, read only."""

from __future__ import annotations

import sys
from argparse import Namespace
from contextlib import closing

from cloud.archive.places import archive_of
from cloud.archive.seal import Sealer, Terms
from cloud.archivist import key_of
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

    Raises RefusedError `ingest.stream` for what is no journal's id, `verify.hq_pub` for no key.
    """
    stream = _bytes(chosen.stream, 16, "ingest.stream")
    hq_pub = _bytes(chosen.hq_pub, 32, "verify.hq_pub") or _own_key(settings)
    started_s = monotonic_s()
    bar = ProgressBar(sys.stderr, "entries")
    with closing(database_of(settings)) as database:
        require_migrated(database)
        sealer = _sealer(settings, database) if chosen.archive else None
        verifier = Verifier(database, sealer, hq_pub=hq_pub, progress=bar.show)
        try:
            found = verifier.verify(chosen.store, stream)
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


def _bytes(text: str | None, size: int, code: str) -> bytes | None:
    if text is not None and not is_hex(text, size):
        raise RefusedError(code)
    return None if text is None else bytes.fromhex(text)


def _own_key(settings: Settings) -> bytes | None:
    key = key_of(settings)
    return None if key is None else bytes.fromhex(key.public_hex)


def _sealer(settings: Settings, database: Database) -> Sealer:
    return Sealer(database, archive_of(settings), Terms())


def _summary(found: Findings, took_s: float) -> str:
    outcome = f"{len(found.flaws)} flaws" if found.flaws else "all sound"
    return (
        f"{found.entries:,} entries of {found.streams:,} journals, {found.signatures:,} signatures,"
        f" {found.segments:,} segments read back, {found.trees:,} daily seals"
        f" in {took_s:.1f} s: {outcome}."
    )
