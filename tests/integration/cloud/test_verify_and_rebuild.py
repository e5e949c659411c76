"""What an insider changes is found by its number; the books come out of the entries alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cloud.archive.objects import FileObjects
from cloud.archive.seal import Sealer
from cloud.db import Database
from cloud.posters import POSTERS
from cloud.recovery.rebuild import TableChange, rebuild
from cloud.recovery.verify import Findings, Flaw, Verifier
from shared.journal.event import EntrySalvaged, SaleCompleted
from shared.kernel.errors import MissingError
from tests.fakes.box_stream import BoxStream, a_sale
from tests.integration.cloud.archives import DAY_MS, HQ, Office, empty

NewBox = Callable[[], BoxStream]


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Office:
    empty(database)
    return Office(database, FileObjects(tmp_path / "archive"))


@pytest.fixture
def box(office: Office, new_box: NewBox) -> BoxStream:
    """A box whose ten entries came in two batches, are archived and in two trees."""
    made = new_box()
    made.append_sales(10)
    office.send(made, 0, 4)
    office.archive()
    office.clock.at_ms += DAY_MS
    office.send(made, 5, 9)
    office.archive()
    return made


def verify(office: Office, *, archive: bool = True) -> Findings:
    sealer = Sealer(office.database, office.objects, office.terms)
    return Verifier(office.database, sealer if archive else None).verify()


def test_what_nobody_touched_verifies(office: Office, box: BoxStream) -> None:
    found = verify(office)
    assert found == Findings(streams=1, entries=10, signatures=2, segments=2, trees=2)
    assert verify(office, archive=False).segments == 0


CHANGES = {
    "a body": (
        (
            "UPDATE entry SET body = replace(encode(body, 'escape'), '\"at\":', '\"At\":')::bytea"
            " WHERE seq = 3"
        ),
        (3, "journal.chain"),
    ),
    "a hash": ("UPDATE entry SET hash = sha256('x') WHERE seq = 6", (6, "journal.chain")),
    "an entry taken out": ("DELETE FROM entry WHERE seq = 2", (2, "verify.gap")),
    "the tail cut": ("DELETE FROM entry WHERE seq > 7", (8, "verify.missing")),
    "the tail cut and the head set back": (
        (
            "DELETE FROM entry WHERE seq > 7;"
            " UPDATE stream SET safe_seq = 4, sealed_seq = 4, head_seq = 7,"
            " safe_hash = (SELECT hash FROM entry WHERE seq = 4),"
            " head_hash = (SELECT hash FROM entry WHERE seq = 7)"
        ),
        (7, "verify.signature"),
    ),
    "the time in its column": ("UPDATE entry SET at_ms = 1 WHERE seq = 1", (1, "verify.columns")),
    "the store in its column": (
        "UPDATE entry SET store_id = 'other' WHERE seq = 0",
        (0, "verify.columns"),
    ),
    "the head": ("UPDATE stream SET head_hash = sha256('x')", (9, "verify.head")),
    "what is safe": ("UPDATE stream SET safe_hash = sha256('x')", (9, "verify.safe")),
    "a signature": (
        (
            "UPDATE segment SET sig = set_byte(sig, 0, (get_byte(sig, 0) + 1) % 256)"
            " WHERE from_seq = 0"
        ),
        (4, "verify.signature"),
    ),
    "a row of segments": (
        "UPDATE segment SET head_hash = sha256('x') WHERE from_seq = 0",
        (4, "verify.segment"),
    ),
    "an entry behind the head": (
        (
            "INSERT INTO entry SELECT stream_id, 10, id, type, at_ms, store_id, body, hash"
            " FROM entry WHERE seq = 9"
        ),
        (10, "verify.beyond"),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_named_by_its_number(office: Office, box: BoxStream, change: str) -> None:
    statement, (seq, code) = CHANGES[change]
    for part in statement.split(";"):
        assert office.run(part) > 0
    flaws = verify(office, archive=False).flaws
    assert flaws[0] == Flaw(box.stream_id.hex(), seq, code)


def test_each_stream_tells_its_own_first_flaw(
    office: Office, box: BoxStream, new_box: NewBox
) -> None:
    other = new_box()
    other.append_sales(3)
    office.send(other, 0, 2)
    office.run("UPDATE entry SET hash = sha256('x') WHERE seq = 1")
    found = verify(office, archive=False)
    first = {flaw.stream: flaw for flaw in found.flaws if flaw.stream}
    assert {flaw.seq for flaw in first.values()} == {1}
    assert first.keys() == {box.stream_id.hex(), other.stream_id.hex()}
    only = Verifier(office.database).verify(stream=other.stream_id)
    assert [flaw.stream for flaw in only.flaws] == [other.stream_id.hex()]
    assert Verifier(office.database).verify(store_id=box.store_id).streams == 1


def test_an_object_that_went_bad_or_is_gone_is_found_in_the_archive(
    office: Office, box: BoxStream
) -> None:
    name = office.rows("SELECT object FROM segment WHERE from_seq = 5")[0][0]
    assert isinstance(office.objects, FileObjects)
    path = office.objects.path(name)
    assert path is not None
    packed = path.read_bytes()
    path.write_bytes(packed[:-1] + bytes((packed[-1] ^ 1,)))
    assert verify(office).flaws == [Flaw(box.stream_id.hex(), 5, "archive.bytes")]
    path.unlink()
    assert verify(office).flaws == [Flaw(box.stream_id.hex(), 5, "object.missing")]
    assert verify(office, archive=False).flaws == []


TREES = {
    "a root": ("UPDATE tree SET root = sha256('x') WHERE n = 0", 0, "tree.root"),
    "a leaf": ("UPDATE tree_leaf SET hash = sha256('x') WHERE n = 1", 1, "tree.root"),
    "a signature": ("UPDATE tree SET sig = sha512('x') WHERE n = 1", 1, "tree.signature"),
    "the chain": ("UPDATE tree SET prev = sha256('x') WHERE n = 1", 1, "tree.prev"),
    "the first tree taken out": ("DELETE FROM tree WHERE n = 0", 1, "tree.number"),
}


@pytest.mark.parametrize("change", TREES)
def test_a_changed_tree_is_named(office: Office, box: BoxStream, change: str) -> None:
    statement, n, code = TREES[change]
    if statement.startswith("DELETE"):
        office.run("DELETE FROM tree_leaf WHERE n = 0")
    office.run(statement)
    assert Flaw("", n, code) in verify(office, archive=False).flaws


def test_headquarters_that_rewrites_an_entry_with_its_whole_chain_meets_its_own_tree(
    office: Office, box: BoxStream
) -> None:
    forged = BoxStream(box.dev, box.store_id)
    for n in range(10):
        forged.append(SaleCompleted(a_sale(n + 40)))
    for seq in range(10):
        office.run(
            "UPDATE entry SET body = :body, hash = :hash WHERE seq = :seq",
            body=forged.bodies[seq],
            hash=forged.hashes[seq],
            seq=seq,
        )
    flaws = verify(office, archive=False).flaws
    assert Flaw("", 0, "tree.leaf") in flaws
    assert flaws[0].seq == 4


def test_seals_that_somebody_else_signed_anew_are_found_by_who_knows_the_key(
    office: Office, box: BoxStream
) -> None:
    ours = bytes.fromhex(HQ.public_hex)
    assert Verifier(office.database, hq_pub=ours).verify().flaws == []
    assert Verifier(office.database, hq_pub=box.journal_pub).verify().flaws == [
        Flaw("", 0, "tree.signature"),
        Flaw("", 1, "tree.signature"),
    ]


# Making the books anew


@pytest.fixture
def fresh(office: Office) -> Iterator[Database]:
    """Another pool: its connections know nothing yet."""
    with closing(Database(office.database.url)) as opened:
        yield opened


def by_table(changes: list[TableChange]) -> dict[str, TableChange]:
    return {change.table: change for change in changes}


def test_books_that_are_right_come_out_the_same(
    office: Office, box: BoxStream, fresh: Database
) -> None:
    changes = by_table(rebuild(fresh, POSTERS, is_check=True))
    assert all(change.is_same for change in changes.values())
    assert changes["sale"].before.rows == 10
    assert changes["posting"].before.rows > 20
    assert all(change.is_same for change in rebuild(fresh, POSTERS))


def test_books_that_were_changed_are_found_and_made_right_again(
    office: Office, box: BoxStream, new_box: NewBox, fresh: Database
) -> None:
    other = new_box()
    other.append_sales(3)
    office.send(other, 0, 2)
    right = office.rows("SELECT * FROM sale ORDER BY entry_id")
    postings = office.rows("SELECT * FROM posting ORDER BY entry_id, n")
    office.run("UPDATE sale SET net_minor = net_minor + 1 WHERE receipt_no = '1-000003'")
    office.run("DELETE FROM posting WHERE account = 'cash' AND store_id = :s", s=other.store_id)
    office.run(
        "INSERT INTO posting VALUES (gen_random_uuid(), 0, :s, '2017-08-07', 'cash', 1)",
        s=box.store_id,
    )
    checked = by_table(rebuild(fresh, POSTERS, is_check=True))
    assert [name for name, change in checked.items() if not change.is_same] == ["sale", "posting"]
    assert office.rows("SELECT * FROM sale ORDER BY entry_id") != right
    done = by_table(rebuild(fresh, POSTERS))
    assert all(change.after == change.rebuilt for change in done.values())
    assert office.rows("SELECT * FROM sale ORDER BY entry_id") == right
    assert office.rows("SELECT * FROM posting ORDER BY entry_id, n") == postings


def test_one_store_is_rebuilt_alone(
    office: Office, box: BoxStream, new_box: NewBox, fresh: Database
) -> None:
    other = new_box()
    other.append_sales(3)
    office.send(other, 0, 2)
    office.run("DELETE FROM sale")
    rebuild(fresh, POSTERS, store_id=other.store_id)
    assert office.rows("SELECT count(*) FROM sale") == [(3,)]
    with pytest.raises(MissingError, match=r"store\.unknown"):
        rebuild(fresh, POSTERS, store_id="nowhere")


def test_a_sale_that_came_under_two_streams_counts_once_in_new_books_too(
    office: Office, new_box: NewBox, fresh: Database
) -> None:
    box = new_box()
    box.append_sales(4)
    office.send(box, 0, 3)
    life = BoxStream(box.dev, box.store_id, 2)
    office.run(
        "INSERT INTO stream (stream_id, dev, store_id, ordinal) VALUES (:s, :d, :store, 2)",
        s=life.stream_id,
        d=box.dev,
        store=box.store_id,
    )
    for seq in (2, 3):
        salvaged = EntrySalvaged(
            box.stream_id.hex(), seq, box.hashes[seq].hex(), box.bodies[seq].decode()
        )
        life.append(salvaged, entry_id=box.id_at(seq))
    life.append_sales(2)
    office.send(life, 0, 3)
    assert office.rows("SELECT count(*) FROM sale") == [(6,)]
    assert all(change.is_same for change in rebuild(fresh, POSTERS, is_check=True))
    office.run("TRUNCATE sale, posting")
    rebuild(fresh, POSTERS)
    assert office.rows("SELECT count(*) FROM sale") == [(6,)]
