"""The archivist's thread: each worker has one, and of all of them one archives at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy import Connection

from cloud.archive.objects import ObjectStore
from cloud.archive.places import archive_of
from cloud.archive.seal import Terms
from cloud.archive.service import Archivist, Pass
from cloud.archive.status_store import alarms
from cloud.archive.tree_store import newest_tree
from cloud.db import Database
from cloud.posters import POSTERS
from cloud.recovery.refill import Progress, Refill, Refilled, RefillTerms
from cloud.settings import Settings
from cloud.signing import HqKey, read_hq_key
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError, UnavailableError

STOP_S = 30.0
NOBODY = bytes(32)

_log = structlog.get_logger("cloud.archivist")


class ArchiveMeters:
    """What the archivist tells `/metrics`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"tillbox_archive_{name}", text, registry=registry)

        self._locked = gauge("locked", "1 where nobody can delete from the archive")
        self._unsafe = gauge("unsafe_entries", "Entries not yet in the archive for certain")
        self._flawed = gauge("flawed_segments", "Segments that the archive gave back wrong")
        self._tampered = gauge("tampered_streams", "Streams changed in the database")
        self._trees = gauge("trees", "Signed daily trees")
        self._drill = gauge("drill_ok", "Last restore drill: 1 good, 0 failed, -1 none yet")
        self._passes = Counter(
            "tillbox_archive_passes", "Passes by outcome", ["outcome"], registry=registry
        )

    def passed(self, done: Pass, connection: Connection, *, is_locked: bool) -> None:
        """A pass came to its end."""
        unsafe, flawed, tree_n, drill_ok = alarms(connection)
        self._passes.labels("done").inc()
        self._locked.set(is_locked)
        self._unsafe.set(unsafe)
        self._flawed.set(flawed)
        self._tampered.set(done.tampered)
        self._trees.set(0 if tree_n is None else tree_n + 1)
        self._drill.set(-1 if drill_ok is None else int(drill_ok))

    def failed(self) -> None:
        """A pass was broken off; the next one goes on from there."""
        self._passes.labels("failed").inc()


class ArchivistThread:
    """Archives every `archive_every_s`, first after that time; `start` and `stop` once each."""

    def __init__(
        self, settings: Settings, database: Database, clock: Clock, meters: ArchiveMeters
    ) -> None:
        self._settings = settings
        self._database = database
        self._clock = clock
        self._meters = meters
        self._objects: ObjectStore | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="archivist", daemon=True)

    def start(self) -> None:
        """Begin, unless the settings leave archiving to a command."""
        if self._settings.archive_every_s:
            self._thread.start()

    def stop(self) -> None:
        """End after what is under way; a pass that is cut off harms nothing."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)

    def _run(self) -> None:
        while not self._stopping.wait(self._settings.archive_every_s):
            try:
                self._pass()
            except RetailError as error:
                self._meters.failed()
                _log.warning("archive.waiting", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop of the archivist: log, count, go on
                self._meters.failed()
                _log.exception("archive.failed")

    def _pass(self) -> None:
        if self._objects is None:
            self._objects = archive_of(self._settings)
        objects = self._objects
        done = archivist_of(self._settings, self._database, objects, self._clock).run()
        if done is None:
            return
        with self._database.begin() as connection:
            self._meters.passed(done, connection, is_locked=bool(objects.lock_mode()))


def archivist_of(
    settings: Settings, database: Database, objects: ObjectStore, clock: Clock
) -> Archivist:
    """The archivist of this machine; RefusedError `hq_key.readable`, CorruptError for a bad key."""
    key = key_of(settings)

    def on_restored() -> None:
        told = refill(database, objects, believed_pub(database, key), clock)
        _log.warning("archive.refilled", entries=told.entries, problems=told.problems[:20])

    return Archivist(database, objects, clock, terms_of(settings), key, on_restored)


def terms_of(settings: Settings) -> Terms:
    """When a stream is archived, and for how long."""
    age_ms = settings.archive_age_s * 1_000
    return Terms(settings.archive_entries, age_ms, settings.archive_retention_days)


def refill(
    database: Database,
    objects: ObjectStore,
    hq_pub: bytes,
    clock: Clock,
    progress: Progress = lambda *_: None,
) -> Refilled:
    """Take in what the archive has and the database lacks; raises as `Refill.run`."""
    terms = RefillTerms(hq_pub, clock.now_ms())
    return Refill(database, objects, POSTERS, terms).run(progress)


def believed_pub(database: Database, key: HqKey | None) -> bytes:
    """Who must have signed seals and registers: our own key, else the one of the newest seal.

    Before the first seal nobody is believed; entries need no key but their boxes'.
    """
    if key is not None:
        return bytes.fromhex(key.public_hex)
    with database.begin() as connection:
        tree = newest_tree(connection)
    return NOBODY if tree is None else tree.hq_pub


def hq_key(settings: Settings) -> HqKey:
    """The key of headquarters; raises as `read_hq_key`."""
    return read_hq_key(Path(settings.hq_key_file))


def key_of(settings: Settings) -> HqKey | None:
    """The key of headquarters; None on a machine that has none and signs no trees."""
    try:
        return hq_key(settings)
    except UnavailableError:
        return None
