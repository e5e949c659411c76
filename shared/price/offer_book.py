"""The offers of one revision, indexed so that a basket meets only those that touch it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.price.condition import (
    ALL,
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
from shared.price.goods import Goods
from shared.price.offer import Offer, StackMode, StackScope, Validity
from shared.price.reward import AddOn, BundlePrice, BuyGet, Gift
from shared.price.select import depends_on_discounts

Order = tuple[int, int, bool, str]


def order_of(offer: Offer) -> Order:
    """Order of action: level, higher priority, automatic before coupon, id."""
    return int(offer.level), -offer.priority, offer.coupon is not None, offer.id


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """An offer prepared for pricing; `place` is its place in the order of action.

    `act` selects the goods without which it can do nothing; where `is_plain` the index alone
    decides which lines these are.
    """

    offer: Offer
    place: int
    act: Selector
    is_plain: bool
    group: str
    """Name of its best-of group, else empty."""
    is_by_line: bool
    is_exclusive: bool
    open_conditions: tuple[Condition, ...]
    """Those that what other offers take may break; the others hold for a basket or never do."""
    early_conditions: tuple[Condition, ...]
    """Those that never hold when they do not hold before any offer."""
    is_target_open: bool
    """What other offers take may change what its target means."""
    is_for_all: bool
    """No window, coupon or limit of a customer ever keeps it from acting."""


@dataclass(frozen=True, slots=True)
class Index:
    """Places of rules by what their goods are; `everywhere` are those that no word narrows."""

    by_sku: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    by_category: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    by_tag: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    everywhere: tuple[int, ...] = ()

    def hits(self, goods: Goods) -> dict[int, list[int]]:
        """The places of rules that may mean a line, each with those lines in ascending order."""
        found: dict[int, list[int]] = {}
        for number, line in enumerate(goods.lines):
            if not goods.counted[number]:
                continue
            for place in self.by_sku.get(line.sku, ()):
                found.setdefault(place, []).append(number)
            for place in self.by_category.get(line.category, ()):
                found.setdefault(place, []).append(number)
            if self.by_tag:
                self._add_by_tag(found, number, line.tags)
        return found

    def _add_by_tag(self, found: dict[int, list[int]], number: int, tags: frozenset[str]) -> None:
        for tag in tags:
            for place in self.by_tag.get(tag, ()):
                lines = found.setdefault(place, [])
                if not lines or lines[-1] != number:  # two of its tags may be asked for
                    lines.append(number)


@dataclass(frozen=True, slots=True)
class OfferBook:
    """Offers in order of action. `acting` finds what may act, `calling` what may be hinted at."""

    rules: tuple[Rule, ...] = ()
    acting: Index = Index()
    calling: Index = Index()
    places: Mapping[str, int] = field(default_factory=dict)
    asks_history: bool = False
    """Some offer wants to know what the member bought before."""

    @classmethod
    def of(cls, offers: Iterable[Offer]) -> OfferBook:
        """Prepare offers; ids are unique (ValueError otherwise: the documents are checked)."""
        ordered = sorted(offers, key=order_of)
        rules = tuple(_rule(offer, place) for place, offer in enumerate(ordered))
        places = {offer.id: place for place, offer in enumerate(ordered)}
        if len(places) != len(rules):
            raise ValueError("two offers have one id")
        calls = ((rule.place, _calling(rule.offer)) for rule in rules)
        return cls(
            rules,
            _index((rule.place, (rule.act,)) for rule in rules),
            _index((place, selectors) for place, selectors in calls if selectors),
            places,
            any(_asks_history(rule.offer) for rule in rules),
        )

    @property
    def offers(self) -> tuple[Offer, ...]:
        """All offers in order of action."""
        return tuple(rule.offer for rule in self.rules)

    def find(self, offer_id: str) -> Offer | None:
        """The offer with that id."""
        place = self.places.get(offer_id)
        return None if place is None else self.rules[place].offer


EMPTY_BOOK = OfferBook()


def _rule(offer: Offer, place: int) -> Rule:
    stack = offer.stack
    act = _acting(offer)
    return Rule(
        offer,
        place,
        act,
        is_plain=_is_plain(act),
        group=stack.group if stack.mode is StackMode.BEST_OF else "",
        is_by_line=stack.scope is StackScope.LINE,
        is_exclusive=stack.mode is StackMode.EXCLUSIVE,
        open_conditions=tuple(each for each in offer.when if is_open(each, offer)),
        early_conditions=tuple(each for each in offer.when if not _may_come_true(each, offer)),
        is_target_open=depends_on_discounts(offer.target),
        is_for_all=_is_for_all(offer),
    )


def _is_for_all(offer: Offer) -> bool:
    limits = (offer.coupon, offer.limits.per_member, offer.limits.per_member_units)
    return limits == (None, None, None) and offer.valid == Validity()


def _asks_history(offer: Offer) -> bool:
    limits = (offer.limits.per_member, offer.limits.per_member_units)
    return limits != (None, None) or any(isinstance(each, OrderNo) for each in offer.when)


def _acting(offer: Offer) -> Selector:
    """The selector whose goods the offer cannot do without, the narrowest that is known."""
    if isinstance(offer.reward, BuyGet) and offer.target == ALL:
        return offer.reward.get.select
    if isinstance(offer.reward, BundlePrice) and offer.target == ALL:
        selects = [slot.select for slot in offer.reward.slots]
        return next((each for each in selects if each.skus or each.categories), selects[0])
    return offer.target


def _is_plain(selector: Selector) -> bool:
    words = bool(selector.skus) + bool(selector.categories) + bool(selector.tags)
    prices = (selector.unit_price_min, selector.unit_price_max, selector.exclude)
    return words <= 1 and prices == (None, None, None) and not selector.undiscounted


def is_open(condition: Condition, offer: Offer) -> bool:
    """Whether what earlier offers took may change if a condition holds."""
    is_spend = isinstance(condition, MinSpend) and condition.basis is SpendBasis.CURRENT
    return is_spend or _may_come_true(condition, offer)


def _may_come_true(condition: Condition, offer: Offer) -> bool:
    """Whether a condition that does not hold before any offer may hold after some.

    Offers only take, so no spend grows; but goods may come to count or not to count.
    """
    if isinstance(condition, ForMember | OrderNo):
        return False
    # Goods of a gift or add-on do not count for it, and may depend on discounts themselves.
    own = isinstance(offer.reward, Gift | AddOn) and depends_on_discounts(offer.target)
    return own or depends_on_discounts(condition.scope)


def scopes_of(offer: Offer) -> tuple[Selector, ...]:
    """The scopes of an offer's conditions."""
    scoped = (MinSpend, MinQty, Distinct, Contains)
    return tuple(each.scope for each in offer.when if isinstance(each, scoped))


