"""The part of a sale's journal entry that pricing wants, read straight from the body's bytes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shared.kernel.errors import RefusedError
from shared.kernel.money import PRICE_MINOR_MAX
from shared.kernel.quantity import QTY_MILLI_MAX

LINE_MINOR_MAX = 10**12
Money = Annotated[int, msgspec.Meta(ge=-LINE_MINOR_MAX, le=LINE_MINOR_MAX)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=LINE_MINOR_MAX)]
Price = Annotated[int, msgspec.Meta(ge=0, le=PRICE_MINOR_MAX)]
Quantity = Annotated[int, msgspec.Meta(gt=0, le=QTY_MILLI_MAX)]
Rate = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
"""UTC milliseconds up to the year 9999."""


class Modifier(msgspec.Struct, gc=False):
    """What changed the price of a line; negative amounts save money."""

    kind: str
    amount_minor: Money


class Override(msgspec.Struct, gc=False):
    """That a person set the line's price."""

    book_unit_minor: int | None


class Pack(msgspec.Struct, gc=False):
    """What the code of a pack told."""

    is_priced: bool = False


class Weighed(msgspec.Struct, gc=False):
    """That a line has a weight of its own."""


class Line(msgspec.Struct, gc=False):
    """A `SoldLine` as far as its price goes."""

    gtin: str
    code: str
    qty_milli: Quantity
    is_weighed: bool
    unit_minor: Price | None
    gross_minor: Amount
    net_minor: Amount
    modifiers: tuple[Modifier, ...] = ()
    override: Override | None = None
    tax_bp: Rate = 0
    pack: Pack | None = None
    weighed: Weighed | None = None


class Sale(msgspec.Struct, gc=False):
    """A `RetailTransaction` as far as its price goes."""

    receipt_no: str
    priced_at_ms: Instant
    member: str | None
    lines: tuple[Line, ...]
    coupons: tuple[str, ...] = ()


class _Data(msgspec.Struct, gc=False):
    sale: Sale


class _Body(msgspec.Struct, gc=False):
    data: _Data


_decode = msgspec.json.Decoder(_Body).decode


def read_sale(body: bytes) -> Sale:
    """The sale in a `sale.completed` entry's body; RefusedError `simulation.sale`."""
    try:
        return _decode(body).data.sale
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedError("simulation.sale", because=str(error)) from None
