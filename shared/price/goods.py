"""The goods of a basket while offers act on them: what each line and unit still costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import sub
from typing import NamedTuple

from shared.kernel.quantity import extended_minor
from shared.price.condition import Selector
from shared.price.context import PriceLine
from shared.price.prorate import spread
from shared.price.select import depends_on_discounts, matches


class Cut(NamedTuple):
    """What comes off one line; `by_unit` where only some units get it, in the line's order."""

    line: int
    amount_minor: int
    units: int
    by_unit: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What an offer would do now: cuts in line order, and the units that it uses up."""

    cuts: tuple[Cut, ...]
    times: int = 1
    used: tuple[tuple[int, frozenset[int]], ...] = ()

    @property
    def amount_minor(self) -> int:
        """What all its cuts take together."""
        return sum(cut.amount_minor for cut in self.cuts)


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

    __slots__ = ("counts", "floors", "found", "lines", "lists", "units", "used", "values")

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
        self.units: list[tuple[int, ...] | None] = [None] * len(lines)
        self.used: list[frozenset[int]] = [frozenset()] * len(lines)
        self.found: dict[Selector, tuple[int, ...]] = {}

    def copy(self) -> Goods:
        """The same goods, to try something on; what selectors found is shared."""
        other = Goods.__new__(Goods)
        other.lines, other.counts, other.floors = self.lines, self.counts, self.floors
        other.lists = self.lists
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
        if ignores_floor:
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
        for cut in effect.cuts:
            self._cut(cut)
        for line, numbers in effect.used:
            self.used[line] |= numbers

    def _cut(self, cut: Cut) -> None:
        line, by_unit = cut.line, cut.by_unit
        if self.counts[line] > 1 and (by_unit is not None or self.units[line] is not None):
            before = self.unit_values(line)
            taken = spread(cut.amount_minor, before) if by_unit is None else by_unit
            self.units[line] = tuple(map(sub, before, taken))
        self.values[line] -= cut.amount_minor
        assert self.values[line] >= 0
