"""A further barcode of an item: another maker's code, or that of a case of several units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.kernel.errors import RefusedError
from shared.kernel.gtin import Gtin, parse_gtin
from shared.kernel.quantity import ONE_MILLI

UNITS_MAX = 9_999
UOM_LENGTH_MAX = 16
SEPARATOR = "*"
_PARTS_MAX = 3


@dataclass(frozen=True, slots=True, order=True)
class PackCode:
    """A code beside the item's own, and how much of the item bears it, in thousandths of a unit.

    `uom` is what such a pack is called ("case"); "" where nobody said.
    """

    gtin: Gtin
    qty_milli: int = ONE_MILLI
    uom: str = ""

    @property
    def text(self) -> str:
        """As a table's cell writes it: "4006381333931*12*case", shorter where it says less."""
        units = self.qty_milli // ONE_MILLI
        if self.uom:
            return f"{self.gtin}{SEPARATOR}{units}{SEPARATOR}{self.uom}"
        return self.gtin if units == 1 else f"{self.gtin}{SEPARATOR}{units}"

    @property
    def raw(self) -> list[str | int]:
        """As a published record writes it: [code, thousandths, unit of measure]."""
        return [self.gtin, self.qty_milli, self.uom]


def parse_pack_code(text: str) -> PackCode:
    """Read what `text` writes. RefusedError `barcode.*`, `item.pack_units` or `item.pack_uom`."""
    code, *more = (part.strip() for part in text.split(SEPARATOR, _PARTS_MAX - 1))
    gtin = parse_gtin(code)
    units = more[0] if more else "1"
    is_number = units.isascii() and units.isdigit() and len(units) <= len(str(UNITS_MAX))
    if not is_number or not 1 <= int(units) <= UNITS_MAX:
        raise RefusedError("item.pack_units", value=units[:40], most=UNITS_MAX)
    uom = more[1] if len(more) == _PARTS_MAX - 1 else ""
    if len(uom) > UOM_LENGTH_MAX or SEPARATOR in uom or "|" in uom:
        raise RefusedError("item.pack_uom", value=uom[:40], limit=UOM_LENGTH_MAX)
    return PackCode(gtin, int(units) * ONE_MILLI, uom)


def pack_codes_of(raw: Sequence[Sequence[str | int]]) -> tuple[PackCode, ...]:
    """What a record's `codes` say."""
    return tuple(PackCode(Gtin(str(code)), int(qty), str(uom)) for code, qty, uom in raw)
