"""The disk is full, or has become read-only: no money is taken that could not be recorded."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.journal.ballast import BALLAST_FILE, ROOM_BYTES_MIN
from edge.journal.reader import verify_file
from edge.journal.signer import KEY_FILE, load_or_create
from edge.journal.store import Journal
from edge.server import check_disk
from shared.kernel.errors import RefusedError, UnavailableError
from tests.builders import STREAM, a_gtin
from tests.faults.box.kernel import ext4_disk, fail_disk, fill, needs_mounts, small_disk
from tests.integration.edge.boxes import (
    DAY,
    a_clock,
    a_journal,
    a_sale_draft,
    an_identity,
    open_day,
)
from tests.integration.edge.lanes import a_lane

pytestmark = needs_mounts
MEGABYTE = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 32) as mounted:
        yield mounted


def a_journal_with_ballast(folder: Path) -> Journal:
    signer = load_or_create(folder / KEY_FILE)
    path = folder / "journal.db"
    journal = Journal(path, an_identity(), a_clock(), signer, ballast_bytes=8 * MEGABYTE)
    journal.open()
    return journal


def test_a_full_disk_takes_the_ballast_and_the_sale_is_kept(disk: Path) -> None:
    journal = a_journal_with_ballast(disk)
    open_day(journal)
    fill(disk)
    drafts = []
    while not journal.is_short_of_room:
        drafts.append(a_sale_draft(journal))
        journal.append(drafts[-1])
        assert len(drafts) < 1000, "the disk never became full"
    journal.refuse_if_full()
    for _ in range(20):
        drafts.append(a_sale_draft(journal))
        journal.append(drafts[-1])
    assert not (disk / BALLAST_FILE).exists()
    assert [draft.id for draft in drafts if journal.sale_by_id(draft.id) is None] == []
    journal.close()
    assert verify_file(disk / "journal.db")[0] == len(drafts) + 2


def test_a_full_disk_without_ballast_refuses_and_books_nothing_by_halves(disk: Path) -> None:
    journal = a_journal(disk)
    open_day(journal)
    filler = fill(disk, leave_bytes=ROOM_BYTES_MIN // 2)
    with pytest.raises(RefusedError, match=r"journal\.disk_full"):
        journal.refuse_if_full()
    fill(disk)
    kept = sell_until_full(journal)
    draft = a_sale_draft(journal)
    with pytest.raises(UnavailableError, match=r"journal\.disk_full"):
        journal.append(draft)
    head = journal.head()
    assert journal.sale_by_id(draft.id) is None
    filler.unlink()
    journal.refuse_if_full()
    assert journal.append(draft).seq == head[0] + 1
    journal.close()
    again = a_journal(disk)
    assert (again.stream, again.z(DAY).receipts) == (STREAM, kept + 1)
    again.close()
    assert verify_file(disk / "journal.db")[0] == kept + 3


def sell_until_full(journal: Journal) -> int:
    sold = 0
    while True:
        try:
            journal.append(a_sale_draft(journal))
        except UnavailableError:
            return sold
        sold += 1


def test_the_till_refuses_the_payment_and_takes_it_once_there_is_room(disk: Path) -> None:
    with a_lane(disk) as lane:
        lane.scan(a_gtin(3))
        filler = fill(disk, leave_bytes=ROOM_BYTES_MIN // 2)
        with pytest.raises(RefusedError, match=r"journal\.disk_full"):
            lane.pay(300)
        assert (lane.paper.asked, lane.basket().tenders) == ([], ())
        filler.unlink()
        lane.pay(300)
        assert lane.paper.asked == ["receipt 1-000001"]


def test_a_start_on_a_full_disk_does_not_end_the_journals_life(disk: Path) -> None:
    journal = a_journal(disk)
    open_day(journal)
    entry = journal.append(a_sale_draft(journal))
    journal.mark_acked(entry.seq, entry.hash)
    journal.close()
    filler = fill(disk)
    with pytest.raises(RefusedError, match=r"box\.disk_full"):
        check_disk(disk)
    with pytest.raises(sqlite3.OperationalError):
        a_journal(disk)
    filler.unlink()
    again = a_journal(disk)
    assert (again.cause, again.stream, again.head()[0]) == (None, STREAM, entry.seq)
    again.close()


def test_a_disk_that_turns_read_only_stops_payment_and_loses_nothing(tmp_path: Path) -> None:
    with ext4_disk(tmp_path / "card", 32) as card:
        with a_lane(card) as lane:
            lane.scan(a_gtin(3))
            lane.pay(300)
            head = lane.journal.head()
            lane.scan(a_gtin(4))
            fail_disk(card)
            with pytest.raises(RefusedError, match=r"journal\.read_only"):
                lane.pay(400)
            with pytest.raises(UnavailableError, match=r"journal\.read_only"):
                lane.journal.append(a_sale_draft(lane.journal))
            assert (lane.paper.asked, lane.journal.head()) == (["receipt 1-000001"], head)
            assert json.loads(lane.journal.read(head[0], 1, 1)[0].body)["seq"] == head[0]
        with pytest.raises(RefusedError, match=r"box\.data_dir"):
            check_disk(card)
