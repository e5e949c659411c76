"""Everything comes back from the archive alone, and a drill says when it would not."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud.archive.objects import FileObjects
from cloud.archive.packing import pack
from cloud.archive.s3 import S3Objects, S3Place
from cloud.archive.service import status_of
from cloud.archive.tree import proof_of
from cloud.db import Database
from cloud.migrations.run import migrate
from cloud.posters import POSTERS
from cloud.recovery import drill as drills
from cloud.recovery.drill import DrillReport, drill, snapshot_of
from cloud.recovery.rebuild import rebuild
from cloud.recovery.refill import Refill, Refilled, RefillTerms
from cloud.recovery.verify import Verifier
from shared.journal.chain import chain_hashes, head_statement
from shared.journal.event import DayClosed, SaleCompleted
from shared.journal.segment import Segment, Signature, segment_lines
from shared.kernel.errors import UnavailableError
from shared.wire.message import AckCode
from tests.fakes.box_stream import DAY, BoxStream, a_sale
from tests.integration.cloud.archives import DAY_MS, HQ, Office, empty
from tests.lab.postgres import PostgresServer
from tests.lab.s3 import S3Server

NewBox = Callable[[], BoxStream]
PUB = bytes.fromhex(HQ.public_hex)


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    empty(database)
    return Office(database, FileObjects(tmp_path / "archive"))


@pytest.fixture(scope="module")
def restored_database(postgres: PostgresServer) -> Iterator[Database]:
    name = f"restored_{uuid.uuid4().hex[:12]}"
    with closing(Database(postgres.create_database(name))) as opened:
        migrate(opened)
        yield opened
    postgres.drop_database(name)


@pytest.fixture
def scratch(restored_database: Database) -> Database:
    """An empty, migrated database."""
    empty(restored_database)
    return restored_database


def a_chain(office: Office, new_box: NewBox, boxes: int = 3) -> list[BoxStream]:
    """Some boxes over two archived days, and a tail that is not archived."""
    made = [new_box() for _ in range(boxes)]
    for n, box in enumerate(made):
        box.append_sales(5 + n)
        box.append(DayClosed(DAY, {"receipts": 5 + n, "net_minor": 1}))
        office.send(box, 0, 3)
    office.archive()
    office.clock.at_ms += DAY_MS
    for n, box in enumerate(made):
        office.send(box, 4, 5 + n)
    office.archive()
    for box in made:
        box.append_sales(2)
        last = len(box.bodies) - 1
        office.send(box, last - 1, last)
    return made


def run_drill(office: Office) -> DrillReport:
    parts = drills.Office(office.database, office.objects, POSTERS, office.clock, HQ)
    return drill(parts)


def refill(office: Office, database: Database) -> Refilled:
    terms = RefillTerms(PUB, office.clock.at_ms)
    return Refill(database, office.objects, POSTERS, terms).run()


def test_a_drill_brings_everything_back_and_says_so(office: Office, new_box: NewBox) -> None:
    boxes = a_chain(office, new_box)
    report = run_drill(office)
    assert report.differences == []
    assert (report.streams, report.trees) == (3, 2)
    assert report.entries == sum(len(box.bodies) for box in boxes)
    assert report.tables > 0
    assert office.rows("SELECT is_ok FROM restore_drill") == [(True,)]
    left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'tillbox_drill%'"
    assert office.rows(left) == [(0,)]
    office.archive()
    assert [office.safe(box)[0] for box in boxes] == [len(box.bodies) - 1 for box in boxes]


REDS = {
    "a sale that no entry tells of": (
        "UPDATE sale SET net_minor = net_minor + 1 WHERE receipt_no = '1-000002'",
        "drill.table",
    ),
    "an entry that was changed before it was archived": (
        (
            "UPDATE entry SET body = replace(encode(body, 'escape'), '\"at\":', '\"At\":')::bytea"
            " WHERE seq = (SELECT max(seq) FROM entry)"
        ),
        "segment.chain",
    ),
    "a tree that was changed": ("UPDATE tree SET root = sha256('x')", "drill.tree"),
}


@pytest.mark.parametrize("change", REDS)
def test_a_drill_fails_on(office: Office, new_box: NewBox, change: str) -> None:
    statement, code = REDS[change]
    a_chain(office, new_box)
    assert office.run(statement) > 0
    report = run_drill(office)
    assert code in {found for _, found in report.differences}
    assert not report.is_ok
    assert office.rows("SELECT is_ok FROM restore_drill") == [(False,)]
    assert office.archive().raised == 0


def test_a_drill_fails_when_the_archive_lost_an_object_or_its_bytes(
    office: Office, new_box: NewBox
) -> None:
    box = a_chain(office, new_box)[0]
    first = "SELECT object FROM segment WHERE stream_id = :s AND from_seq = 0"
    path = office.objects.path(office.rows(first, s=box.stream_id)[0][0])
    assert path is not None
    packed = path.read_bytes()
    path.write_bytes(packed[:-9])
    codes = {code for _, code in run_drill(office).differences}
    assert {"archive.bytes", "refill.gap", "drill.head", "drill.table"} <= codes
    path.unlink()
    codes = {code for _, code in run_drill(office).differences}
    assert {"refill.gap", "drill.head", "drill.table"} <= codes
    path.write_bytes(packed)
    assert run_drill(office).is_ok


def test_a_drill_waits_for_the_archivist(office: Office) -> None:
    with (
        office.database.try_session_lock(drills.ARCHIVIST_LOCK),
        pytest.raises(UnavailableError, match=r"archive\.busy"),
    ):
        run_drill(office)
    assert office.rows("SELECT count(*) FROM restore_drill") == [(0,)]


def test_an_empty_database_gets_all_of_it_back_from_a_locked_bucket(
    office: Office, new_box: NewBox, scratch: Database, s3: S3Server
) -> None:
    bucket = f"archive-{uuid.uuid4().hex[:8]}"
    s3.create_bucket(bucket, locks=True)
    keys = ("us-east-1", s3.access_key, s3.secret_key)
    office.objects = S3Objects(S3Place(bucket, s3.endpoint, *keys, "archive/", "COMPLIANCE"))
    boxes = a_chain(office, new_box, 2)
    office.run("UPDATE device SET status = 'revoked' WHERE dev = :d", d=boxes[1].dev)
    office.clock.at_ms += 1
    office.archive(wants_tree=True)
    client = s3.client()
    for row in client.list_object_versions(Bucket=bucket)["Versions"]:
        client.delete_object(Bucket=bucket, Key=row["Key"])  # by somebody who means ill
    done = refill(office, scratch)
    assert (done.problems, done.has_register, done.trees) == ([], True, 3)
    with office.database.begin() as living, scratch.begin() as restored:
        assert snapshot_of(living, POSTERS) == snapshot_of(restored, POSTERS)
        sealed = status_of(restored, office.objects).sealed
    assert sealed == sum(len(box.bodies) for box in boxes)
    restored_office = Office(scratch, office.objects, office.clock)
    status = restored_office.rows("SELECT status FROM device ORDER BY dev")
    assert status == [("active",), ("revoked",)]
    assert restored_office.archive().flawed == 0
    assert restored_office.safe(boxes[0]) == (len(boxes[0].bodies) - 1, boxes[0].hashes[-1])
    assert Verifier(scratch).verify().flaws == []


def test_without_a_register_segments_say_who_wrote_them(
    office: Office, new_box: NewBox, scratch: Database
) -> None:
    office.key = None
    boxes = a_chain(office, new_box, 2)
    done = refill(office, scratch)
    assert (done.problems, done.has_register) == ([], False)
    rows = Office(scratch, office.objects).rows("SELECT dev, status FROM device ORDER BY dev")
    assert rows == [(box.dev, "retiring") for box in boxes]


def test_a_register_that_headquarters_never_signed_is_not_believed(
    office: Office, new_box: NewBox, scratch: Database
) -> None:
    a_chain(office, new_box, 1)
    terms = RefillTerms(bytes(32), office.clock.at_ms)
    done = Refill(scratch, office.objects, POSTERS, terms).run()
    assert {code for _, code in done.problems} == {"register.signature", "tree.signature"}
    assert (done.has_register, done.trees) == (False, 0)


def test_a_database_that_went_back_in_time_is_filled_up_from_the_archive(
    office: Office, new_box: NewBox, scratch: Database
) -> None:
    """Yesterday's backup comes back; a box has forgotten what is safe and cannot help."""
    boxes = a_chain(office, new_box, 2)
    assert refill(office, scratch).problems == []
    for box in boxes:  # meanwhile the day went on and was archived
        box.append_sales(3)
        last = len(box.bodies) - 1
        office.send(box, last - 2, last)
    office.archive(wants_tree=True)
    restored = Office(scratch, office.objects, office.clock)
    second = refill(office, scratch)
    assert (second.problems, second.trees) == ([], 1)
    assert second.entries > 0
    box = boxes[0]
    with office.database.begin() as living, scratch.begin() as connection:
        assert snapshot_of(living, POSTERS) == snapshot_of(connection, POSTERS)
        assert proof_of(connection, box.stream_id, len(box.bodies) - 1) is not None
    assert refill(office, scratch).entries == 0
    restored.archive()
    assert restored.safe(box)[0] == len(box.bodies) - 1
    assert restored.archive(wants_tree=True).tree is not None
    assert Verifier(scratch).verify().flaws == []


