"""Offers prepared for lint: which items each acts on, and which offers an item has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from shared.price.condition import Contains, Distinct, MinQty, MinSpend, Selector
from shared.price.lint_catalogue import Catalogue, Mask, places_of
from shared.price.offer import Offer, StackMode
from shared.price.offer_book import order_of
from shared.price.reward import BundlePrice, BuyGet, Slot

WIDE_ITEMS = 400
"""An offer on more items is compared by whole sets instead of item by item."""

Scoped = MinSpend | MinQty | Distinct | Contains


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """An offer, `goods` that it takes something off, and `target` that it counts.

    `places` are the items of `goods`, None where there are more than `WIDE_ITEMS`.
    """

    offer: Offer
    target: Mask
    goods: Mask
    places: tuple[int, ...] | None
    scopes: tuple[tuple[Scoped, Mask], ...]

    @property
    def is_stacking(self) -> bool:
        """Whether it acts beside all others."""
        return self.offer.stack.mode is StackMode.STACK


class Survey:
    """All subjects in order of action over one catalogue."""

    def __init__(self, offers: Iterable[Offer], catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        ordered = sorted(offers, key=order_of)
        self.subjects = tuple(_subject(offer, catalogue) for offer in ordered)
        self.wide: list[Subject] = []
        self._by_item: dict[int, list[Subject]] = {}
        for subject in self.subjects:
            if subject.places is None:
                self.wide.append(subject)
            for place in subject.places or ():
                self._by_item.setdefault(place, []).append(subject)

    def on(self, place: int) -> list[Subject]:
        """The subjects that act on an item, in order of action."""
        bit = 1 << place
        found = [*self.narrow_on(place), *(each for each in self.wide if each.goods & bit)]
        return sorted(found, key=lambda each: order_of(each.offer))

    def narrow_on(self, place: int) -> Sequence[Subject]:
        """Those of them that act on few items."""
        return self._by_item.get(place, ())

    def items_with_offers(self) -> Iterator[int]:
        """Items on which a narrow offer acts."""
        return iter(self._by_item)


def _subject(offer: Offer, catalogue: Catalogue) -> Subject:
    target = catalogue.select(offer.target)
    goods = _goods(offer, target, catalogue)
    is_wide = goods.bit_count() > WIDE_ITEMS
    scopes = tuple(
        (each, catalogue.select(each.scope)) for each in offer.when if isinstance(each, Scoped)
    )
    return Subject(offer, target, goods, None if is_wide else tuple(places_of(goods)), scopes)


def _goods(offer: Offer, target: Mask, catalogue: Catalogue) -> Mask:
    reward = offer.reward
    if isinstance(reward, BuyGet):
        return target & catalogue.select(reward.get.select)
    if isinstance(reward, BundlePrice):
        goods = 0
        for slot in reward.slots:
            goods |= target & catalogue.select(slot.select)
        return goods
    return target


def slots_of(offer: Offer) -> tuple[Slot, ...]:
    """The places that a reward wants filled."""
    if isinstance(offer.reward, BundlePrice):
        return offer.reward.slots
    return (offer.reward.buy, offer.reward.get) if isinstance(offer.reward, BuyGet) else ()


def selectors_of(offer: Offer) -> Iterator[Selector]:
    """Every selector of an offer, the excluded ones too."""
    for selector in (
        offer.target,
        *(slot.select for slot in slots_of(offer)),
        *(each.scope for each in offer.when if isinstance(each, Scoped)),
    ):
        each: Selector | None = selector
        while each is not None:
            yield each
            each = each.exclude
