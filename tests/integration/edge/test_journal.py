"""The journal on real files: what is acknowledged stays, what is changed shows."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge.journal.lives import PUT_ENTRY
from edge.journal.reader import verify_file
from edge.journal.signer import KEY_FILE, load_or_create
from edge.journal.store import Journal
from shared.journal.chain import entry_hash, genesis_hash
from shared.journal.event import (
    BasketVoided,
    DayClosed,
    DayOpened,
    DrawerOpened,
    OperatorSignedOn,
    ReceiptReprinted,
)
from shared.kernel.errors import CorruptError, MissingError, RefusedError, UnavailableError
from tests.builders import OPENED_AT_MS, STREAM, STREAM_ID
from tests.integration.edge.boxes import (
    DAY,
    a_clock,
    a_draft,
    a_journal,
    a_sale_draft,
    an_identity,
    open_day,
)


def test_a_new_journal_begins_with_who_keeps_it(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    (entry,) = journal.read(0, 10, 10_000)
    body = json.loads(entry.body)
    assert (entry.seq, body["type"], body["stream"]) == (0, "stream.opened", STREAM)
    assert body["data"]["journal_pub"] == load_or_create(tmp_path / KEY_FILE).public_hex
    assert entry.hash == entry_hash(STREAM_ID, 0, genesis_hash(STREAM_ID), entry.body)
    assert journal.head() == (0, entry.hash)


def test_an_entry_says_who_when_where_and_under_which_revision(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    entry = journal.append(a_sale_draft(journal))
    body = json.loads(entry.body)
    assert body["at"] == OPENED_AT_MS
    assert body["biz"] == DAY
    assert (body["till"], body["actor"], body["cat"], body["clk"]) == ("1", "1001", 7, 2)
    assert (body["boot"], body["shift"], body["seq"]) == (1, "1", 2)
    assert body["gt"] == {"sales": 1000, "refunds": 0}


def test_the_same_id_again_gives_the_first_entry(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    draft = a_sale_draft(journal)
    first = journal.append(draft)
    assert journal.append(draft) == first
    assert journal.head()[0] == first.seq
    assert journal.next_receipt_no(1) == "1-000002"


def test_a_sale_found_again_after_its_day_was_closed_is_no_error(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    draft = a_sale_draft(journal)
    first = journal.append(draft)
    journal.append(a_draft(DayClosed(DAY, {}), till=""))
    assert journal.append(draft) == first


def test_everything_is_as_it_was_after_reopening(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    for _ in range(3):
        journal.append(a_sale_draft(journal))
    journal.append(a_sale_draft(journal, lane=2))
    head, report = journal.head(), journal.z(DAY)
    journal.close()

    again = a_journal(tmp_path)
    assert again.head() == head
    assert again.z(DAY) == report
    assert (again.next_receipt_no(1), again.next_receipt_no(2)) == ("1-000004", "2-000002")
    assert again.boot() == 2
    entry = again.append(a_sale_draft(again))
    assert json.loads(entry.body)["gt"]["sales"] == 5000
    again.close()
    assert verify_file(tmp_path / "journal.db")[0] == 7


def test_the_z_report_adds_up_all_lanes(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    journal.append(a_sale_draft(journal, lane=1))
    journal.append(a_sale_draft(journal, lane=2))
    journal.append(a_draft(BasketVoided(1, 2, 500, "left")))
    journal.append(a_draft(DrawerOpened(1, "change")))
    report = journal.z(DAY)
    assert (report.receipts, report.units, report.net_minor) == (2, 4, 2000)
    assert (report.cash_minor, report.voided_baskets, report.no_sales) == (2000, 1, 1)
    assert journal.receipts_of(DAY) == {
        "1": ["1-000001", "1-000001"],
        "2": ["2-000001", "2-000001"],
    }


def test_copies_of_a_receipt_are_counted(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    journal.append(a_sale_draft(journal))
    assert journal.copies_of("1-000001") == 0
    journal.append(a_draft(ReceiptReprinted(1, "1-000001", 1)))
    assert journal.copies_of("1-000001") == 1
    ((entry, copies),) = journal.recent_sales(1, 10)
    assert (entry.seq, copies) == (2, 1)
    assert journal.sale_by_receipt("1-000001") == entry


@pytest.mark.parametrize("text", ["1-000009", "x", "", "1-", "٣-1", "1-" + "9" * 40])
def test_a_receipt_that_is_not_there_is_missing(tmp_path: Path, text: str) -> None:
    with pytest.raises(MissingError, match=r"receipt\.unknown"):
        a_journal(tmp_path).sale_by_receipt(text)


def test_no_sale_outside_the_open_day(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    with pytest.raises(RefusedError, match=r"day\.closed"):
        journal.append(a_sale_draft(journal))
    open_day(journal)
    with pytest.raises(RefusedError, match=r"day\.closed"):
        journal.append(a_sale_draft(journal, biz="2017-08-08"))
    with pytest.raises(RefusedError, match=r"day\.already_open"):
        journal.append(a_draft(DayOpened("2017-08-08"), biz="2017-08-08"))
    assert journal.head()[0] == 1


def test_reading_stops_at_the_asked_size(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    for lane in range(5):
        journal.append(a_draft(OperatorSignedOn(lane, "1001"), biz=""))
    assert [entry.seq for entry in journal.read(2, 2, 100_000)] == [2, 3]
    size = len(journal.read(1, 1, 1)[0].body)
    assert len(journal.read(1, 10, size * 2 + 10)) == 2
    assert len(journal.read(1, 10, 1)) == 1
    assert journal.read(99, 10, 1) == []


def test_an_acknowledgement_counts_only_with_our_own_hash(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    head = journal.head()
    assert journal.acked() == -1
    with pytest.raises(CorruptError, match=r"journal\.ack_hash"):
        journal.mark_acked(1, b"\x00" * 32)
    with pytest.raises(CorruptError, match=r"journal\.ack_hash"):
        journal.mark_acked(5, head[1])
    journal.mark_acked(*head)
    first = journal.hash_at(0)
    assert first is not None
    journal.mark_acked(0, first)
    assert journal.acked() == 1


def test_callbacks_hear_of_each_entry_after_its_commit(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    heard: list[bool] = []
    journal.on_append(lambda entry: heard.append(journal.hash_at(entry.seq) == entry.hash))
    open_day(journal)
    assert heard == [True]


def test_a_head_is_signed_by_the_key_in_the_file(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    public = Ed25519PublicKey.from_public_bytes(
        bytes.fromhex(load_or_create(tmp_path / KEY_FILE).public_hex)
    )
    public.verify(journal.sign(b"statement"), b"statement")
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET body=x'00' WHERE seq=1",
        "DELETE FROM entry WHERE seq=1",
        "UPDATE entry SET seq=99 WHERE seq=1",
    ],
)
def test_sqlite_itself_refuses_to_change_an_entry(tmp_path: Path, statement: str) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    journal.close()
    connection = sqlite3.connect(tmp_path / "journal.db")
    with pytest.raises(sqlite3.IntegrityError, match="journal entry"):
        connection.execute(statement)
    connection.close()


def test_entries_may_go_only_as_far_as_the_prune_permit_says(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    journal.append(a_sale_draft(journal))
    journal.close()
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    connection.execute("INSERT INTO prune_permit VALUES(1, 1)")
    connection.execute("DELETE FROM entry WHERE seq=1")
    for seq in (0, 2):
        with pytest.raises(sqlite3.IntegrityError, match="pruned"):
            connection.execute("DELETE FROM entry WHERE seq=?", (seq,))
    connection.close()


def tampered(path: Path, script: str) -> None:
    """Change the file as somebody with root would: past the triggers."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"DROP TRIGGER entry_is_final; DROP TRIGGER entry_stays; {script}")
    connection.close()


