"""What a store sells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from shared.item.pack_code import PackCode
from shared.kernel.gtin import Gtin
from shared.kernel.quantity import ONE_MILLI
from shared.kernel.wall_clock import instant_ms


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What an item is called or taxed from a time on the store's own clock; None: as before."""

    from_local: str
    name: str | None = None
    tax_class: str | None = None
    tax_bp: int | None = None

    @property
    def changed(self) -> dict[str, str | int]:
        """The fields that change, with their new values."""
        said = {"name": self.name, "tax_class": self.tax_class, "tax_bp": self.tax_bp}
        return {name: value for name, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Item:
    """One sellable item. A weighed one is sold by a label that embeds its price or weight."""

    gtin: Gtin
    name: str
    department: str = ""
    category: str = ""
    brand: str = ""
    package_size: str = ""
    is_weighed: bool = False
    plu: str | None = None
    """Price look-up number, five digits, as embedded in the label of a weighed item."""
    tags: tuple[str, ...] = ()
    """Free words by which offers select goods; sorted, none twice."""
    tax_bp: int = 0
    """The rate of the tax that the price includes."""
    is_promotable: bool = True
    """Whether offers may count and discount it; tobacco and deposits for example are not."""
    floor_minor: int = 0
    """The least that offers may leave of one unit's price; 0 is none."""
    uom: str = ""
    """What its weight is measured in, as offers over weights name it."""
    codes: tuple[PackCode, ...] = ()
    """Further barcodes, of one unit or of a pack of several; sorted."""
    age_limit: int = 0
    """How old a customer must be, in years; 0: nobody asks."""
    tax_class: str = ""
    """The class whose rate counts instead of `tax_bp`; "" is none."""
    later: tuple[ItemChange, ...] = ()
    """What changes at which time, ascending."""
    image: str = ""
    """The SHA-256 (hex) of its picture; "" is none."""

    def at(self, at_ms: int, zone: tzinfo) -> Item:
        """The item as it is at an instant (UTC ms) in a store of that time zone."""
        found = self
        for change in self.later:
            if instant_ms(change.from_local, zone) > at_ms:
                break
            found = _changed(found, change)
        return found

    def qty_milli_of(self, code: str) -> int:
        """How much of the item one scan of a code sells, in thousandths."""
        return next((each.qty_milli for each in self.codes if each.gtin == code), ONE_MILLI)


def item_changes_of(raw: Sequence[tuple[str, Mapping[str, str | int]]]) -> tuple[ItemChange, ...]:
    """What a record's `later` says: [[time on the store's clock, {field: new value}], ...].

    Fields that are not known here are left out.
    """
    return tuple(_change_of(from_local, changed) for from_local, changed in raw)


def _change_of(from_local: str, changed: Mapping[str, str | int]) -> ItemChange:
    name, tax_class, tax_bp = (changed.get(key) for key in ("name", "tax_class", "tax_bp"))
    return ItemChange(
        from_local,
        None if name is None else str(name),
        None if tax_class is None else str(tax_class),
        None if tax_bp is None else int(tax_bp),
    )


def _changed(item: Item, change: ItemChange) -> Item:
    return replace(
        item,
        name=item.name if change.name is None else change.name,
        tax_class=item.tax_class if change.tax_class is None else change.tax_class,
        tax_bp=item.tax_bp if change.tax_bp is None else change.tax_bp,
    )
