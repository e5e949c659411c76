"""Choose among best-of groups and exclusive offers: the best for the customer, by money.

Every choice is judged by what the whole basket then costs. A tie goes to fewer offers, then to
higher priority, then to the smaller id. All combinations are tried as long as there are at most
`COMBINATIONS_MAX`; beyond that each group in turn takes its best choice while the others stand,
until nothing gets better.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, combinations, product
from math import prod

from shared.price.act import Candidate, Outcome, Setting, act_all
from shared.price.offer import ExclusiveChoice, Offer

COMBINATIONS_MAX = 256
SUBSET_MEMBERS_MAX = 6
ROUNDS_MAX = 4

Option = tuple[Candidate, ...]
"""Members of one group that may act: at most one, or some where lines choose among them."""
Rank = tuple[int, int, list[tuple[int, str]]]


def rank(outcome: Outcome) -> Rank:
    """Sorts the better outcome first."""
    offers = [acting.candidate.rule.offer for acting in outcome.acted]
    order = sorted(_precedence(offer) for offer in offers)
    return -outcome.discount_minor(), len(offers), order


def _precedence(offer: Offer) -> tuple[int, str]:
    return -offer.priority, offer.id


def choose(setting: Setting, candidates: Sequence[Candidate]) -> Outcome:
    """The outcome that is best for the customer among all that the stack modes allow."""
    exclusives = [each for each in candidates if each.rule.is_exclusive]
    if not exclusives:
        return best_together(setting, candidates)
    forced = _always(setting, exclusives)
    if forced is not None:
        return forced
    together = best_together(setting, [each for each in candidates if not each.rule.is_exclusive])
    alone = (act_all(setting, [each]) for each in exclusives)
    return min(chain([together], alone), key=rank)


def _always(setting: Setting, exclusives: Sequence[Candidate]) -> Outcome | None:
    """The exclusive offer that wins whatever others give: of those the highest priority."""
    forced = [each for each in exclusives if each.rule.offer.stack.choose is ExclusiveChoice.ALWAYS]
    for candidate in sorted(forced, key=lambda each: _precedence(each.rule.offer)):
        outcome = act_all(setting, [candidate])
        if outcome.acted:
            return outcome
    return None


def best_together(setting: Setting, candidates: Sequence[Candidate]) -> Outcome:
    """The best outcome of offers of which none is exclusive."""
    groups = _groups(candidates)
    if not groups:
        return act_all(setting, candidates)
    free = [each for each in candidates if not each.rule.group]
    options = [_options(members) for members in groups.values()]
    if prod(map(len, options)) <= COMBINATIONS_MAX:
        choices: Iterator[tuple[Option, ...]] = product(*options)
        outcomes = (act_all(setting, _in_order(free, choice)) for choice in choices)
        return min(outcomes, key=rank)
    return _group_by_group(setting, free, options)


def _groups(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for each in candidates:
        if each.rule.group:
            groups.setdefault(each.rule.group, []).append(each)
    return groups


def _options(members: Sequence[Candidate]) -> list[Option]:
    """None, one member each, or where lines choose any subset; for many members all or one."""
    singles = [(), *((each,) for each in members)]
    if not members[0].rule.is_by_line:
        return singles
    if len(members) > SUBSET_MEMBERS_MAX:
        return [*singles, tuple(members)]
    sizes = range(len(members) + 1)
    return list(chain.from_iterable(combinations(members, size) for size in sizes))


def _in_order(free: Sequence[Candidate], choice: Sequence[Option]) -> list[Candidate]:
    return sorted(chain(free, *choice), key=lambda each: each.rule.place)


def _group_by_group(
    setting: Setting, free: Sequence[Candidate], options: Sequence[Sequence[Option]]
) -> Outcome:
    chosen: list[Option] = [each[0] for each in options]
    best = act_all(setting, _in_order(free, chosen))
    for _ in range(ROUNDS_MAX):
        before = list(chosen)
        for place, group in enumerate(options):
            for option in group:
                tried = [*chosen[:place], option, *chosen[place + 1 :]]
                outcome = act_all(setting, _in_order(free, tried))
                if rank(outcome) < rank(best):
                    best, chosen = outcome, tried
        if chosen == before:
            break
    return best
