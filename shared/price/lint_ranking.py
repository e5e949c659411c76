"""Items ranked by how soon a discount hurts, so that the worst of a set is found at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from shared.price.lint_catalogue import Catalogue, LintItem, Mask, mask_of, places_of
from shared.price.lint_subject import WIDE_ITEMS
from shared.price.reward import FULL_BP

TRIES_MAX = 4000
RATIO_UNIT = 1_000_000


class Ranking:
    """Items from the worst to the best by some measure."""

    def __init__(self, catalogue: Catalogue, mask: Mask, worth: Callable[[LintItem], int]) -> None:
        self._worths = [worth(item) for item in catalogue.items]
        self._order = sorted(places_of(mask), key=self._worths.__getitem__)
        self._ranked = frozenset(self._order)
        self._mask = mask

    def worst(self, mask: Mask, places: Sequence[int] | None = None) -> int | None:
        """The worst item of a set, None if it has none that is ranked; `places` where known."""
        if places is None:
            return next(self.of(mask), None)
        ranked = [place for place in places if place in self._ranked]
        return min(ranked, key=self._worths.__getitem__, default=None)

    def of(self, mask: Mask) -> Iterator[int]:
        """The items of a set from the worst on; of a large one perhaps not to the end."""
        mask &= self._mask
        if mask.bit_count() <= WIDE_ITEMS:
            yield from sorted(places_of(mask), key=self._worths.__getitem__)
            return
        # More than one item in so many is in the set, so a few steps find one.
        octets = mask.to_bytes((mask.bit_length() + 7) // 8, "little")
        for place in self._order[:TRIES_MAX]:
            if place >> 3 < len(octets) and octets[place >> 3] >> (place & 7) & 1:
                yield place


class Rankings:
    """The catalogue's rankings; those by cost know only items that are sold above their cost."""

    def __init__(self, catalogue: Catalogue) -> None:
        items = catalogue.items
        sound = [place for place in places_of(catalogue.all) if _is_sound(items[place])]
        exposed = [place for place in sound if items[place].floor_unit_minor < _cost(items[place])]
        self.sound = mask_of(sound, len(items))
        self._unfloored = _by_cost(catalogue, self.sound)
        self._exposed = _by_cost(catalogue, mask_of(exposed, len(items)))
        self.by_margin = self._unfloored[1]
        self.by_price = Ranking(catalogue, catalogue.all, lambda each: -each.unit_minor)

    def by_cost(self, *, ignores_floor: bool) -> tuple[Ranking, ...]:
        """By margin in percent, by margin in money, by cost; of items that no floor protects."""
        return self._unfloored if ignores_floor else self._exposed


def _by_cost(catalogue: Catalogue, mask: Mask) -> tuple[Ranking, ...]:
    return (
        Ranking(catalogue, mask, _ratio),
        Ranking(catalogue, mask, lambda each: each.unit_minor - _cost(each)),
        Ranking(catalogue, mask, lambda each: -_cost(each)),
    )


def _ratio(item: LintItem) -> int:
    return (item.unit_minor - _cost(item)) * RATIO_UNIT // max(1, item.unit_minor)


def _cost(item: LintItem) -> int:
    """What the item must sell for with tax to bring its cost, rounded up."""
    return gross_cost(item, item.cost_minor or 0)


def gross_cost(item: LintItem, cost_minor: int) -> int:
    """A cost with the item's tax on top, rounded up."""
    return -(-cost_minor * (FULL_BP + item.tax_bp) // FULL_BP)


def _is_sound(item: LintItem) -> bool:
    return item.cost_minor is not None and item.unit_minor >= _cost(item) > 0
