"""What a lane may be told while it sells. Money in minor units, quantity in thousandths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from edge.desk.state import Command, PrintState
from edge.sale.by_hand import Authority
from shared.sale.tender import TenderKind


@dataclass(frozen=True, slots=True)
class ScanCode(Command):
    """A code came from the scanner or was typed; only a typed one may be a short number."""

    code: str
    is_typed: bool = False


@dataclass(frozen=True, slots=True)
class NoteTrouble(Command):
    """A scanner lost a code, or read one that was not taken; `what` is the trouble's code."""

    what: str


@dataclass(frozen=True, slots=True)
class SetQuantity(Command):
    """Change a line's quantity."""

    line: int
    qty_milli: int


@dataclass(frozen=True, slots=True)
class RemoveLine(Command):
    """Take a line out."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class OverridePrice(Command):
    """Give a line its whole amount by hand; `member_minor` None: members pay the same."""

    line: int
    regular_minor: int
    member_minor: int | None
    reason: str
    authority: Authority


@dataclass(frozen=True, slots=True)
class HandInStoreCoupon(Command):
    """Take a store coupon for a line."""

    line: int
    amount_minor: int
    reference: str
    authority: Authority


@dataclass(frozen=True, slots=True)
class HandInCoupon(Command):
    """Take the code of an offer for the basket."""

    code: str


@dataclass(frozen=True, slots=True)
class GiveBackCoupon(Command):
    """Take an offer's code out of the basket again."""

    code: str


@dataclass(frozen=True, slots=True)
class ConfirmAge(Command):
    """The cashier says that the customer is as old as the goods ask."""

    years: int


@dataclass(frozen=True, slots=True)
class DismissUnknown(Command):
    """A person has dealt with a code that named no item."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Undo(Command):
    """Bring back the basket as it was before the last command."""


@dataclass(frozen=True, slots=True)
class TakeTender(Command):
    """Money was handed over. The sale is complete when the tenders cover what is due."""

    writes_sale: ClassVar[bool] = True
    kind: TenderKind
    amount_minor: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class VoidBasket(Command):
    """Give the basket up before payment."""

    reason: str
    operator: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class ReprintReceipt(Command):
    """Print a marked copy; None means the lane's last receipt."""

    receipt_no: str | None
    operator: str
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class OpenDrawer(Command):
    """Open the drawer without a sale."""

    reason: str
    operator: str
    authority: Authority


@dataclass(frozen=True, slots=True)
class NotePrint(Command):
    """The printer side reports on a receipt; `printer` when it is not the lane's own."""

    receipt_no: str
    print: PrintState
    printer: str = ""


@dataclass(frozen=True, slots=True)
class WeighItem(Command):
    """Sell the goods that wait with what the lane's scale says at this instant."""


@dataclass(frozen=True, slots=True)
class WeighByHand(Command):
    """Sell them with a net weight that a person keyed in, in thousandths of the unit."""

    net_milli: int


@dataclass(frozen=True, slots=True)
class SetTare(Command):
    """Take a container off the weight; None takes what lies on the scale now."""

    tare_milli: int | None


@dataclass(frozen=True, slots=True)
class GiveUpWeighing(Command):
    """The customer does not want the goods that wait."""
