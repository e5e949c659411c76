"""The staff room's parts, made and joined: the box starts, stops and asks them through one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from edge.access import Actor
from edge.desk.desk import Desk
from edge.desk.state import Operator, Refresh
from edge.ids import Ids
from edge.journal.store import Journal
from edge.replica.catalog import StaffMember
from edge.replica.store import Replica
from edge.sqlite import Writer
from edge.staff.api import SignInRoom
from edge.staff.approvals import Approvals
from edge.staff.badges import BadgePorts, Badges
from edge.staff.lockout import ALARM_TRIES, Lockout
from edge.staff.roles import Roles
from edge.staff.service import Sessions, StaffRoom
from edge.staff.store import DayTally, PinStore, SessionStore
from edge.staff.watch import SessionWatch
from shared.journal.event import Event
from shared.journal.staff_event import PinGuessed
from shared.kernel.clock import Clock
from shared.staff.role import nobody


@dataclass(frozen=True, slots=True)
class StaffParts:
    """What the staff room is made of; `dates_by` is the clock that days and prices go by."""

    journal: Journal
    clock: Clock
    dates_by: Clock
    zone: tzinfo
    ids: Ids
    replica: Replica
    desk: Desk
    desk_file: Writer
    facts: Callable[[Event], None]
    trouble: Callable[[int, str], None]


class StaffWorks:
    """Who may do what at this box, now."""

    def __init__(self, parts: StaffParts) -> None:
        self._parts = parts
        self._employed: tuple[int, tuple[StaffMember, ...]] = (0, ())
        pins = PinStore(parts.desk_file)
        self.lockout = Lockout(pins, self._guessed)
        self.roles = Roles(
            parts.replica.config, parts.replica.active_revision, parts.zone, parts.dates_by
        )
        self.room = StaffRoom(
            parts.journal,
            parts.clock,
            parts.ids,
            self.staff,
            parts.replica.active_revision,
            self.lockout,
            self._today,
            self.roles.of_member,
            pins,
        )
        self.sessions = Sessions(SessionStore(parts.desk_file))
        self.approvals = Approvals(parts.clock.mono_ms, parts.ids.session_token, self._changed)
        ports = BadgePorts(self._is_locked, self._changed, parts.trouble)
        self.badges = Badges(self.room, self.approvals, ports)
        self.tally = DayTally(parts.desk_file, self._business_day)
        self._watch = SessionWatch(self.room, self.sessions, parts.desk, self._operator_at)

    def load(self) -> None:
        """Bring back what was before a restart."""
        self.sessions.load()
        self.lockout.load(self._parts.clock.mono_ms())

    def start(self) -> None:
        """Watch over who is signed in; the desk runs."""
        self._watch.start()

    def stop(self) -> None:
        """Watch no more."""
        self._watch.stop()

    def activated(self) -> None:
        """Another revision is active: people and roles may be others.

        Whose PIN head office has set anew waits no longer for the wrong ones of before.
        """
        before = {each.id: each.pin_hash for each in self._employed[1]}
        self._employed = (0, ())
        self.roles.forget()
        after = {each.id: each.pin_hash for each in self.staff()}
        for operator, pin_hash in before.items():
            if after.get(operator) != pin_hash:
                self.lockout.forget(operator)
        self._watch.look()

    def is_guessed_at(self) -> bool:
        """Whether somebody seems to try PINs one after the other."""
        return self.lockout.worst(self._parts.clock.mono_ms()) >= ALARM_TRIES

    def staff(self) -> tuple[StaffMember, ...]:
        """Who is employed as of the active revision."""
        revision = self._parts.replica.active_revision()
        if self._employed[0] != revision:
            self._employed = (revision, self._parts.replica.staff(revision))
        return self._employed[1]

    def employed(self) -> tuple[StaffMember, ...]:
        """Who may sign in today."""
        today = self._today()
        return tuple(each for each in self.staff() if each.is_valid(today))

    def name_of(self, operator: str) -> str:
        """The name of an operator's id."""
        return next((each.name for each in self.staff() if each.id == operator), operator)

    def actor(self, token: str) -> Actor | None:
        """Who holds a session token, if that session still has its lane, and what they may do.

        Somebody whom head office no longer lets may do nothing from that moment on, signed in or
        not.
        """
        session = self.sessions.find(token)
        if session is None or session.lane not in self._parts.desk.numbers:
            return None
        operator = self._operator_at(session.lane)
        if operator is None or operator.id != session.operator:
            return None
        member = self.room.employed(operator.id)
        role = nobody(operator.role) if member is None else self.roles.of_member(member)
        return Actor(session.lane, operator, role)

    def is_current(self, actor: Actor) -> bool:
        """Whether an actor's lane is still theirs."""
        operator = self._operator_at(actor.lane)
        return operator is not None and actor.operator is not None and operator.id == actor.name

    def view(self, lane: int) -> dict[str, Any]:
        """What a lane's screen shows of approvals and badges."""
        return {"approval": self.approvals.shown(lane), "badge": self.badges.shown(lane)}

    def sign_in_room(self) -> SignInRoom:
        """What the endpoints work with."""
        return SignInRoom(self._parts.desk, self.room, self.sessions, self.approvals, self.badges)

    def _operator_at(self, lane: int) -> Operator | None:
        return self._parts.desk.state(lane).operator

    def _is_locked(self, lane: int) -> bool:
        return self._operator_at(lane) is None

    def _changed(self, lane: int) -> None:
        self._parts.desk.put(lane, Refresh())

    def _guessed(self, operator: str, tries: int, wait_s: int) -> None:
        self._parts.facts(PinGuessed(0, operator, tries, wait_s))

    def _today(self) -> str:
        local = datetime.fromtimestamp(self._parts.dates_by.now_ms() / 1000, self._parts.zone)
        return local.date().isoformat()

    def _business_day(self) -> str:
        day = self._parts.journal.day()
        return day.biz if day is not None and day.is_open else self._today()
