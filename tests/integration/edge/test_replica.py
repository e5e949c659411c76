"""The replica on real files: staged beside what is active, flipped at once, never a mix."""

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edge.replica.store import Replica
from shared.kernel.errors import CorruptError, MissingError, RefusedError
from shared.price.price_book import DatedPrice, price_at
from shared.publication.manifest import Manifest, Piece
from shared.publication.revision import Record, RecordKind
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import (
    WEIGHED_PLU,
    ZONE,
    Publisher,
    a_catalogue,
    a_stocked_replica,
    gone,
    item_record,
    price_record,
)


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "objects")


@pytest.fixture
def replica(tmp_path: Path, publisher: Publisher) -> Iterator[Replica]:
    stocked = a_stocked_replica(tmp_path / "replica", publisher)
    yield stocked
    stocked.close()


def regular(replica: Replica, number: int, revision: int) -> int:
    return replica.dated_prices(a_gtin(number), revision)[0].regular_minor


def files(tmp_path: Path) -> set[str]:
    return {path.name for path in (tmp_path / "replica").glob("catalog-*.db")}


def test_a_snapshot_gives_items_prices_and_staff(replica: Replica) -> None:
    item = replica.find_item(a_gtin(3), 1)
    assert item is not None
    assert (item.name, item.brand, item.is_weighed) == ("Item 3", "National", False)
    assert replica.dated_prices(a_gtin(3), 1) == (DatedPrice(0, 300, 290),)
    weighed = replica.find_plu(WEIGHED_PLU, 1)
    assert weighed is not None
    assert weighed.is_weighed
    assert [each.role for each in replica.staff(1)] == ["cashier", "manager"]


def test_what_is_not_published_is_not_found(replica: Replica) -> None:
    assert replica.find_item(a_gtin(999), 1) is None
    assert replica.find_plu("00099", 1) is None
    assert replica.dated_prices(a_gtin(999), 1) == ()
    with pytest.raises(MissingError, match=r"replica\.revision"):
        replica.find_item(a_gtin(1), 2)


def test_a_box_that_has_nothing_says_so(tmp_path: Path) -> None:
    empty = Replica(tmp_path / "replica")
    empty.open()
    assert (empty.active_revision(), empty.stored_revision()) == (0, 0)
    assert empty.staff(0) == ()
    with pytest.raises(MissingError, match=r"replica\.not_stored"):
        empty.activate(1, 0)
    empty.close()


def test_a_delta_is_stored_without_touching_what_is_active(
    replica: Replica, publisher: Publisher
) -> None:
    manifest = publisher.publish([price_record(3, 350), gone(RecordKind.ITEM, 4), item_record(77)])
    replica.stage(manifest, publisher.objects)
    assert (replica.active_revision(), replica.stored_revision()) == (1, 2)
    assert regular(replica, 3, 1) == 300
    assert regular(replica, 3, 2) == 350
    assert replica.find_item(a_gtin(4), 1) is not None
    assert replica.find_item(a_gtin(4), 2) is None
    assert replica.find_item(a_gtin(77), 1) is None
    assert replica.find_item(a_gtin(77), 2) is not None


def test_an_activation_tells_which_shelf_prices_changed(
    replica: Replica, publisher: Publisher
) -> None:
    manifest = publisher.publish([price_record(3, 350, 340), price_record(5, 500, 490)])
    replica.stage(manifest, publisher.objects)
    result = replica.activate(2, OPENED_AT_MS)
    assert (result.old_rev, result.new_rev) == (1, 2)
    (change,) = result.changes
    assert (change.gtin, change.name, change.old_minor, change.new_minor) == (
        a_gtin(3),
        "Item 3",
        300,
        350,
    )
    assert (change.member_minor, change.revision, change.at_ms) == (340, 2, OPENED_AT_MS)
    assert replica.price_changes() == (change,)


def test_a_price_that_begins_tomorrow_is_no_change_today(
    replica: Replica, publisher: Publisher
) -> None:
    body = {"prices": [[0, 300, 290], [OPENED_AT_MS + 1, 999, None]]}
    replica.stage(publisher.publish([Record(RecordKind.PRICE, a_gtin(3), body)]), publisher.objects)
    assert replica.activate(2, OPENED_AT_MS).changes == ()


