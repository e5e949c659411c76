"""Who may call what: the one dependency by which every endpoint states its permission.

A test walks all routes and fails on one that does not state exactly one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fastapi import Request

from edge.desk.state import Operator
from shared.kernel.errors import ForbiddenError

SESSION_COOKIE = "tb_session"
PUBLIC = "public"
SIGNED_IN = "signed_in"
LOCKED_VIEW = "locked_view"
"""For a screen of a lane, signed in or not; `Actor.operator` tells which."""
DISPLAY_VIEW = "display_view"
"""For the customer's display of a lane, by the key that its till gave it; it may only look."""
_BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls: the lane of the session and its operator; None where nobody is signed in."""

    lane: int
    operator: Operator | None

    @property
    def name(self) -> str:
        """The operator's id, "" for nobody."""
        return "" if self.operator is None else self.operator.id


class Gate(Protocol):
    """Knows the sessions; in `app.state.gate`. Answers at once, without files."""

    def actor(self, token: str) -> Actor | None:
        """Who holds that token, if that session still has its lane."""
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

    Raises ForbiddenError `session.required`, `session.other_lane` or `permission.missing`.
    """

    permission: str

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
        if not _has_lane(actor, request):
            raise ForbiddenError("session.other_lane", lane=actor.lane)
        is_allowed = self.permission == SIGNED_IN or self.permission in actor.operator.permissions
        if not is_allowed:
            raise ForbiddenError("permission.missing", permission=self.permission)
        return actor


def token_of(request: Request) -> str:
    """The session token of a request, "" for none."""
    header = request.headers.get("Authorization", "")
    if header.startswith(_BEARER):
        return header[len(_BEARER) :]
    return request.cookies.get(SESSION_COOKIE, "")


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
