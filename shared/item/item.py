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
