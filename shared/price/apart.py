"""Which offers no choice among groups can influence: these act once, before the choosing.

An offer reads lines (its targets, and the scopes that it asks at its turn) and writes lines (its
targets). Going through the offers in order, one is apart when it reads nothing that an offer
which depends on a choice wrote before it, and writes nothing that such an offer read before it.
So it does the same at its turn and before all others, whatever is chosen. Lines are bits.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.price.act import Candidate
from shared.price.condition import Condition, ForMember, OrderNo, Selector
from shared.price.goods import Goods
from shared.price.select import depends_on_discounts


def split(goods: Goods, candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Candidates apart from all groups, and the others, both in their order."""
    apart, others = list[Candidate](), list[Candidate]()
    read = written = 0
    met: set[str] = set()
    for candidate in candidates:
        group = candidate.rule.group
        if not group and not met:
            apart.append(candidate)  # no group acts before it
            continue
        if group and group not in met:
            met.add(group)
            # Where lines choose, all members may act at the first one's turn.
            for each in candidates:
                if each.rule.group == group:
                    read |= _reads(goods, each)
                    written |= _writes(goods, each)
        reads, writes = _reads(goods, candidate), _writes(goods, candidate)
        if not group and not (reads & written) and not (writes & read):
            apart.append(candidate)
            continue
        others.append(candidate)
        read |= reads
        written |= writes
    return apart, others


def _writes(goods: Goods, candidate: Candidate) -> int:
    offer = candidate.rule.offer
    if candidate.targets is not None:
        return bits(candidate.targets)
    return _meant(goods, offer.target)


def _reads(goods: Goods, candidate: Candidate) -> int:
    offer = candidate.rule.offer
    found = _meant(goods, offer.target) if candidate.targets is None else bits(candidate.targets)
    for condition in candidate.conditions:
        found |= _asked(goods, condition)
    return found


def _asked(goods: Goods, condition: Condition) -> int:
    if isinstance(condition, ForMember | OrderNo):
        return 0
    return _meant(goods, condition.scope)


def _meant(goods: Goods, selector: Selector) -> int:
    """Lines that a selector means, or might mean once others were discounted: then any."""
    everything: int = (1 << len(goods.lines)) - 1
    if depends_on_discounts(selector):
        return everything
    lines = goods.select(selector)
    return everything if len(lines) == len(goods.lines) else bits(lines)


def bits(lines: Sequence[int]) -> int:
    """Lines as the bits of a number."""
    found = 0
    for line in lines:
        found |= 1 << line
    return found
