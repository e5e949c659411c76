"""Offers out of reach are left out beforehand: nobody may notice."""

from __future__ import annotations

from datetime import date

from hypothesis import given

from shared.price.act import Setting
from shared.price.choose import choose
from shared.price.context import PricingInstant
from shared.price.derive import candidates_of, derivation_of, derive
from shared.price.goods import Goods
from shared.price.offer_book import OfferBook
from tests.property.price_strategies import Scene, scenes

AT = PricingInstant(1_795_290_000_000, date(2026, 11, 22), 14 * 3600)


@given(scenes())
def test_leaving_out_what_is_out_of_reach_changes_no_price(scene: Scene) -> None:
    book = OfferBook.of(scene.offers)
    goods = Goods(scene.lines, scene.policy.allocation)
    within, beyond = candidates_of(goods, book, scene.context, AT)
    everybody = sorted([*within, *beyond], key=lambda each: each.rule.place)
    outcome = choose(Setting(goods, scene.context, scene.policy), everybody)
    found = derive(scene.lines, book, scene.context, AT, scene.policy)
    assert derivation_of(scene.lines, outcome) == found
    acted = {acting.candidate.rule.place for acting in outcome.acted}
    assert acted.isdisjoint(candidate.rule.place for candidate in beyond)
