"""Sign in by PIN, sign out, and what a session allows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from edge.desk.state import Command, Handler, LaneState, Operator, Turn
from edge.ids import Ids
from edge.journal.store import EntryDraft, Journal
from edge.replica.catalog import StaffMember
from edge.staff.commands import SignOff, SignOn
from edge.staff.lockout import NOBODY, Lockout
from edge.staff.pins import PinInForce, chosen_pin, matches, pin_in_force, sealed_for_office
from edge.staff.store import OwnPin, PinStore, SessionStore, token_sha256
from shared.journal.event import OperatorSignedOff, OperatorSignedOn
from shared.journal.staff_event import ApprovalGiven, PinChanged
from shared.kernel.clock import Clock
from shared.kernel.errors import ForbiddenError, RefusedError, UnavailableError
from shared.staff.judge import OWN, Allowed, judge_approval
from shared.staff.permission import STAFF_UNLOCK
from shared.staff.pin import hash_name
from shared.staff.role import BUILT_IN, NOTHING, Grant, Role, nobody

PIN_MAX = 64
CHECKS_MAX = 2
"""So many PINs are looked at or wait for it; more would keep the box from selling."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in screen of a lane."""

    lane: int
    operator: str


def _built_in(member: StaffMember) -> Role:
    return BUILT_IN.get(member.role) or nobody(member.role)


@dataclass(frozen=True, slots=True)
class StaffRoom:
    """What signing in works with; `staff` gives who is employed as of the active revision.

    `role_of` is what one of them may do now.
    """

    journal: Journal
    clock: Clock
    ids: Ids
    staff: Callable[[], tuple[StaffMember, ...]]
    revision: Callable[[], int]
    lockout: Lockout
    today: Callable[[], str] = lambda: ""
    """The store's date (ISO), by which operators come and go; "" asks for no date."""
    role_of: Callable[[StaffMember], Role] = _built_in
    pins: PinStore | None = None
    checks: threading.Semaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(CHECKS_MAX)
    )

    def employed(self, operator: str) -> StaffMember | None:
        """Who may sign in today by that id."""
        member = next((each for each in self.staff() if each.id == operator), None)
        return member if member is not None and member.is_valid(self.today()) else None


def staff_handlers(room: StaffRoom) -> dict[type[Command], Handler]:
    """The function for each command of this room."""
    return {
        SignOn: lambda state, command: sign_on(room=room, state=state, command=command),
        SignOff: lambda state, command: sign_off(room=room, state=state, command=command),
    }


def operator_of(room: StaffRoom, member: StaffMember) -> Operator:
    """An operator with what their role is now."""
    role = room.role_of(member)
    return Operator(
        member.id,
        member.name,
        member.role,
        tuple(sorted(role.holding(Grant.ALLOWED))),
        tuple(sorted(role.holding(Grant.APPROVAL))),
    )


@dataclass(frozen=True, slots=True)
class Typed:
    """Who is said to be there, the PIN that was typed, and where: wrong ones count by place.

    With `new_pin` the PIN is changed.
    """

    operator: str
    pin: str = field(repr=False)
    place: str
    new_pin: str = field(default="", repr=False)


def place_of(lane: int, *, is_known: bool, is_badge: bool = False) -> str:
    """Where a PIN is typed, as wrong ones are counted.

    Who only reaches the box over the network must not make somebody wait who stands at a till, and
    who holds the person's badge is none of those who guess without it.
    """
    if is_badge:
        return "badge"
    return f"{lane}" if is_known else f"{lane} unknown"


def refuse_at_once(room: StaffRoom, operator: str, place: str) -> None:
    """What is refused without looking at a PIN; for the event loop.  As `check_pin` raises."""
    member = room.employed(operator)
    room.lockout.check(NOBODY if member is None else member.id, place, room.clock.mono_ms())


def check_pin(*, room: StaffRoom, typed: Typed) -> StaffMember:
    """Who that is. Takes some ten milliseconds of processor time: never in the event loop.

    Raises ForbiddenError `session.bad_pin` for a wrong PIN and
    for somebody unknown alike, `session.pin_first` or `session.pin_expired` where it has to be
    changed, RefusedError `session.locked_out` after too many wrong ones and what `chosen_pin`
    raises, UnavailableError `session.busy` while others' are looked at.
    """
    if not room.checks.acquire(blocking=False):
        raise UnavailableError("session.busy")
    try:
        with room.lockout.turn:
            member, in_force = _checked(room, typed)
    finally:
        room.checks.release()
    role, today = room.role_of(member), room.today()
    if typed.new_pin:
        change_pin(room=room, member=member, old=in_force, new_pin=typed.new_pin)
        return member
    due = in_force.change_due(role, today)
    if due:
        raise ForbiddenError(due, digits=role.pin_digits)
    return member


