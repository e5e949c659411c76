"""Entries go into the archive, come back the same, and only then may a box forget them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cloud.archive import segment_store
from cloud.archive.objects import FileObjects
from cloud.archive.packing import fetch, kind_of
from cloud.archive.seal import Terms
from cloud.archive.service import ARCHIVIST_LOCK, status_of
from cloud.archive.tree import proof_of
from cloud.db import Database
from cloud.signing import is_signed_by
from shared.journal.segment import check_segment, read_segment
from shared.kernel.errors import UnavailableError
from tests.fakes.box_stream import BoxStream
from tests.integration.cloud.archives import DAY_MS, HOUR_MS, HQ, Office, empty

NewBox = Callable[[], BoxStream]


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    empty(database)
    return Office(database, FileObjects(tmp_path / "archive"))


def test_what_was_sealed_comes_back_and_is_safe_in_the_next_answer(
    office: Office, new_box: NewBox
) -> None:
    box = new_box()
    box.append_sales(7)
    assert office.send(box, 0, 3).safe_seq == -1
    done = office.archive()
    assert (done.sealed, done.verified, done.flawed, done.raised) == (1, 1, 0, 1)
    assert office.safe(box) == (3, box.hashes[3])
    verdict = office.send(box, 4, 6)
    assert (verdict.safe_seq, verdict.safe_hash) == (3, box.hashes[3])
    office.archive()
    assert office.segments(box) == [(0, 3), (4, 6)]
    assert office.safe(box) == (6, box.hashes[6])


def test_the_archive_alone_holds_entries_hashes_and_the_boxs_own_signature(
    office: Office, new_box: NewBox
) -> None:
    box = new_box()
    box.append_sales(5)
    office.send(box, 0, 1)
    office.send(box, 2, 4)
    office.archive()
    found = [
        read_segment(lines)
        for lines in (fetch(office.objects, name) for name in office.objects.names())
        if kind_of(lines) == "segment"
    ]
    (segment,) = found
    assert list(segment.bodies) == box.bodies
    assert check_segment(segment, is_signed_by) == box.hashes
    assert segment.signature is not None
    assert (segment.journal_pub, segment.store) == (box.journal_pub, box.store_id)


def test_a_stream_is_sealed_when_it_is_long_or_was_sealed_long_ago(
    office: Office, new_box: NewBox
) -> None:
    office.terms = Terms(entries=5, age_ms=HOUR_MS)
    box = new_box()
    box.append_sales(12)
    office.send(box, 0, 0)
    assert office.archivist.run() is not None
    assert office.segments(box) == [(0, 0)]
    office.send(box, 1, 4)
    office.archivist.run()
    assert office.segments(box) == [(0, 0)]
    office.send(box, 5, 5)
    office.archivist.run()
    assert office.segments(box) == [(0, 0), (1, 5)]
    office.send(box, 6, 6)
    office.archivist.run()
    office.clock.at_ms += HOUR_MS
    office.archivist.run()
    assert office.segments(box)[2:] == [(6, 6)]


def test_a_long_backlog_is_cut_and_safe_waits_for_the_signed_end(
    office: Office, new_box: NewBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_store, "SEGMENT_ENTRIES_MAX", 4)
    box = new_box()
    box.append_sales(10)
    office.send(box, 0, 9)
    office.archive()
    assert office.segments(box) == [(0, 3), (4, 7), (8, 9)]
    assert office.safe(box) == (9, box.hashes[9])
    signed = "SELECT to_seq FROM segment WHERE stream_id = :s AND sig IS NOT NULL"
    assert office.rows(signed, s=box.stream_id) == [(9,)]
    office.run("UPDATE stream SET safe_seq = -1")
    office.run("UPDATE segment SET verified_at_ms = NULL WHERE from_seq = 8")
    assert office.archive().verified == 1
    assert office.safe(box) == (9, box.hashes[9])


def test_a_kill_between_put_and_commit_leaves_nothing_but_a_spare_object(
    office: Office, new_box: NewBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = new_box()
    box.append_sales(6)
    office.send(box, 0, 2)

    def power_cut(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(segment_store, "add_segment", power_cut)
        with pytest.raises(KeyboardInterrupt):
            office.archive()
    assert office.segments(box) == []
    assert office.safe(box) == (-1, b"")
    office.send(box, 3, 5)
    assert office.archive().verified == 1
    assert office.segments(box) == [(0, 5)]
    assert office.safe(box) == (5, box.hashes[5])


@pytest.mark.parametrize("wrong", [b"", b"not what was put"])
def test_wrong_bytes_in_the_store_keep_safe_where_it_is_until_they_are_repaired(
    office: Office, new_box: NewBox, tmp_path: Path, wrong: bytes
) -> None:
    box = new_box()
    box.append_sales(4)
    office.send(box, 0, 1)
    office.archive()
    office.send(box, 2, 3)
    put = FileObjects.put

    class Rotten(FileObjects):
        def put(self, data: bytes, keep_until_ms: int | None = None) -> str:
            name = put(self, data, keep_until_ms)
            self._target(name).write_bytes(wrong)
            return name

    office.objects, good = Rotten(tmp_path / "archive"), office.objects
    done = office.archive()
    assert (done.sealed, done.verified, done.flawed) == (1, 0, 1)
    office.objects = good
    assert office.archive().raised == 0
    assert office.safe(box) == (1, box.hashes[1])
    with office.database.begin() as connection:
        assert status_of(connection, office.objects).flawed == 1
    assert office.archivist.repair() == 1
    office.archive()
    assert office.safe(box) == (3, box.hashes[3])


def test_an_entry_that_was_changed_in_the_database_is_not_sealed(
    office: Office, new_box: NewBox
) -> None:
    bad, good = new_box(), new_box()
    for box in (bad, good):
        box.append_sales(3)
        office.send(box, 0, 2)
    changed = office.run(
        "UPDATE entry SET body = replace(encode(body, 'escape'), 'gtin', 'gtim')::bytea"
        " WHERE stream_id = :s AND seq = 1",
        s=bad.stream_id,
    )
    assert changed == 1
    done = office.archive()
    assert (done.sealed, done.tampered) == (1, 1)
    assert (office.safe(bad)[0], office.safe(good)[0]) == (-1, 2)


def test_an_archive_that_is_away_loses_nothing(office: Office, new_box: NewBox) -> None:
    box = new_box()
    box.append_sales(2)
    office.send(box, 0, 1)
    good = office.objects

    class Away(FileObjects):
        def put(self, data: bytes, keep_until_ms: int | None = None) -> str:
            del data, keep_until_ms
            raise UnavailableError("objects.unavailable", because="away")

    office.objects = Away(Path("nowhere"))
    with pytest.raises(UnavailableError):
        office.archive()
    office.objects = good
    assert office.archive().raised == 1
    assert office.safe(box) == (1, box.hashes[1])


def test_safe_waits_after_a_restore_drill_that_failed(office: Office, new_box: NewBox) -> None:
    box = new_box()
    box.append_sales(2)
    drill = "INSERT INTO restore_drill (at_ms, took_ms, is_ok, report) VALUES (0, 0, :ok, '{}')"
    office.run(drill, ok=False)
    office.send(box, 0, 1)
    assert office.archive().verified == 1
    assert office.safe(box) == (-1, b"")
    office.run(drill, ok=True)
    assert office.archive().raised == 1
    assert office.safe(box) == (1, box.hashes[1])


def test_of_several_archivists_one_works(office: Office, new_box: NewBox) -> None:
    with office.database.try_session_lock(ARCHIVIST_LOCK) as is_held:
        assert is_held
        assert office.archivist.run() is None
    box = new_box()
    box.append_sales(50)
    office.send(box, 0, 49)
    threads = [threading.Thread(target=office.archivist.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert office.segments(box) == [(0, 49)]


def test_a_finished_day_gets_one_signed_tree_chained_to_the_one_before(
    office: Office, new_box: NewBox
) -> None:
    boxes = [new_box() for _ in range(5)]
    for box in boxes:
        box.append_sales(4)
        office.send(box, 0, 2)
    first = office.archive().tree
    assert first is not None
    assert (first.n, first.day, first.size) == (0, "2017-08-06", 5)
    assert office.archive().tree is None
    office.clock.at_ms += DAY_MS
    second = office.archive().tree
    assert second is not None
    assert (second.n, second.day) == (1, "2017-08-07")
    assert second.prev != first.prev
    for box in boxes:
        with office.database.begin() as connection:
            proof = proof_of(connection, box.stream_id, 1)
            assert proof_of(connection, box.stream_id, 3) is None
        assert proof is not None
        assert proof.proves(box.stream_id.hex())
        assert (proof.leaf_seq, proof.leaf_hash, proof.head) == (2, box.hashes[2], first)
        assert is_signed_by(bytes.fromhex(HQ.public_hex), proof.sig, proof.head.statement)


def test_a_machine_without_the_key_archives_and_leaves_the_tree_to_one_that_has_it(
    office: Office, new_box: NewBox
) -> None:
    box = new_box()
    box.append_sales(1)
    office.send(box, 0, 0)
    office.key = None
    done = office.archive(wants_tree=True)
    assert (done.sealed, done.tree) == (1, None)
    office.key = HQ
    tree = office.archive().tree
    assert tree is not None
    assert tree.size == 1


def test_a_database_in_another_life_is_noticed_once_before_anything_is_archived(
    office: Office,
) -> None:
    office.archive()
    office.run("UPDATE deployment SET value = 'another' WHERE key = 'archive_incarnation'")
    called: list[int] = []
    archivist = office.archivist_with(lambda: called.append(1))
    archivist.run()
    archivist.run()
    assert called == [1]