def _calling(offer: Offer) -> tuple[Selector, ...]:
    """Goods in the basket that make it worth telling that the offer's own goods are not."""
    reward = offer.reward
    if isinstance(reward, BuyGet):
        return (reward.buy.select,)
    if isinstance(reward, Gift | AddOn):
        return scopes_of(offer) or (ALL,)
    return ()


def _index(entries: Iterable[tuple[int, tuple[Selector, ...]]]) -> Index:
    by_sku: dict[str, list[int]] = {}
    by_category: dict[str, list[int]] = {}
    by_tag: dict[str, list[int]] = {}
    everywhere = []
    for place, selectors in entries:
        for selector in selectors:
            table, words = _narrowest(selector, by_sku, by_category, by_tag)
            if not words:
                everywhere.append(place)
            for word in words:
                places = table.setdefault(word, [])
                if not places or places[-1] != place:
                    places.append(place)
    return Index(_frozen(by_sku), _frozen(by_category), _frozen(by_tag), tuple(everywhere))


def _narrowest(
    selector: Selector,
    by_sku: dict[str, list[int]],
    by_category: dict[str, list[int]],
    by_tag: dict[str, list[int]],
) -> tuple[dict[str, list[int]], frozenset[str]]:
    if selector.skus:
        return by_sku, selector.skus
    if selector.categories:
        return by_category, selector.categories
    return by_tag, selector.tags


def _frozen(table: dict[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {word: tuple(places) for word, places in table.items()}
