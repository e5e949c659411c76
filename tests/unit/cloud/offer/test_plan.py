"""What a document of offers changes."""

from __future__ import annotations

import pytest

from cloud.offer.plan import (
    ChangeKind,
    OfferChange,
    after_import,
    ended,
    plan_import,
    rule_sets,
    wanted_of,
)
from cloud.offer.store import ENDED, OfferVersion
from shared.price.document_offer import OfferEntry
from shared.price.offer import Level, Offer
from shared.price.reward import AmountOff


def an_entry(
    offer_id: str, *, off: int = 100, version: int = 1, stores: tuple[str, ...] | None = None
) -> OfferEntry:
    return OfferEntry(Offer(offer_id, Level.BASKET, AmountOff(off), version=version), stores)


def kept(*changes: OfferChange) -> dict[str, OfferVersion]:
    return {change.offer_id: change.after for change in changes}


def told(changes: tuple[OfferChange, ...]) -> list[tuple[str, str, int, tuple[str, ...]]]:
    return [(each.offer_id, each.kind.value, each.after.version, each.words) for each in changes]


def test_what_is_new_is_created_and_what_says_the_same_is_not_touched() -> None:
    first = plan_import([an_entry("a")], {}, is_replacing=False)
    assert told(first) == [("a", "created", 1, ())]
    again = plan_import([an_entry("a", version=9)], kept(*first), is_replacing=True)
    assert told(again) == [("a", "unchanged", 1, ())]
    assert not again[0].is_change


def test_a_change_names_the_words_that_differ_and_counts_on() -> None:
    current = kept(*plan_import([an_entry("a")], {}, is_replacing=False))
    changed = plan_import([an_entry("a", off=200, stores=("1",))], current, is_replacing=False)
    assert told(changed) == [("a", "changed", 2, ("reward", "stores"))]


def test_the_order_of_stores_and_one_named_twice_say_nothing() -> None:
    assert wanted_of(an_entry("a", stores=("2", "1", "2"))) == wanted_of(
        an_entry("a", stores=("1", "2"))
    )


def test_others_end_only_when_asked_and_only_once() -> None:
    current = kept(*plan_import([an_entry("a"), an_entry("b")], {}, is_replacing=False))
    assert plan_import([], current, is_replacing=False) == ()
    over = plan_import([an_entry("a")], current, is_replacing=True)
    assert told(over) == [("a", "unchanged", 1, ()), ("b", "ended", 2, ())]
    later = {**current, **kept(*over)}
    assert told(plan_import([an_entry("a")], later, is_replacing=True)) == [
        ("a", "unchanged", 1, ())
    ]


def test_an_ended_offer_comes_back_as_a_new_version_of_itself() -> None:
    (created,) = plan_import([an_entry("a")], {}, is_replacing=False)
    over = ended(created.after)
    assert over is not None
    assert (over.kind, over.after.state, over.after.version) == (ChangeKind.ENDED, ENDED, 2)
    assert ended(over.after) is None
    (back,) = plan_import([an_entry("a")], kept(over), is_replacing=False)
    assert (back.kind, back.after.version, back.after.is_active) == (ChangeKind.CHANGED, 3, True)


def test_the_body_says_the_version_only_from_the_second_on() -> None:
    first = wanted_of(an_entry("a", version=7))
    assert "version" not in first.body
    current = {"a": first}
    (second,) = plan_import([an_entry("a", off=1)], current, is_replacing=False)
    assert second.after.body["version"] == 2


@pytest.mark.parametrize(
    ("stores", "found"),
    [
        ((), [("", ("all",))]),
        (("1",), [("1", ("all", "one"))]),
        (("1", "2", "3"), [("1", ("all", "one")), ("2", ("all",))]),
    ],
)
def test_stores_with_the_same_offers_are_looked_at_once(
    stores: tuple[str, ...], found: list[tuple[str, tuple[str, ...]]]
) -> None:
    entries = [an_entry("all"), an_entry("one", stores=("1",)), an_entry("gone")]
    current = kept(*plan_import(entries, {}, is_replacing=False))
    over = ended(current["gone"])
    assert over is not None
    planned = after_import([over], current).values()
    sets = [
        (store_id, tuple(each.offer_id for each in offers))
        for store_id, offers in rule_sets(planned, stores)
    ]
    assert sets == found
