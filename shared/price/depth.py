"""How deep an offer cuts: the largest share of a price that it takes off. Pure.

Found out as a till would: by baskets made for it, of its dearest and of its cheapest goods, in the
quantities at which it acts. So an amount, a fixed price, a set or a gift counts like a share.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.price.condition import MinSpend
from shared.price.context import PricePolicy, PricingInstant
from shared.price.derive import DEFAULT_POLICY
from shared.price.lint_basket import Lab, quantities, sample_of
from shared.price.lint_catalogue import Catalogue, LintItem
from shared.price.lint_ranking import Ranking, Rankings
from shared.price.lint_subject import Subject, Survey
from shared.price.offer import Offer
from shared.price.reward import FULL_BP, Gift, PercentOff

QUANTITIES_MAX = 4


class DepthGauge:
    """Measures offers against the goods of a store; made once for many offers."""

    def __init__(
        self,
        items: Sequence[LintItem],
        now: PricingInstant,
        policy: PricePolicy = DEFAULT_POLICY,
    ) -> None:
        self._catalogue = Catalogue(items)
        rankings = Rankings(self._catalogue)
        self._lab = Lab(self._catalogue, rankings, now, policy)
        whole = self._catalogue.all
        self._dearest = rankings.by_price
        self._cheapest = Ranking(self._catalogue, whole, lambda each: each.unit_minor)

    def of(self, offer: Offer) -> int:
        """Basis points of what the goods cost without it; 0 where it has no goods here."""
        (subject,) = Survey([offer], self._catalogue).subjects
        return max((self._seen(subject, place) for place in self._places(subject)), default=0)

    def _places(self, subject: Subject) -> set[int]:
        found = (
            order.worst(subject.goods, subject.places) for order in (self._dearest, self._cheapest)
        )
        return {place for place in found if place is not None}

    def _seen(self, subject: Subject, place: int) -> int:
        wanted = sorted(quantities(subject, self._catalogue.items[place]))[:QUANTITIES_MAX]
        return max(self._share(subject, place, qty) for qty in wanted)

    def _share(self, subject: Subject, place: int, qty: int) -> int:
        goods = sample_of(subject, place, qty, self._lab)
        items = self._catalogue.items
        listed = sum(items[each].unit_minor * units for each, units in goods)
        taken = self._lab.price(goods, [subject.offer]).discount_minor
        return taken * FULL_BP // max(1, listed + _bought_beside(subject))


def told_share(offer: Offer) -> int:
    """The share that an offer names itself, whatever its goods are; basis points, 0 for none."""
    return offer.reward.bp if isinstance(offer.reward, PercentOff) else 0


def _bought_beside(subject: Subject) -> int:
    """What has to be spent on other goods for a gift, minor units."""
    if not isinstance(subject.offer.reward, Gift):
        return 0
    spends = [each.amount for each in subject.offer.when if isinstance(each, MinSpend)]
    return max(spends, default=0)
