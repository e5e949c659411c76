"""The journal's files are damaged, gone, or edited by somebody who may write them."""

import json
import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest

from edge.journal.reader import verify_file
from edge.journal.store import Journal
from shared.journal.chain import entry_hash, genesis_hash
from shared.journal.entry import JournalEntry
from shared.journal.event import DayClosed
from shared.kernel.errors import CorruptError
from tests.builders import STREAM, STREAM_ID
from tests.integration.edge.boxes import DAY, a_draft, a_journal, a_sale_draft, open_day

SALES = 6


def a_shop(folder: Path, *, acked: int | None = None) -> tuple[Journal, list[JournalEntry]]:
    journal = a_journal(folder)
    open_day(journal)
    sales = [journal.append(a_sale_draft(journal)) for _ in range(SALES)]
    if acked is not None:
        found = journal.hash_at(acked)
        assert found is not None
        journal.mark_acked(acked, found)
    return journal, sales


def as_the_power_left_it(folder: Path, copy: Path) -> Path:
    """The files of an open journal, as a box finds them after a power cut."""
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm"))
    return copy


def test_a_flipped_bit_escapes_sqlite_but_not_the_chain(tmp_path: Path) -> None:
    journal, sales = a_shop(tmp_path)
    journal.close()
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    target = sales[2]
    place = data.find(target.body) + len(target.body) // 2
    data[place] ^= 0x01
    path.write_bytes(data)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with pytest.raises(CorruptError) as caught:
        verify_file(path)
    assert caught.value.params["seq"] == target.seq


def test_a_box_with_a_flipped_bit_goes_on_in_a_new_journal(tmp_path: Path) -> None:
    journal, sales = a_shop(tmp_path)
    journal.close()
    path = tmp_path / "journal.db"
    data = bytearray(path.read_bytes())
    data[data.find(sales[-1].body) + 40] ^= 0x10
    path.write_bytes(data)
    again = a_journal(tmp_path)
    assert (again.cause, again.stream != STREAM) == ("corrupt", True)
    fresh = a_sale_draft(again)
    again.append(fresh)
    assert again.sale_by_id(fresh.id) is not None
    assert not again.next_receipt_no(1).startswith("1-0")
    assert again.sale_by_receipt("1-000001").id == sales[0].id
    again.close()
    assert path.read_bytes() == bytes(data)


def test_a_log_that_was_removed_is_known_by_the_mark_outside(tmp_path: Path) -> None:
    journal, sales = a_shop(tmp_path / "box", acked=4)
    journal.append(a_draft(DayClosed(DAY, {}), till=""))
    copy = as_the_power_left_it(tmp_path / "box", tmp_path / "copy")
    journal.close()
    whole = as_the_power_left_it(copy, tmp_path / "whole")
    (copy / "journal.db-wal").unlink()
    again = a_journal(copy)
    assert (again.cause, again.stream != STREAM) == ("restore", True)
    assert again.sale_by_id(sales[0].id) is None
    assert not again.next_receipt_no(1).startswith("1-0")
    again.close()
    with_log = a_journal(whole)
    assert (with_log.cause, with_log.stream) == (None, STREAM)
    assert with_log.sale_by_id(sales[-1].id) == sales[-1]
    with_log.close()


def edited(path: Path, script: str) -> None:
    """Change the file past its triggers, as somebody with the root password does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"DROP TRIGGER entry_is_final; DROP TRIGGER entry_stays; {script}")


def rewritten(path: Path, seq: int) -> None:
    """Halve the totals of one sale and make the whole chain after it fit again."""
    edited(path, "")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        rows = connection.execute("SELECT seq, body FROM entry ORDER BY seq").fetchall()
        before = genesis_hash(STREAM_ID)
        for number, raw in rows:
            body = raw.replace(b"1000", b"5000") if number == seq else raw
            before = entry_hash(STREAM_ID, number, before, body)
            connection.execute(
                "UPDATE entry SET body=?, hash=? WHERE seq=?", (body, before, number)
            )


def test_a_chain_that_was_made_to_fit_again_contradicts_what_was_acknowledged(
    tmp_path: Path,
) -> None:
    journal, sales = a_shop(tmp_path, acked=5)
    journal.close()
    rewritten(tmp_path / "journal.db", sales[1].seq)
    assert verify_file(tmp_path / "journal.db")[0] == SALES + 2
    again = a_journal(tmp_path)
    assert (again.cause, again.stream != STREAM) == ("restore", True)
    again.close()


def test_after_the_edit_the_cloud_is_not_believed_and_does_not_believe(tmp_path: Path) -> None:
    journal, sales = a_shop(tmp_path)
    told = sales[-1].seq, sales[-1].hash
    journal.close()
    rewritten(tmp_path / "journal.db", sales[1].seq)
    again = a_journal(tmp_path)
    with pytest.raises(CorruptError, match=r"journal\.ack_hash"):
        again.mark_acked(*told)
    again.close()


@pytest.mark.parametrize("cut_from", [4, 7])
def test_a_tail_that_was_cut_off_is_missed_where_it_was_acknowledged(
    tmp_path: Path, cut_from: int
) -> None:
    journal, _ = a_shop(tmp_path, acked=5)
    journal.close()
    edited(tmp_path / "journal.db", f"DELETE FROM entry WHERE seq>={cut_from}")  # noqa: S608
    again = a_journal(tmp_path)
    is_missed = cut_from <= 5
    assert again.cause == ("restore" if is_missed else None)
    again.close()


def test_a_removed_receipt_shows_in_the_totals_of_the_next_one(tmp_path: Path) -> None:
    journal, sales = a_shop(tmp_path)
    journal.close()
    edited(tmp_path / "journal.db", f"DELETE FROM entry WHERE seq={sales[2].seq}")  # noqa: S608
    with pytest.raises(CorruptError) as caught:
        verify_file(tmp_path / "journal.db")
    assert (caught.value.code, caught.value.params["seq"]) == ("journal.gap", sales[2].seq)
    totals = [json.loads(sale.body)["gt"]["sales"] for sale in sales if sale is not sales[2]]
    assert [after - before for before, after in pairwise(totals)] == [
        1000,
        2000,
        1000,
        1000,
    ]
