"""A restored folder brought up to its instant: a server of its own replays, takes over, and stops.

It has settings of its own, so that it starts on a machine that lacks the living server's: Debian
keeps those outside the data folder.  It archives nothing: a rehearsal must not write into the
archive of what it rehearses.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from cloud.backup.log_check import LOG
from cloud.backup.programs import Programs, Server, Wait, log_end
from cloud.backup.restore import Prepared, forget_recovery
from cloud.db import Database
from shared.kernel.clock import Clock
from shared.kernel.errors import UnavailableError

CONFIG, HBA = "tillbox-restore.conf", "tillbox-restore-hba.conf"
SAFE = ("archive_mode=off", "hot_standby=off", "max_wal_size=4GB", "ssl=off", "jit=off")
"""Without hot standby a server does not ask for as many connections as the living one has."""
FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For a rehearsal, which is deleted."""
PATIENCE_MS, PATIENCE_EACH_SEGMENT_MS = 900_000, 10_000
SLOW_DISK_BYTES_PER_MS = 5_000
_IN_RECOVERY = text("SELECT pg_is_in_recovery()")


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery needs: programs, the living database's address (for its name and user)."""

    programs: Programs
    database_url: str
    clock: Clock
    wait: Wait


@contextmanager
def recovered(recovery: Recovery, prepared: Prepared, *, is_rehearsal: bool) -> Iterator[Database]:
    """The restored database, open for reading and writing; stopped at the end.

    UnavailableError `backup.server_failed` where the log does not reach the target, or the server
    is not of the version that the backup is of; `backup.replay_stuck` where it does not open.
    """
    options = _options(prepared.data, is_rehearsal=is_rehearsal)
    with recovery.programs.server(prepared.data, options, recovery.wait) as server:
        database = Database(_address(server.url, recovery.database_url), connections=2)
        try:
            _wait_until_open(recovery, database, server, _patience_ms(prepared))
            yield database
        finally:
            database.close()
    if not is_rehearsal:
        forget_recovery(prepared.data)
        _hand_on_histories(prepared.data / LOG)


def _options(data: Path, *, is_rehearsal: bool) -> list[str]:
    config, hba = data.absolute() / CONFIG, data.absolute() / HBA
    config.write_text("", encoding="ascii")
    hba.write_text("local all all trust\n", encoding="ascii")
    files = [f"config_file={config}", f"hba_file={hba}"]
    return [*files, *SAFE, *(FORGETFUL if is_rehearsal else ())]


def _address(server: str, living: str) -> str:
    """The same database and user as the living one's, on the restored server."""
    asked = make_url(living)
    url = make_url(server).set(database=asked.database, username=asked.username)
    return url.render_as_string(hide_password=False)


def _patience_ms(prepared: Prepared) -> int:
    """Far more than a slow disk needs for what there is to replay."""
    return (
        PATIENCE_MS
        + prepared.segments * PATIENCE_EACH_SEGMENT_MS
        + prepared.bytes // SLOW_DISK_BYTES_PER_MS
    )


def _wait_until_open(
    recovery: Recovery, database: Database, server: Server, patience_ms: int
) -> None:
    """A server that cannot reach its target ends by itself; one that replays takes its time."""
    until_ms = recovery.clock.mono_ms() + patience_ms
    while True:
        try:
            with database.begin() as connection:
                if not connection.execute(_IN_RECOVERY).scalar_one():
                    return
        except UnavailableError:
            server.check()
        if recovery.clock.mono_ms() > until_ms:
            waited = patience_ms // 1000
            raise UnavailableError(
                "backup.replay_stuck", seconds=waited, because=log_end(server.log)
            )
        recovery.wait(0.1)


def _hand_on_histories(log: Path) -> None:
    """Have the server that is started next archive its timeline's history, as this one did not.

    Without it a second restore would give its timeline the same number, and the archive would
    refuse its log as another server's.
    """
    folder = log / "archive_status"
    folder.mkdir(mode=0o700, exist_ok=True)
    for path in log.glob("*.history"):
        if not (folder / f"{path.name}.done").exists():
            (folder / f"{path.name}.ready").touch(mode=0o600)
