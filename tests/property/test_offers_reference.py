"""The engine and a second reading of the rules, which shares no code with it, find the same."""

from __future__ import annotations

from hypothesis import given, settings

from shared.price.derive import derive
from shared.price.offer_book import OfferBook
from tests.property.price_reference import Outcome, reference
from tests.property.price_strategies import NOON, Scene, scenes

MANY = settings(max_examples=5 * settings().max_examples)

Found = tuple[tuple[int, ...], dict[str, dict[int, int]]]
"""Net amounts, and per offer what each line got, by its key."""


def by_the_engine(scene: Scene) -> Found:
    found = derive(scene.lines, OfferBook.of(scene.offers), scene.context, NOON, scene.policy)
    return found.nets, {
        applied.offer.id: {share.line: share.amount_minor for share in applied.shares}
        for applied in found.applied
    }


def by_the_rules(scene: Scene) -> list[Found]:
    outcomes = reference(scene.lines, scene.offers, scene.context, NOON, scene.policy)
    return [(outcome.nets, shares_of(outcome, scene)) for outcome in outcomes]


def shares_of(outcome: Outcome, scene: Scene) -> dict[str, dict[int, int]]:
    return {
        offer.id: {scene.lines[line].key: amount for line, amount in shares.items() if amount}
        for offer, shares in outcome.given
    }


@MANY
@given(scenes(offers_max=1))
def test_one_offer_gives_each_line_what_the_rules_say(scene: Scene) -> None:
    assert by_the_engine(scene) in by_the_rules(scene)


@MANY
@given(scenes())
def test_offers_that_meet_give_each_line_what_the_rules_say(scene: Scene) -> None:
    assert by_the_engine(scene) in by_the_rules(scene)
