"""Near misses: what the cashier may tell the customer before the tender."""

from __future__ import annotations

from collections.abc import Sequence

from shared.price.effect import counted
from shared.price.eligibility import Reason
from shared.price.goods import Goods
from shared.price.offer import Offer
from shared.price.reward import AddOn, Every, Gift, TierBy, Tiers

NEAR_SHARE = 3
"""A threshold is near when no more than a third of it is missing."""
NEAR_UNITS = 2
URGENCY = ("gift", "get", "set", "qty", "next_qty", "spend", "next_spend", "add_on", "member")
"""Most urgent first: what the customer is entitled to and has not taken comes first."""


def hint_of(offer: Offer, goods: Goods, why: Reason) -> Reason | None:
    """What an offer that gave nothing, for that reason at its turn, nearly gives.

    None when it is far off.
    """
    if why.code == "no_goods":
        return _entitled(offer, goods)
    return _near(why)


def _entitled(offer: Offer, goods: Goods) -> Reason | None:
    """A gift or an add-on whose conditions hold while none of its goods was scanned."""
    if goods.select(offer.target):
        return None
    match offer.reward:
        case Gift():
            return Reason("gift")
        case AddOn(amount):
            return Reason("add_on", {"amount_minor": amount})
        case _:
            return None


def _near(why: Reason) -> Reason | None:
    params = why.params
    match why.code:
        case "spend":
            is_near = int(params["short_minor"]) * NEAR_SHARE <= int(params["amount_minor"])
            return Reason("spend", params) if is_near else None
        case "qty":
            return Reason("qty", params) if int(params["missing"]) <= NEAR_UNITS else None
        case "incomplete":
            return Reason("set", params) if params["missing"] == 1 else None
        case "get_missing":
            return Reason("get", params)
        case "member_only":
            return Reason("member")
        case _:
            return None


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
