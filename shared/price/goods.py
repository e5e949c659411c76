"""The goods of a basket while offers act on them: what each line and unit still costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import sub
from typing import NamedTuple

from shared.kernel.quantity import extended_minor
from shared.price.condition import Selector
from shared.price.context import Allocation, PriceLine
from shared.price.prorate import prorate, spread
from shared.price.select import depends_on_discounts, matches

NOTHING: Mapping[int, Sequence[int]] = {}


class Effect(NamedTuple):
    """What an offer would do now: an amount above nought off each of some lines, ascending.

    `parts` says, for lines of which not all units are meant, what comes off each unit. `used`
    are the units that it uses up. A `lump` stands for amounts that are not shared out yet.
    """

    lines: Sequence[int]
    amounts: Sequence[int]
    parts: Mapping[int, Sequence[int]] = NOTHING
    times: int = 1
    used: tuple[tuple[int, frozenset[int]], ...] = ()
    lump: int = 0

    @property
    def amount_minor(self) -> int:
        """What comes off all lines together."""
        return self.lump or sum(self.amounts)


class Lump:
    """An amount off some lines together; once it was shared out, `effect` and `bases` tell how.

    `bases` are what each line of the effect was worth before.
    """

    __slots__ = ("bases", "effect", "is_shared")

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        self.is_shared = False
        self.bases: Sequence[int] = ()


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

    Lumps off the same lines are only added up until somebody asks for single lines: choosing
    among combinations mostly needs totals. In the same way `owed` is what came off a whole line
    and is not shared out over its units yet. Inner lists are replaced, never changed, so a copy
    is shallow and cheap.
    """

    __slots__ = (
        "allocation",
        "counted",
        "counts",
        "floors",
        "found",
        "has_floors",
        "known",
        "lines",
        "lists",
        "lump_lines",
        "lump_worth",
        "lumps",
        "owed",
        "units",
        "used",
        "worths",
    )

    def __init__(
        self, lines: Sequence[PriceLine], allocation: Allocation = Allocation.LARGEST_REMAINDER
    ) -> None:
        self.lines = lines
        self.allocation = allocation
        self.counts = [line.units for line in lines]
        self.lists = [line.gross_minor for line in lines]
        self.counted = [
            line.is_promotable and line.qty_milli > 0 and listed >= 0
            for line, listed in zip(lines, self.lists, strict=True)
        ]
        self.worths = [
            listed if line.start_minor is None else min(listed, line.start_minor)
            for line, listed in zip(lines, self.lists, strict=True)
        ]
        self.floors = [
            extended_minor(line.floor_unit_minor, line.qty_milli) if line.floor_unit_minor else 0
            for line in lines
        ]
        self.has_floors = any(self.floors)
        self.units: list[tuple[int, ...] | None] = [None] * len(lines)
        self.owed: list[tuple[int, ...]] = [()] * len(lines)
        self.used: list[frozenset[int]] = [frozenset()] * len(lines)
        self.found: dict[Selector, tuple[int, ...]] = {}
        self.known: dict[int, tuple[int, ...]] = {}
        self.lumps: tuple[Lump, ...] = ()
        self.lump_lines: Sequence[int] = ()
        self.lump_worth = 0

    def copy(self) -> Goods:
        """The same goods, to try something on; what selectors found is shared."""
        other = Goods.__new__(Goods)
        other.lines, other.counts, other.floors = self.lines, self.counts, self.floors
        other.lists, other.counted, other.has_floors = self.lists, self.counted, self.has_floors
        other.worths, other.units, other.used = self.worths[:], self.units[:], self.used[:]
        other.owed = self.owed[:]
        other.found, other.known, other.allocation = self.found, self.known, self.allocation
        other.lumps, other.lump_lines = self.lumps, self.lump_lines
        other.lump_worth = self.lump_worth
        return other

    @property
    def values(self) -> list[int]:
        """What each line costs now."""
        if self.lumps:
            self._share_lumps()
        return self.worths

    def _share_lumps(self) -> None:
        lumps, self.lumps = self.lumps, ()
        for lump in lumps:
            # Another branch of the search may have done it: on the same goods, or it were no
            # longer owed there.
            if not lump.is_shared:
                lump.effect = self.shared(lump.effect)
                lump.bases = list(map(self.worths.__getitem__, lump.effect.lines))
                lump.is_shared = True
            self.apply(lump.effect)

    def shared(self, effect: Effect) -> Effect:
        """An effect whose lump is shared out over its lines as they are now."""
        if not effect.lump:
            return effect
        values = self.values
        worths = [values[line] for line in effect.lines]
        if self.allocation is Allocation.LAST_LINE:
            amounts = prorate(effect.lump, worths, worths, self.allocation)
        else:
            amounts = spread(effect.lump, worths, self.allocation)  # no share exceeds its line
        lines = effect.lines
        if 0 in amounts:
            lines = [line for line, amount in zip(lines, amounts, strict=True) if amount]
            amounts = [amount for amount in amounts if amount]
        return Effect(lines, amounts, times=effect.times)

    def select(self, selector: Selector) -> tuple[int, ...]:
        """Lines that a selector means, ascending; lines that are not promotable never are."""
        # By identity first: offers keep their selectors, and hashing one takes its time.
        known = self.known.get(id(selector))
        if known is not None:
            return known
        found = self.found.get(selector)
        if found is None:
            found = tuple(self._selected(selector))
            if depends_on_discounts(selector):
                return found
            self.found[selector] = found
        self.known[id(selector)] = found
        return found

    def _selected(self, selector: Selector) -> list[int]:
        if selector == Selector(skus=selector.skus):
            skus = selector.skus
            return [
                number
                for number, line in enumerate(self.lines)
                if self.counted[number] and (not skus or line.sku in skus)
            ]
        return [
            number
            for number, is_counted in enumerate(self.counted)
            if is_counted and self._is_meant(selector, number)
        ]

    def _is_meant(self, selector: Selector, number: int) -> bool:
        is_at_list = self.values[number] == self.lists[number]
        return matches(selector, self.lines[number], is_at_list=is_at_list)

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
        if self.lumps:
            self._share_lumps()
        known = self.units[line]
        if known is not None:
            return self._settled(line, known) if self.owed[line] else known
        count = self.counts[line]
        if count == 1:
            return (self.values[line],)
        return _evenly(self.values[line], count)

    def listed_units(self, line: int) -> tuple[int, ...]:
        """The list amount of each unit of a line, shared out as `unit_values` does."""
        return _evenly(self.lists[line], self.counts[line])

    def _settled(self, line: int, values: tuple[int, ...]) -> tuple[int, ...]:
        """Share out what came off the whole line since its units were last asked for."""
        for amount in self.owed[line]:
            values = tuple(map(sub, values, spread(amount, values)))
        self.units[line], self.owed[line] = values, ()
        return values

    def free_units(self, lines: Iterable[int]) -> list[Unit]:
        """Units that no set-type offer has used up, in line order."""
        found = []
        for line in lines:
            used = self.used[line]
            for number, value in enumerate(self.unit_values(line)):
                if number not in used:
                    found.append(Unit(value, line, number))
        return found

    def worth(self, lines: Sequence[int]) -> int:
        """What some lines cost now."""
        if self.lumps and lines is self.lump_lines:
            return self.lump_worth
        return sum(map(self.values.__getitem__, lines))

    def owe(self, effect: Effect) -> Lump:
        """Take a lump off its lines together; nobody needs to know yet what it takes off each."""
        self.lump_worth = self.worth(effect.lines) - effect.lump
        if self.lump_lines is not effect.lines:
            if self.lumps:
                self._share_lumps()
            self.lump_lines = effect.lines
        lump = Lump(effect)
        self.lumps += (lump,)
        return lump

    def apply(self, effect: Effect) -> None:
        """Let an effect act; each unit keeps what was taken off it."""
        values, units, counts = self.values, self.units, self.counts
        parts = effect.parts
        for line, amount in zip(effect.lines, effect.amounts, strict=True):
            if counts[line] > 1:
                if line in parts:
                    units[line] = tuple(map(sub, self.unit_values(line), parts[line]))
                elif units[line] is not None:
                    self.owed[line] += (amount,)
            values[line] -= amount
            assert values[line] >= 0
        for line, numbers in effect.used:
            self.used[line] |= numbers


def _evenly(amount: int, count: int) -> tuple[int, ...]:
    """An amount over units that nothing tells apart: the first pay less by a minor unit."""
    each, more = divmod(amount, count)
    return (each,) * (count - more) + (each + 1,) * more
