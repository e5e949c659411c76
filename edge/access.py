"""Who may call what: the one dependency by which every endpoint states its permission.

A test walks all routes and fails on one that does not state exactly one. What the operator's role
may do only with somebody's word is answered with `approval.needed` and a number; once a colleague
has vouched for it, the same request with that number in the header `Approval` is let through.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, astuple, dataclass, replace
from typing import Protocol

from fastapi import Request

from edge.desk.state import Operator
from shared.kernel.errors import ForbiddenError
from shared.staff.judge import Allowed, Denied, NeedsApproval, judge, judge_approval
from shared.staff.permission import APPROVABLE
from shared.staff.role import MEASURES, NOTHING, Ceiling, Measure, Role, nobody

SESSION_COOKIE = "tb_session"
PUBLIC = "public"
SIGNED_IN = "signed_in"
LOCKED_VIEW = "locked_view"
"""For a screen of a lane, signed in or not; `Actor.operator` tells which."""
DISPLAY_VIEW = "display_view"
"""For the customer's display of a lane, by the key that its till gave it; it may only look."""
APPROVAL_HEADER = "Approval"
NEEDED = "approval.needed"
_BEARER = "Bearer "
_NO_ROLE = nobody("")


@dataclass(frozen=True, slots=True)
class Approver:
    """Who vouches for a request, with the role that they had as they did.

    `vouched` is what they were shown: a permission and how much of it; None before the word.
    """

    id: str
    role: Role
    vouched: tuple[str, Measure] | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: the lane of the session and its operator; None where nobody is signed in.

    `role` is what the operator may do now; `approver` has vouched for this very request.
    """

    lane: int
    operator: Operator | None
    role: Role = _NO_ROLE
    approver: Approver | None = None

    @property
    def name(self) -> str:
        """The operator's id, "" for nobody."""
        return "" if self.operator is None else self.operator.id


class Gate(Protocol):
    """Knows the sessions; in `app.state.gate`. Answers at once, without files."""

    def actor(self, token: str) -> Actor | None:
        """Who holds that token, if that session still has its lane."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that somebody may have to vouch for: whose, and a hash of all that it asks."""

    lane: int
    operator: str
    request_sha256: str
    key: str


class Approvals(Protocol):
    """Knows who vouched for which request; in `app.state.staff`. Answers from memory."""

    def find(self, number: str, asked: Asked) -> Approver | None:
        """Who vouched for that request under that number, if it is still good for it."""
        ...

    def ask(self, asked: Asked, permission: str, measure: Measure) -> str:
        """Let a request wait for somebody's word; gives its number."""
        ...


class Displays(Protocol):
    """Knows the keys of customer displays; in `app.state.customer`. Answers from memory."""

    def lane_of(self, key: str) -> int | None:
        """The lane that the key belongs to."""
        ...


NOBODY = Actor(0, None)


@dataclass(frozen=True, slots=True)
class Requires:
    """Dependency of an endpoint; gives the `Actor`.

    With `is_measured` the room itself asks `authorise`, once it knows how much of it is wanted.
    Raises ForbiddenError `session.required`, `session.other_lane`, `permission.missing` or
    `approval.needed`.
    """

    permission: str
    is_measured: bool = False

    async def __call__(self, request: Request) -> Actor:
        """Admit the sender of a request, or raise."""
        if self.permission == PUBLIC:
            return NOBODY
        if self.permission == DISPLAY_VIEW:
            return _display_of(request)
        gate: Gate = request.app.state.gate
        actor = gate.actor(token_of(request))
        if self.permission == LOCKED_VIEW:
            return actor if actor is not None and _has_lane(actor, request) else NOBODY
        if actor is None or actor.operator is None:
            raise ForbiddenError("session.required")
        request.state.is_known = True
        if not _has_lane(actor, request):
            raise ForbiddenError("session.other_lane", lane=actor.lane)
        if self.permission == SIGNED_IN:
            return actor
        if self.permission in APPROVABLE:
            actor = await _with_approver(actor, request)
        if self.is_measured and not isinstance(judge(actor.role, self.permission), Denied):
            return actor
        authorise(actor, self.permission)
        return actor


def authorise(actor: Actor, permission: str, measure: Measure = NOTHING) -> str:
    """Who vouches for so much of it, "" where the operator may do it alone.

    Raises ForbiddenError `permission.missing` or `approval.needed`, which tells the measure.
    """
    match judge(actor.role, permission, measure):
        case Allowed():
            return ""
        case Denied():
            raise ForbiddenError("permission.missing", permission=permission)
        case NeedsApproval() as needed:
            approver = actor.approver
            if approver is None or not _vouches(approver, actor, permission, measure):
                raise ForbiddenError(
                    NEEDED,
                    permission=permission,
                    over=needed.over,
                    limit=needed.limit,
                    **asdict(measure),
                )
            return approver.id


def measure_of(error: ForbiddenError) -> tuple[str, Measure]:
    """What an `approval.needed` is about: the permission and how much of it."""
    told = error.params
    numbers = {name: int(told.get(name) or 0) for name in MEASURES}
    return str(told["permission"]), Measure(**numbers)


def token_of(request: Request) -> str:
    """The session token of a request, "" for none."""
    header = request.headers.get("Authorization", "")
    if header.startswith(_BEARER):
        return header[len(_BEARER) :]
    return request.cookies.get(SESSION_COOKIE, "")


def _vouches(approver: Approver, actor: Actor, permission: str, measure: Measure) -> bool:
    if approver.vouched is not None and not _is_shown(approver.vouched, permission, measure):
        return False
    is_own = approver.id == actor.name
    verdict = judge_approval(approver.role, permission, measure, is_own=is_own)
    return isinstance(verdict, Allowed)


def _is_shown(vouched: tuple[str, Measure], permission: str, measure: Measure) -> bool:
    """Whether it is no more than what the approver saw: the basket may have grown since."""
    shown = Ceiling(*astuple(vouched[1]))
    return vouched[0] == permission and shown.passed_by(measure) is None


async def _with_approver(actor: Actor, request: Request) -> Actor:
    """The actor with who vouched for this very request, noted so that it can be asked for."""
    told = hashlib.sha256()
    for part in (request.method, request.url.path, request.url.query):
        told.update(part.encode() + b"\0")
    told.update(await request.body())
    key = request.headers.get("Idempotency-Key", "")
    asked = request.state.asked = Asked(actor.lane, actor.name, told.hexdigest(), key)
    number = request.headers.get(APPROVAL_HEADER, "")
    if not number:
        return actor
    approvals: Approvals = request.app.state.staff.approvals
    return replace(actor, approver=approvals.find(number, asked))


def _display_of(request: Request) -> Actor:
    displays: Displays = request.app.state.customer
    lane = displays.lane_of(request.query_params.get("key", ""))
    if lane is None:
        raise ForbiddenError("display.key")
    actor = Actor(lane, None)
    if not _has_lane(actor, request):
        raise ForbiddenError("session.other_lane", lane=lane)
    return actor


def _has_lane(actor: Actor, request: Request) -> bool:
    lane = request.path_params.get("lane")
    return lane is None or str(actor.lane) == str(lane)
