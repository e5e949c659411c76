"""The thread that moves rollouts of software on; of all workers one works at a time."""

from __future__ import annotations

import threading

import structlog

from cloud.db import Database
from cloud.software.service import SOFTWARE_LOCK, turn
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

TURN_S = 5.0
STOP_S = 10.0
_log = structlog.get_logger("cloud.software")


class SoftwareThread:
    """`start` and `stop` once each."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="software", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the turn that is under way."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)

    def once(self) -> None:
        """One turn, unless another worker is at it."""
        with self._database.try_session_lock(SOFTWARE_LOCK) as is_ours:
            if not is_ours:
                return
            with self._database.begin() as connection:
                move = turn(connection, self._clock.now_ms())
        if move is not None and move.what != "wait":
            _log.info("software.move", what=move.what, because=move.because)

    def _run(self) -> None:
        while not self._stopping.wait(TURN_S):
            try:
                self.once()
            except RetailError as error:
                _log.warning("software.waiting", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop: log, go on
                _log.exception("software.turn_failed")
