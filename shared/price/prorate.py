"""Share an amount so that the parts are whole and add up to it exactly.

Largest remainder (Hamilton): each gets its share rounded down, and the odd minor units go to
the largest fractions, ties to the first. What a clamped part cannot take is shared out again.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.kernel.quantity import round_half_up
from shared.price.context import Allocation, Rounding
from shared.price.reward import FULL_BP


def percent_of(base_minor: int, bp: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """A share of an amount that is not negative, in basis points, as whole minor units."""
    if rounding is Rounding.HALF_UP:
        return (2 * base_minor * bp + FULL_BP) // (2 * FULL_BP)
    whole, rest = divmod(base_minor * bp, FULL_BP)
    if rounding is Rounding.FLOOR:
        return whole
    is_up = 2 * rest > FULL_BP or (2 * rest == FULL_BP and whole % 2 == 1)
    return whole + is_up


def spread(
    total: int,
    weights: Sequence[int],
    allocation: Allocation = Allocation.LARGEST_REMAINDER,
) -> list[int]:
    """Whole parts of `total` in proportion to the weights; a weight of nought gets nothing."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    if len(weights) == 1:
        return [total]
    shares = [total * weight // whole for weight in weights]
    left = total - sum(shares)
    if left:
        for place in _odd_places(left, total, weights, allocation):
            shares[place] += 1
    return shares


def _odd_places(
    left: int, total: int, weights: Sequence[int], allocation: Allocation
) -> Sequence[int]:
    """Where the odd minor units go, one each (all of them to the last line when that is said)."""
    if allocation is Allocation.LARGEST_REMAINDER:
        whole = sum(weights)
        rests = [total * weight % whole for weight in weights]
        # Sorting backwards keeps the order of equals: ties go to the first.
        return sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:left]
    places = [place for place, weight in enumerate(weights) if weight]
    return places[:left] if allocation is Allocation.FIRST_LINE else places[-1:] * left


def prorate(
    total: int,
    weights: Sequence[int],
    rooms: Sequence[int],
    allocation: Allocation = Allocation.LARGEST_REMAINDER,
) -> list[int]:
    """Parts of `total` by weight, none above its room; the excess goes to those with room left.

    Where all rooms together are too small, every open part is filled.
    """
    shares = spread(total, weights, allocation)
    excess = _clamp(shares, rooms)
    while excess:
        still = [
            weight if share < room else 0
            for weight, share, room in zip(weights, shares, rooms, strict=True)
        ]
        more = spread(excess, still, allocation)
        if not any(more):
            break
        for place, part in enumerate(more):
            shares[place] += part
        excess = _clamp(shares, rooms)
    return shares


def _clamp(shares: list[int], rooms: Sequence[int]) -> int:
    """Cut shares down to their rooms; what was cut off."""
    excess = 0
    for place, share in enumerate(shares):
        if share > rooms[place]:
            excess += share - rooms[place]
            shares[place] = rooms[place]
    return excess


def share_of(amount_minor: int, part: int, whole: int) -> int:
    """`part` of `whole` of an amount, half-up: the cumulative share that returns refund."""
    return round_half_up(amount_minor * part, whole)
