"""What a store sells."""

from __future__ import annotations

from dataclasses import dataclass

from shared.kernel.gtin import Gtin


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
