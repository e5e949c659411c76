"""Offers in the replica: of a revision, parsed once, refused whole when one cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.replica import offers as shelf
from edge.replica.store import Replica
from shared.item.item import ItemChange
from shared.item.pack_code import PackCode
from shared.kernel.errors import CorruptError, MissingError, RefusedError
from shared.price.condition import ALL, MinSpend, Selector
from shared.price.document import parse_offer
from shared.price.offer import Level, Offer
from shared.price.reward import AmountOff, BuyGet, Slot
from shared.publication.manifest import Manifest
from shared.publication.revision import Record, RecordKind
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import (
    Publisher,
    a_catalogue,
    a_stocked_replica,
    item_record,
    offer_record,
    price_record,
)

NAMES = {"en": "Deal", "zh-CN": "活动", "zh-TW": "活動"}
TEN_OFF = Offer("ten-off", Level.BASKET, AmountOff(1000), ALL, (MinSpend(ALL, 9900),), names=NAMES)
SOUP = Slot(Selector(categories=frozenset({"Soup"})))
BOGO = Offer("bogo", Level.LINE, BuyGet(SOUP, SOUP, bp=10_000), names=NAMES)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "objects")


@pytest.fixture
def replica(tmp_path: Path, publisher: Publisher) -> Iterator[Replica]:
    stocked = a_stocked_replica(tmp_path / "replica", publisher)
    yield stocked
    stocked.close()


def take(replica: Replica, publisher: Publisher, *records: Record) -> Manifest:
    manifest = publisher.publish(records)
    replica.stage(manifest, publisher.objects)
    replica.activate(manifest.rev, OPENED_AT_MS)
    return manifest


def test_offers_act_from_their_revision_on(replica: Replica, publisher: Publisher) -> None:
    take(replica, publisher, offer_record(TEN_OFF), offer_record(BOGO))
    take(replica, publisher, Record(RecordKind.OFFER, "ten-off", None))
    changed = replace(BOGO, version=2, priority=5)
    take(replica, publisher, offer_record(changed))
    assert replica.offers(1).offers == ()
    assert replica.offers(2).offers == (BOGO, TEN_OFF)
    assert replica.offers(3).offers == (BOGO,)
    assert replica.offers(4).offers == (changed,)


def test_before_the_first_revision_there_are_none(tmp_path: Path) -> None:
    replica = Replica(tmp_path / "replica")
    replica.open()
    assert replica.offers(0).offers == ()
    with pytest.raises(MissingError, match=r"replica\.revision"):
        replica.offers(1)
    replica.close()


def test_a_snapshot_carries_offers_and_they_outlive_a_restart(
    tmp_path: Path, publisher: Publisher
) -> None:
    replica = Replica(tmp_path / "replica")
    replica.open()
    take(replica, publisher, *a_catalogue(), offer_record(BOGO))
    replica.close()
    replica = Replica(tmp_path / "replica")
    replica.open()
    assert replica.offers(1).offers == (BOGO,)
    replica.close()


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (
            Record(RecordKind.OFFER, "bogo", {**(offer_record(BOGO).body or {}), "level": "x"}),
            "level",
        ),
        (replace(offer_record(BOGO), key="other"), "id"),
        (Record(RecordKind.OFFER, "x", {**(offer_record(TEN_OFF).body or {}), "new": 1}), "new"),
    ],
)
def test_an_offer_that_the_till_could_not_act_on_refuses_the_revision(
    replica: Replica, publisher: Publisher, record: Record, field: str
) -> None:
    with pytest.raises(RefusedError, match=r"publication\.offer") as refused:
        replica.stage(publisher.publish([price_record(3, 350), record]), publisher.objects)
    assert refused.value.params["field"] == field
    assert (replica.stored_revision(), replica.active_revision()) == (1, 1)


def test_offers_that_did_not_change_are_not_parsed_again(
    replica: Replica, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = []

    def parse(raw: object) -> Offer:
        offer = parse_offer(raw)
        parsed.append(offer.id)
        return offer

    monkeypatch.setattr(shelf, "parse_offer", parse)
    take(replica, publisher, offer_record(TEN_OFF), offer_record(BOGO))
    take(replica, publisher, price_record(3, 350))
    assert replica.offers(3) is replica.offers(2)
    take(replica, publisher, offer_record(replace(BOGO, version=2)))
    assert replica.offers(4).offers[0].version == 2
    assert sorted(parsed) == ["bogo", "bogo", "ten-off"]


def test_the_shelf_keeps_a_few_revisions_only(replica: Replica, publisher: Publisher) -> None:
    for number in range(shelf.BOOKS_KEPT + 2):
        take(replica, publisher, offer_record(replace(BOGO, version=number + 1)))
    assert len(replica._offers._books) == shelf.BOOKS_KEPT
    assert [replica.offers(rev).offers[0].version for rev in (2, 7)] == [1, 6]


def test_an_item_says_what_offers_and_taxes_ask_of_it(
    replica: Replica, publisher: Publisher
) -> None:
    changed = {"tags": ["hot", "new"], "tax_bp": 1300, "is_promotable": False, "floor_minor": 250}
    take(replica, publisher, item_record(3, **changed, uom="kg"))
    item, plain = replica.find_item(a_gtin(3), 2), replica.find_item(a_gtin(4), 2)
    assert item is not None
    assert plain is not None
    assert (item.tags, item.tax_bp, item.is_promotable) == (("hot", "new"), 1300, False)
    assert (item.floor_minor, item.uom) == (250, "kg")
    assert (plain.tags, plain.tax_bp, plain.is_promotable) == ((), 0, True)


def test_an_item_says_its_codes_its_age_limit_and_what_changes_later(
    replica: Replica, publisher: Publisher
) -> None:
    later = [["2026-12-01T00:00", {"name": "Winter soup"}]]
    changed = {"codes": [[a_gtin(60), 6_000, "box"]], "age_limit": 18, "tax_class": "reduced"}
    take(replica, publisher, item_record(3, **changed, later=later))
    item, plain = replica.find_item(a_gtin(60), 2), replica.find_item(a_gtin(4), 2)
    assert item is not None
    assert plain is not None
    assert (item.gtin, item.codes) == (a_gtin(3), (PackCode(a_gtin(60), 6_000, "box"),))
    assert (item.age_limit, item.tax_class) == (18, "reduced")
    assert item.later == (ItemChange("2026-12-01T00:00", name="Winter soup"),)
    assert (plain.codes, plain.age_limit, plain.tax_class, plain.later) == ((), 0, "", ())


def make_old(folder: Path) -> None:
    """Take out of a catalogue file what software before offers did not have."""
    (path,) = folder.glob("catalog-*.db")
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE offer")
    connection.execute("DROP INDEX item_codes_rev_from")
    further = ("codes", "age_limit", "tax_class", "later")
    for column in ("tags", "tax_bp", "is_promotable", "floor_minor", "uom", *further):
        connection.execute(f"ALTER TABLE item DROP COLUMN {column}")
    connection.commit()
    connection.close()


def test_a_file_of_older_software_sells_on_and_is_fetched_anew(
    tmp_path: Path, publisher: Publisher
) -> None:
    a_stocked_replica(tmp_path / "replica", publisher).close()
    make_old(tmp_path / "replica")
    replica = Replica(tmp_path / "replica")
    replica.open()
    item = replica.find_item(a_gtin(3), 1)
    assert item is not None
    assert (item.name, item.tags, item.is_promotable) == ("Item 3", (), True)
    assert replica.offers(1).offers == ()
    delta = publisher.publish([offer_record(BOGO)])
    with pytest.raises(CorruptError, match=r"replica\.digest"):
        replica.stage(delta, {each.sha256: publisher.objects[each.sha256] for each in delta.deltas})
    whole = publisher.publish([], snapshot=True)
    replica.stage(whole, publisher.objects)
    replica.activate(whole.rev, OPENED_AT_MS)
    assert replica.offers(whole.rev).offers == (BOGO,)
    replica.close()


def test_a_file_of_this_software_is_left_alone(tmp_path: Path, publisher: Publisher) -> None:
    a_stocked_replica(tmp_path / "replica", publisher).close()
    for _ in range(2):
        replica = Replica(tmp_path / "replica")
        replica.open()
        manifest = publisher.publish([price_record(3, 350 + publisher.rev)])
        replica.stage(manifest, publisher.objects)
        assert replica.stored_revision() == manifest.rev  # by the delta: the digest still fits
        replica.close()
