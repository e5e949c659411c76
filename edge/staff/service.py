"""Sign in by PIN, sign out, and what a session allows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from edge.desk.state import Command, Handler, LaneState, Operator, Turn
from edge.ids import Ids
from edge.journal.store import EntryDraft, Journal
from edge.replica.catalog import StaffMember
from edge.staff.commands import SignOff, SignOn
from edge.staff.lockout import Lockout
from edge.staff.store import SessionStore, token_sha256
from shared.journal.event import OperatorSignedOff, OperatorSignedOn
from shared.kernel.clock import Clock
from shared.kernel.errors import ForbiddenError
from shared.staff.role import BUILT_IN, Grant

PIN_MAX = 64
_UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in screen of a lane."""

    lane: int
    operator: str


@dataclass(frozen=True, slots=True)
class StaffRoom:
    """What signing in works with; `staff` gives who is employed as of the active revision."""

    journal: Journal
    clock: Clock
    ids: Ids
    staff: Callable[[], tuple[StaffMember, ...]]
    revision: Callable[[], int]
    lockout: Lockout
    today: Callable[[], str] = lambda: ""
    """The store's date (ISO), by which operators come and go; "" asks for no date."""


def staff_handlers(room: StaffRoom) -> dict[type[Command], Handler]:
    """The function for each command of this room."""
    return {
        SignOn: lambda state, command: sign_on(room=room, state=state, command=command),
        SignOff: lambda state, command: sign_off(room=room, state=state, command=command),
    }


def check_pin(*, room: StaffRoom, operator: str, pin: str) -> Operator:
    """Who that is. Takes some ten milliseconds of processor time: never in the event loop.

    Raises ForbiddenError `session.bad_pin` for a wrong PIN and for somebody unknown alike,
    RefusedError `session.locked_out` after too many of them.
    """
    today = room.today()
    employed = (each for each in room.staff() if each.is_valid(today))
    member = next((each for each in employed if each.id == operator), None)
    # All whom nobody knows share one wait: their names must not crowd out that of a manager.
    name = _UNKNOWN if member is None else member.id
    with room.lockout.turn:
        room.lockout.check(name, room.clock.mono_ms())
        if member is None or len(pin) > PIN_MAX or not _matches(member.pin_hash, pin):
            room.lockout.failed(name, room.clock.mono_ms())
            raise ForbiddenError("session.bad_pin")
        room.lockout.succeeded(name)
    role = BUILT_IN.get(member.role)
    held = role.holding(Grant.ALLOWED) if role is not None else ()
    permissions = {*held, *member.permissions}
    return Operator(member.id, member.name, member.role, tuple(sorted(permissions)))


def sign_on(*, room: StaffRoom, state: LaneState, command: SignOn) -> Turn:
    """Take the lane. The same operator on a second screen changes nothing."""
    if state.operator is not None and state.operator.id == command.operator.id:
        return Turn(replace(state, operator=command.operator))
    _append(room, state.lane, OperatorSignedOn(state.lane, command.operator.id))
    return Turn(replace(state, operator=command.operator))


def sign_off(*, room: StaffRoom, state: LaneState, command: SignOff) -> Turn:
    """Leave the lane."""
    del command
    if state.operator is None:
        return Turn(state)
    _append(room, state.lane, OperatorSignedOff(state.lane, state.operator.id))
    return Turn(replace(state, operator=None, done=None, last_scan=None))


class Sessions:
    """Who is signed in where; look-ups take no file access and may run in the event loop."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._sessions: dict[bytes, Session] = {}

    def load(self) -> None:
        """Bring back the sessions of before a restart."""
        with self._lock:
            self._sessions = {
                sha256: Session(lane, operator) for sha256, lane, operator in self._store.all()
            }

    def begin(self, token: str, session: Session) -> None:
        """Remember a session; those of another operator at the lane end."""
        self._store.put(token_sha256(token), session.lane, session.operator)
        self.load()

    def end_lane(self, lane: int) -> None:
        """Everybody at the lane is signed out."""
        self._store.drop_lane(lane)
        self.load()

    def find(self, token: str) -> Session | None:
        """The session of a token."""
        return self._sessions.get(token_sha256(token))


def _matches(pin_hash: str, pin: str) -> bool:
    from argon2 import PasswordHasher  # noqa: PLC0415 - not needed before the first sign-in
    from argon2.exceptions import Argon2Error, InvalidHashError  # noqa: PLC0415

    try:
        return PasswordHasher().verify(pin_hash, pin)
    except (Argon2Error, InvalidHashError):
        return False


def _append(room: StaffRoom, lane: int, event: OperatorSignedOn | OperatorSignedOff) -> None:
    day = room.journal.day()
    room.journal.append(
        EntryDraft(
            id=room.ids.entry_id(),
            event=event,
            actor=event.operator,
            till=str(lane),
            biz=day.biz if day is not None and day.is_open else "",
            at_ms=room.clock.now_ms(),
            cat=room.revision(),
        )
    )
