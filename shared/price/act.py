"""Let chosen offers act in order, each on what the earlier ones left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.price.condition import Condition
from shared.price.context import Allocation, PriceContext, PricePolicy
from shared.price.effect import (
    Act,
    amount_off,
    amount_off_each,
    amount_off_line,
    every,
    percent_off,
    price_each,
    tiers,
)
from shared.price.eligibility import Reason, why_unmet
from shared.price.goods import Effect, Goods, Lump
from shared.price.offer import BudgetPolicy, Limits
from shared.price.offer_book import Rule
from shared.price.prorate import prorate, spread
from shared.price.reward import (
    FULL_BP,
    AddOn,
    AmountOff,
    AmountOffEach,
    AmountOffLine,
    BundlePrice,
    BuyGet,
    Every,
    Gift,
    GroupEach,
    NthUnit,
    PercentOff,
    PriceEach,
    SetPrice,
    Tiers,
)
from shared.price.sets import set_effect
from shared.price.why import why_nothing


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """An offer that may act; `targets` its lines where they are known beforehand.

    `conditions` are those that must be asked at its turn.
    """

    rule: Rule
    targets: tuple[int, ...] | None
    units_left: int | None
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """The basket before any offer, the customer, and the house rules.

    `is_rough`: only totals are wanted, so that amounts need not be shared out over lines.
    """

    goods: Goods
    context: PriceContext
    policy: PricePolicy
    is_rough: bool = False


@dataclass(slots=True)
class Acting:
    """An offer that acted, with what its goods and each cut line were worth before.

    A `lump` knows better than `effect` and `bases` once it was shared out.
    """

    candidate: Candidate
    effect: Effect
    base_minor: int
    bases: Sequence[int]
    lump: Lump | None = None


@dataclass(slots=True)
class Outcome:
    """The goods after those of the `allowed` offers acted that gave something.

    `reasons`, by place, tells why the others did not, when that was asked; `chosen` who of each
    best-of group was let.
    """

    goods: Goods
    acted: list[Acting] = field(default_factory=list)
    allowed: Sequence[Candidate] = ()
    reasons: dict[int, Reason] | None = None
    discount_minor: int = 0
    chosen: Mapping[str, tuple[Candidate, ...]] = field(default_factory=dict)

    def copy(self) -> Outcome:
        """The same so far, to go on in another way."""
        return Outcome(
            self.goods.copy(), self.acted[:], self.allowed, self.reasons, self.discount_minor
        )

    def users(self) -> list[tuple[str, frozenset[int]]]:
        """The set-type offers that acted, with the lines of the units that they used up."""
        return [
            (acting.candidate.rule.offer.id, frozenset(line for line, _ in acting.effect.used))
            for acting in self.acted
            if acting.effect.used
        ]

    def refuse(self, candidate: Candidate, reason: Reason) -> None:
        """Note why an offer did not act."""
        if self.reasons is not None:
            self.reasons[candidate.rule.place] = reason


def act_all(
    setting: Setting, candidates: Sequence[Candidate], *, is_asked_why: bool = False
) -> Outcome:
    """Let candidates act in their order on a copy of the goods."""
    outcome = Outcome(
        setting.goods.copy(), allowed=candidates, reasons={} if is_asked_why else None
    )
    done: set[str] = set()
    for candidate in candidates:
        group = candidate.rule.group if candidate.rule.is_by_line else ""
        if not group:
            act_one(setting, candidate, outcome)
        elif group not in done:
            done.add(group)
            act_by_line(setting, members_of(candidates, group), outcome)
    return outcome


def act_one(setting: Setting, candidate: Candidate, outcome: Outcome) -> None:
    """Let one offer act, if it may and gives something."""
    effect = look(setting, candidate, outcome)
    if effect is not None:
        _apply(candidate, effect, outcome)


def members_of(candidates: Sequence[Candidate], group: str) -> list[Candidate]:
    """The members of a best-of group."""
    return [each for each in candidates if each.rule.group == group]


def act_by_line(setting: Setting, members: Sequence[Candidate], outcome: Outcome) -> bool:
    """Each line takes the member that gives it most; ties go to the one that acts earlier.

    All members look at the same goods, at the turn of the first; False where that one finds
    nothing to take.
    """
    effects = [(each, look(setting, each, outcome)) for each in members]
    best: dict[int, tuple[int, int]] = {}
    for place, (_, effect) in enumerate(effects):
        if effect is None:
            continue
        for line, amount in zip(effect.lines, effect.amounts, strict=True):
            if amount > best.get(line, (0, 0))[0]:
                best[line] = (amount, place)
    for place, (candidate, effect) in enumerate(effects):
        won = {line for line, (_, winner) in best.items() if winner == place}
        if effect is not None and won:
            _apply(candidate, _only(effect, won), outcome)
        elif effect is not None:
            outcome.refuse(candidate, Reason("beaten_by_line"))
    return effects[0][1] is not None


def _only(effect: Effect, lines: set[int]) -> Effect:
    """The part of an effect that falls on some lines."""
    found = [
        (line, amount)
        for line, amount in zip(effect.lines, effect.amounts, strict=True)
        if line in lines
    ]
    used = tuple(each for each in effect.used if each[0] in lines)
    return effect._replace(
        lines=[line for line, _ in found], amounts=[amount for _, amount in found], used=used
    )


def look(setting: Setting, candidate: Candidate, outcome: Outcome) -> Effect | None:
    """What a candidate would do to the goods as they are now; None with the reason noted."""
    offer, goods = candidate.rule.offer, outcome.goods
    unmet = why_unmet(candidate.conditions, offer, goods, setting.context)
    if unmet is not None:
        outcome.refuse(candidate, unmet)
        return None
    targets = candidate.targets
    if targets is None:
        targets = goods.select(offer.target)
    is_rough = setting.is_rough and not candidate.rule.is_by_line
    act = Act(offer, goods, targets, setting.policy, candidate.units_left, is_rough)
    effect = effect_now(act)
    if effect is None:
        if outcome.reasons is not None:
            outcome.refuse(candidate, why_nothing(act, outcome.users()))
        return None
    return _within_budget(setting, candidate, effect, outcome)


def effect_now(act: Act) -> Effect | None:  # noqa: PLR0911 - one arm per kind of reward
    """What the offer's reward would take now; None when that is nothing."""
    match act.offer.reward:
        case PercentOff() as reward:
            return percent_off(act, reward)
        case AmountOff() as reward:
            return amount_off(act, reward)
        case PriceEach(amount, max_units) | AddOn(amount, max_units):
            return price_each(act, amount, max_units)
        case AmountOffEach() as reward:
            return amount_off_each(act, reward)
        case AmountOffLine() as reward:
            return amount_off_line(act, reward)
        case Tiers() as reward:
            return tiers(act, reward)
        case Every() as reward:
            return every(act, reward)
        case Gift(max_units):
            return percent_off(act, PercentOff(FULL_BP, max_units=max_units))
        case (SetPrice() | BundlePrice() | NthUnit() | BuyGet() | GroupEach()) as reward:
            return set_effect(act, reward)


