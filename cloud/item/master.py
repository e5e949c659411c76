"""An item as head office keeps it: more than a store may know. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.item.item import Item, ItemChange
from shared.item.pack_code import PackCode
from shared.kernel.gtin import Gtin
from shared.price.floor import floor_unit_minor

PICTURE = "sha256:"


@dataclass(frozen=True, slots=True)
class MasterItem:
    """One row of the catalogue. Amounts are minor units of one unit of the item.

    `cost_minor` and `min_margin_bp` are None where nobody stated them; with both, no offer may
    leave less than that share of the price without tax above cost. They never leave HQ, nor do
    `shelf_life_days` (0: it keeps) and an `image` that is an https address; tills show one that is
    "sha256:<hex>", a picture that was uploaded.
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
    codes: tuple[PackCode, ...] = ()
    age_limit: int = 0
    shelf_life_days: int = 0
    tax_class: str = ""
    image: str = ""
    later: tuple[ItemChange, ...] = ()

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
            codes=self.codes,
            age_limit=self.age_limit,
            tax_class=self.tax_class,
            later=self.later,
            image=self.image.removeprefix(PICTURE) if self.image.startswith(PICTURE) else "",
        )

    def settled(self, now_local: str) -> MasterItem:
        """The item with the changes whose time has come on a clock that shows `now_local`."""
        due = [change for change in self.later if change.from_local <= now_local]
        said = {name: value for change in due for name, value in change.changed.items()}
        return replace(self, later=self.later[len(due) :], **said)  # type: ignore[arg-type]
