"""Offers that never win: another of their group, or an exclusive one, is always better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from shared.price.lint_basket import Lab, quantities, sample_of
from shared.price.lint_catalogue import first_of
from shared.price.lint_compare import acts_wherever, gives_at_least
from shared.price.lint_finding import Finding, Severity
from shared.price.lint_reach import told
from shared.price.lint_subject import Subject, Survey
from shared.price.offer import ExclusiveChoice, Offer, StackMode
from shared.price.reward import AmountOff, AmountOffEach, AmountOffLine, PercentOff

RIVALS_MAX = 100
SAMPLED_PAIRS_MAX = 300
SAMPLE_PLACES = 4
CERTAIN = (PercentOff, AmountOff, AmountOffEach, AmountOffLine)
"""Rewards that take something off whatever goods they act on."""

_warning, _info = partial(told, Severity.WARNING), partial(told, Severity.INFO)


def always_beaten(survey: Survey, lab: Lab) -> Iterator[Finding]:
    """Each offer at most once, with the rival that beats it."""
    forced = [each for each in survey.subjects if _is_forced(each.offer)][:RIVALS_MAX]
    sampled = 0
    for weak in survey.subjects:
        if not weak.goods:
            continue
        found = _shut_out(weak, forced, lab)
        unclear: list[Subject] = []
        if found is None and weak.offer.stack.mode is not StackMode.STACK:
            found = _beaten(weak, _rivals(weak, survey), unclear, lab)
        if found is None and sampled < SAMPLED_PAIRS_MAX:
            sampled += len(unclear)
            found = _beaten_in_samples(weak, unclear, lab)
        if found is not None:
            yield found


def _is_forced(offer: Offer) -> bool:
    is_exclusive = offer.stack.mode is StackMode.EXCLUSIVE
    return is_exclusive and offer.stack.choose is ExclusiveChoice.ALWAYS


def _precedence(offer: Offer) -> tuple[int, str]:
    return -offer.priority, offer.id


def _shut_out(weak: Subject, forced: Sequence[Subject], lab: Lab) -> Finding | None:
    """By an exclusive offer that wins whatever others give."""
    for strong in forced:
        if strong is weak or not isinstance(strong.offer.reward, CERTAIN):
            continue
        if _is_forced(weak.offer) and _precedence(weak.offer) < _precedence(strong.offer):
            continue
        if _has_room(strong, weak, lab) and acts_wherever(strong, weak, lab.catalogue):
            return _warning((weak.offer, strong.offer), "shut_out", other=strong.offer.id)
    return None


def _has_room(strong: Subject, weak: Subject, lab: Lab) -> bool:
    """Whether floors leave something to take of every item; steps must be conditions here."""
    if strong.offer.ignores_floor:
        return True
    is_small = weak.places is not None
    places = weak.places if weak.places is not None else (first_of(weak.goods),)
    items = [lab.catalogue.items[place] for place in places]
    return is_small and all(item.floor_unit_minor < item.unit_minor for item in items)


def _rivals(weak: Subject, survey: Survey) -> list[Subject]:
    stack = weak.offer.stack
    found = [
        each
        for each in survey.on(first_of(weak.goods))
        if each is not weak
        and each.offer.stack.mode is stack.mode
        and each.offer.stack.group == stack.group
    ]
    return found[:RIVALS_MAX]


def _beaten(
    weak: Subject, rivals: Sequence[Subject], unclear: list[Subject], lab: Lab
) -> Finding | None:
    """By structure, and confirmed by pricing; `unclear` gets those that only prices can judge."""
    for strong in rivals:
        if _is_forced(weak.offer) or not _may_replace(strong, weak, lab):
            continue
        gives = gives_at_least(strong, weak, lab.catalogue)
        if gives is None:
            unclear.append(strong)
        if not gives or not _compare(strong, weak, lab)[0]:
            continue
        if _is_twin(strong, weak, lab):
            return _warning((weak.offer, strong.offer), "twin", other=strong.offer.id)
        if not _is_mutual(strong, weak, lab):
            return _warning((weak.offer, strong.offer), "beaten", other=strong.offer.id)
    return None


def _may_replace(strong: Subject, weak: Subject, lab: Lab) -> bool:
    return acts_wherever(strong, weak, lab.catalogue, but_steps=True)


def _is_mutual(strong: Subject, weak: Subject, lab: Lab) -> bool:
    """Whether the other also gives at least as much: then precedence decides."""
    return _may_replace(weak, strong, lab) and bool(gives_at_least(weak, strong, lab.catalogue))


def _is_twin(strong: Subject, weak: Subject, lab: Lab) -> bool:
    is_first = _precedence(strong.offer) < _precedence(weak.offer)
    return is_first and _is_mutual(strong, weak, lab)


def _beaten_in_samples(weak: Subject, rivals: Sequence[Subject], lab: Lab) -> Finding | None:
    for strong in rivals:
        is_no_less, is_more, count = _compare(strong, weak, lab)
        if is_no_less and is_more:
            offers = (weak.offer, strong.offer)
            return _info(offers, "beaten_in_samples", other=strong.offer.id, count=count)
    return None


def _compare(strong: Subject, weak: Subject, lab: Lab) -> tuple[bool, bool, int]:
    """Whether sample baskets never cost more with one, whether one costs less, how many."""
    is_more, count = False, 0
    for place in _places(weak, lab):
        item = lab.catalogue.items[place]
        asked = quantities(weak, item)
        asked |= quantities(strong, item) if place_fits(strong, place) else set()
        least = min(quantities(weak, item))
        for qty in sorted({*asked, 2 * least, 3 * least + 1}):
            if qty < least:
                continue
            goods = sample_of(weak, place, qty, lab)
            mine, theirs = (sum(lab.price(goods, [each.offer]).nets) for each in (strong, weak))
            count += 1
            is_more = is_more or mine < theirs
            if mine > theirs:
                return False, is_more, count
    return True, is_more, count


def place_fits(subject: Subject, place: int) -> bool:
    """Whether the offer acts on an item."""
    return bool(subject.goods >> place & 1)


def _places(subject: Subject, lab: Lab) -> list[int]:
    """A few items between the dearest and the cheapest of the offer's goods."""
    ordered = list(lab.rankings.by_price.of(subject.goods)) or [first_of(subject.goods)]
    step = max(1, (len(ordered) - 1) // (SAMPLE_PLACES - 1))
    return [*ordered[::step][: SAMPLE_PLACES - 1], ordered[-1]]