def test_the_newest_twenty_changes_are_kept_newest_first(
    replica: Replica, publisher: Publisher
) -> None:
    for turn in range(3):
        records = [price_record(number, 1000 + turn) for number in range(1, 9)]
        replica.stage(publisher.publish(records), publisher.objects)
        replica.activate(publisher.rev, OPENED_AT_MS)
    revisions = [change.revision for change in replica.price_changes()]
    assert revisions == [4] * 8 + [3] * 8 + [2] * 4


def test_several_deltas_are_applied_in_one_go(replica: Replica, publisher: Publisher) -> None:
    manifest = publisher.manifest()
    for minor in (310, 320, 330):
        manifest = publisher.publish([price_record(3, minor)])
    replica.stage(manifest, publisher.objects)
    assert replica.stored_revision() == 4
    assert [regular(replica, 3, revision) for revision in (1, 2, 3, 4)] == [300, 310, 320, 330]


def test_everything_is_there_after_reopening(
    tmp_path: Path, replica: Replica, publisher: Publisher
) -> None:
    replica.stage(publisher.publish([price_record(3, 350)]), publisher.objects)
    replica.activate(2, OPENED_AT_MS)
    replica.stage(publisher.publish([price_record(3, 360)]), publisher.objects)
    before = (replica.active(), replica.stored(), replica.price_changes())
    replica.close()
    again = Replica(tmp_path / "replica")
    again.open()
    assert (again.active(), again.stored(), again.price_changes()) == before
    assert [regular(again, 3, revision) for revision in (1, 2, 3)] == [300, 350, 360]
    again.close()


def broken(manifest: Manifest, **changed: object) -> Manifest:
    fields = {
        "zone": ZONE,
        "rev": manifest.rev,
        "inc": manifest.inc,
        "digest": manifest.digest,
        "records": manifest.records,
        "snapshots": manifest.snapshots,
        "deltas": manifest.deltas,
    }
    return Manifest(**{**fields, **changed})  # type: ignore[arg-type]


def test_a_delta_that_does_not_lead_to_the_digest_changes_nothing(
    replica: Replica, publisher: Publisher
) -> None:
    good = publisher.publish([price_record(3, 350), gone(RecordKind.ITEM, 4)])
    with pytest.raises(CorruptError, match=r"replica\.digest"):
        replica.stage(broken(good, digest="0" * 64), publisher.objects)
    assert replica.stored_revision() == 1
    assert regular(replica, 3, 1) == 300
    replica.stage(good, publisher.objects)
    assert regular(replica, 3, 2) == 350


def deltas_of(publisher: Publisher, manifest: Manifest) -> dict[str, Path]:
    return {piece.sha256: publisher.objects[piece.sha256] for piece in manifest.deltas}


def a_replica_whose_pointer_did_not_follow(folder: Path, publisher: Publisher) -> Replica:
    """The power went between the delta's commit and the pointer's."""
    replica = a_stocked_replica(folder, publisher)
    manifest = publisher.publish([price_record(3, 350)])
    replica.stage(manifest, deltas_of(publisher, manifest))
    replica.close()
    with contextlib.closing(sqlite3.connect(folder / "replica.db")) as connection:
        connection.execute("UPDATE pointer SET rev=1 WHERE name='stored'")
        connection.commit()
    again = Replica(folder)
    again.open()
    assert again.stored_revision() == 1
    return again


def test_a_delta_that_the_file_has_already_is_not_asked_of_it_again(
    tmp_path: Path, publisher: Publisher
) -> None:
    replica = a_replica_whose_pointer_did_not_follow(tmp_path / "replica", publisher)
    manifest = publisher.manifest()
    replica.stage(manifest, deltas_of(publisher, manifest))
    assert (replica.stored_revision(), regular(replica, 3, 2)) == (2, 350)
    replica.close()


