"""One box that becomes two, and a box that wakes up in its own past."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path

import pytest

from cloud.db import Database
from shared.journal.life import LifeCause
from tests.builders import a_gtin
from tests.fakes.box_stream import START_MS
from tests.faults.world import Chain, Store, rows, until
from tests.integration.edge.lanes import a_lane
from tests.lab.workers import Workers


@pytest.fixture
def worker(workers: Workers) -> None:
    workers.here()


def check_each_sale_once(database: Database, *boxes: Store) -> None:
    """Whatever streams brought them, every sale that a cashier saw has its effects once."""
    sold = {id_ for box in boxes for id_ in box.sold}
    booked = rows(
        database,
        "SELECT entry_id::text FROM sale WHERE store_id = :s",
        s=boxes[0].identity.store_id,
    )
    assert sorted(id_ for (id_,) in booked) == sorted(sold)


def streams(database: Database, box: Store) -> list[tuple[str, str]]:
    """Cause and state of each journal life that HQ knows of a box, in order."""
    return [
        (cause, status)
        for cause, status in rows(
            database,
            "SELECT cause, status FROM stream WHERE dev = :d ORDER BY ordinal",
            d=box.identity.dev,
        )
    ]


@pytest.mark.usefixtures("worker")
def test_two_boxes_with_one_card_both_sell_and_every_sale_counts_once(
    database: Database, chain: Chain, tmp_path: Path
) -> None:
    box = chain.store()
    box.sell(3)
    until(box.is_synced)
    box.sync.stop()
    box.sell(2)  # not uploaded: both copies of the card hold these two
    box.close()
    chain.stores.remove(box)
    shutil.copytree(box.folder, tmp_path / "clone")
    first, second = chain.reopen(box, box.folder), chain.reopen(box, tmp_path / "clone")
    for one in (first, second):
        one.sell(4)
        one.sync.start()
    for _ in range(3):
        for one in (first, second):
            one.sell(2)
    until(lambda: first.is_synced() and second.is_synced(), 40)
    check_each_sale_once(database, box, first, second)
    known = streams(database, box)
    # Both hear the answers to either, since they have one name: both may go on anew.
    assert 2 <= len(known) <= 4
    assert {cause for cause, _ in known[1:]} <= {"clone", "restore"}
    numbers = rows(
        database,
        "SELECT receipt_no FROM sale WHERE store_id = :s GROUP BY 1 HAVING count(*) > 1",
        s=box.identity.store_id,
    )
    assert len(numbers) <= 10, "only what was sold before the copy was found out"


@pytest.mark.usefixtures("worker")
def test_an_old_image_on_the_same_box_reuses_no_number_and_loses_nothing(
    database: Database, chain: Chain, tmp_path: Path
) -> None:
    box = chain.store()
    box.sell(3)
    until(box.is_synced)
    box.close()
    chain.stores.remove(box)
    shutil.copytree(box.folder, tmp_path / "image")
    later = chain.reopen(box, box.folder)
    later.sync.start()
    later.sell(4)
    until(later.is_synced)
    later.close()
    chain.stores.remove(later)
    restored = chain.reopen(box, tmp_path / "image")
    restored.sell(2)
    restored.sync.start()
    until(lambda: len(streams(database, box)) == 2)
    restored.sell(2)
    until(restored.is_synced)
    check_each_sale_once(database, box, later, restored)
    assert streams(database, box)[1][0] == "restore"
    stored = "SELECT count(*), count(DISTINCT (stream_id, seq)) FROM entry WHERE store_id = :s"
    [(entries, places)] = rows(database, stored, s=box.identity.store_id)
    assert entries == places


def test_a_new_life_that_begins_while_a_customer_pays_waits_for_the_sale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with a_lane(tmp_path) as lane:
        lane.scan(a_gtin(1))
        number_of, journal = lane.journal.next_receipt_no, lane.journal

        def found_out() -> None:
            journal.begin_life(LifeCause.CLONE, START_MS)

        thief = threading.Thread(target=found_out)

        def number_and_fork(at_lane: int) -> str:
            number = number_of(at_lane)
            thief.start()
            time.sleep(0.1)
            return number

        monkeypatch.setattr(journal, "next_receipt_no", number_and_fork)
        turn = lane.pay(500)
        thief.join()
        monkeypatch.undo()
        assert turn.receipt_no == "1-000001"
        assert journal.cause is LifeCause.CLONE
        lane.scan(a_gtin(2))
        second = lane.pay(500).receipt_no
    assert str(second).startswith("1-")
    assert second != "1-000001"
    assert len(str(second)) > len("1-000001"), "a later journal's numbers bear its series"
