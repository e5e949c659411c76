"""Whether an offer may act: its window, its customer, its conditions; and if not, why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.kernel.quantity import ONE_MILLI
from shared.price.condition import (
    Condition,
    Contains,
    Distinct,
    ForMember,
    MinQty,
    MinSpend,
    OrderNo,
    Selector,
    SpendBasis,
)
from shared.price.context import CouponState, PriceContext, PricingInstant
from shared.price.goods import Goods
from shared.price.offer import Offer
from shared.price.reward import AddOn, Gift
from shared.price.window import why_closed

Param = str | int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an offer did not act: a code of `offer.why.*` and what fills its text."""

    code: str
    params: Mapping[str, Param] = field(default_factory=dict)


def why_not_for(offer: Offer, context: PriceContext, at: PricingInstant) -> Reason | None:
    """A reason that no goods can change: window, coupon, use limits; None when there is none."""
    closed = why_closed(offer.valid, at)
    if closed is not None:
        return Reason(closed)
    if offer.coupon is not None and context.coupons.get(offer.coupon) is not CouponState.VALID:
        return _why_no_coupon(offer.coupon, context)
    limits = offer.limits
    if limits.per_member is not None:
        uses = context.member_uses.get(offer.id, 0)
        if uses >= limits.per_member:
            return Reason("member_uses", {"limit": limits.per_member})
    left = units_left(offer, context)
    if left is not None and left <= 0:
        return Reason("member_units", {"limit": limits.per_member_units or 0})
    return None


def _why_no_coupon(code: str, context: PriceContext) -> Reason:
    state = context.coupons.get(code)
    if state is None:
        return Reason("coupon_missing", {"coupon": code})
    return Reason(f"coupon_{state.value}", {"coupon": code})


def units_left(offer: Offer, context: PriceContext) -> int | None:
    """How many more units the member may get; None where nothing limits them."""
    limit = offer.limits.per_member_units
    return None if limit is None else limit - context.member_units.get(offer.id, 0)


def why_unmet(
    conditions: Iterable[Condition], offer: Offer, goods: Goods, context: PriceContext
) -> Reason | None:
    """The first of some conditions of an offer that does not hold for the goods as they are now."""
    for condition in conditions:
        reason = why_fails(condition, offer, goods, context)
        if reason is not None:
            return reason
    return None


def why_fails(
    condition: Condition, offer: Offer, goods: Goods, context: PriceContext
) -> Reason | None:
    """Why one condition of an offer does not hold for the goods as they are now."""
    match condition:
        case MinSpend():
            return _why_below_spend(condition, offer, goods)
        case MinQty():
            return _why_below_qty(condition, _counting(condition.scope, offer, goods), goods)
        case Distinct(scope, count):
            found = len({goods.lines[line].sku for line in _counting(scope, offer, goods)})
            return None if found >= count else Reason("distinct", {"missing": count - found})
        case Contains(scope):
            return None if _counting(scope, offer, goods) else Reason("missing_goods")
        case ForMember():
            return _why_not_member(condition, context)
        case OrderNo(n):
            is_it = context.orders_before is not None and context.orders_before + 1 == n
            return None if is_it else Reason("order_no", {"n": n})


def _why_below_spend(condition: MinSpend, offer: Offer, goods: Goods) -> Reason | None:
    lines = _counting(condition.scope, offer, goods)
    if condition.basis is SpendBasis.CURRENT:
        spent = goods.worth(lines)
    else:
        spent = sum(goods.lists[line] for line in lines)
    short = condition.amount + condition.is_strict - spent
    if short <= 0:
        return None
    return Reason("spend", {"short_minor": short, "amount_minor": condition.amount})


def _counting(scope: Selector, offer: Offer, goods: Goods) -> Sequence[int]:
    """Lines that count towards a condition; gifts and add-ons never help to earn themselves."""
    lines = goods.select(scope)
    if not isinstance(offer.reward, Gift | AddOn):
        return lines
    own = set(goods.select(offer.target))
    return [line for line in lines if line not in own]


def _why_below_qty(condition: MinQty, counting: Sequence[int], goods: Goods) -> Reason | None:
    if condition.uom:
        lines = (goods.lines[line] for line in counting)
        short = condition.qty_milli - sum(
            line.qty_milli for line in lines if line.uom == condition.uom
        )
        if short <= 0:
            return None
        return Reason("weight", {"short_milli": short, "uom": condition.uom})
    short = condition.qty_milli - ONE_MILLI * sum(goods.counts[line] for line in counting)
    return None if short <= 0 else Reason("qty", {"missing": -(-short // ONE_MILLI)})


def _why_not_member(condition: ForMember, context: PriceContext) -> Reason | None:
    member = context.member
    if member is None:
        return Reason("member_only")
    if condition.tiers and member.tier not in condition.tiers:
        return Reason("member_tier", {"tiers": ", ".join(sorted(condition.tiers))})
    if condition.groups and condition.groups.isdisjoint(member.groups):
        return Reason("member_group", {"groups": ", ".join(sorted(condition.groups))})
    return None
