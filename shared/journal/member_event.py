"""Facts about members. They name a member by an id that says nothing, never by number or name.

A journal cannot forget: so who a new member is travels beside it (see shared/member/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """A customer joined at the till, and agreed to these purposes by the words of a version."""

    type: ClassVar[str] = "member.joined"
    lane: int
    member: str
    consents: tuple[str, ...]
    text_version: str


MemberEvent = MemberJoined
MEMBER_EVENTS = (MemberJoined,)