def test_what_another_box_brought_for_a_revoked_one_comes_back_too(
    office: Office, new_box: NewBox, scratch: Database
) -> None:
    """The backup knows already that the box is lost, and not yet its last sales."""
    (box,) = a_chain(office, new_box, 1)
    refill(office, scratch)
    restored = Office(scratch, office.objects, office.clock)
    restored.run("UPDATE device SET status = 'revoked' WHERE dev = :d", d=box.dev)
    office.archive()
    done = refill(office, scratch)
    assert (done.problems, done.entries) == ([], 2)
    assert restored.rows("SELECT status FROM device") == [("revoked",)]
    assert restored.send(box, 0, 1).code is AckCode.REVOKED


def test_a_stolen_box_does_not_come_back_with_a_backup(
    office: Office, new_box: NewBox, scratch: Database
) -> None:
    boxes = a_chain(office, new_box, 2)
    refill(office, scratch)
    office.run("UPDATE device SET status = 'revoked'")
    office.clock.at_ms += 1
    office.archive(wants_tree=True)
    restored = Office(scratch, office.objects, office.clock)
    restored.run("UPDATE device SET status = 'active'")
    restored.run(
        "INSERT INTO fleet_event (at_ms, dev, store_id, action, by, reason)"
        " VALUES (:at, :dev, :store, 'active', 'li', 'found again')",
        at=office.clock.at_ms + 1,
        dev=boxes[1].dev,
        store=boxes[1].store_id,
    )
    refill(office, scratch)
    status = restored.rows("SELECT status FROM device ORDER BY dev")
    assert status == [("revoked",), ("active",)]