@pytest.mark.parametrize(
    ("script", "code", "seq"),
    [
        (
            "UPDATE entry SET body=CAST(replace(body, '1000', '1') AS BLOB) WHERE seq=2",
            "journal.chain",
            2,
        ),
        ("DELETE FROM entry WHERE seq=2", "journal.gap", 2),
        ("DELETE FROM entry WHERE seq=0", "journal.gap", 0),
        ("UPDATE entry SET hash=x'00' WHERE seq=3", "journal.chain", 3),
    ],
)
def test_whoever_edits_the_file_is_found_out(
    tmp_path: Path, script: str, code: str, seq: int
) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    for _ in range(3):
        journal.append(a_sale_draft(journal))
    journal.close()
    tampered(tmp_path / "journal.db", script)
    with pytest.raises(CorruptError) as caught:
        verify_file(tmp_path / "journal.db")
    assert (caught.value.code, caught.value.params) == (code, {"seq": seq})


def test_a_box_does_not_go_on_from_a_broken_tail(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    journal.append(a_sale_draft(journal))
    journal.close()
    tampered(tmp_path / "journal.db", "UPDATE entry SET body=x'7b7d' WHERE seq=2")
    before = (tmp_path / "journal.db").read_bytes()
    again = a_journal(tmp_path)
    assert (again.cause, again.path.name) == ("corrupt", "journal-2.db")
    again.close()
    assert (tmp_path / "journal.db").read_bytes() == before


def test_a_long_journal_is_opened_by_its_tail(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    for _ in range(250):
        journal.append(a_draft(OperatorSignedOn(1, "1001"), biz=""))
    head = journal.head()
    journal.close()
    again = a_journal(tmp_path)
    assert again.head() == head
    again.close()


def test_a_journal_of_another_stream_is_refused(tmp_path: Path) -> None:
    a_journal(tmp_path).close()
    with pytest.raises(CorruptError, match=r"journal\.other_stream"):
        a_journal(tmp_path, stream="ab" * 16)


def test_a_file_that_newer_software_keeps_to_itself_is_left_alone(tmp_path: Path) -> None:
    a_journal(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    connection.execute("PRAGMA user_version=99")
    a_journal(tmp_path).close()  # a box that went back to the software before sells on
    connection.execute("PRAGMA application_id=99")
    connection.close()
    with pytest.raises(CorruptError, match=r"storage\.newer"):
        a_journal(tmp_path)


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    with pytest.raises(RefusedError, match=r"journal\.in_use"):
        a_journal(tmp_path)
    journal.close()
    a_journal(tmp_path).close()


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(CorruptError, match=r"journal\.key"):
        load_or_create(tmp_path / KEY_FILE)


class FailingWriter:
    """A connection whose commit reports an I/O error, before or after it has taken place.

    An entry's INSERT outside a transaction commits by itself.
    """

    def __init__(self, real: sqlite3.Connection, *, is_durable: bool) -> None:
        self._real = real
        self._is_durable = is_durable

    def execute(self, sql: str, parameters: tuple[object, ...] = ()) -> sqlite3.Cursor:
        if sql != PUT_ENTRY:
            return self._real.execute(sql, parameters)
        if self._is_durable:
            self._real.execute(sql, parameters)
        raise sqlite3.OperationalError("disk I/O error")

    def close(self) -> None:
        self._real.close()


def failing(journal: Journal, *, is_durable: bool) -> None:
    assert journal._writer is not None
    journal._writer = FailingWriter(journal._writer, is_durable=is_durable)  # type: ignore[assignment]


def test_a_failed_commit_that_took_place_is_a_success(tmp_path: Path) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    draft = a_sale_draft(journal)
    failing(journal, is_durable=True)
    entry = journal.append(draft)
    assert journal.sale_by_id(draft.id) == entry
    assert journal.head() == (entry.seq, entry.hash)
    assert journal.next_receipt_no(1) == "1-000002"
    journal.append(a_sale_draft(journal))
    journal.close()
    assert verify_file(tmp_path / "journal.db")[0] == 4


def test_a_failed_commit_that_did_not_take_place_is_told_and_can_be_repeated(
    tmp_path: Path,
) -> None:
    journal = a_journal(tmp_path)
    open_day(journal)
    draft = a_sale_draft(journal)
    failing(journal, is_durable=False)
    with pytest.raises(UnavailableError, match=r"journal\.write_failed"):
        journal.append(draft)
    assert journal.next_receipt_no(1) == "1-000001"
    assert journal.append(draft).seq == 2
    journal.close()
    assert verify_file(tmp_path / "journal.db")[0] == 3


def run_python(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


APPEND_UNTIL_KILLED = """
    import sys
    from pathlib import Path
    from tests.integration.edge.boxes import a_journal, a_sale_draft, open_day
    journal = a_journal(Path(sys.argv[1]))
    open_day(journal)
    while True:
        draft = a_sale_draft(journal)
        print("try", draft.id, flush=True)
        journal.append(draft)
        print("ack", draft.id, flush=True)
"""


@pytest.mark.parametrize("acks", [1, 7, 40])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, acks: int) -> None:
    child = run_python(APPEND_UNTIL_KILLED, str(tmp_path))
    assert child.stdout is not None
    acked: list[str] = []
    while len(acked) < acks:
        word, entry_id = child.stdout.readline().split()
        if word == "ack":
            acked.append(entry_id)
    child.send_signal(signal.SIGKILL)
    rest = [line.split() for line in child.stdout.read().splitlines() if line.count(" ") == 1]
    child.wait()
    child.stdout.close()
    acked += [entry_id for word, entry_id in rest if word == "ack"]

    journal = a_journal(tmp_path)
    assert [entry_id for entry_id in acked if journal.sale_by_id(entry_id) is None] == []
    sales = journal.z(DAY).receipts
    assert sales in {len(acked), len(acked) + 1}
    assert journal.next_receipt_no(1) == f"1-{sales + 1:06d}"
    journal.close()
    assert verify_file(tmp_path / "journal.db")[0] == sales + 2


FILL_THE_DISK = """
    import resource, signal, sys
    from pathlib import Path
    from shared.kernel.errors import UnavailableError
    from tests.integration.edge.boxes import a_journal, a_sale_draft, open_day
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = a_journal(Path(sys.argv[1]))
    open_day(journal)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
    try:
        while True:
            journal.append(a_sale_draft(journal))
    except UnavailableError as error:
        print(error.code, journal.head()[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    print(journal.append(a_sale_draft(journal)).seq)
"""


def test_a_disk_that_is_full_is_told_and_selling_goes_on_once_there_is_room(
    tmp_path: Path,
) -> None:
    child = run_python(FILL_THE_DISK, str(tmp_path))
    out, _ = child.communicate(timeout=60)
    (code, head), (after,) = [line.split() for line in out.splitlines()]
    assert code in {"journal.write_failed", "journal.disk_full"}
    assert int(after) == int(head) + 1
    assert verify_file(tmp_path / "journal.db")[0] == int(after) + 1


def test_the_journal_needs_no_time_of_its_own(tmp_path: Path) -> None:
    clock = a_clock(5)
    journal = Journal(
        tmp_path / "journal.db", an_identity(), clock, load_or_create(tmp_path / KEY_FILE)
    )
    journal.open()
    assert json.loads(journal.read(0, 1, 1)[0].body)["at"] == 5
    journal.close()
