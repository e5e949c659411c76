"""An item as head office keeps it: more than a store may know. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shared.item.item import Item
from shared.kernel.gtin import Gtin
from shared.price.floor import floor_unit_minor


@dataclass(frozen=True, slots=True)
class MasterItem:
    """One row of the catalogue. Amounts are minor units of one unit of the item.

    `cost_minor` and `min_margin_bp` are None where nobody stated them; with both, no offer may
    leave less than that share of the price without tax above cost. They never leave HQ.
    """

    gtin: Gtin
    name: str
    department: str = ""
    category: str = ""
    brand: str = ""
    package_size: str = ""
    is_weighed: bool = False
    plu: str | None = None
    tags: tuple[str, ...] = ()
    tax_bp: int = 0
    is_promotable: bool = True
    min_price_minor: int = 0
    min_margin_bp: int | None = None
    cost_minor: int | None = None
    uom: str = ""

    @property
    def floor_minor(self) -> int:
        """The least unit price that offers may leave; 0 is none."""
        return floor_unit_minor(
            self.min_price_minor, self.cost_minor, self.min_margin_bp, self.tax_bp
        )

    def sold(self) -> Item:
        """The item as stores know it."""
        return Item(
            gtin=self.gtin,
            name=self.name,
            department=self.department,
            category=self.category,
            brand=self.brand,
            package_size=self.package_size,
            is_weighed=self.is_weighed,
            plu=self.plu,
            tags=self.tags,
            tax_bp=self.tax_bp,
            is_promotable=self.is_promotable,
            floor_minor=self.floor_minor,
            uom=self.uom,
        )
