"""Choose among best-of groups and exclusive offers: the best for the customer, by money.

Every choice is judged by what the whole basket then costs. A tie goes to fewer offers, then to
higher priority, then to the smaller id. All combinations are tried as long as that takes at most
`TURNS_MAX` turns of offers. Beyond that each group starts with the member that alone would give
most, and changes its mind one group at a time while the basket gets cheaper, until nothing does
or the turns are used up: a till must answer at once, however many offers there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain, combinations
from math import prod

from shared.price.act import Candidate, Outcome, Setting, act_all, act_by_line, act_one, look
from shared.price.apart import split
from shared.price.offer import ExclusiveChoice, Offer

TURNS_MAX = 2000
SUBSET_MEMBERS_MAX = 6

Option = tuple[Candidate, ...]
"""Members of one group that may act: at most one, or some where lines choose among them."""
Options = Mapping[str, Sequence[Option]]
Chosen = Mapping[str, Option]


def is_better(outcome: Outcome, other: Outcome) -> bool:
    """More money off; then fewer offers, higher priority, smaller ids."""
    if outcome.discount_minor != other.discount_minor:
        return outcome.discount_minor > other.discount_minor
    return _tie_rank(outcome) < _tie_rank(other)


def _tie_rank(outcome: Outcome) -> tuple[int, list[tuple[int, str]]]:
    offers = [acting.candidate.rule.offer for acting in outcome.acted]
    return len(offers), sorted(_precedence(offer) for offer in offers)


def best_of(outcomes: Iterable[Outcome]) -> Outcome:
    """The best of some outcomes, of which there is at least one."""
    return reduce(lambda best, each: each if is_better(each, best) else best, outcomes)


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
    return best_of(chain([together], alone))


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
    return _best(setting, candidates, {name: _options(each) for name, each in groups.items()})


def best_with(setting: Setting, candidates: Sequence[Candidate], wanted: Candidate) -> Outcome:
    """The best outcome in which one member of a group stands for its group."""
    groups = {name: _options(members) for name, members in _groups(candidates).items()}
    only: Sequence[Option] = [(wanted,)] if not wanted.rule.is_by_line else [(), (wanted,)]
    return _best(setting, candidates, {**groups, wanted.rule.group: only})


def _best(setting: Setting, candidates: Sequence[Candidate], options: Options) -> Outcome:
    search = _Search(
        Setting(setting.goods, setting.context, setting.policy, is_rough=True), candidates
    )
    if prod(map(len, options.values())) * search.turns <= TURNS_MAX:
        found = search.best(options)
    else:
        found = _group_by_group(search, options)
    assert found is not None  # that no group gives anything is always a choice
    return found


class _Search:
    """Walks the tree of choices; what two combinations have in common is priced once."""

    def __init__(self, setting: Setting, candidates: Sequence[Candidate]) -> None:
        self._setting = setting
        self._all = candidates
        apart, self._candidates = split(setting.goods, candidates)
        self._start = act_all(setting, apart)
        self.turns = max(1, len(self._candidates))

    def best(self, options: Options) -> Outcome | None:
        """The best outcome over all combinations of the options; None when none is possible."""
        leaves = self._leaves(0, self._start.copy(), options, {})
        first = next(leaves, None)
        if first is None:
            return None
        best = best_of(chain([first], leaves))
        best.chosen = {**{name: each[0] for name, each in options.items()}, **best.chosen}
        best.allowed = [
            each
            for each in self._all
            if not each.rule.group or each in best.chosen[each.rule.group]
        ]
        best.acted.sort(key=lambda acting: _turn(acting.candidate, best.chosen))
        return best

    def best_alone(self, option: Option) -> int:
        """What an option would give if its group came first."""
        start = self._start.copy()
        effects = (look(self._setting, member, start) for member in option)
        return max((effect.amount_minor for effect in effects if effect is not None), default=0)

    def _leaves(
        self, place: int, outcome: Outcome, options: Options, chosen: Chosen
    ) -> Iterator[Outcome]:
        for at in range(place, len(self._candidates)):
            candidate = self._candidates[at]
            rule = candidate.rule
            if not rule.group:
                act_one(self._setting, candidate, outcome)
            elif rule.group in chosen:
                if not self._act_chosen(candidate, chosen[rule.group], outcome):
                    return
            else:
                group = options[rule.group]
                for option, branch in self._branches(candidate, group, outcome):
                    yield from self._leaves(at + 1, branch, options, {**chosen, rule.group: option})
                    if len(group) == 1:
                        return
                if rule.is_by_line:
                    return
        outcome.chosen = chosen
        yield outcome

    def _branches(
        self, candidate: Candidate, group: Sequence[Option], outcome: Outcome
    ) -> Iterator[tuple[Option, Outcome]]:
        """What may be chosen at the turn of a member of a group that nobody was chosen from yet."""
        if candidate.rule.is_by_line:
            for option in group:
                branch = outcome.copy()
                if self._act_chosen(candidate, option, branch):
                    yield option, branch
        elif (candidate,) in group:
            branch = outcome.copy()
            act_one(self._setting, candidate, branch)
            # One that gives nothing is as good as none of its group.
            if len(branch.acted) > len(outcome.acted):
                yield (candidate,), branch

    def _act_chosen(self, candidate: Candidate, option: Option, outcome: Outcome) -> bool:
        """Where lines choose, all of the option act at the turn of its first.

        False where that one has nothing to give: then the option is none, since an offer that
        does nothing must not decide when others act.
        """
        if candidate.rule.is_by_line and option and candidate is option[0]:
            return act_by_line(self._setting, option, outcome)
        return True


def _turn(candidate: Candidate, chosen: Chosen) -> tuple[int, int]:
    """When an offer acts: where lines choose, all of the option at the turn of its first."""
    rule = candidate.rule
    if rule.group and rule.is_by_line:
        return chosen[rule.group][0].rule.place, rule.place
    return rule.place, rule.place


def _groups(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    groups: dict[str, list[Candidate]] = {}
    for each in candidates:
        if each.rule.group:
            groups.setdefault(each.rule.group, []).append(each)
    return groups


def _options(members: Sequence[Candidate]) -> list[Option]:
    """None, which comes first, one member each, or where lines choose any subset.

    Where lines choose among many members: none, one, or all of them.
    """
    singles = [(), *((each,) for each in members)]
    if not members[0].rule.is_by_line:
        return singles
    if len(members) > SUBSET_MEMBERS_MAX:
        return [*singles, tuple(members)]
    sizes = range(len(members) + 1)
    return list(chain.from_iterable(combinations(members, size) for size in sizes))


def _group_by_group(search: _Search, options: Options) -> Outcome | None:
    chosen = {name: max(group, key=search.best_alone) for name, group in options.items()}
    best = search.best(_fixed(chosen))
    turns, is_better_found = 0, True
    while is_better_found:
        is_better_found = False
        for name, option in _others(options):
            if turns >= TURNS_MAX and best is not None:
                return best
            turns += search.turns
            outcome = search.best({**_fixed(chosen), name: [option]})
            if outcome is not None and (best is None or is_better(outcome, best)):
                best, chosen, is_better_found = outcome, {**chosen, name: option}, True
    return best


def _others(options: Options) -> Iterator[tuple[str, Option]]:
    return ((name, option) for name, group in options.items() for option in group)


def _fixed(chosen: Chosen) -> dict[str, Sequence[Option]]:
    return {name: [option] for name, option in chosen.items()}
