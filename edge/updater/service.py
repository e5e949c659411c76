"""Brings the box to the release that HQ wants, one written-down state after the other.

All of it runs on one thread of low urgency beside the selling. Every action may be cut off and
done again; `shared.release.state` says what follows, the launcher what runs.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from pathlib import Path

import structlog

from edge.updater import install
from edge.updater.download import Fetch, Fetched, describe, download, this_machine
from edge.updater.health import Senses, as_it_is, complaint, journal_complaint
from edge.updater.launcher import Releases
from edge.updater.notebook import Notebook
from edge.updater.verify import verify
from shared.kernel.clock import Clock
from shared.kernel.errors import CorruptError, RetailError, UnavailableError
from shared.release import state as machine
from shared.release.lock import Hours, Shop, held_by_hours, held_by_shop
from shared.release.state import Progress, Slots, Standing, State, Vitals, Wanted
from shared.wire.message import DesiredSoftware, SoftwareReport

POLL_S = 5.0
REST_S = 60.0
RETRY_S = 60.0
CORRUPT_TRIES = 3
"""A damaged download may be the line's fault; after so many it is the release's."""
_JOIN_S = 5.0
_log = structlog.get_logger("updater")


@dataclass(frozen=True, slots=True)
class UpdaterParts:
    """What the updater works with.

    `releases` is None for a box that no launcher started: it only tells what it runs. `running` is
    the release's version. `shop` tells what goes on in the store, `restart` ends this program so
    that the launcher starts again, `told` sends a report.
    """

    releases: Releases | None
    running: str
    data_dir: Path
    hq_pub: str
    zone: tzinfo
    clock: Clock
    fetch: Fetch
    forget: Callable[[], None]
    senses: Senses
    shop: Callable[[], Shop]
    restart: Callable[[], None]
    told: Callable[[], object]
    poll_s: float = POLL_S


@dataclass(slots=True)
class _Trial:
    """The watch over software on trial, in milliseconds since boot."""

    began_ms: int
    healthy_ms: int = 0
    ill_ms: int = 0
    is_written: bool = False


@dataclass(slots=True)
class _Desk:
    """What the thread works on; changed under the lock where others look."""

    progress: Progress = field(default_factory=Progress)
    wanted: DesiredSoftware | None = None
    wish: DesiredSoftware | None = None
    """What was wanted when this turn began."""
    held: str = ""
    fetched: Fetched | None = None
    corrupt: int = 0


class Updater:
    """`start` and `stop` once each; `desire` and `report` from any thread."""

    def __init__(self, parts: UpdaterParts) -> None:
        self._parts = parts
        self._book = Notebook(parts.data_dir / "update")
        self._lock = threading.Lock()
        self._desk = _Desk()
        self._trial = _Trial(parts.clock.mono_ms())
        self._is_kept = True
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Take up where the last start was cut off."""
        self._desk.progress, self._desk.wanted = self._book.progress(), self._book.wanted()
        if self._parts.releases is not None:
            self._thread = threading.Thread(target=self._run, name="updater", daemon=True)
            self._thread.start()

    def stop(self, *, is_clean: bool = True) -> None:
        """End after the current action; `is_clean` when somebody asked for it."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)
        releases = self._parts.releases
        if releases is not None and is_clean:
            note = releases.note()
            if note.trial == self._parts.running:
                releases.write(replace(note, is_clean=True))

    def desire(self, wanted: DesiredSoftware | None) -> None:
        """Take HQ's wish; returns at once."""
        with self._lock:
            if wanted == self._desk.wanted and self._is_kept:
                return
            self._desk.wanted = wanted
            try:
                self._book.put_wanted(wanted)
                self._is_kept = True
            except OSError as error:  # a full disk: head office says it again
                _log.warning("updater.wish_not_kept", because=str(error))
                self._is_kept = False
        self._wake.set()

    def report(self) -> SoftwareReport:
        """What HQ hears of this box's software."""
        parts, progress, wanted = self._parts, self._desk.progress, self._desk.wanted
        releases, error = parts.releases, progress.error or self._desk.held
        trusted = parts.running if releases is None else releases.note().trusted
        if releases is None and wanted is not None and wanted.version != parts.running:
            error = "release.not_managed"
        return SoftwareReport(
            running=parts.running,
            wanted="" if wanted is None else wanted.version,
            state="failed" if error == "release.not_managed" else progress.state.value,
            since=progress.since_ms,
            error=error or None,
            trusted=trusted,
        )

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                wait_s = self._turn()
            except Exception:  # noqa: BLE001 - outermost loop: the shop sells on as it is
                _log.exception("updater.crashed")
                wait_s = RETRY_S
            self._wake.wait(wait_s)
            self._wake.clear()

    def _turn(self) -> float:
        """One look and at most one action; answers how long to wait until the next."""
        self._settle()
        action = {
            State.DOWNLOAD: self._download,
            State.INSTALL: self._install,
            State.VERIFY: self._verify,
            State.SWAP: self._swap,
            State.WATCH: self._watch,
            State.COMMIT: self._commit,
            State.ROLLBACK: self._roll_back,
        }.get(self._desk.progress.state)
        if action is None:
            self._hold("")
            return REST_S
        try:
            return action()
        except UnavailableError as error:
            _log.warning("updater.waiting", because=str(error))
            self._hold(error.code)
            return RETRY_S
        except CorruptError as error:
            return self._corrupt(error)
        except (RetailError, OSError, sqlite3.Error) as error:
            code = error.code if isinstance(error, RetailError) else "release.install"
            return self._fail(code, str(error))

    def _settle(self) -> None:
        """Correct the state by what runs, what the launcher did and what HQ wants."""
        releases = self._releases()
        note, progress = releases.note(), self._desk.progress
        wish = self._desk.wish = self._desk.wanted
        standing = Standing(
            self._parts.running,
            Slots(note.trusted, note.trial, note.failed, note.because),
            None if wish is None else Wanted(wish.sha256, wish.version),
        )
        settled = machine.settled(progress, standing, self._now_ms())
        if settled is progress:
            return
        if settled.state is State.DOWNLOAD:  # an old verdict is not this one's
            releases.write(replace(note, failed="", because=""))
            self._desk.corrupt, self._desk.fetched = 0, None
        if settled.state is State.FAILED:
            change = (progress.version, self._parts.running, settled.error)
            journal_complaint(self._parts.senses, change)
        self._save(settled)

    def _download(self) -> float:
        parts, wish, progress = self._parts, self._desk.wish, self._desk.progress
        assert wish is not None
        known = this_machine(parts.running, progress.no)
        room = self._releases().root
        release = describe(wish, parts.hq_pub, parts.fetch)
        self._desk.fetched = download(release, known, parts.fetch, room)
        return self._done()

    def _install(self) -> float:
        held = self._held_by_hours()
        if held:
            self._hold(held)
            return self._parts.poll_s
        fetched, releases = self._again(), self._releases()
        install.tidy(releases, (self._parts.running, fetched.release.version))
        install.build(releases, fetched.release, fetched.wheels)
        return self._done()

    def _verify(self) -> float:
        version = self._desk.progress.version
        verify(self._releases(), version, self._parts.data_dir, self._again().vectors)
        return self._done()

    def _swap(self) -> float:
        """Point the launcher at the new release and end; in the shop's own time."""
        held = held_by_shop(self._parts.shop()) or self._held_by_hours()
        if held:
            self._hold(held)
            return self._parts.poll_s
        if not install.is_whole(self._releases(), self._desk.progress.version):
            return self._fail("release.install", "the release is not whole")
        self._hold("")
        self._book.put_before(as_it_is(self._parts.senses))
        self._parts.forget()
        self._releases().try_out(self._desk.progress.version)
        _log.warning("updater.swap", version=self._desk.progress.version)
        self._parts.restart()
        return REST_S

    def _watch(self) -> float:
        now_ms, trial = self._parts.clock.mono_ms(), self._trial
        code = self._complaint()
        if code:
            trial.ill_ms = trial.ill_ms or now_ms
        else:
            trial.ill_ms = 0
            if not trial.healthy_ms:
                trial.healthy_ms = now_ms
                releases = self._releases()
                releases.write(replace(releases.note(), is_healthy=True))
                _log.info("updater.healthy", version=self._parts.running)
        verdict = machine.watched(
            Vitals(trial.began_ms, trial.healthy_ms, trial.ill_ms, code), now_ms
        )
        if verdict is None:
            return self._parts.poll_s
        return self._fail(verdict, "unhealthy") if verdict else self._done()

    def _complaint(self) -> str:
        parts, trial = self._parts, self._trial
        if not trial.is_written:
            change = (self._releases().note().trusted, parts.running, "update")
            code = journal_complaint(parts.senses, change)
            if code:
                return code
            trial.is_written = True
        return complaint(parts.senses, self._book.before(), is_first=not trial.healthy_ms)

    def _commit(self) -> float:
        releases = self._releases()
        releases.trust()
        wish, progress = self._desk.wish, self._desk.progress
        no = progress.no
        if wish is not None and wish.sha256 == progress.sha256:
            try:
                no = describe(wish, self._parts.hq_pub, self._parts.fetch).no
            except RetailError as error:  # trusted all the same; only the number is not known
                _log.warning("updater.number_unknown", because=str(error))
        install.tidy(releases, (self._parts.running,))
        self._parts.forget()
        self._save(replace(machine.done(progress, self._now_ms()), no=max(no, progress.no)))
        _log.info("updater.committed", version=self._parts.running)
        return REST_S

    def _roll_back(self) -> float:
        releases = self._releases()
        note = releases.go_back(self._desk.progress.error or "release.unhealthy")
        _log.error("updater.rolled_back", to=note.trusted, because=note.because)
        self._parts.restart()
        return REST_S

    def _again(self) -> Fetched:
        """What was fetched; after a start it is looked up again, by hash, from the disk."""
        if self._desk.fetched is None:
            parts, wish = self._parts, self._desk.wish
            assert wish is not None
            release = describe(wish, parts.hq_pub, parts.fetch)
            known = this_machine(parts.running, self._desk.progress.no)
            room = self._releases().root
            self._desk.fetched = download(release, known, parts.fetch, room)
        return self._desk.fetched

    def _held_by_hours(self) -> str:
        wish, now_ms = self._desk.wish, self._now_ms()
        assert wish is not None
        local = datetime.fromtimestamp(now_ms // 1000, self._parts.zone)
        return held_by_hours(Hours(wish.window, wish.after, now_ms, local.hour * 60 + local.minute))

    def _corrupt(self, error: CorruptError) -> float:
        """Fetch again what came damaged; what HQ did not sign is refused at once."""
        self._desk.corrupt += 1
        self._parts.forget()
        self._desk.fetched = None
        is_final = error.code.startswith("release.") or self._desk.corrupt >= CORRUPT_TRIES
        if is_final:
            return self._fail(error.code, str(error))
        self._hold(error.code)
        return self._parts.poll_s

    def _fail(self, code: str, because: str) -> float:
        progress = self._desk.progress
        _log.error("updater.failed", state=progress.state, code=code, because=because)
        failed = machine.failed(progress, code, self._now_ms())
        if failed.state is State.FAILED:
            self._parts.forget()
            install.drop(self._releases(), progress.version)
        self._save(failed)
        return 0.0

    def _done(self) -> float:
        self._hold("")
        self._save(machine.done(self._desk.progress, self._now_ms()))
        return 0.0

    def _save(self, progress: Progress) -> None:
        _log.info("updater.state", state=progress.state, version=progress.version)
        self._book.put_progress(progress)
        self._desk.progress = progress
        self._parts.told()

    def _hold(self, code: str) -> None:
        if self._desk.held != code:
            self._desk.held = code
            self._parts.told()

    def _now_ms(self) -> int:
        return self._parts.clock.now_ms()

    def _releases(self) -> Releases:
        assert self._parts.releases is not None
        return self._parts.releases
