"""Ends the turn of whom head office no longer lets, and gives the others what their role is now.

Looked at when a revision becomes active, and twice a minute: last days pass, roles have dates.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

import structlog

from edge.desk.state import Command, CommandResult, Operator
from edge.staff.commands import SignOff, SignOn
from edge.staff.service import Sessions, StaffRoom, operator_of

LOOK_S = 30.0
REVOKED = "revoked"
_log = structlog.get_logger("staff")


class Lanes(Protocol):
    """What the watch sees of the desk."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """Lane numbers."""
        ...

    def put(self, lane: int, command: Command) -> Future[CommandResult]:
        """Queue a command at a lane."""
        ...


class SessionWatch:
    """A thread of its own; `look` may also be called by whoever knows of a change."""

    def __init__(
        self,
        room: StaffRoom,
        sessions: Sessions,
        lanes: Lanes,
        operator_at: Callable[[int], Operator | None],
    ) -> None:
        self._room = room
        self._sessions = sessions
        self._lanes = lanes
        self._operator_at = operator_at
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Look now, then twice a minute."""
        self.look()
        self._thread = threading.Thread(target=self._run, name="staff-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def look(self) -> None:
        """Compare every lane's operator with who they may be now; an open basket stays."""
        for lane in self._lanes.numbers:
            operator = self._operator_at(lane)
            if operator is None:
                continue
            member = self._room.employed(operator.id)
            if member is None:
                _log.warning("session_revoked", lane=lane, operator=operator.id)
                self._sessions.end_lane(lane)
                self._lanes.put(lane, SignOff(operator.id, REVOKED))
            elif (now := operator_of(self._room, member)) != operator:
                self._lanes.put(lane, SignOn(now))

    def _run(self) -> None:
        while not self._closing.wait(LOOK_S):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - the outermost loop of its thread: it looks again
                _log.exception("staff_watch")