def test_deltas_that_do_not_begin_where_the_file_ends_are_refused(
    tmp_path: Path, publisher: Publisher
) -> None:
    replica = a_replica_whose_pointer_did_not_follow(tmp_path / "replica", publisher)
    publisher.publish([price_record(3, 360)])
    manifest = publisher.publish([price_record(3, 370)])
    later = broken(manifest, deltas=manifest.deltas[2:])
    with pytest.raises(CorruptError, match=r"replica\.digest"):
        replica.stage(later, deltas_of(publisher, later))
    assert replica.stored_revision() == 1
    replica.close()


def test_a_missing_piece_changes_nothing(replica: Replica, publisher: Publisher) -> None:
    manifest = publisher.publish([price_record(3, 350)])
    with pytest.raises(MissingError, match=r"replica\.piece"):
        replica.stage(manifest, {})
    assert replica.stored_revision() == 1


def test_a_snapshot_that_is_not_what_was_promised_leaves_no_file(
    tmp_path: Path, publisher: Publisher
) -> None:
    replica = Replica(tmp_path / "replica")
    replica.open()
    good = publisher.publish(a_catalogue())
    piece = good.snapshot
    short = Piece(0, 1, piece.sha256, piece.size, piece.records + 1)
    with pytest.raises(CorruptError, match=r"replica\.records"):
        replica.stage(broken(good, snapshots=(short,)), publisher.objects)
    with pytest.raises(CorruptError, match=r"replica\.digest"):
        replica.stage(broken(good, digest="0" * 64), publisher.objects)
    publisher.objects[piece.sha256].write_bytes(b"no zstd")
    with pytest.raises(RefusedError, match=r"wire\.compressed"):
        replica.stage(good, publisher.objects)
    assert list((tmp_path / "replica").glob("catalog-*")) == []
    assert replica.stored_revision() == 0
    replica.close()


def test_a_snapshot_whose_deltas_lead_elsewhere_leaves_no_file(
    tmp_path: Path, replica: Replica, publisher: Publisher
) -> None:
    """A box tries again for as long as head office wants the revision: the disk must not fill."""
    publisher.publish([], snapshot=True)
    manifest = broken(publisher.publish([price_record(3, 360)]), digest="0" * 64)
    before = files(tmp_path)
    for _ in range(3):
        with pytest.raises(CorruptError, match=r"replica\.digest"):
            replica.stage(manifest, publisher.objects)
    assert files(tmp_path) == before
    assert regular(replica, 3, 1) == 300
    replica.stage(publisher.manifest(), publisher.objects)
    assert regular(replica, 3, 3) == 360


def test_a_snapshot_over_a_broken_delta_is_the_way_out(
    tmp_path: Path, replica: Replica, publisher: Publisher
) -> None:
    publisher.publish([price_record(3, 350)])
    manifest = publisher.publish([price_record(3, 360), price_record(2, 222)], snapshot=True)
    replica.stage(manifest, publisher.objects)
    assert regular(replica, 3, 1) == 300
    result = replica.activate(3, OPENED_AT_MS)
    assert {change.name: change.new_minor for change in result.changes} == {
        "Item 2": 222,
        "Item 3": 360,
    }
    assert len(files(tmp_path)) == 2


def test_an_open_basket_keeps_its_revision_and_then_lets_it_go(
    tmp_path: Path, replica: Replica, publisher: Publisher
) -> None:
    manifest = publisher.publish([price_record(3, 350)], snapshot=True)
    replica.stage(manifest, publisher.objects)
    replica.activate(2, OPENED_AT_MS)
    replica.release({1})
    assert regular(replica, 3, 1) == 300
    replica.release(set())
    with pytest.raises(MissingError, match=r"replica\.revision"):
        replica.dated_prices(a_gtin(4), 1)
    replica.release(set())
    assert files(tmp_path) == {replica.active().file}
    assert regular(replica, 3, 2) == 350


def test_rows_that_nobody_reads_are_dropped(
    tmp_path: Path, replica: Replica, publisher: Publisher
) -> None:
    for minor in (310, 320):
        replica.stage(publisher.publish([price_record(3, minor)]), publisher.objects)
        replica.activate(publisher.rev, OPENED_AT_MS)
    replica.release({2})
    assert regular(replica, 3, 2) == 310
    connection = sqlite3.connect(tmp_path / "replica" / replica.active().file)
    (rows,) = connection.execute("SELECT count(*) FROM price WHERE gtin=?", (a_gtin(3),)).fetchone()
    connection.close()
    assert rows == 2


