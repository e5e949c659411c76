"""A head office with a million sales is lost -> the newest backup answers queries again.

The whole way that a person would wait for: unpacking the sealed base backup, replaying the log
behind it, taking over, and comparing every journal and book with what was lost.
"""

from __future__ import annotations

import shutil
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from cloud.backup.programs import programs_of
from cloud.backup.recover import Recovery, recovered
from cloud.backup.restore import Target, prepare
from cloud.backup_keeper import back_up, reader_of, rehearse
from cloud.clock import SystemClock
from cloud.db import Database
from cloud.seal_cipher import CIPHER
from cloud.settings import Settings
from cloud.signing import create_hq_key
from shared.wire.sealed import key_text, writer_key, writer_text
from tests.bench.figure import Figure
from tests.bench.many_sales import fill
from tests.lab.postgres import PostgresServer, binaries, prefix_for_root

STORES, SALES_EACH = 1_000, 1_000
GOAL_S = 300.0
PRIVATE = bytes(range(32))
ROOT = Path(__file__).resolve().parents[2]


def measure(folder: Path) -> list[Figure]:
    """One backup of the filled database, one restore of it, and what the disk alone takes."""
    config = folder / "cloud.toml"
    wal = f"cd '{ROOT}' && '{sys.executable}' -m cloud --config '{config}' backup wal $OLDPWD/%p"
    server = PostgresServer(folder / "server", durable=False, options=("shared_buffers=256MB",))
    server.start()
    sales = fill(server.create_database("chain"), STORES, SALES_EACH)
    server.stop()
    archiving = ("archive_mode=on", f"archive_command={wal}", "shared_buffers=256MB")
    server = PostgresServer(folder / "server", durable=False, options=archiving).start()
    try:
        settings = _settings(folder, config, server.url("chain"))
        clock = SystemClock()
        with closing(Database(settings.database_url)) as database:
            made = back_up(settings, database, clock)
            told = rehearse(settings, database, clock, scratch=folder)
    finally:
        server.stop()
    assert told.is_ok, told.differences[:3]
    durable_s = _durable(folder, settings, clock)
    began = time.perf_counter()
    shutil.copytree(folder / "server" / "pg", folder / "plain")
    plain_s = time.perf_counter() - began
    detail = (
        f"{told.bytes / 1e9:.1f} GB, {made.bytes / 1e9:.2f} GB sealed; unpacking"
        f" {told.unpack_ms / 1000:.0f} s, replaying and taking over {told.replay_ms / 1000:.0f} s,"
        f" then {told.entries:,} entries and {told.tables:,} books compared"
    )
    rehearsed_s = (told.unpack_ms + told.replay_ms) / 1000
    limit = "copying the data folder"
    return [
        Figure(
            f"head office with {sales:,} sales restored from its backup, each write on the disk",
            "s",
            durable_s,
            GOAL_S,
            plain_s,
            limit,
            "unpacking, proving, replaying and taking over as `tillbox-cloud restore` does",
        ),
        Figure(
            "the same as a rehearsal, which is deleted and need not be on the disk",
            "s",
            rehearsed_s,
            GOAL_S,
            plain_s,
            limit,
            detail,
        ),
        Figure(
            "the same with the comparison, as a drill",
            "s",
            told.took_ms / 1000,
            GOAL_S,
            plain_s,
            limit,
            f"the base backup before it took {made.took_ms / 1000:.0f} s",
        ),
    ]


def _durable(folder: Path, settings: Settings, clock: SystemClock) -> float:
    """Seconds until a restore in earnest answers queries, with fsync; its folder goes again."""
    began = time.perf_counter()
    prepared = prepare(reader_of(settings, clock), PRIVATE, Target(), folder / "restored")
    recovery = Recovery(programs_of(settings), settings.database_url, clock, time.sleep)
    with recovered(recovery, prepared, is_rehearsal=False):
        took_s = time.perf_counter() - began
    for path in (prepared.data, prepared.wal):
        shutil.rmtree(path)
    return took_s


def _settings(folder: Path, config: Path, url: str) -> Settings:
    create_hq_key(folder / "hq.key")
    public = CIPHER.public_of(PRIVATE)
    (folder / "backup.key").write_text(key_text(PRIVATE, public), encoding="utf-8")
    settings = replace(
        Settings(),
        database_url=url,
        object_dir=str(folder / "objects"),
        hq_key_file=str(folder / "hq.key"),
        backup_recipients=public.hex(),
        backup_writer_keys=writer_text(public, writer_key(PRIVATE)),
        backup_key_file=str(folder / "backup.key"),
        postgres_bin=str(binaries()),
        postgres_run=" ".join(prefix_for_root()),
    )
    told = ("object_dir", "backup_recipients", "backup_writer_keys")
    lines = [f"{name} = {getattr(settings, name)!r}" for name in told]
    config.write_text("\n".join(lines), encoding="utf-8")
    return settings
