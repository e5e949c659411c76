"""The item that a published record says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.item.item import Item, item_changes_of
from shared.item.pack_code import pack_codes_of
from shared.kernel.gtin import Gtin


def item_of(gtin: str, body: Mapping[str, Any]) -> Item:
    """Read the body of an item's record; what it does not say is as the class has it."""
    get = body.get
    return Item(
        Gtin(gtin),
        body["name"],
        get("department", ""),
        get("category", ""),
        get("brand", ""),
        get("package_size", ""),
        bool(get("is_weighed", False)),
        get("plu"),
        tuple(get("tags", ())),
        get("tax_bp", 0),
        bool(get("is_promotable", True)),
        get("floor_minor", 0),
        get("uom", ""),
        pack_codes_of(get("codes", ())),
        get("age_limit", 0),
        get("tax_class", ""),
        item_changes_of(get("later", ())),
        get("image", ""),
    )
