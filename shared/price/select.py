"""Whether a selector means a line."""

from __future__ import annotations

from shared.price.condition import Selector
from shared.price.context import PriceLine


def matches(selector: Selector, line: PriceLine, *, is_at_list: bool) -> bool:
    """Whether all parts of a selector hold; `is_at_list`: nothing has lowered the line yet."""
    if selector.skus and line.sku not in selector.skus:
        return False
    if selector.categories and line.category not in selector.categories:
        return False
    if selector.tags and selector.tags.isdisjoint(line.tags):
        return False
    if not _is_in_price_range(selector, line.unit_minor):
        return False
    if selector.undiscounted and not is_at_list:
        return False
    exclude = selector.exclude
    return exclude is None or not matches(exclude, line, is_at_list=is_at_list)


def _is_in_price_range(selector: Selector, unit_minor: int) -> bool:
    low, high = selector.unit_price_min, selector.unit_price_max
    return (low is None or unit_minor >= low) and (high is None or unit_minor <= high)


def depends_on_discounts(selector: Selector) -> bool:
    """Whether its choice of lines may change while offers act."""
    exclude = selector.exclude
    return selector.undiscounted or (exclude is not None and depends_on_discounts(exclude))
