"""The thread that checks certificates, in a process that has head office's key."""

from __future__ import annotations

import threading

import structlog
from prometheus_client import Counter

from cloud.certificate.service import check_next
from cloud.certificate.store import CHANNEL
from cloud.db import Database
from cloud.signing import HqKey
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

LISTEN_S = 0.25
LOOK_MS = 60_000
"""How often it looks without being called: repairs a lost NOTIFY."""
RETRY_S = 5.0
CHECKS = Counter("tillbox_certificate_checks", "Days' certificates checked")

_log = structlog.get_logger("certificate")


class CertificateChecker:
    """Checks what waits, then whatever comes; any number of processes may run one."""

    def __init__(self, database: Database, key: HqKey, clock: Clock) -> None:
        self._database = database
        self._key = key
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="certificates", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the certificate in hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._check_all()
                self._listen()
            except RetailError as error:
                _log.warning("certificate.waiting", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop of the thread: log and go on
                _log.exception("certificate.check_failed")
            self._stopping.wait(RETRY_S)

    def _listen(self) -> None:
        looked_at = self._clock.mono_ms()
        for notice in self._database.listen(CHANNEL, poll_s=LISTEN_S):
            if self._stopping.is_set():
                return
            if notice is not None or self._clock.mono_ms() - looked_at >= LOOK_MS:
                self._check_all()
                looked_at = self._clock.mono_ms()

    def _check_all(self) -> None:
        while not self._stopping.is_set() and check_next(self._database, self._key, self._clock):
            CHECKS.inc()