def test_the_same_number_from_another_incarnation_is_another_content(
    tmp_path: Path, replica: Replica
) -> None:
    restored = Publisher(tmp_path / "restored", inc="2")
    manifest = restored.publish([item_record(1, "Other")])
    replica.stage(manifest, restored.objects)
    replica.activate(1, OPENED_AT_MS)
    item = replica.find_item(a_gtin(1), 1)
    assert item is not None
    assert item.name == "Other"
    assert replica.active().inc == "2"


def test_a_damaged_replica_is_dropped_not_mourned(tmp_path: Path, replica: Replica) -> None:
    name = replica.active().file
    replica.close()
    (tmp_path / "replica" / name).write_bytes(b"no database")
    again = Replica(tmp_path / "replica")
    again.open()
    assert (again.active_revision(), again.stored_revision()) == (0, 0)
    again.close()


def test_search_finds_by_words_gtin_and_plu(tmp_path: Path, publisher: Publisher) -> None:
    replica = Replica(tmp_path / "replica")
    replica.open()
    records = [
        item_record(1, "Tomato soup 100% red"),
        item_record(2, "Soup of the day"),
        item_record(3, "西红柿 牛腩汤"),
        item_record(4, "Bananas", is_weighed=True, plu="04011"),
    ]
    replica.stage(publisher.publish(records), publisher.objects)
    replica.activate(1, OPENED_AT_MS)

    def found(text: str) -> list[str]:
        return [item.name for item in replica.search(text, 10, 1)]

    assert found("soup") == ["Soup of the day", "Tomato soup 100% red"]
    assert found("SOUP tom") == ["Tomato soup 100% red"]
    assert found("西红柿") == ["西红柿 牛腩汤"]
    assert found("100%") == ["Tomato soup 100% red"]
    assert found("%") == ["Tomato soup 100% red"]
    assert found(a_gtin(2)[-6:]) == ["Soup of the day"]
    assert found("4011") == ["Bananas"]
    assert found("   ") == []
    assert found("nothing") == []
    assert len(replica.search("soup", 1, 1)) == 1
    replica.close()


def test_a_killed_build_leaves_nothing_that_counts(
    tmp_path: Path, replica: Replica, publisher: Publisher
) -> None:
    stray = tmp_path / "replica" / "catalog-9-0.db.new"
    stray.write_bytes(b"half")
    replica.stage(publisher.publish([price_record(3, 350)]), publisher.objects)
    replica.activate(2, OPENED_AT_MS)
    replica.release(set())
    assert not stray.exists()


def test_every_changed_price_is_told_whoever_says_it_and_whatever_file_it_lies_in(
    replica: Replica, publisher: Publisher
) -> None:
    zone_price = Record(RecordKind.PRICE, f"{a_gtin(2)}/z", {"prices": [[0, 222, None]]})
    chain_price = Record(RecordKind.PRICE, f"{a_gtin(3)}/c", {"prices": [[0, 333, None]]})
    replica.stage(publisher.publish([zone_price, chain_price]), publisher.objects)
    assert regular(replica, 2, 2) == 200, "the store's own price counts first"
    manifest = publisher.publish([gone(RecordKind.PRICE, 2), gone(RecordKind.PRICE, 5)])
    replica.stage(manifest, publisher.objects)
    rows = {row.item.gtin: row for row in replica.changed_prices(2, 3)}
    assert rows.keys() == {a_gtin(2), a_gtin(5)}
    assert [price.regular_minor for price in rows[a_gtin(2)].after] == [222]
    assert rows[a_gtin(5)].after == ()
    whole = publisher.publish([price_record(4, 444)], snapshot=True)
    replica.stage(whole, publisher.objects)
    since_first = {row.item.gtin for row in replica.changed_prices(1, 4)}
    assert since_first == {a_gtin(number) for number in (2, 3, 4, 5)}


