"""Whether a tie explains that a basket costs another amount when its lines are scanned otherwise.

Ties go to the earlier line. That decides what is given in two ways, and only in these:

- An amount is shared and an odd minor unit goes to the earlier line, or one of two equal units
  is taken: going through the offers in order of action, the first that acts differently takes
  the same amount from other lines. Later offers may then find other goods.
- An offer that picks units meets two lines whose units cost the same (or, where the largest line
  comes first, two lines of one size): which of them is taken or used up may decide how much can
  come off it, and what is left for later offers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from shared.price.context import PriceLine
from shared.price.derivation import AppliedOffer, Derivation
from shared.price.offer import Offer
from shared.price.reward import AddOn, Gift, GroupEach, GroupOrder, SetReward


def is_tie(lines: Sequence[PriceLine], one: Derivation, other: Derivation) -> bool:
    """Whether two results for one basket in two orders may differ by a tie."""
    if _moves_an_amount(one.applied, other.applied):
        return True
    return _picks_among_equals(lines, one.applied) or _picks_among_equals(lines, other.applied)


def _moves_an_amount(one: Sequence[AppliedOffer], other: Sequence[AppliedOffer]) -> bool:
    for left, right in zip(one, other, strict=False):
        if (left.offer.id, left.amount_minor) != (right.offer.id, right.amount_minor):
            return False
        if _by_line(left) != _by_line(right):
            return True
    return False


def _by_line(applied: AppliedOffer) -> Mapping[int, int]:
    return {share.line: share.amount_minor for share in applied.shares}


def _picks_among_equals(lines: Sequence[PriceLine], applied: Iterable[AppliedOffer]) -> bool:
    goods = [line for line in lines if line.is_promotable]
    values = {line.key: line.gross_minor for line in goods}
    units = {line.key: line.units for line in goods}
    is_uneven = False
    for each in applied:
        if _picks_units(each.offer) and (
            is_uneven or _has_equals(_measures(each.offer, goods, values))
        ):
            return True
        for share in each.shares:
            values[share.line] -= share.amount_minor
            count = units[share.line]
            is_uneven = is_uneven or share.units < count or values[share.line] % count != 0
    return False


def _picks_units(offer: Offer) -> bool:
    reward = offer.reward
    if isinstance(reward, SetReward | Gift | AddOn) or offer.limits.per_member_units is not None:
        return True
    return getattr(reward, "max_units", None) is not None


def _measures(
    offer: Offer, goods: Sequence[PriceLine], values: Mapping[int, int]
) -> Iterator[list[tuple[int, int]]]:
    """Yield, by each measure that units queue up by, what the lines are: a fraction each."""
    yield [(line.gross_minor, line.units) for line in goods]
    yield [(values[line.key], line.units) for line in goods]
    reward = offer.reward
    if isinstance(reward, GroupEach) and reward.order is GroupOrder.LARGEST_LINE_FIRST:
        yield [(line.units, 1) for line in goods]


def _has_equals(measures: Iterable[Sequence[tuple[int, int]]]) -> bool:
    return any(
        value * others == more * units
        for measure in measures
        for (value, units), (more, others) in combinations(measure, 2)
    )
