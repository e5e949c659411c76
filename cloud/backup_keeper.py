"""The backup thread: each worker has one, and of all of them one works at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from cloud.archive.places import objects_of, stash_of
from cloud.backup import store
from cloud.backup.base import make_base, prune, seal_keys
from cloud.backup.objects import Copied, copy_objects
from cloud.backup.programs import programs_of
from cloud.backup.recover import Recovery
from cloud.backup.sealed_files import Vault, proofs_of, read_private
from cloud.backup.service import DAY_MS
from cloud.backup.store import Run
from cloud.db import Database
from cloud.fleet.chain_store import instants, put_instant
from cloud.pki.shut_out_list import FILE as SHUT_OUT
from cloud.posters import POSTERS
from cloud.publication.prune import LARGE_KEPT_MS
from cloud.recovery.backup_drill import BackupDrill, DrillParts, backup_drill
from cloud.recovery.refill import Progress
from cloud.settings import Settings
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

LOOK_EVERY_S = 300.0
KEEPER_LOCK = 7_461_023
HOUR_MS = 3_600_000
RETRY_MS = HOUR_MS
RUNS_KEPT_MS = 800 * DAY_MS
STOP_S = 10.0
BASE, OBJECTS = "base", "objects"
RESTORE = "restore"
"""The alert rule that counts the days since a restore was the same as what lives."""

_log = structlog.get_logger("cloud.backup")


class BackupMeters:
    """What the keeper tells `/metrics`; ages in seconds, -1 for never."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"tillbox_backup_{name}", text, registry=registry)

        self._base = gauge("base_age_seconds", "Since the last good base backup")
        self._verified = gauge("verified_age_seconds", "Since the last restore that was the same")
        self._wal = gauge("wal_failing", "1 while PostgreSQL cannot archive its log")
        self._is_ok = gauge("drill_ok", "Last rehearsal: 1 good, 0 failed, -1 none yet")
        self._runs = Counter("tillbox_backup_runs", "Runs", ["kind", "outcome"], registry=registry)

    def look(self, database: Database, now_ms: int) -> None:
        """Read how it stands."""
        with database.begin() as connection:
            base = store.last_run(connection, BASE, only_ok=True)
            drill = store.last_run(connection, "drill")
            verified = store.last_run(connection, "drill", only_ok=True)
            archiver = store.archiver(connection)
        for meter, run in ((self._base, base), (self._verified, verified)):
            meter.set(-1 if run is None else (now_ms - run.at_ms) // 1000)
        self._wal.set(archiver.is_on and archiver.is_failing)
        self._is_ok.set(-1 if drill is None else int(drill.is_ok))

    def ran(self, kind: str, outcome: str) -> None:
        """Count a run."""
        self._runs.labels(kind, outcome).inc()


class BackupKeeper:
    """Base backups and rehearsals by the clock; `start` and `stop` once each."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, meters: BackupMeters
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._meters = meters
        self._not_before_ms: dict[str, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="backup", daemon=True)

    def start(self) -> None:
        """Begin, where there is a key to seal for."""
        if self._settings.backup_recipients:
            self._thread.start()

    def stop(self) -> None:
        """End; a backup that is cut off leaves nothing, and is made by the next worker."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)

    def look(self) -> list[str]:
        """Do what is due; which kinds were tried."""
        tried: list[str] = []
        self._begin_to_count()
        with self._database.try_session_lock(KEEPER_LOCK) as is_held:
            if is_held:
                tried = [kind for kind in self._due() if self._try(kind)]
        self._meters.look(self._database, self._clock.now_ms())
        return tried

    def _begin_to_count(self) -> None:
        """Days without a verified restore count from the day that backups began."""
        with self._database.begin() as connection:
            if RESTORE not in instants(connection):
                put_instant(connection, RESTORE, self._clock.now_ms())

    def _due(self) -> list[str]:
        settings, now_ms = self._settings, self._clock.now_ms()
        wanted = {BASE: settings.backup_every_h}
        if settings.backup_key_file:
            wanted["drill"] = settings.drill_every_h
        found: list[str] = []
        for kind, every_h in wanted.items():
            with self._database.begin() as connection:
                last = store.last_run(connection, kind, only_ok=True)
            is_old = last is None or now_ms - last.at_ms >= every_h * HOUR_MS
            if every_h and is_old and self._may_try(kind):
                found.append(kind)
        if settings.backup_every_h and BASE not in found and self._is_copy_due(now_ms):
            found.append(OBJECTS)
        return found

    def _is_copy_due(self, now_ms: int) -> bool:
        """Each hour; a base backup copies too."""
        with self._database.begin() as connection:
            copied_ms = store.objects_copied_ms(connection)
        is_old = copied_ms is None or now_ms - copied_ms >= HOUR_MS
        return is_old and self._may_try(OBJECTS)

    def _may_try(self, kind: str) -> bool:
        return self._clock.mono_ms() >= self._not_before_ms.get(kind, 0)

    def _try(self, kind: str) -> bool:
        self._not_before_ms[kind] = self._clock.mono_ms() + RETRY_MS
        try:
            if kind == BASE:
                back_up(self._settings, self._database, self._clock)
            elif kind == OBJECTS:
                vault = vault_of(self._settings, self._clock)
                seal_all_keys(self._settings, vault)
                copy_published(self._settings, self._database, vault)
            else:
                rehearse(self._settings, self._database, self._clock)
            self._meters.ran(kind, "done")
        except RetailError as error:
            self._meters.ran(kind, "failed")
            _log.warning("backup.failed", kind=kind, because=str(error))
        return True

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - outermost loop of the keeper: log and go on
                _log.exception("backup.look_failed")


def vault_of(settings: Settings, clock: Clock) -> Vault:
    """Where this installation's backups lie and whom they are sealed for.

    RefusedError `backup.writer_key` where it could not prove that they are its own.
    """
    return Vault(stash_of(settings), proofs_of(settings), clock)


def reader_of(settings: Settings, clock: Clock) -> Vault:
    """The same for who only reads, and need not have what a writer has."""
    return Vault(stash_of(settings), (), clock)


def key_files(settings: Settings) -> tuple[Path, ...]:
    """What a restored head office cannot do without and no database holds.

    The list of who is shut out is among them: it counts also for a database that was put back to
    a time before.
    """
    cas = ("device-ca.key", "device-ca.pem", "chain-ca.key", "chain-ca.pem", SHUT_OUT)
    return (
        Path(settings.hq_key_file),
        *((Path(settings.member_key_file),) if settings.member_key_file else ()),
        *_in_ca_folder(settings, cas),
    )


def passing_key_files(settings: Settings) -> tuple[Path, ...]:
    """What is there besides while a CA is replaced."""
    names = [f"{kind}-ca-{part}.key" for kind in ("device", "chain") for part in ("next", "old")]
    return _in_ca_folder(settings, names)


def _in_ca_folder(settings: Settings, names: Sequence[str]) -> tuple[Path, ...]:
    folder = Path(settings.ca_dir)
    return tuple(folder / name for name in names) if settings.ca_dir else ()


def seal_all_keys(settings: Settings, vault: Vault) -> None:
    """Seal whatever keys there are now."""
    seal_keys(vault, (*key_files(settings), *passing_key_files(settings)))


def back_up(
    settings: Settings, database: Database, clock: Clock, progress: Progress = lambda *_: None
) -> Run:
    """Make a base backup, seal the keys beside it, drop what is too old; its run is kept.

    Raises as `make_base`; a failure is kept too.
    """
    vault, at_ms, began_ms = vault_of(settings, clock), clock.now_ms(), clock.mono_ms()
    try:
        made = make_base(vault, database, programs_of(settings), progress)
        seal_all_keys(settings, vault)
        copy_published(settings, database, vault)
    except RetailError as error:
        failed = Run(
            BASE, at_ms, clock.mono_ms() - began_ms, is_ok=False, report={"code": error.code}
        )
        with database.begin() as connection:
            store.add_run(connection, failed)
        raise
    gone = drop_old(settings, database, vault, made.base.name)
    run = Run(
        kind=BASE,
        at_ms=at_ms,
        took_ms=clock.mono_ms() - began_ms,
        is_ok=True,
        name=made.base.name,
        bytes=made.size,
        reaches_ms=made.base.end_ms,
        report={"plain": made.plain, "deleted": gone},
    )
    with database.begin() as connection:
        store.add_run(connection, run)
        store.forget_runs(connection, at_ms - RUNS_KEPT_MS)
    return run


def drop_old(settings: Settings, database: Database, vault: Vault, *more: str) -> int:
    """Delete what reaches too far back; `more` are base backups that have no run yet."""
    with database.begin() as connection:
        known = store.known_bases(connection) | set(more)
    return prune(vault, settings.backup_keep_days, known)


def copy_published(
    settings: Settings, database: Database, vault: Vault, progress: Progress = lambda *_: None
) -> Copied:
    """Copy what was published since the last time, and note when. Raises as `copy_objects`."""
    at_ms = vault.clock.now_ms()
    # What was let go had been named by nothing for LARGE_KEPT_MS: an older database may name it.
    keep_ms = settings.backup_keep_days * DAY_MS
    keep_ms = keep_ms if keep_ms <= LARGE_KEPT_MS else at_ms
    told = copy_objects(vault, objects_of(settings), keep_ms, progress)
    for name in told.damaged:
        _log.error("backup.object_damaged", object=name)
    with database.begin() as connection:
        store.keep_objects_copied(connection, at_ms)
    return told


def rehearse(
    settings: Settings,
    database: Database,
    clock: Clock,
    progress: Progress = lambda *_: None,
    scratch: Path | None = None,
) -> BackupDrill:
    """Restore the newest backup beside the living database, compare; raises as `backup_drill`."""
    pause = threading.Event()
    recovery = Recovery(programs_of(settings), settings.database_url, clock, partial(_wait, pause))
    private = read_private(Path(settings.backup_key_file))
    parts = DrillParts(
        reader_of(settings, clock), private, recovery, POSTERS, objects_of(settings), scratch
    )
    told = backup_drill(database, parts, progress)
    if told.is_ok:
        with database.begin() as connection:
            put_instant(connection, RESTORE, clock.now_ms())
    return told


def _wait(pause: threading.Event, seconds: float) -> None:
    pause.wait(seconds)