def test_a_refill_and_a_box_that_sends_the_same_again_agree(
    office: Office, new_box: NewBox, scratch: Database
) -> None:
    (box,) = a_chain(office, new_box, 1)
    refill(office, scratch)
    restored = Office(scratch, office.objects, office.clock)
    assert restored.send(box, 0, len(box.bodies) - 1).code == "ok"
    assert restored.send(box, 0, 2).code == "dup"
    sales = "SELECT count(*) FROM sale"
    assert restored.rows(sales) == office.rows(sales)


def test_a_spare_object_of_a_crash_is_in_nobodys_way(
    office: Office, new_box: NewBox, scratch: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = new_box()
    box.append_sales(9)
    office.send(box, 0, 3)
    with monkeypatch.context() as patch:
        patch.setattr("cloud.archive.segment_store.add_segment", lambda *_: False)
        office.archive()
    assert office.segments(box) == []
    office.send(box, 4, 6)
    office.archive()
    office.send(box, 7, 8)
    office.archive()
    assert refill(office, scratch).problems == []
    assert Office(scratch, office.objects).segments(box)[-1][1] == 8
    assert run_drill(office).is_ok


def test_when_a_clone_came_first_after_a_restore_both_branches_count_once(
    office: Office, new_box: NewBox, scratch: Database, postgres: PostgresServer
) -> None:
    (box,) = a_chain(office, new_box, 1)
    restored = Office(scratch, office.objects, office.clock)
    assert refill(office, scratch).problems == []
    known = len(box.bodies) - 2  # the tail was acknowledged after the backup
    clone = BoxStream(box.dev, box.store_id, 1, box.bodies[:known], box.hashes[:known])
    clone.append(SaleCompleted(a_sale(77)), entry_id=box.id_at(1_077))
    clone.append(DayClosed(DAY, {}), entry_id=box.id_at(1_078))
    restored.send(clone, 0, known + 1)
    for _ in range(2):
        box.append_sales(2)
        office.send(box, len(box.bodies) - 2, len(box.bodies) - 1)
        office.archive()
    for _ in range(2):
        told = refill(office, scratch)
        assert (told.problems, told.branches) == ([], {box.stream_id.hex()})
    assert restored.rows("SELECT head_hash, status FROM stream") == [(clone.hashes[-1], "fork")]
    sold = {row[0] for row in restored.rows("SELECT receipt_no FROM sale")}
    assert sold == {row[0] for row in office.rows("SELECT receipt_no FROM sale")} | {"1-000077"}
    with closing(Database(scratch.url)) as fresh:
        assert all(change.is_same for change in rebuild(fresh, POSTERS, is_check=True))
    restored.archive(wants_tree=True)
    assert Verifier(scratch).verify().flaws == []
    assert run_drill(restored).differences == []
    restored.run("UPDATE branch_entry SET body = '{}' WHERE seq = :seq", seq=known)
    assert [flaw.code for flaw in Verifier(scratch).verify().flaws] == ["verify.branch"]


def test_a_branch_that_another_box_signed_is_not_taken(
    office: Office, new_box: NewBox, scratch: Database
) -> None:
    (box,) = a_chain(office, new_box, 1)
    assert refill(office, scratch).problems == []
    forged = BoxStream("d-forged", box.store_id)
    forged.bodies, forged.hashes = [], []
    stream_id = box.stream_id
    bodies = tuple(body.replace(b"2041", b"6666") for body in box.bodies)
    hashes = chain_hashes(stream_id, 0, box.prev_of(0), bodies)
    statement = head_statement(stream_id, len(bodies) - 1, hashes[-1], 0)
    signed = Signature(len(bodies) - 1, 0, forged.key.sign(statement))
    names = (stream_id.hex(), box.dev, box.store_id, forged.journal_pub)
    segment = Segment(*names, 0, box.prev_of(0), hashes[-1], bodies, signed)
    office.objects.put(pack(segment_lines(segment)))
    told = refill(office, scratch)
    assert (told.problems, told.branches) == ([(stream_id.hex(), "refill.bad")], set())
