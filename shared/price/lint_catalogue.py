"""The catalogue as lint sees it: sets of items as the bits of one whole number.

Bit n stands for item n, so that "does one contain the other" and "do they meet" are one
operation each, however many items there are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from shared.price.condition import Selector

Mask = int
"""A set of items."""
STRIDE = 256


@dataclass(frozen=True, slots=True)
class LintItem:
    """An item with its regular price; `cost_minor` is without tax, None where not known."""

    sku: str
    unit_minor: int
    cost_minor: int | None = None
    category: str = ""
    tags: frozenset[str] = frozenset()
    is_weighed: bool = False
    is_promotable: bool = True
    floor_unit_minor: int = 0
    uom: str = ""
    tax_bp: int = 0


class Catalogue:
    """Items and the sets of them that selectors mean."""

    def __init__(self, items: Sequence[LintItem]) -> None:
        self.items = tuple(items)
        places = [place for place, item in enumerate(self.items) if item.is_promotable]
        self.all: Mask = mask_of(places, len(self.items))
        self.weighed = mask_of(
            (place for place in places if self.items[place].is_weighed), len(self.items)
        )
        self.skus = {self.items[place].sku: place for place in places}
        self.known = frozenset(item.sku for item in self.items)
        self._categories = self._masks((self.items[place].category, place) for place in places)
        self._tags = self._masks((tag, place) for place in places for tag in self.items[place].tags)
        self._by_price = sorted((self.items[place].unit_minor, place) for place in places)
        self._cheapest = self._prefixes([place for _, place in self._by_price])
        self._found: dict[Selector, Mask] = {}

    def _masks(self, pairs: Iterable[tuple[str, int]]) -> Mapping[str, Mask]:
        places: dict[str, list[int]] = {}
        for word, place in pairs:
            places.setdefault(word, []).append(place)
        return {word: mask_of(each, len(self.items)) for word, each in places.items()}

    def _prefixes(self, places: Sequence[int]) -> list[Mask]:
        """The sets of the first so many times `STRIDE` places."""
        found = [0]
        for start in range(0, len(places), STRIDE):
            found.append(found[-1] | mask_of(places[start : start + STRIDE], len(self.items)))
        return found

    def select(self, selector: Selector) -> Mask:
        """The items that a selector may mean while all stand at list price."""
        found = self._found.get(selector)
        if found is None:
            found = self._found[selector] = self._select(selector)
        return found

    def _select(self, selector: Selector) -> Mask:
        mask = self.all
        if selector.skus:
            places = [self.skus[sku] for sku in selector.skus if sku in self.skus]
            mask &= mask_of(places, len(self.items))
        if selector.categories:
            mask &= _union(self._categories, selector.categories)
        if selector.tags:
            mask &= _union(self._tags, selector.tags)
        if selector.unit_price_min is not None or selector.unit_price_max is not None:
            mask &= self._priced(selector)
        exclude = selector.exclude
        # What is excluded once it is discounted is not excluded at list price for good.
        if exclude is not None and not exclude.undiscounted:
            mask &= ~self.select(exclude)
        return mask

    def _priced(self, selector: Selector) -> Mask:
        low, high = selector.unit_price_min, selector.unit_price_max
        mask = self.all if high is None else self.up_to(high)
        return mask if low is None else mask & ~self.up_to(low - 1)

    def up_to(self, price_minor: int) -> Mask:
        """The items that cost no more than that."""
        count = bisect_right(self._by_price, (price_minor, len(self.items)))
        start = count // STRIDE
        rest = [place for _, place in self._by_price[start * STRIDE : count]]
        return self._cheapest[start] | mask_of(rest, len(self.items))


def mask_of(places: Iterable[int], size: int) -> Mask:
    """The set of these places, of `size` at most."""
    octets = bytearray(size // 8 + 1)
    for place in places:
        octets[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(octets, "little")


def _union(masks: Mapping[str, Mask], words: Iterable[str]) -> Mask:
    return reduce(or_, (masks[word] for word in words if word in masks), 0)


def places_of(mask: Mask) -> list[int]:
    """The places of a set, ascending."""
    bits = bin(mask)[:1:-1]
    found = []
    place = bits.find("1")
    while place >= 0:
        found.append(place)
        place = bits.find("1", place + 1)
    return found


def first_of(mask: Mask) -> int:
    """The lowest place of a set that is not empty."""
    return (mask & -mask).bit_length() - 1
