"""Batches into a real PostgreSQL: everything arrives once, nothing stops a store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.service import Verdict, ingest
from cloud.ledger.service import LedgerPoster
from shared.journal.entry import EntryHeader, body_bytes
from shared.journal.event import DayClosed, SaleCompleted, UnknownEvent
from shared.kernel.errors import RefusedError
from shared.wire.codec import event_data
from shared.wire.message import AckCode
from tests.fakes.box_stream import DAY, START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol

POSTERS = (LedgerPoster(),)
NewBox = Callable[[], BoxStream]


@pytest.fixture
def send(database: Database) -> Callable[..., Verdict]:
    def deliver(box: BoxStream, first: int, last: int, **lies: Any) -> Verdict:
        arrival = read_arrival(box.dev, box.batch(first, last, **lies))
        return ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)

    return deliver


def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def entries(database: Database, box: BoxStream) -> list[tuple[Any, ...]]:
    return rows(
        database,
        "SELECT seq, body, hash, flag FROM entry WHERE stream_id = :s ORDER BY seq",
        s=box.stream_id,
    )


def sales(database: Database, box: BoxStream) -> list[tuple[Any, ...]]:
    return rows(
        database,
        "SELECT receipt_no, net_minor FROM sale WHERE store_id = :s ORDER BY 1",
        s=box.store_id,
    )


def test_a_batch_is_stored_as_it_was_hashed_and_booked(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(5)
    verdict = send(box, 0, 4)
    assert verdict == Verdict(AckCode.OK, 4, box.hashes[4], stored=5)
    stored = entries(database, box)
    assert [row[0] for row in stored] == list(range(5))
    assert [bytes(row[1]) for row in stored] == box.bodies
    assert [bytes(row[2]) for row in stored] == box.hashes
    assert {row[3] for row in stored} == {None}
    expected = [a_sale(n) for n in range(5)]
    assert sales(database, box) == [(s.receipt_no, s.totals.net_minor) for s in expected]
    unbalanced = "SELECT entry_id FROM posting GROUP BY 1 HAVING sum(amount_minor) <> 0"
    assert rows(database, unbalanced) == []
    cash = "SELECT sum(amount_minor)::bigint FROM posting WHERE store_id = :s AND account = 'cash'"
    taken = sum(s.totals.net_minor for s in expected if s.tenders[0].kind == "cash")
    assert rows(database, cash, s=box.store_id) == [(taken,)]


def test_a_duplicate_changes_nothing(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(4)
    send(box, 0, 3)
    for first, last in ((0, 3), (0, 0), (1, 2), (3, 3)):
        assert send(box, first, last) == Verdict(AckCode.DUP, 3, box.hashes[3])
    assert len(entries(database, box)) == len(sales(database, box)) == 4


def test_an_overlap_adds_only_what_is_new(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(6)
    send(box, 0, 2)
    assert send(box, 1, 5).stored == 3
    assert len(entries(database, box)) == len(sales(database, box)) == 6


def test_a_gap_is_told_with_the_head_to_go_on_from(
    new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(6)
    send(box, 0, 1)
    assert send(box, 3, 5) == Verdict(AckCode.GAP, 1, box.hashes[1])
    assert send(box, 2, 5).code is AckCode.OK


def test_a_clone_forks_and_the_rightful_box_goes_on(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(3)
    clone = BoxStream(box.dev, box.store_id, 1, list(box.bodies), list(box.hashes))
    box.append_sales(2)
    clone.append(SaleCompleted(a_sale(77)))
    clone.append_sales(2)
    send(box, 0, 4)
    assert send(clone, 3, 5).code is AckCode.FORK
    assert send(clone, 5, 5).code is AckCode.FORK
    status = "SELECT status FROM stream WHERE stream_id = :s"
    assert rows(database, status, s=box.stream_id) == [("fork",)]
    box.append_sales(1)
    assert send(box, 5, 5).code is AckCode.OK
    assert [bytes(row[1]) for row in entries(database, box)] == box.bodies


def test_a_cloned_tail_under_a_new_stream_counts_once(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(4)
    send(box, 0, 3)
    second = BoxStream(box.dev, box.store_id, ordinal=2)
    enrol(database, second)
    for seq in (2, 3):  # the tail again, with the ids that its sales always had
        second.append(SaleCompleted(a_sale(seq)), entry_id=box.id_at(seq))
    second.append_sales(1)
    assert send(second, 0, 2) == Verdict(AckCode.OK, 2, second.hashes[2], stored=3)
    assert len(entries(database, second)) == 3
    assert len(sales(database, box)) == 5
    postings = "SELECT count(DISTINCT entry_id) FROM posting WHERE store_id = :s"
    assert rows(database, postings, s=box.store_id) == [(5,)]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE device SET status = 'revoked' WHERE dev = :d",
        "UPDATE stream SET status = 'revoked' WHERE dev = :d",
        "DELETE FROM stream WHERE dev = :d",
    ],
)
def test_a_revoked_or_unknown_stream_is_refused_and_told_nothing(
    database: Database, new_box: NewBox, send: Callable[..., Verdict], change: str
) -> None:
    box = new_box()
    box.append_sales(1)
    with database.begin() as connection:
        connection.execute(text(change), {"d": box.dev})
    assert send(box, 0, 0) == Verdict(AckCode.REVOKED, -1, b"")
    assert entries(database, box) == []


def test_another_box_cannot_write_to_a_stream(database: Database, new_box: NewBox) -> None:
    box, other = new_box(), new_box()
    box.append_sales(1)
    arrival = read_arrival(other.dev, box.batch(0, 0))
    verdict = ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=START_MS)
    assert verdict.code is AckCode.REVOKED


def test_a_foreign_signature_is_bad(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(2)
    verdict = send(box, 0, 1, sig="00" * 64)
    assert (verdict.code, verdict.because) == (AckCode.BAD, "ingest.signature")
    verdict = send(box, 0, 1, t=START_MS)  # a true signature over another instant
    assert verdict.code is AckCode.BAD
    assert entries(database, box) == []


def test_a_chain_that_does_not_hold_is_refused_before_the_database(new_box: NewBox) -> None:
    box = new_box()
    box.append_sales(3)
    box.bodies[1] = box.bodies[1].replace(b'"lane":1', b'"lane":2')
    with pytest.raises(RefusedError, match=r"ingest\.chain"):
        read_arrival(box.dev, box.batch(0, 2))


def test_an_entry_of_another_place_is_bad_and_stores_nothing(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(2)
    box.append_body(box.bodies[0])
    assert send(box, 0, 2).because == "ingest.place"
    box.bodies.pop(), box.hashes.pop()
    for nothing in (b"not json", b'{"data":' + b"[" * 100_000):
        box.append_body(nothing)
        assert send(box, 0, 2).because == "ingest.body"
        box.bodies.pop(), box.hashes.pop()
    assert entries(database, box) == []
    assert send(box, 0, 1).code is AckCode.OK


def poison(box: BoxStream, **changes: Any) -> int:
    """A sale that the box itself would never write."""
    seq = len(box.bodies)
    data = event_data(SaleCompleted(a_sale(seq)))
    header = {
        "id": box.id_at(seq),
        "type": "sale.completed",
        "stream": box.stream_id.hex(),
        "seq": seq,
        "at": START_MS,
        "biz": DAY,
        "till": "1",
        "shift": "1",
        "actor": "2041",
        "sw": "0.1.0",
        "boot": 1,
        "mono": 1,
        "clk": 2,
        "gt": (0, 0),
        "cat": 7,
    }
    for name, value in changes.items():
        if name in header:
            header[name] = value
        else:
            data["sale"][name] = value
    return box.append_body(body_bytes(EntryHeader(**header), data))


POISONS = [
    ({"change_minor": 10**6}, "ledger.unbalanced"),
    ({"lines": []}, "ledger.totals"),
    ({"receipt_no": 7}, "ledger.sale"),
    ({"tenders": [{"kind": "shells", "amount_minor": 5}]}, "ledger.sale"),
    ({"change_minor": 10**30}, "ledger.sale"),
    ({"biz": "2017-13-41"}, "ledger.business_date"),
    ({"biz": ""}, "ledger.business_date"),
    ({"id": "not a uuid"}, "entry.id"),
    ({"id": "nul \0 inside"}, "entry.id"),
    ({"type": "Sale\0Completed"}, "entry.type"),
    ({"at": -1}, "entry.at"),
]


@pytest.mark.parametrize(("changes", "flag"), POISONS, ids=[flag for _, flag in POISONS])
def test_a_poison_sale_is_stored_flagged_and_acknowledged(
    database: Database,
    new_box: NewBox,
    send: Callable[..., Verdict],
    changes: dict[str, Any],
    flag: str,
) -> None:
    box = new_box()
    box.append_sales(2)
    seq = poison(box, **changes)
    box.append_sales(2)
    verdict = send(box, 0, 4)
    assert (verdict.code, verdict.stored, verdict.flagged) == (AckCode.OK, 5, 1)
    assert [row[3] for row in entries(database, box)] == [
        flag if n == seq else None for n in range(5)
    ]
    assert len(sales(database, box)) == 4


def test_what_the_database_cannot_take_is_flagged_too(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(1)
    poison(box, lane=10**9, revision=10**9)
    box.append(DayClosed(DAY, {"business_date": "nul \0 in a report"}))
    box.append_sales(1)
    verdict = send(box, 0, 3)
    assert (verdict.code, verdict.stored, verdict.flagged) == (AckCode.OK, 4, 1)
    assert [row[3] for row in entries(database, box)] == [None, None, "ingest.unpostable", None]
    assert len(sales(database, box)) == 3


def test_an_id_that_comes_twice_in_one_stream_counts_once(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(1)
    box.append(SaleCompleted(a_sale(9)), entry_id=box.id_at(0))
    assert send(box, 0, 1).flagged == 1
    assert entries(database, box)[1][3] == "entry.repeated"
    assert len(sales(database, box)) == 1


def test_events_of_newer_software_are_stored_and_skipped(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append(UnknownEvent("loyalty.stamped", {"stamps": 3}))
    assert send(box, 0, 0) == Verdict(AckCode.OK, 0, box.hashes[0], stored=1)
    assert entries(database, box)[0][3] is None


def test_workers_that_get_one_batch_at_once_store_it_once(
    database: Database, new_box: NewBox, send: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(200)
    verdicts: list[Verdict] = []
    threads = [
        threading.Thread(target=lambda: verdicts.append(send(box, 0, 199))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(verdict.code for verdict in verdicts) == ["dup", "dup", "dup", "ok"]
    assert len(entries(database, box)) == len(sales(database, box)) == 200
