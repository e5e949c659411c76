"""What one lane is doing: an immutable value, saved after every command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from shared.item.item import Item
from shared.sale.basket import Basket
from shared.sale.pack import PackFacts

ScanKind = Literal[
    "item", "repeat", "unknown", "member", "coupon", "lost", "pairing", "refused", "weigh"
]
PrintState = Literal["queued", "printing", "printed", "failed", "unknown"]
"""`unknown` may have come out: a person looks, and prints a copy if it has not."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who has the lane."""

    id: str
    name: str
    role: str
    permissions: tuple[str, ...]
    approvable: tuple[str, ...] = ()
    """What they may do with somebody's word only."""


@dataclass(frozen=True, slots=True)
class LastScan:
    """The scan that the screen shows big; `no` counts the lane's scans, `price_minor` one unit."""

    no: int
    kind: ScanKind
    name: str | None
    price_minor: int | None
    code: str


@dataclass(frozen=True, slots=True)
class DoneTender:
    """A tender of the sale that was just completed."""

    kind: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class DoneSale:
    """The sale that was just completed, shown until the next scan; amounts in minor units.

    `printer` is where the receipt comes out when that is not the lane's own.
    """

    receipt_no: str
    due_minor: int
    tendered_minor: int
    change_minor: int
    tenders: tuple[DoneTender, ...]
    receipt_text: str
    print: PrintState
    printer: str = ""
    rounding_minor: int = 0


@dataclass(frozen=True, slots=True)
class Weighing:
    """Goods that wait for their weight: what they are, one unit's price (minor units), the tare.

    They are not in the basket yet, and nothing is paid before they are weighed or given up.
    """

    item: Item
    code: str
    unit_minor: int | None
    tare_milli: int = 0
    pack: PackFacts | None = None


@dataclass(frozen=True, slots=True)
class LaneState:
    """One lane. `seq` grows with every change; `before` is the basket that undo brings back.

    `doubtful` is the number of an earlier receipt that may not have come out, "" for none.
    """

    lane: int
    seq: int = 0
    operator: Operator | None = None
    basket: Basket | None = None
    before: Basket | None = None
    can_undo: bool = False
    touched_line: int | None = None
    scans: int = 0
    last_scan: LastScan | None = None
    done: DoneSale | None = None
    weighing: Weighing | None = None
    doubtful: str = ""


class Command:
    """Base of what a lane may be told; one frozen dataclass each.

    `writes_sale` marks commands whose effect may be in the journal although the desk's own file
    does not know it yet, when the box dies in between.
    """

    __slots__ = ()
    writes_sale: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Refresh(Command):
    """Show the lane again: something that every lane shows has changed."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a command did: the lane's next state, and what follows once that is saved."""

    state: LaneState
    receipt_no: str | None = None
    after: tuple[Callable[[], None], ...] = ()


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The answer to a command; the state itself comes by the view with that `seq`."""

    seq: int
    receipt_no: str | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A lane's screen: JSON bytes of a LaneView."""

    seq: int
    payload: bytes = field(repr=False)


Handler = Callable[[LaneState, Any], Turn]
Presenter = Callable[[LaneState], dict[str, Any]]
