"""Sample baskets of the catalogue: few units of one item, enough for an offer to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.kernel.quantity import ONE_MILLI, QTY_MILLI_MAX
from shared.price.condition import ForMember, MinQty, MinSpend, OrderNo
from shared.price.context import PriceContext, PriceLine, PricePolicy, PricingInstant
from shared.price.derivation import Derivation
from shared.price.derive import derive
from shared.price.lint_catalogue import Catalogue, LintItem
from shared.price.lint_ranking import Rankings
from shared.price.lint_subject import Subject, slots_of
from shared.price.lint_window import ALWAYS
from shared.price.offer import Limits, Offer, Stack
from shared.price.offer_book import OfferBook
from shared.price.reward import (
    BuyGet,
    Every,
    GroupEach,
    NthUnit,
    SetPrice,
    TierBy,
    Tiers,
)

QTY_MAX = QTY_MILLI_MAX // ONE_MILLI
NOBODY = PriceContext()
Goods = tuple[tuple[int, int], ...]
"""Places of items, each with how many units."""


@dataclass(frozen=True, slots=True)
class Lab:
    """Prices sample baskets as the till would."""

    catalogue: Catalogue
    rankings: Rankings
    now: PricingInstant
    policy: PricePolicy

    def price(self, goods: Goods, offers: Sequence[Offer]) -> Derivation:
        """What the offers make of a basket when all their conditions hold."""
        book = OfferBook.of(map(unconditional, offers))
        lines = [line_of(self.catalogue.items[place], place, qty) for place, qty in goods]
        return derive(lines, book, NOBODY, self.now, self.policy)


def unconditional(offer: Offer) -> Offer:
    """The offer as if window, customer and conditions said yes, for the baskets made for it."""
    limits = Limits(max_times=offer.limits.max_times)
    return replace(offer, when=(), coupon=None, valid=ALWAYS, limits=limits, stack=Stack())


def line_of(item: LintItem, key: int, qty: int) -> PriceLine:
    """So many units of an item; a weighed one as so many of its unit of weight."""
    return PriceLine(
        key,
        item.sku,
        qty * ONE_MILLI,
        item.unit_minor,
        item.category,
        item.tags,
        is_weighed=item.is_weighed,
        uom=item.uom,
        floor_unit_minor=item.floor_unit_minor,
        tax_bp=item.tax_bp,
    )


def quantities(subject: Subject, item: LintItem) -> set[int]:
    """How many units of an item alone make the offer act, at each of its steps."""
    price = max(1, item.unit_minor)
    needed = _needed(subject, price)
    found = {max(needed, each) for each in _sizes(subject.offer, price)}
    return {min(each, QTY_MAX) for each in found}


def _needed(subject: Subject, price: int) -> int:
    """Units for the conditions on the offer's own goods; other goods are taken as bought."""
    needed = 1
    for condition, scope in subject.scopes:
        if scope & ~subject.target:
            continue
        if isinstance(condition, MinSpend):
            needed = max(needed, -(-(condition.amount + condition.is_strict) // price))
        elif isinstance(condition, MinQty):
            needed = max(needed, -(-condition.qty_milli // ONE_MILLI))
    return needed


def _sizes(offer: Offer, price: int) -> list[int]:
    match offer.reward:
        case Tiers(by, steps):
            divisor = price if by is TierBy.SPEND else 1
            return [-(-step.at // divisor) for step in steps]
        case Every(spend):
            return [-(-spend // price)]
        case SetPrice(size=size) | GroupEach(size=size):
            return [size]
        case NthUnit(n):
            return [n]
        case BuyGet(buy, get):
            return [buy.qty + get.qty]
        case _:
            return [1]


def sample_of(subject: Subject, place: int, qty: int, lab: Lab) -> Goods:
    """A basket with the item; slots that it cannot fill get their worst goods."""
    offer = subject.offer
    if not slots_of(offer):
        return ((place, qty),)
    counts: dict[int, int] = {}
    for slot in slots_of(offer):
        mask = lab.catalogue.select(slot.select) & subject.target
        own = place if mask >> place & 1 else lab.rankings.by_margin.worst(mask)
        if own is not None:
            counts[own] = counts.get(own, 0) + slot.qty
    return tuple(sorted(counts.items()))


def for_one_customer(offers: Sequence[Offer]) -> list[Offer]:
    """Those of some offers that one and the same customer can get: the most there are."""
    tiers: dict[str, int] = {}
    orders: dict[int, int] = {}
    for condition in (each for offer in offers for each in offer.when):
        if isinstance(condition, ForMember):
            for tier in condition.tiers:
                tiers[tier] = tiers.get(tier, 0) + 1
        elif isinstance(condition, OrderNo):
            orders[condition.n] = orders.get(condition.n, 0) + 1
    tier = max(sorted(tiers), key=tiers.__getitem__, default="")
    order = max(sorted(orders), key=orders.__getitem__, default=0)
    return [each for each in offers if _is_for(each, tier, order)]


def _is_for(offer: Offer, tier: str, order: int) -> bool:
    for condition in offer.when:
        if isinstance(condition, ForMember) and condition.tiers and tier not in condition.tiers:
            return False
        if isinstance(condition, OrderNo) and condition.n != order:
            return False
    return True