def test_a_kind_of_record_that_this_software_does_not_know_is_kept_and_counted(
    replica: Replica, publisher: Publisher
) -> None:
    def body(revision: int) -> object:
        return replica.config("tax/standard", revision)

    strange = Record("hologram", "3", {"shape": "cube"})
    tax = Record(RecordKind.CONFIG, "tax/standard", {"dated": [["", 1300]]})
    replica.stage(publisher.publish([strange, tax]), publisher.objects)
    changed = Record(RecordKind.CONFIG, "tax/standard", {"dated": [["", 900]]})
    replica.stage(publisher.publish([changed]), publisher.objects)
    whole = publisher.publish([Record("hologram", "3", None)], snapshot=True)
    replica.stage(whole, publisher.objects)
    assert [body(revision) for revision in (0, 1, 2, 3)] == [
        None,
        None,
        {"dated": [["", 1300]]},
        {"dated": [["", 900]]},
    ]
    assert body(4) == {"dated": [["", 900]]}


def test_a_store_goes_by_its_own_clock_where_a_price_says_so(
    tmp_path: Path, publisher: Publisher
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    replica = Replica(tmp_path / "berlin", zone)
    replica.open()
    black_friday = [["2026-11-27T00:00", 999, None], ["2026-11-30T00:00", None, None]]
    records = [
        *a_catalogue(),
        Record(RecordKind.PRICE, f"{a_gtin(1)}/c", {"prices": [[0, 150, None]]}),
        Record(RecordKind.PRICE, a_gtin(1), {"prices": black_friday}),
    ]
    replica.stage(publisher.publish(records), publisher.objects)
    at = int(datetime(2026, 11, 27, tzinfo=zone).timestamp() * 1000)
    prices = replica.dated_prices(a_gtin(1), 1)
    shown = [price_at(prices, each) for each in (at - 1, at, at + 3 * 86_400_000)]
    assert [price.regular_minor if price else None for price in shown] == [150, 999, 150]
    replica.close()


@pytest.mark.parametrize("prices", [[["2026-13-01T00:00", 1, None]], [[0, 1]], [["x", 1, None]]])
def test_a_price_that_no_till_could_read_is_refused_whole(
    replica: Replica, publisher: Publisher, prices: list[list[object]]
) -> None:
    record = Record(RecordKind.PRICE, a_gtin(1), {"prices": prices})
    with pytest.raises(RefusedError):
        replica.stage(publisher.publish([record]), publisher.objects)
    assert (replica.stored_revision(), regular(replica, 1, 1)) == (1, 100)


def test_revisions_that_wait_are_kept_until_nobody_wants_them(
    tmp_path: Path, replica: Replica, publisher: Publisher
) -> None:
    for minor in (310, 320, 330):
        replica.stage(publisher.publish([price_record(3, minor)]), publisher.objects)
    replica.release((), {(2, "1"), (3, "1"), (4, "1")})
    replica.close()
    again = Replica(tmp_path / "replica")
    again.open()
    assert {pointer.key for pointer in again.staged()} == {(1, "1"), (2, "1"), (3, "1"), (4, "1")}
    again.activate(3, OPENED_AT_MS)
    assert (again.active_revision(), again.stored_revision()) == (3, 4)
    again.release((), {(3, "1")})
    assert {pointer.key for pointer in again.staged()} == {(3, "1"), (4, "1")}
    assert [regular(again, 3, revision) for revision in (3, 4)] == [320, 330]
    with pytest.raises(MissingError, match=r"replica\.not_stored"):
        again.activate(2, OPENED_AT_MS)
    again.close()


def test_a_snapshot_may_come_in_several_pieces(tmp_path: Path, publisher: Publisher) -> None:
    replica = Replica(tmp_path / "pieces")
    replica.open()
    whole = publisher.publish(a_catalogue())
    records = list(publisher.live.values())
    parts = [publisher._piece(0, some) for some in (records[:30], records[30:])]
    replica.stage(broken(whole, snapshots=tuple(parts)), publisher.objects)
    assert replica.activate(1, OPENED_AT_MS).new_rev == 1
    assert regular(replica, 20, 1) == 2000
    twice = broken(whole, rev=1, inc="9", snapshots=(parts[0], parts[0]))
    with pytest.raises(CorruptError, match=r"replica\.digest"):
        replica.stage(twice, publisher.objects)
    replica.close()