def _within_budget(
    setting: Setting, candidate: Candidate, effect: Effect, outcome: Outcome
) -> Effect | None:
    limits: Limits = candidate.rule.offer.limits
    amount, left = effect.amount_minor, limits.budget_left
    if left is None or amount <= left:
        return effect
    if limits.budget_policy is BudgetPolicy.SKIP or left <= 0:
        outcome.refuse(candidate, Reason("budget", {"left_minor": left, "amount_minor": amount}))
        return None
    return _clipped(outcome.goods.shared(effect), left, setting.policy.allocation)


def _clipped(effect: Effect, most: int, allocation: Allocation) -> Effect:
    """The effect with less to give, shared in proportion to what each line would have got."""
    amounts = prorate(most, effect.amounts, effect.amounts, allocation)
    shares = dict(zip(effect.lines, amounts, strict=True))
    parts = {
        line: spread(shares[line], by_unit)
        for line, by_unit in effect.parts.items()
        if line in shares
    }
    lines = [line for line, share in shares.items() if share]
    return effect._replace(lines=lines, amounts=[shares[line] for line in lines], parts=parts)


def _apply(candidate: Candidate, effect: Effect, outcome: Outcome) -> None:
    goods = outcome.goods
    targets = candidate.targets
    if targets is None:
        targets = goods.select(candidate.rule.offer.target)
    base_minor = goods.worth(targets)
    outcome.discount_minor += effect.amount_minor
    if effect.lump:
        lump = goods.owe(effect)
        outcome.acted.append(Acting(candidate, effect, base_minor, (), lump))
        return
    bases = list(map(goods.values.__getitem__, effect.lines))
    outcome.acted.append(Acting(candidate, effect, base_minor, bases))
    goods.apply(effect)
