"""Near misses: what the cashier may tell the customer before the tender."""

from __future__ import annotations

from collections.abc import Sequence

from shared.price.context import PriceContext
from shared.price.effect import counted
from shared.price.eligibility import Reason, why_unmet
from shared.price.goods import Goods
from shared.price.offer import Offer
from shared.price.reward import AddOn, BuyGet, Every, Gift, TierBy, Tiers

NEAR_SHARE = 3
"""A threshold is near when no more than a third of it is missing."""
NEAR_UNITS = 2
URGENCY = ("gift", "get", "set", "qty", "next_qty", "spend", "next_spend", "add_on", "member")
"""Most urgent first: what the customer is entitled to and has not taken comes first."""


def hint_of(offer: Offer, goods: Goods, context: PriceContext, why: Reason | None) -> Reason | None:
    """What an offer that gave nothing nearly gives; None when it is far off."""
    if isinstance(offer.reward, Gift | AddOn) and not goods.select(offer.target):
        return _entitled(offer, goods, context)
    if why is None:
        why = _why_called(offer, goods, context)
    return None if why is None else _near(why, offer)


def _why_called(offer: Offer, goods: Goods, context: PriceContext) -> Reason | None:
    """The reason of an offer whose own goods are not in the basket, but those that call it."""
    if why_unmet(offer, goods, context) is not None or not isinstance(offer.reward, BuyGet):
        return None
    buying = goods.select(offer.reward.buy.select)
    free = sum(goods.counts[line] - len(goods.used[line]) for line in buying)
    if free < offer.reward.buy.qty:
        return None
    return Reason("get_missing", {"missing": offer.reward.get.qty})


def _entitled(offer: Offer, goods: Goods, context: PriceContext) -> Reason | None:
    """A gift or an add-on whose conditions hold while none of its goods was scanned."""
    unmet = why_unmet(offer, goods, context)
    if unmet is not None:
        return _near(unmet, offer)
    if isinstance(offer.reward, AddOn):
        return Reason("add_on", {"amount_minor": offer.reward.amount})
    return Reason("gift")


def _near(why: Reason, offer: Offer) -> Reason | None:
    params = why.params
    match why.code:
        case "spend":
            is_near = int(params["short_minor"]) * NEAR_SHARE <= int(params["amount_minor"])
            return Reason("spend", params) if is_near else None
        case "qty":
            return Reason("qty", params) if int(params["missing"]) <= NEAR_UNITS else None
        case "incomplete":
            is_near = int(params["missing"]) == 1 and not _wants_more(offer)
            return Reason("set", params) if is_near else None
        case "get_missing":
            return Reason("get", params)
        case "member_only":
            return Reason("member")
        case _:
            return None


def _wants_more(offer: Offer) -> bool:
    """Buy one, get one: the one unit that is missing is the only one; nothing was begun yet."""
    return isinstance(offer.reward, BuyGet) and offer.reward.buy.qty == 1


def next_step(offer: Offer, goods: Goods, base_minor: int) -> Reason | None:
    """The next tier or multiple of an offer that acted on goods worth `base_minor`, when near."""
    match offer.reward:
        case Tiers(by=TierBy.QTY, steps=steps):
            pieces = counted(goods, goods.select(offer.target), TierBy.QTY)
            missing = min((step.at - pieces for step in steps if step.at > pieces), default=0)
            is_near = 0 < missing <= NEAR_UNITS
            return Reason("next_qty", {"missing": missing}) if is_near else None
        case Tiers(steps=steps):
            return _near_amount(
                min((s.at for s in steps if s.at > base_minor), default=0), base_minor
            )
        case Every(spend=spend, max_times=max_times):
            times = base_minor // spend
            limits = (max_times, offer.limits.max_times)
            is_full = any(most is not None and times >= most for most in limits)
            return None if is_full else _near_amount(spend * (times + 1), base_minor)
        case _:
            return None


def _near_amount(amount: int, base_minor: int) -> Reason | None:
    short = amount - base_minor
    if not 0 < short * NEAR_SHARE <= amount:
        return None
    return Reason("next_spend", {"short_minor": short, "amount_minor": amount})


def ranked(found: Sequence[tuple[Offer, Reason]]) -> list[tuple[Offer, Reason]]:
    """The most urgent first, then by what is missing, priority and id."""
    return sorted(found, key=lambda each: _rank(*each))


def _rank(offer: Offer, reason: Reason) -> tuple[int, int, int, str]:
    short = int(reason.params.get("short_minor", reason.params.get("missing", 0)))
    return URGENCY.index(reason.code), short, -offer.priority, offer.id
