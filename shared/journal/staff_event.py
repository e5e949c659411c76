"""Facts about people at the tills: who vouched for what, whose PIN changed, who was guessed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ApprovalGiven:
    """Somebody vouched for what an operator may not do alone; what came of it is a fact of its own.

    `how` is "pin", "badge" or "badge_pin"; the measure as in `shared.staff.role.Measure`.
    """

    type: ClassVar[str] = "approval.given"
    lane: int
    permission: str
    operator: str
    approver: str
    how: str
    off_bp: int = 0
    amount_minor: int = 0
    times: int = 0
    basket_minor: int = 0
    day_minor: int = 0


@dataclass(frozen=True, slots=True)
class PinChanged:
    """An operator chose a new PIN at the till.

    `replaces` names the hash of the one before, so that head office takes it over only where
    nothing newer has been set meanwhile; under that hash the new one is `sealed` (nonce and
    ciphertext, hex; see `shared.staff.pin.sealing_key`). `day` is the store's date.
    """

    type: ClassVar[str] = "operator.pin_changed"
    operator: str
    sealed: str
    replaces: str
    day: str


@dataclass(frozen=True, slots=True)
class PinGuessed:
    """So many wrong PINs of one operator in a row that somebody may be guessing."""

    type: ClassVar[str] = "operator.pin_guessed"
    lane: int
    operator: str
    tries: int
    wait_s: int


StaffEvent = ApprovalGiven | PinChanged | PinGuessed
STAFF_EVENTS = (ApprovalGiven, PinChanged, PinGuessed)
