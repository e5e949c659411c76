"""Derive what offers take off a basket: pure, whole numbers, the same at the till and at HQ.

Steps: find the offers that touch the basket (offer_book), leave out those whose window, coupon,
customer or limits say no (eligibility), choose among best-of groups and exclusive offers by
what the whole basket then costs (choose), and let the chosen ones act in order, each on what
the earlier ones left (act).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.price.act import Acting, Candidate, Outcome, Setting
from shared.price.choose import choose
from shared.price.context import PriceContext, PriceLine, PricePolicy, PricingInstant
from shared.price.derivation import AppliedOffer, Derivation, OfferShare
from shared.price.eligibility import units_left, why_not_for
from shared.price.goods import Goods
from shared.price.offer_book import OfferBook
from shared.price.reach import can_reach

DEFAULT_POLICY = PricePolicy()


def derive(
    lines: Sequence[PriceLine],
    book: OfferBook,
    context: PriceContext,
    at: PricingInstant,
    policy: PricePolicy = DEFAULT_POLICY,
) -> Derivation:
    """What each line costs after all offers, and what each offer gave to which line."""
    setting = Setting(Goods(lines, policy.allocation), context, policy)
    candidates, _ = candidates_of(setting.goods, book, context, at)
    return derive_from(setting, candidates)


def derive_from(setting: Setting, candidates: Sequence[Candidate]) -> Derivation:
    """The second half of `derive`, for who looks at the candidates in between.

    The setting stays as it is, so that the same goods can be priced under other offers.
    """
    if not candidates:
        return Derivation(tuple(setting.goods.values), ())
    return derivation_of(setting.goods.lines, choose(setting, candidates))


def candidates_of(
    goods: Goods, book: OfferBook, context: PriceContext, at: PricingInstant
) -> tuple[list[Candidate], list[Candidate]]:
    """The offers that mean a line of the basket and may act at this time for this customer.

    Second those that may, but are out of reach of these goods.
    """
    hits = book.acting.hits(goods)
    places = sorted({*hits, *book.acting.everywhere})
    within, beyond = list[Candidate](), list[Candidate]()
    for place in places:
        rule = book.rules[place]
        if not rule.is_for_all and why_not_for(rule.offer, context, at) is not None:
            continue
        is_known = rule.is_plain and place in hits and rule.act is rule.offer.target
        targets = tuple(hits[place]) if is_known else None
        left = None if rule.is_for_all else units_left(rule.offer, context)
        if can_reach(rule, targets, goods, context):
            within.append(Candidate(rule, targets, left, rule.open_conditions))
        else:
            beyond.append(Candidate(rule, targets, left, rule.offer.when))
    return within, beyond


def called_of(
    goods: Goods, book: OfferBook, context: PriceContext, at: PricingInstant
) -> list[Candidate]:
    """Offers whose own goods are missing while the basket holds goods that call for them."""
    if not goods.lines:
        return []
    known = {*book.acting.hits(goods), *book.acting.everywhere}
    called = {*book.calling.hits(goods), *book.calling.everywhere} - known
    rules = (book.rules[place] for place in sorted(called))
    return [
        Candidate(rule, None, units_left(rule.offer, context), rule.offer.when)
        for rule in rules
        if why_not_for(rule.offer, context, at) is None
    ]


def derivation_of(lines: Sequence[PriceLine], outcome: Outcome) -> Derivation:
    """An outcome in the words of the journal."""
    nets = tuple(outcome.goods.values)  # which shares out the lumps that are left
    keys = [line.key for line in lines]
    applied = tuple(_applied(keys, outcome.goods.counts, acting) for acting in outcome.acted)
    return Derivation(nets, applied)


def _applied(keys: Sequence[int], counts: Sequence[int], acting: Acting) -> AppliedOffer:
    offer, lump = acting.candidate.rule.offer, acting.lump
    effect, bases = (acting.effect, acting.bases) if lump is None else (lump.effect, lump.bases)
    parts = effect.parts
    numbers = effect.lines
    units: Iterable[int] = map(counts.__getitem__, numbers)
    if parts:
        units = [_touched(parts[n]) if n in parts else counts[n] for n in numbers]
    columns = zip(map(keys.__getitem__, numbers), effect.amounts, bases, units, strict=True)
    shares = tuple(map(OfferShare._make, columns))
    return AppliedOffer(offer, effect.amount_minor, acting.base_minor, effect.times, shares)


def _touched(by_unit: Sequence[int]) -> int:
    """How many units of a line got something."""
    return len(by_unit) - by_unit.count(0)
