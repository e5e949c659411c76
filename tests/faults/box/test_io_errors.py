"""The disk answers with an error: what was told to the cashier is true afterwards."""

import uuid
from pathlib import Path

import pytest

from edge.journal.reader import verify_file
from tests.builders import STREAM
from tests.faults.box.kernel import meddled, meddling, needs_strace
from tests.faults.box.seller import a_seller, command
from tests.integration.edge.boxes import DAY, a_journal, a_sale_draft, open_day

pytestmark = needs_strace


def sale_ids(count: int) -> list[str]:
    return [str(uuid.UUID(int=number + 1, version=4)) for number in range(count)]


def kept_once(folder: Path, wanted: list[str]) -> None:
    """Every sale of which it was said so is there, once, and nothing else is."""
    journal = a_journal(folder)
    try:
        assert journal.stream == STREAM
        found = [entry.id for entry in journal.read(0, 1000, 1 << 30)]
        assert [sale for sale in wanted if found.count(sale) != 1] == []
        assert journal.z(DAY).receipts == len(wanted) == len(found) - 2
    finally:
        journal.close()
    assert verify_file(folder / "journal.db")[0] == len(wanted) + 2


@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
def test_an_error_at_a_commit_is_answered_by_what_the_file_holds(tmp_path: Path, call: str) -> None:
    first, failed, last = sale_ids(3)
    with a_seller(command(tmp_path)) as seller:
        assert "seq" in seller.sell(first)
        with meddling(seller.process.pid, tmp_path / "journal.db-wal", f"{call}:error=EIO:when=1"):
            answer = seller.sell(failed)
        assert answer.keys() & {"seq", "error"}
        again = seller.sell(failed)
        assert again["seq"] == answer.get("seq", again["seq"])
        assert seller.sell(last)["seq"] == again["seq"] + 1
        seller.kill()
    kept_once(tmp_path, [first, failed, last])


def test_while_the_disk_fails_nothing_is_said_to_be_kept(tmp_path: Path) -> None:
    first, failed, last = sale_ids(3)
    with a_seller(command(tmp_path)) as seller:
        seller.sell(first)
        with meddling(seller.process.pid, tmp_path / "journal.db-wal", "fdatasync:error=EIO"):
            for _ in range(3):
                assert seller.sell(failed) == {"error": "journal.write_failed"}
        assert "seq" in seller.sell(failed)
        assert "seq" in seller.sell(last)
        seller.kill()
    kept_once(tmp_path, [first, failed, last])


def test_a_kill_after_an_error_at_the_commit_leaves_one_sale_or_none(tmp_path: Path) -> None:
    first, failed = sale_ids(2)
    with a_seller(command(tmp_path)) as seller:
        seller.sell(first)
        with meddling(seller.process.pid, tmp_path / "journal.db-wal", "fdatasync:error=EIO"):
            assert "error" in seller.sell(failed)
            seller.kill()
    with a_seller(command(tmp_path)) as seller:
        assert "seq" in seller.sell(failed)
    kept_once(tmp_path, [first, failed])


def test_a_journal_that_cannot_be_read_is_sealed_and_selling_goes_on(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    entry = journal.append(a_sale_draft(journal))
    journal.mark_acked(entry.seq, entry.hash)
    journal.close()
    before = (tmp_path / "journal.db").read_bytes()
    unreadable = meddled(tmp_path / "journal.db", "pread64:error=EIO", command(tmp_path))
    with a_seller(unreadable) as seller:
        facts = seller.facts()
        assert (facts["cause"], facts["file"]) == ("corrupt", "journal-2.db")
        assert facts["stream"] != STREAM
        assert "seq" in seller.sell(sale_ids(1)[0])
    assert (tmp_path / "journal.db").read_bytes() == before
    again = a_journal(tmp_path)
    assert (again.cause, again.stream) == (None, facts["stream"])
    assert again.sale_by_receipt("1-000001") == entry
    again.close()
