"""Badges that are shown to a lane's scanner: they vouch for what waits there, or say who signs in.

A badge alone signs in only on a screen that knows somebody's PIN: who merely listens to the lane
from elsewhere in the store must not take it over with a colleague's badge.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.access import Approver
from edge.replica.catalog import StaffMember
from edge.staff.approvals import Approvals
from edge.staff.service import StaffRoom, note_approval
from edge.staff.signed import given
from shared.kernel.errors import ForbiddenError, MissingError, RetailError
from shared.staff.badge import may_be_badge
from shared.staff.role import Badge

SHOWN_MS = 15_000


@dataclass(frozen=True, slots=True)
class Shown:
    """A badge at a lane that nobody has signed in at; `because` is why it is good for nothing."""

    number: int
    operator: str
    name: str
    needs_pin: bool
    until_mono_ms: int
    because: str = ""


@dataclass(frozen=True, slots=True)
class BadgePorts:
    """What badges act on: is a lane locked, its screen has to look again, something to tell it."""

    is_locked: Callable[[int], bool]
    changed: Callable[[int], None]
    trouble: Callable[[int, str], None]


class Badges:
    """Takes what may be a badge from the scanners' threads; look-ups come from any thread."""

    def __init__(self, room: StaffRoom, approvals: Approvals, ports: BadgePorts) -> None:
        self._room = room
        self._approvals = approvals
        self._ports = ports
        self._lock = threading.Lock()
        self._shown: dict[int, Shown] = {}
        self._count = 0

    def scanned(self, lane: int, code: str) -> bool:
        """Whether the code was a badge: then it is dealt with, and goes no further."""
        text = code.strip()
        if not may_be_badge(text):
            return False
        member = owner_of(self._room.staff(), text)
        if member is None:
            return False
        try:
            self._take(lane, member)
        except RetailError as error:
            if self._ports.is_locked(lane):
                self._show(lane, member, error.code)
            else:
                self._ports.trouble(lane, error.code)
        return True

    def shown(self, lane: int) -> dict[str, Any] | None:
        """The badge that a locked lane's screen shows; None for none."""
        found = self._live(lane)
        if found is None:
            return None
        return {
            "number": found.number,
            "operator": found.operator,
            "name": found.name,
            "needs_pin": found.needs_pin,
            "because": found.because,
        }

    def take(self, lane: int, number: int) -> StaffMember:
        """Whose badge was just shown, once; it has to be good enough alone.

        Raises MissingError `badge.gone`, ForbiddenError `badge.pin`.
        """
        found = self._live(lane)
        member = None if found is None else self._room.employed(found.operator)
        if found is None or member is None or found.because or found.number != number:
            raise MissingError("badge.gone")
        if self._room.role_of(member).badge is not Badge.ALONE:
            raise ForbiddenError("badge.pin", name=member.name)
        with self._lock:
            self._shown.pop(lane, None)
        return member

    def _take(self, lane: int, member: StaffMember) -> None:
        if self._room.employed(member.id) is None:
            raise ForbiddenError("badge.not_employed")
        role = self._room.role_of(member)
        if role.badge is Badge.OFF:
            raise ForbiddenError("badge.off")
        if self._approvals.waits(lane):
            self._vouch(lane, member, is_alone=role.badge is Badge.ALONE)
        elif self._ports.is_locked(lane):
            self._show(lane, member)
        else:
            raise ForbiddenError("badge.nothing")

    def _show(self, lane: int, member: StaffMember, because: str = "") -> None:
        needs_pin = self._room.role_of(member).badge is not Badge.ALONE
        until_ms = self._room.clock.mono_ms() + SHOWN_MS
        with self._lock:
            self._count += 1
            self._shown[lane] = Shown(
                self._count, member.id, member.name, needs_pin, until_ms, because
            )
        self._ports.changed(lane)

    def _vouch(self, lane: int, member: StaffMember, *, is_alone: bool) -> None:
        pending = self._approvals.waiting(lane)
        if not is_alone:
            self._approvals.show(pending, member.id)
            return
        approver = Approver(member.id, self._room.role_of(member))
        self._approvals.sign(pending, approver, member.name)
        note_approval(room=self._room, event=given(pending, approver, "badge"))

    def _live(self, lane: int) -> Shown | None:
        with self._lock:
            found = self._shown.get(lane)
            if found is not None and self._room.clock.mono_ms() >= found.until_mono_ms:
                del self._shown[lane]
                return None
            return found


def owner_of(staff: Sequence[StaffMember], code: str) -> StaffMember | None:
    """Whose badge has that code."""
    return next((each for each in staff if each.badge and each.badge.is_of(code)), None)
