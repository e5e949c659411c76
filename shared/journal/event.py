"""Facts that the journal keeps. Names are past tense; a field name is never reused.

A reader ignores fields that it does not know and keeps events that it does not know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from shared.journal.device_event import DEVICE_EVENTS, DeviceEvent
from shared.journal.member_event import MEMBER_EVENTS, MemberEvent
from shared.journal.software_event import SoftwareChanged
from shared.journal.staff_event import STAFF_EVENTS, StaffEvent
from shared.journal.training_event import TrainingSold
from shared.sale.transaction import RetailTransaction


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """Entry 0 of each journal life. `cause`: enrol, swap, restore, clone or corrupt."""

    type: ClassVar[str] = "stream.opened"
    device: str
    store: str
    hw_fp: str
    cause: str
    journal_pub: str
    previous: dict[str, str | int] | None = None
    """Stream, seq and hash of the last entry of the journal before this one that is vouched for."""
    series: str = ""
    """Receipt numbers of this journal bear it; "" for a store's first one."""


@dataclass(frozen=True, slots=True)
class EntrySalvaged:
    """An entry of another stream that could not go up there; this entry has the same id.

    It stands where two journals had grown apart: a cloned card, a restored image. `body` is the
    entry's canonical JSON, `hash` (hex) what it had there. Its effects count once, by its id.
    """

    type: ClassVar[str] = "entry.salvaged"
    stream: str
    seq: int
    hash: str
    body: str


@dataclass(frozen=True, slots=True)
class DayOpened:
    """The store began a business day."""

    type: ClassVar[str] = "day.opened"
    business_date: str


@dataclass(frozen=True, slots=True)
class DayClosed:
    """The store closed a business day; `z` is the box's own report over all lanes."""

    type: ClassVar[str] = "day.closed"
    business_date: str
    z: dict[str, str | int]
    receipts: dict[str, list[str]] = field(default_factory=dict)
    """First and last receipt number of the day per lane."""
    certificate: str = ""
    """Canonical JSON of the day's completeness certificate; "" by software that made none."""
    certificate_sig: str = ""
    """The journal key's signature over it, hex."""


@dataclass(frozen=True, slots=True)
class SaleCompleted:
    """A paid sale."""

    type: ClassVar[str] = "sale.completed"
    sale: RetailTransaction


@dataclass(frozen=True, slots=True)
class BasketVoided:
    """A basket was given up before payment."""

    type: ClassVar[str] = "basket.voided"
    lane: int
    lines: int
    net_minor: int
    reason: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class AgedGoods:
    """Goods that only customers of an age may buy."""

    gtin: str
    name: str
    age_limit: int


@dataclass(frozen=True, slots=True)
class AgeConfirmed:
    """The cashier said that the customer is at least `years` old; the entry's actor is who said it.

    `goods` are those that asked, `sale` the id that the sale's own entry will have: a basket that
    is given up has it too.
    """

    type: ClassVar[str] = "age.confirmed"
    lane: int
    years: int
    goods: tuple[AgedGoods, ...]
    sale: str


@dataclass(frozen=True, slots=True)
class RevisionActivated:
    """From here on new baskets are priced with this catalogue revision."""

    type: ClassVar[str] = "revision.activated"
    zone: str
    revision: int
    manifest_sha256: str


@dataclass(frozen=True, slots=True)
class ReceiptReprinted:
    """A marked copy was asked for."""

    type: ClassVar[str] = "receipt.reprinted"
    lane: int
    receipt_no: str
    copy: int
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class DrawerOpened:
    """The drawer's pulse; `reason` is "sale", or what the operator gave for a no-sale.

    A no-sale stands in the journal before its pulse, with who approved it; a sale's pulse follows
    the sale, so `is_sent` tells whether the printer took it.
    """

    type: ClassVar[str] = "drawer.opened"
    lane: int
    reason: str
    receipt_no: str = ""
    approved_by: str = ""
    pin: int = 0
    is_sent: bool = True


@dataclass(frozen=True, slots=True)
class OperatorSignedOn:
    """An operator took a lane."""

    type: ClassVar[str] = "operator.signed_on"
    lane: int
    operator: str


@dataclass(frozen=True, slots=True)
class OperatorSignedOff:
    """An operator left a lane."""

    type: ClassVar[str] = "operator.signed_off"
    lane: int
    operator: str
    because: str = ""
    """"" for their own wish, "revoked" where head office no longer lets them."""


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a newer software: stored and passed on, never dropped."""

    type: str
    data: dict[str, Any]


Event = (
    StreamOpened
    | EntrySalvaged
    | DayOpened
    | DayClosed
    | SaleCompleted
    | BasketVoided
    | AgeConfirmed
    | RevisionActivated
    | ReceiptReprinted
    | DrawerOpened
    | OperatorSignedOn
    | OperatorSignedOff
    | SoftwareChanged
    | TrainingSold
    | DeviceEvent
    | StaffEvent
    | MemberEvent
    | UnknownEvent
)

KNOWN_EVENTS = (
    StreamOpened,
    EntrySalvaged,
    DayOpened,
    DayClosed,
    SaleCompleted,
    BasketVoided,
    AgeConfirmed,
    RevisionActivated,
    ReceiptReprinted,
    DrawerOpened,
    OperatorSignedOn,
    OperatorSignedOff,
    SoftwareChanged,
    TrainingSold,
    *DEVICE_EVENTS,
    *STAFF_EVENTS,
    *MEMBER_EVENTS,
)
