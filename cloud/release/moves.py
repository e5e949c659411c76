"""How far prices move: the old and the new record of an item, compared instant by instant. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from heapq import nlargest

from shared.price.levels import LevelPrice, level_prices, parse_record_key
from shared.publication.revision import Record

WHOLE_BP = 10_000
SHOWN_MAX = 100
NEW_BP = -1
"""Sorts what has no old price after everything that moves."""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the master says of an item; cost is for one unit without tax, None: not known."""

    name: str = ""
    cost_minor: int | None = None
    tax_bp: int = 0

    def cost_with_tax_minor(self) -> int | None:
        """What a price has to reach, rounded up."""
        if self.cost_minor is None:
            return None
        return -(-self.cost_minor * (WHOLE_BP + self.tax_bp) // WHOLE_BP)


@dataclass(frozen=True, slots=True)
class PriceChange:
    """An item's price record of one scope, before and after; None: it is not there.

    `wide` is that of the zone or chain, which counts where the scope's own says nothing.
    """

    scope: str
    gtin: str
    old: Record | None
    new: Record | None
    item: ItemFacts = ItemFacts()
    zone: tzinfo = UTC
    wide: Record | None = None


@dataclass(frozen=True, slots=True)
class PriceMove:
    """The largest step of one record that is still to come, and the price that it ends at."""

    scope: str
    gtin: str
    name: str
    from_at_ms: int
    old_minor: int | None
    new_minor: int | None
    old_member_minor: int | None
    new_member_minor: int | None
    move_bp: int | None


@dataclass(frozen=True, slots=True)
class Loss:
    """A price that is new and below cost, both with tax."""

    scope: str
    gtin: str
    name: str
    price_minor: int
    cost_minor: int


@dataclass(slots=True)
class Moves:
    """The largest moves and losses of many changes, and how many there are; bounded."""

    moves: list[PriceMove] = field(default_factory=list)
    moves_total: int = 0
    move_bp_max: int = 0
    losses: list[Loss] = field(default_factory=list)
    losses_total: int = 0


def moves_of(changes: Iterable[PriceChange], now_ms: int) -> Moves:
    """Compare every change from `now_ms` on; earlier prices are over."""
    found, moves = Moves(), list[PriceMove]()
    for change in changes:
        old, new = _prices(change.old, change.zone), _prices(change.new, change.zone)
        steps = list(_steps(change, old, new, now_ms))
        if not steps:
            continue
        largest = max(steps, key=_rank)
        found.moves_total += 1
        found.move_bp_max = max(found.move_bp_max, largest.move_bp or 0)
        moves.append(largest)
        if len(moves) > SHOWN_MAX * 20:
            moves = nlargest(SHOWN_MAX, moves, key=_rank)
        _add_loss(found, change, steps)
    found.moves = nlargest(SHOWN_MAX, moves, key=_rank)
    return found


def next_price(change: PriceChange, now_ms: int) -> tuple[str, int, int | None] | None:
    """GTIN, price and member price after a change's first step; None: no price, or no step."""
    old, new = _prices(change.old, change.zone), _prices(change.new, change.zone)
    for step in _steps(change, old, new, now_ms):
        if step.new_minor is None:
            return None
        return step.gtin, step.new_minor, step.new_member_minor
    return None


def _rank(move: PriceMove) -> int:
    return NEW_BP if move.move_bp is None else move.move_bp


def _prices(record: Record | None, zone: tzinfo) -> tuple[LevelPrice, ...]:
    if record is None or record.body is None:
        return ()
    raw = record.body.get("prices")
    return level_prices(raw, zone) if isinstance(raw, list) else ()


def _steps(
    change: PriceChange, old: Sequence[LevelPrice], new: Sequence[LevelPrice], now_ms: int
) -> Iterable[PriceMove]:
    gtin, _ = parse_record_key(change.gtin)
    wide = _prices(change.wide, change.zone)
    later = {each.from_at_ms for each in (*old, *new, *wide) if each.from_at_ms > now_ms}
    for at_ms in sorted({now_ms, *later}):
        before, after = _at(old, at_ms), _at(new, at_ms)
        before, after = (_at(wide, at_ms) if each[0] is None else each for each in (before, after))
        if before == after:
            continue
        bp = max(_bp(before[0], after[0]), _bp(_member(before), _member(after)))
        is_known = before[0] is not None and after[0] is not None
        yield PriceMove(
            change.scope,
            gtin,
            change.item.name,
            at_ms,
            before[0],
            after[0],
            before[1],
            after[1],
            bp if is_known else None,
        )


def _at(prices: Sequence[LevelPrice], at_ms: int) -> tuple[int | None, int | None]:
    place = bisect_right(prices, at_ms, key=lambda each: each.from_at_ms)
    if not place:
        return None, None
    found = prices[place - 1]
    return found.regular_minor, found.member_minor


def _member(price: tuple[int | None, int | None]) -> int | None:
    regular, member = price
    return regular if member is None else member


def _bp(old: int | None, new: int | None) -> int:
    if old is None or new is None or old == new:
        return 0
    return abs(new - old) * WHOLE_BP // max(old, 1)


def _add_loss(found: Moves, change: PriceChange, steps: Iterable[PriceMove]) -> None:
    cost = change.item.cost_with_tax_minor()
    if cost is None:
        return
    prices = [
        each
        for step in steps
        for each in (_member((step.new_minor, step.new_member_minor)),)
        if each is not None
    ]
    if not prices or min(prices) >= cost:
        return
    found.losses_total += 1
    if len(found.losses) < SHOWN_MAX:
        gtin = parse_record_key(change.gtin)[0]
        found.losses.append(Loss(change.scope, gtin, change.item.name, min(prices), cost))
