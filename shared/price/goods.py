"""The goods of a basket while offers act on them: what each line and unit still costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import sub
from typing import NamedTuple

from shared.kernel.quantity import extended_minor
from shared.price.condition import Selector
from shared.price.context import PriceLine
from shared.price.prorate import spread
from shared.price.select import depends_on_discounts, matches

NOTHING: Mapping[int, Sequence[int]] = {}


class Effect(NamedTuple):
    """What an offer would do now: an amount above nought off each of some lines, ascending.

    `parts` says, for lines of which not all units are meant, what comes off each unit. `used`
    are the units that it uses up.
    """

    lines: Sequence[int]
    amounts: Sequence[int]
    parts: Mapping[int, Sequence[int]] = NOTHING
    times: int = 1
    used: tuple[tuple[int, frozenset[int]], ...] = ()

    @property
    def amount_minor(self) -> int:
        """What comes off all lines together."""
        return sum(self.amounts)


class Unit(NamedTuple):
    """One unit of a line and what it costs now; sorts cheapest first, ties by line and unit."""

    value: int
    line: int
    number: int


def dearest_first(unit: Unit) -> tuple[int, int, int]:
    """Sort key; ties by line, then unit."""
    return -unit.value, unit.line, unit.number


class Goods:
    """Current amounts per line; unit values are kept only where units differ.

    Inner lists are replaced, never changed, so a copy is shallow and cheap.
    """

    __slots__ = (
        "counts",
        "floors",
        "found",
        "has_floors",
        "lines",
        "lists",
        "units",
        "used",
        "values",
    )

    def __init__(self, lines: Sequence[PriceLine]) -> None:
        self.lines = lines
        self.counts = [line.units for line in lines]
        self.lists = [line.gross_minor for line in lines]
        self.values = [
            listed if line.start_minor is None else min(listed, line.start_minor)
            for line, listed in zip(lines, self.lists, strict=True)
        ]
        self.floors = [
            extended_minor(line.floor_unit_minor, line.qty_milli) if line.floor_unit_minor else 0
            for line in lines
        ]
        self.has_floors = any(self.floors)
        self.units: list[tuple[int, ...] | None] = [None] * len(lines)
        self.used: list[frozenset[int]] = [frozenset()] * len(lines)
        self.found: dict[Selector, tuple[int, ...]] = {}

    def copy(self) -> Goods:
        """The same goods, to try something on; what selectors found is shared."""
        other = Goods.__new__(Goods)
        other.lines, other.counts, other.floors = self.lines, self.counts, self.floors
        other.lists, other.has_floors = self.lists, self.has_floors
        other.values, other.units = self.values[:], self.units[:]
        other.used, other.found = self.used[:], self.found
        return other

    def select(self, selector: Selector) -> tuple[int, ...]:
        """Lines that a selector means, ascending; lines that are not promotable never are."""
        found = self.found.get(selector)
        if found is None:
            found = tuple(self._selected(selector))
            if not depends_on_discounts(selector):
                self.found[selector] = found
        return found

    def _selected(self, selector: Selector) -> Iterable[int]:
        for number, line in enumerate(self.lines):
            is_at_list = self.values[number] == self.lists[number]
            if line.is_promotable and matches(selector, line, is_at_list=is_at_list):
                yield number

    def narrow(self, lines: Sequence[int], selector: Selector) -> list[int]:
        """Those of some lines that a selector means too."""
        wanted = set(self.select(selector))
        return [number for number in lines if number in wanted]

    def room(self, line: int, *, ignores_floor: bool) -> int:
        """How much may still come off a line."""
        if ignores_floor or not self.has_floors:
            return self.values[line]
        return max(0, self.values[line] - self.floors[line])

    def unit_values(self, line: int) -> tuple[int, ...]:
        """What each unit of a line costs; where nothing told them apart, the first pay less.

        That is the largest remainder of even shares: ties of what came off go to the first.
        """
        known = self.units[line]
        if known is not None:
            return known
        count = self.counts[line]
        if count == 1:
            return (self.values[line],)
        each, more = divmod(self.values[line], count)
        return (each,) * (count - more) + (each + 1,) * more

    def free_units(self, lines: Iterable[int]) -> list[Unit]:
        """Units that no set-type offer has used up, in line order."""
        found = []
        for line in lines:
            used = self.used[line]
            for number, value in enumerate(self.unit_values(line)):
                if number not in used:
                    found.append(Unit(value, line, number))
        return found

    def worth(self, lines: Iterable[int]) -> int:
        """What some lines cost now."""
        values = self.values
        return sum(values[line] for line in lines)

    def apply(self, effect: Effect) -> None:
        """Let an effect act; each unit keeps what was taken off it."""
        values, units, counts = self.values, self.units, self.counts
        for line, amount in zip(effect.lines, effect.amounts, strict=True):
            if counts[line] > 1 and (units[line] is not None or line in effect.parts):
                before = self.unit_values(line)
                taken = effect.parts.get(line) or spread(amount, before)
                units[line] = tuple(map(sub, before, taken))
            values[line] -= amount
            assert values[line] >= 0
        for line, numbers in effect.used:
            self.used[line] |= numbers
