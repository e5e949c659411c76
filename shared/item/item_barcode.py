"""What a code says of the goods it is on, beyond which item they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.item.element_string import Element
from shared.item.iso_codes import CURRENCIES_BY_NUMBER
from shared.item.restricted import Measure, Scaled, VariablePack
from shared.kernel.gtin import Gtin, canonical_gtin

_VARIABLE_INDICATOR = "9"
_DATE_DIGITS = 6
_CURRENCY_DIGITS = 3


@dataclass(frozen=True, slots=True)
class ItemBarcode:
    """An item's GTIN, and what the code adds for this very pack.

    `expiry` is YYMMDD as printed (the day 00 is the month's last). `weight` is in kilograms,
    `count` in pieces; `price` is in the major unit of `currency`, or of the store's when that
    is "".
    """

    gtin: Gtin
    lot: str = ""
    serial: str = ""
    expiry: str = ""
    weight: Scaled | None = None
    price: Scaled | None = None
    count: int | None = None
    currency: str = ""

    @property
    def is_measured(self) -> bool:
        """Whether the code tells how much the pack holds or costs."""
        return not (self.weight is None and self.price is None and self.count is None)

    @classmethod
    def of_pack(cls, pack: VariablePack) -> ItemBarcode:
        """What a restricted circulation number says."""
        return cls(
            pack.gtin,
            weight=pack.value if pack.measure is Measure.WEIGHT else None,
            price=pack.value if pack.measure is Measure.PRICE else None,
            count=pack.value.units if pack.measure is Measure.COUNT else None,
            currency=pack.currency,
        )


@dataclass(frozen=True, slots=True)
class OtherData:
    """GS1 data that names no goods for sale: a pallet, a place, a coupon, what a case holds."""

    elements: tuple[Element, ...]


def goods_of(elements: Sequence[Element]) -> ItemBarcode | OtherData:
    """What checked elements say of an item; without the GTIN of one they are other data.

    Weight, price and count count only where the item varies in them (indicator digit 9):
    anything else is sold by the piece, whatever is printed on it.
    """
    data = dict(elements)
    gtin = data.get("01")
    if gtin is None:
        return OtherData(tuple(elements))
    expiry = data.get("17") or data.get("7003", "")[:_DATE_DIGITS]
    plain = ItemBarcode(canonical_gtin(gtin), data.get("10", ""), data.get("21", ""), expiry)
    return _measured(plain, data) if gtin.startswith(_VARIABLE_INDICATOR) else plain


def _measured(item: ItemBarcode, data: dict[str, str]) -> ItemBarcode:
    price, currency = _scaled(data, "392"), ""
    if price is None and (number := _of_decimals(data, "393")) is not None:
        digits, value = number
        currency = CURRENCIES_BY_NUMBER[value[:_CURRENCY_DIGITS]]
        price = Scaled(int(value[_CURRENCY_DIGITS:]), digits)
    return ItemBarcode(
        item.gtin,
        item.lot,
        item.serial,
        item.expiry,
        weight=_scaled(data, "310"),
        price=price,
        count=int(data["30"]) if "30" in data else None,
        currency=currency,
    )


def _scaled(data: dict[str, str], family: str) -> Scaled | None:
    found = _of_decimals(data, family)
    return None if found is None else Scaled(int(found[1]), found[0])


def _of_decimals(data: dict[str, str], family: str) -> tuple[int, str] | None:
    """Decimal places, which the identifier's last digit tells, and data; one at most is there."""
    return next(((int(ai[-1]), value) for ai, value in data.items() if ai[:-1] == family), None)
