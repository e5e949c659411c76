"""Brings to the broker who may connect no more, and drops who is connected still.

The list of revoked certificates is made daily and after each change; a broker that reads it lets
a revoked box in no more, but a connection that stands goes on: a client of ours that takes the
box's name ends it.  Until then the box is refused inside the ingest transaction already.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog

from cloud.db import Database
from cloud.fleet import certificate_store, chain_store, store
from cloud.fleet.broker_accounts import MosquittoAccounts
from cloud.fleet.certificates import revocation_lists
from cloud.fleet.kept_standing import bring_together
from cloud.fleet.standing import REVOKED
from cloud.pki.authority import CRL_DAYS, DAY_MS, end_ms
from cloud.pki.folder import KINDS, PUBLIC_MODE, CaFolder, replace_file
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

DAILY_MS = DAY_MS
LOOK_S = 60.0
RETRY_MS = 300_000
KICKS_MS = (200, 2_000, 15_000)
"""A broker takes a moment to read a new list; who came back meanwhile is dropped again."""
KICK_AGAIN_MS = 7 * DAY_MS
"""So long after a revocation a worker that starts drops the box once more."""
NOBODY_BY_HAND = "/nonexistent"
_JOIN_S = 20.0
_log = structlog.get_logger("cloud.fleet")


@dataclass(frozen=True, slots=True)
class ShutOutParts:
    """What it works with.

    `crl_file` is where the broker reads, `pid_file` whose process is told ("" for nobody: a unit
    watches the file); `kick` drops a device's connection; `broker_until_ms` says when the
    certificate ends that the broker shows to boxes (UTC ms), None while it shows none.
    """

    database: Database
    clock: Clock
    ca: CaFolder | None
    crl_file: str
    pid_file: str
    kick: Callable[[str], bool]
    broker_until_ms: Callable[[], int | None] = lambda: None


class ShutOut:
    """One thread; `start` and `stop` once each."""

    def __init__(self, parts: ShutOutParts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._kicks: list[tuple[int, str]] = []
        self._write_at_ms = 0
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="shut-out", daemon=True)

    def start(self) -> None:
        """Begin with a fresh list."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is in hand."""
        self._is_stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def changed(self, dev: str) -> None:
        """A box's standing changed; returns at once."""
        now_ms = self._parts.clock.mono_ms()
        with self._lock:
            self._write_at_ms = 0
            self._kicks += [(now_ms + after_ms, dev) for after_ms in KICKS_MS]
        self._wake.set()

    def write(self) -> None:
        """Make the list anew, and note when it and the CAs end.

        A database that was restored learns first whom it had shut out.

        Raises UnavailableError, RefusedError or CorruptError of the CA's files, OSError.
        """
        parts, ca = self._parts, self._parts.ca
        if ca is None:
            return
        now_ms = parts.clock.now_ms()
        try:
            bring_together(parts.database, ca, now_ms)
        except (RetailError, OSError) as error:  # a folder that only root may change: brokers first
            _log.error("fleet.shut_out_not_kept", because=str(error))
        if parts.crl_file:
            lists = revocation_lists(parts.database, ca, now_ms)
            replace_file(Path(parts.crl_file), lists, PUBLIC_MODE)
            if parts.pid_file:
                MosquittoAccounts(Path(NOBODY_BY_HAND), Path(parts.pid_file)).announce()
        ends = {f"ca_{kind}": end_ms(ca.signer(kind).certificate) for kind in KINDS}
        if parts.crl_file:
            ends["crl"] = now_ms + CRL_DAYS * DAY_MS
        until_ms = parts.broker_until_ms()
        if until_ms is not None:
            ends["broker_certificate"] = until_ms
        with parts.database.begin() as connection:
            for rule, at_ms in ends.items():
                chain_store.put_instant(connection, rule, at_ms)

    def _remember(self) -> None:
        """Drop those too who were shut out while no worker ran: their connections go on."""
        now_ms = self._parts.clock.now_ms()
        try:
            with self._parts.database.begin() as connection:
                found = certificate_store.shut_out(connection, now_ms - KICK_AGAIN_MS, now_ms)
        except RetailError as error:
            _log.error("fleet.shut_out_unknown", because=str(error))
            return
        for dev in found:
            self.changed(dev)

    def _run(self) -> None:
        self._remember()
        while not self._is_stopping:
            self._wake.wait(self._turn())
            self._wake.clear()

    def _turn(self) -> float:
        """Do what is due; seconds until the next look."""
        now_ms = self._parts.clock.mono_ms()
        if self._is_due(now_ms):
            next_ms = now_ms + (DAILY_MS if self._is_written() else RETRY_MS)
            with self._lock:
                # Who was shut out while the list was made may not be in it.
                self._write_at_ms = next_ms if self._write_at_ms else 0
        for dev in self._due_kicks(now_ms):
            self._kick(dev)
        with self._lock:
            nexts = [at_ms for at_ms, _ in self._kicks]
            nexts += [] if self._write_at_ms else [now_ms]
        wait_ms = min(nexts, default=now_ms + int(LOOK_S * 1000)) - self._parts.clock.mono_ms()
        return max(wait_ms / 1000, 0.01)

    def _is_due(self, now_ms: int) -> bool:
        with self._lock:
            is_due = self._write_at_ms == 0 or now_ms >= self._write_at_ms
            self._write_at_ms = self._write_at_ms or 1
            return is_due

    def _is_written(self) -> bool:
        try:
            self.write()
        except (RetailError, OSError) as error:
            _log.error("fleet.crl_not_written", because=str(error))
            return False
        except Exception:  # noqa: BLE001 - outermost loop: without a list nobody is let in some day
            _log.exception("fleet.crl_failed")
            return False
        return True

    def _due_kicks(self, now_ms: int) -> list[str]:
        with self._lock:
            due = [dev for at_ms, dev in self._kicks if at_ms <= now_ms]
            self._kicks = [each for each in self._kicks if each[0] > now_ms]
        return list(dict.fromkeys(due))

    def _kick(self, dev: str) -> None:
        try:
            with self._parts.database.begin() as connection:
                found = store.credentials_of(connection, dev)
            if found is not None and found.status == REVOKED:
                is_done = self._parts.kick(dev)
                _log.info("fleet.kicked", dev=dev, is_done=is_done)
        except Exception:  # noqa: BLE001 - outermost loop: the next try comes
            _log.exception("fleet.kick_failed", dev=dev)
