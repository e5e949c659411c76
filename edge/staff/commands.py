"""Taking and leaving a lane."""

from __future__ import annotations

from dataclasses import dataclass

from edge.desk.state import Command, Operator


@dataclass(frozen=True, slots=True)
class SignOn(Command):
    """An operator whose PIN was checked takes the lane."""

    operator: Operator


@dataclass(frozen=True, slots=True)
class SignOff(Command):
    """The lane's operator leaves, or, where one is named, only that one; an open basket stays."""

    operator: str = ""
    because: str = ""