def change_pin(*, room: StaffRoom, member: StaffMember, old: PinInForce, new_pin: str) -> None:
    """Choose another PIN; head office takes it over from the journal.

    Raises RefusedError `pin.digits`, `pin.weak` or `pin.same`.
    """
    assert room.pins is not None
    chosen = chosen_pin(member, old, new_pin, room.role_of(member), room.today())
    sealed = sealed_for_office(chosen.pin_hash, old.pin_hash)
    event = PinChanged(member.id, sealed, hash_name(old.pin_hash), chosen.day)
    _append(room, "", member.id, event)
    room.pins.put(member.id, chosen)


def unlock(*, room: StaffRoom, lane: int, operator: str, approver: StaffMember) -> None:
    """Let somebody who has to wait after wrong PINs try again at once, wherever they wait.

    The approver's PIN was looked at. Raises RefusedError `approval.own`, ForbiddenError
    `approval.not_allowed`.
    """
    is_own = operator == approver.id
    verdict = judge_approval(room.role_of(approver), STAFF_UNLOCK, NOTHING, is_own=is_own)
    if not isinstance(verdict, Allowed):
        if verdict.reason == OWN:
            raise RefusedError("approval.own")
        raise ForbiddenError("approval.not_allowed", name=approver.name)
    if room.employed(operator) is None:
        return  # nobody is told who works here
    event = ApprovalGiven(lane, STAFF_UNLOCK, operator, approver.id, "pin")
    note_approval(room=room, event=event)
    room.lockout.forget(operator)


def _checked(room: StaffRoom, typed: Typed) -> tuple[StaffMember, PinInForce]:
    member, pin, place = room.employed(typed.operator), typed.pin, typed.place
    name = NOBODY if member is None else member.id
    room.lockout.check(name, place, room.clock.mono_ms())
    own: OwnPin | None = None
    if member is not None and room.pins is not None:
        own = room.pins.own(member.id)
    in_force = None if member is None else pin_in_force(member, own)
    is_right = in_force is not None and len(pin) <= PIN_MAX and matches(in_force.pin_hash, pin)
    if member is None or in_force is None or not is_right:
        room.lockout.failed(name, place, room.clock.mono_ms())
        raise ForbiddenError("session.bad_pin")
    room.lockout.succeeded(name, place)
    return member, in_force


def sign_on(*, room: StaffRoom, state: LaneState, command: SignOn) -> Turn:
    """Take the lane. The same operator on a second screen changes nothing."""
    if state.operator is not None and state.operator.id == command.operator.id:
        return Turn(replace(state, operator=command.operator))
    operator = command.operator.id
    _append(room, str(state.lane), operator, OperatorSignedOn(state.lane, operator))
    return Turn(replace(state, operator=command.operator))


def sign_off(*, room: StaffRoom, state: LaneState, command: SignOff) -> Turn:
    """Leave the lane; one that is told by name ends nobody else's turn."""
    operator = state.operator
    if operator is None or command.operator not in {"", operator.id}:
        return Turn(state)
    event = OperatorSignedOff(state.lane, operator.id, command.because)
    _append(room, str(state.lane), operator.id, event)
    return Turn(replace(state, operator=None, done=None, last_scan=None))


def note_approval(*, room: StaffRoom, event: ApprovalGiven) -> None:
    """Keep who vouched for what, and for whom."""
    _append(room, str(event.lane), event.approver, event)


class Sessions:
    """Who is signed in where; look-ups take no file access and may run in the event loop."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._sessions: dict[bytes, Session] = {}
        self._screens: dict[bytes, int] = {}

    def load(self) -> None:
        """Bring back the sessions of before a restart, and the screens that are known."""
        with self._lock:
            self._sessions = {
                sha256: Session(lane, operator) for sha256, lane, operator in self._store.all()
            }
            self._screens = dict(self._store.screens())

    def begin(self, token: str, session: Session) -> None:
        """Remember a session; those of another operator at the lane end."""
        self._store.put(token_sha256(token), session.lane, session.operator)
        self.load()

    def know_screen(self, token: str, lane: int) -> None:
        """Somebody has signed in by PIN on this screen of a lane."""
        self._store.put_screen(token_sha256(token), lane)
        self.load()

    def is_known_screen(self, token: str, lane: int) -> bool:
        """Whether somebody has ever signed in by PIN on this screen of a lane."""
        return bool(token) and self._screens.get(token_sha256(token)) == lane

    def end_lane(self, lane: int) -> None:
        """Everybody at the lane is signed out."""
        self._store.drop_lane(lane)
        self.load()

    def find(self, token: str) -> Session | None:
        """The session of a token."""
        return self._sessions.get(token_sha256(token))


def _append(
    room: StaffRoom,
    till: str,
    actor: str,
    event: OperatorSignedOn | OperatorSignedOff | PinChanged | ApprovalGiven,
) -> None:
    day = room.journal.day()
    room.journal.append(
        EntryDraft(
            id=room.ids.entry_id(),
            event=event,
            actor=actor,
            till=till,
            biz=day.biz if day is not None and day.is_open else "",
            at_ms=room.clock.now_ms(),
            cat=room.revision(),
        )
    )
