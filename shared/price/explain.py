"""Why and why not: what acted, what did not and for which reason, and what is nearly reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.price.act import Candidate, Outcome, Setting, act_all
from shared.price.choose import best_together, best_with, choose
from shared.price.context import PriceContext, PriceLine, PricePolicy, PricingInstant
from shared.price.derivation import Derivation
from shared.price.derive import DEFAULT_POLICY, called_of, candidates_of, derivation_of
from shared.price.eligibility import Param, Reason, why_not_for
from shared.price.goods import Goods
from shared.price.hint import hint_of, next_step, ranked
from shared.price.offer import Offer
from shared.price.offer_book import OfferBook, Rule


@dataclass(frozen=True, slots=True)
class WhyNot:
    """An offer that gave nothing: a code of `offer.why.*` with its parameters.

    Parameters ending in `_minor` are money, in `_milli` weights; `offer` is an offer's id.
    """

    offer: Offer
    code: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class Hint:
    """What the cashier may say: a code of `offer.hint.*` with its parameters."""

    offer: Offer
    code: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The derivation, why each other offer gave nothing, and hints, the nearest first."""

    derivation: Derivation
    why_not: tuple[WhyNot, ...]
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    setting: Setting
    book: OfferBook
    at: PricingInstant
    candidates: list[Candidate]
    called: list[Candidate]
    chosen: Outcome


def explain(
    lines: Sequence[PriceLine],
    book: OfferBook,
    context: PriceContext,
    at: PricingInstant,
    policy: PricePolicy = DEFAULT_POLICY,
) -> Explanation:
    """Price and give the reason of every offer of the book that gave nothing."""
    case = _case(book, Setting(Goods(lines, policy.allocation), context, policy), at)
    reasons = _reasons(case)
    acted = {acting.candidate.rule.place for acting in case.chosen.acted}
    why_not = tuple(
        WhyNot(rule.offer, reason.code, reason.params)
        for rule in book.rules
        if rule.place not in acted
        for reason in (reasons.get(rule.place) or _why_untouched(rule, case),)
    )
    derivation = derivation_of(lines, case.chosen)
    return Explanation(derivation, why_not, _hints(case, reasons))


def hints(
    lines: Sequence[PriceLine],
    book: OfferBook,
    context: PriceContext,
    at: PricingInstant,
    policy: PricePolicy = DEFAULT_POLICY,
) -> tuple[Hint, ...]:
    """Only the near misses, at the cost of pricing once more."""
    case = _case(book, Setting(Goods(lines, policy.allocation), context, policy), at)
    return _hints(case, _own_reasons(case))


def derive_and_hint(
    lines: Sequence[PriceLine],
    book: OfferBook,
    context: PriceContext,
    at: PricingInstant,
    policy: PricePolicy = DEFAULT_POLICY,
) -> tuple[Derivation, tuple[Hint, ...]]:
    """Price, and find the near misses with one choice for both: what a till shows."""
    case = _case(book, Setting(Goods(lines, policy.allocation), context, policy), at)
    return derivation_of(lines, case.chosen), _hints(case, _own_reasons(case))


def _case(book: OfferBook, setting: Setting, at: PricingInstant) -> _Case:
    within, beyond = candidates_of(setting.goods, book, setting.context, at)
    # Who is out of reach is asked beside those that may act; of a group, in its winner's stead.
    members = [each for each in beyond if each.rule.group]
    candidates = sorted([*within, *members], key=_place)
    called = called_of(setting.goods, book, setting.context, at)
    called += [each for each in beyond if not each.rule.group]
    return _Case(setting, book, at, candidates, called, choose(setting, within))


def _place(candidate: Candidate) -> int:
    return candidate.rule.place


def _own_reasons(case: _Case) -> dict[int, Reason]:
    """By place, why those that the choice let act gave nothing, and those that are called for."""
    asked = sorted([*case.chosen.allowed, *case.called], key=_place)
    return act_all(case.setting, asked, is_asked_why=True).reasons or {}


def _reasons(case: _Case) -> dict[int, Reason]:
    """By place, why the candidates that gave nothing did so."""
    reasons = _own_reasons(case)
    allowed = {candidate.rule.place for candidate in case.chosen.allowed}
    for candidate in case.candidates:
        if candidate.rule.place not in allowed:
            reasons[candidate.rule.place] = _why_not_chosen(case, candidate)
    return reasons


def _why_not_chosen(case: _Case, candidate: Candidate) -> Reason:
    """What the basket would cost with it, against what it costs now."""
    rest = [each for each in case.candidates if not each.rule.is_exclusive]
    if candidate.rule.is_exclusive:
        other = act_all(case.setting, [candidate])
    elif candidate.rule.group:
        other = best_with(case.setting, rest, candidate)
    else:
        other = best_together(case.setting, rest)
    if all(acting.candidate is not candidate for acting in other.acted):
        asked = act_all(case.setting, other.allowed, is_asked_why=True).reasons or {}
        return asked.get(candidate.rule.place, Reason("no_room"))
    more = case.chosen.discount_minor - other.discount_minor
    winner = _winner(case.chosen, candidate)
    if more <= 0:  # less only where an exclusive offer wins whatever others give
        return Reason("beaten_even" if more == 0 else "excluded", {"offer": winner})
    return Reason("beaten", {"offer": winner, "more_minor": more})


def _winner(chosen: Outcome, loser: Candidate) -> str:
    """The offer to name: the group's winner, or the exclusive one, or what gave most."""
    if not chosen.acted:
        return ""
    rivals = [
        acting
        for acting in chosen.acted
        if acting.candidate.rule.is_exclusive
        or (loser.rule.group and acting.candidate.rule.group == loser.rule.group)
    ]
    most = max(rivals or chosen.acted, key=lambda acting: acting.effect.amount_minor)
    return most.candidate.rule.offer.id


def _why_untouched(rule: Rule, case: _Case) -> Reason:
    reason = why_not_for(rule.offer, case.setting.context, case.at)
    return Reason("no_goods") if reason is None else reason


def _hints(case: _Case, reasons: Mapping[int, Reason]) -> tuple[Hint, ...]:
    goods = case.chosen.goods
    if not goods.lines:
        return ()
    found: list[tuple[Offer, Reason | None]] = []
    for acting in case.chosen.acted:
        offer = acting.candidate.rule.offer
        found.append((offer, next_step(offer, goods, acting.base_minor)))
    acted = {acting.candidate.rule.place for acting in case.chosen.acted}
    for candidate in (*case.chosen.allowed, *case.called):
        place, offer = candidate.rule.place, candidate.rule.offer
        if place not in acted and place in reasons:
            found.append((offer, hint_of(offer, goods, reasons[place])))
    near = [(offer, reason) for offer, reason in found if reason is not None]
    return tuple(Hint(offer, reason.code, reason.params) for offer, reason in ranked(near))
