"""Bodies and answers of the sale's endpoints. Money in minor units, quantity in thousandths."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field

from edge.desk.state import PrintState
from edge.texts import storable
from shared.kernel.money import PRICE_MINOR_MAX
from shared.sale.tender import TenderKind

REASON_MAX = 200
REFERENCE_MAX = 100
COUPON_MAX = 64


def _clean(value: object) -> object:
    return storable(value) if isinstance(value, str) else value


CLEAN = BeforeValidator(_clean)
FreeText = Annotated[str, CLEAN]
"""What a person types and the journal keeps; cleaned before its length is looked at."""


class ScanBody(BaseModel):
    """`code` as scanned or typed."""

    code: FreeText = Field(min_length=1, max_length=256)


class QuantityBody(BaseModel):
    """The line's new quantity."""

    qty_milli: int


class OverrideBody(BaseModel):
    """Whole amounts of the line; `member_minor` null: members pay the same."""

    regular_minor: int
    member_minor: int | None = None
    reason: FreeText = Field(min_length=1, max_length=REASON_MAX)


class AgeBody(BaseModel):
    """How old the customer is at least, in years: what the goods ask."""

    years: int = Field(ge=1, le=99)


class StoreCouponBody(BaseModel):
    """A store coupon for the line."""

    amount_minor: int
    reference: FreeText = Field(max_length=REFERENCE_MAX)


class CouponBody(BaseModel):
    """The code of an offer, as printed on a coupon or typed; the case does not matter."""

    code: FreeText = Field(min_length=1, max_length=COUPON_MAX)


class ReasonBody(BaseModel):
    """Why."""

    reason: FreeText = Field(min_length=1, max_length=REASON_MAX)


class TenderBody(BaseModel):
    """A payment; a card was charged on the stand-alone terminal before."""

    kind: TenderKind
    amount_minor: int = Field(ge=0, le=PRICE_MINOR_MAX)
    reference: FreeText = Field(default="", max_length=REFERENCE_MAX)


class ReprintBody(BaseModel):
    """Which receipt; null: the lane's last."""

    receipt_no: str | None = Field(default=None, max_length=40)


class CommandAnswer(BaseModel):
    """`seq` of the view that shows what the command did."""

    seq: int
    receipt_no: str | None = None


class ActingOffer(BaseModel):
    """An offer that acted on the basket; `amount_minor` is negative."""

    offer_id: str
    name: str
    amount_minor: int
    times: int
    coupon: str | None


class IdleOffer(BaseModel):
    """An offer that gave nothing: `offer.why.<code>` with its parameters.

    Parameters ending in `_minor` are money, in `_milli` thousandths.
    """

    offer_id: str
    name: str
    code: str
    params: dict[str, str | int]


class Offers(BaseModel):
    """The offers of the basket's revision, in order of action."""

    acting: list[ActingOffer]
    idle: list[IdleOffer]


class FoundItem(BaseModel):
    """An item and its price now; null where it has none."""

    gtin: str
    name: str
    price_minor: int | None
    member_minor: int | None
    is_weighed: bool
    image: str = ""
    """The name of its picture, for `GET /v1/pictures`; "" is none."""


class ReceiptRow(BaseModel):
    """A sale in the list of receipts.

    `print` is what became of its newest print-out; None where the box no longer knows.
    """

    receipt_no: str
    at_ms: int
    total_minor: int
    copies: int
    print: PrintState | None = None


class Receipt(ReceiptRow):
    """A sale with its receipt as text."""

    text: str
