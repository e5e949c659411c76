"""Journal lives that boxes begin by themselves, and what they salvage, into a real PostgreSQL."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from cloud.db import Database
from cloud.ingest.arrival import read_arrival
from cloud.ingest.desk import Written, post_again
from cloud.ingest.service import Verdict, ingest
from cloud.ledger.service import LedgerPoster
from shared.journal.chain import entry_hash
from shared.journal.event import EntrySalvaged, Event, SaleCompleted, StreamOpened
from shared.kernel.canonical import sha256
from shared.wire.message import AckCode
from tests.fakes.box_stream import START_MS, BoxStream, a_sale
from tests.fakes.enrolment import enrol
from tests.lab.cloud_api import CloudApi

POSTERS = (LedgerPoster(),)
NewBox = Callable[[], BoxStream]
DAY_MS = 86_400_000


@pytest.fixture
def take(database: Database) -> Callable[..., Verdict]:
    """Brings a batch, by its own box or by another."""

    def deliver(box: BoxStream, first: int, last: int, **how: Any) -> Verdict:
        by, now_ms = how.get("by", box.dev), how.get("now_ms", START_MS)
        arrival = read_arrival(by, box.batch(first, last))
        return ingest(database=database, arrival=arrival, posters=POSTERS, now_ms=now_ms)

    return deliver


def opening(box: BoxStream, **changes: Any) -> StreamOpened:
    said = {
        "device": box.dev,
        "store": box.store_id,
        "hw_fp": "f",
        "cause": "clone",
        "journal_pub": box.journal_pub.hex(),
        **changes,
    }
    return StreamOpened(**said)


def next_life(box: BoxStream, ordinal: int, **changes: Any) -> BoxStream:
    """A life that the box began by itself: nobody enrolled it."""
    life = BoxStream(box.dev, box.store_id, ordinal)
    life.append(opening(box, **changes))
    return life


def salvage(life: BoxStream, old: BoxStream, seqs: Sequence[int]) -> None:
    for seq in seqs:
        life.append(salvaged(old, seq), entry_id=old.id_at(seq))


def salvaged(old: BoxStream, seq: int) -> EntrySalvaged:
    body = old.bodies[seq].decode()
    return EntrySalvaged(old.stream_id.hex(), seq, old.hashes[seq].hex(), body)


def rows(database: Database, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        return [tuple(row) for row in connection.execute(text(statement), values)]


def streams(database: Database, box: BoxStream) -> list[tuple[Any, ...]]:
    return rows(
        database,
        "SELECT ordinal, dev, cause, head_seq, status FROM stream WHERE store_id = :s ORDER BY 1",
        s=box.store_id,
    )


def sold(database: Database, box: BoxStream) -> list[str]:
    found = rows(
        database,
        "SELECT receipt_no FROM sale WHERE store_id = :s ORDER BY 1",
        s=box.store_id,
    )
    return [receipt_no for (receipt_no,) in found]


def flags(database: Database, box: BoxStream) -> list[str]:
    found = rows(
        database,
        "SELECT flag FROM entry WHERE stream_id = :s AND flag IS NOT NULL",
        s=box.stream_id,
    )
    return [flag for (flag,) in found]


def set_status(database: Database, box: BoxStream, status: str) -> None:
    rows(
        database,
        "UPDATE device SET status = :status WHERE dev = :d RETURNING dev",
        d=box.dev,
        status=status,
    )


def test_a_life_that_nobody_enrolled_is_registered_with_its_first_batch(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(2)
    take(box, 0, 1)
    previous = {"stream": box.stream_id.hex(), "seq": 1, "hash": box.hashes[1].hex()}
    life = next_life(box, 2, cause="restore", previous=previous)
    life.append_sales(2)
    verdict = take(life, 0, 2)
    assert (verdict.code, verdict.head_seq, verdict.stored) == (AckCode.OK, 2, 3)
    assert streams(database, box) == [
        (1, box.dev, "enrol", 1, "open"),
        (2, box.dev, "restore", 2, "open"),
    ]
    told = "SELECT previous FROM stream WHERE stream_id = :s"
    assert rows(database, told, s=life.stream_id) == [(previous,)]
    assert take(life, 0, 2).code is AckCode.DUP
    box.append_sales(1)
    assert take(box, 2, 2).code is AckCode.OK


def test_an_unknown_stream_without_its_beginning_is_asked_for_it(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    life = next_life(box, 2)
    life.append_sales(3)
    verdict = take(life, 2, 3)
    assert (verdict.code, verdict.head_seq) == (AckCode.GAP, -1)
    assert len(streams(database, box)) == 1
    assert take(life, 0, 3).code is AckCode.OK


@pytest.mark.parametrize(
    "changes",
    [{"device": "d-bbbbbbbbbbbbbbbb"}, {"store": "another"}, {"device": "no \0 device"}],
    ids=["another device", "another store", "nonsense"],
)
def test_a_beginning_that_names_another_place_is_refused(
    database: Database, new_box: NewBox, take: Callable[..., Verdict], changes: dict[str, Any]
) -> None:
    box = new_box()
    assert take(next_life(box, 2, **changes), 0, 0).code is AckCode.REVOKED
    assert len(streams(database, box)) == 1


def test_a_life_that_another_key_signed_is_bad(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box, thief = new_box(), new_box()
    life = BoxStream(thief.dev, box.store_id, 2)
    life.append(opening(box))
    verdict = take(life, 0, 0, by=box.dev)
    assert (verdict.code, verdict.because) == (AckCode.BAD, "ingest.signature")
    assert len(streams(database, box)) == 1


def test_a_life_whose_second_entry_is_broken_leaves_no_stream_behind(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    life = next_life(box, 2)
    life.append_body(b"no entry")
    assert take(life, 0, 1).because == "ingest.body"
    assert len(streams(database, box)) == 1
    assert take(life, 0, 0).code is AckCode.OK


def test_a_retiring_box_may_begin_a_life_and_a_revoked_one_may_not(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    set_status(database, box, "retiring")
    assert take(next_life(box, 2), 0, 0).code is AckCode.OK
    set_status(database, box, "revoked")
    assert take(next_life(box, 3), 0, 0).code is AckCode.REVOKED


def test_a_box_that_begins_a_life_again_and_again_has_to_wait(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    for ordinal in range(2, 22):
        assert take(next_life(box, ordinal), 0, 0).code is AckCode.OK
    verdict = take(next_life(box, 22), 0, 0)
    assert (verdict.code, verdict.because) == (AckCode.BUSY, "ingest.too_many_lives")
    assert verdict.retry_ms > 0
    assert len(streams(database, box)) == 21
    assert take(next_life(box, 22), 0, 0, now_ms=START_MS + DAY_MS).code is AckCode.OK


def together(*works: Callable[[], Verdict]) -> list[Verdict]:
    verdicts: list[Verdict] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], Verdict]) -> None:
        start.wait()
        verdicts.append(work())

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return verdicts


def test_workers_that_hear_of_one_life_at_once_register_it_once(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    for ordinal in range(2, 8):
        life = next_life(box, ordinal)
        life.append_sales(20)
        verdicts = together(*[lambda life=life: take(life, 0, 20)] * 4)  # type: ignore[misc]
        assert sorted(verdict.code for verdict in verdicts) == ["dup", "dup", "dup", "ok"]
    assert [row[0] for row in streams(database, box)] == [1, 2, 3, 4, 5, 6, 7]


def test_two_lives_of_one_store_at_once_get_an_ordinal_each(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    for turn in range(5):
        lives = [next_life(box, 2 + turn * 3 + n) for n in range(3)]
        verdicts = together(*[lambda life=life: take(life, 0, 0) for life in lives])  # type: ignore[misc]
        assert {verdict.code for verdict in verdicts} == {AckCode.OK}
    assert [row[0] for row in streams(database, box)] == list(range(1, 17))


def test_a_clones_tail_counts_once_whichever_stream_brings_it_first(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    for is_salvaged_first in (True, False):
        box = new_box()
        box.append_sales(6)
        take(box, 0, 2)
        life = next_life(box, 2)
        salvage(life, box, [3, 4, 5])
        life.append(SaleCompleted(a_sale(9)))
        turns = [lambda life=life: take(life, 0, 4), lambda box=box: take(box, 3, 5)]  # type: ignore[misc]
        for turn in turns if is_salvaged_first else reversed(turns):
            verdict = turn()
            assert (verdict.code, verdict.flagged) == (AckCode.OK, 0)
        assert sold(database, box) == [f"1-{n:06d}" for n in (0, 1, 2, 3, 4, 5, 9)]
        twice = "SELECT entry_id FROM posting WHERE store_id = :s GROUP BY 1 HAVING count(*) > 4"
        assert rows(database, twice, s=box.store_id) == []


def test_two_streams_that_bring_one_tail_at_once_count_it_once(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(60)
    life = next_life(box, 2)
    salvage(life, box, range(60))
    verdicts = together(lambda: take(box, 0, 59), lambda: take(life, 0, 60))
    assert {verdict.code for verdict in verdicts} == {AckCode.OK}
    assert [verdict.flagged for verdict in verdicts] == [0, 0]
    assert len(sold(database, box)) == 60


def test_an_entry_that_stands_twice_in_one_batch_counts_once(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(1)
    life = next_life(box, 2)
    salvage(life, box, [0, 0])
    life.append(SaleCompleted(a_sale(0)), entry_id=box.id_at(0))
    verdict = take(life, 0, 3)
    assert (verdict.code, verdict.stored, verdict.flagged) == (AckCode.OK, 4, 0)
    assert sold(database, box) == ["1-000000"]


def test_what_a_clones_clone_salvaged_again_counts_once(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(1)
    second, third = next_life(box, 2), next_life(box, 3)
    second.append(salvaged(box, 0), entry_id=box.id_at(0))
    third.append(salvaged(second, 1), entry_id=box.id_at(0))
    assert take(third, 0, 1).flagged == 0
    assert sold(database, box) == ["1-000000"]
    assert take(second, 0, 1).flagged == 0
    assert take(box, 0, 0).flagged == 0
    assert sold(database, box) == ["1-000000"]


def wrong_id(box: BoxStream) -> tuple[Event, str]:
    return salvaged(box, 0), box.id_at(7)


def wrong_place(box: BoxStream) -> tuple[Event, str]:
    event = salvaged(box, 0)
    return EntrySalvaged(event.stream, 5, event.hash, event.body), box.id_at(0)


def no_entry(box: BoxStream) -> tuple[Event, str]:
    event = salvaged(box, 0)
    return EntrySalvaged(event.stream, 0, event.hash, '"a sale"'), box.id_at(0)


@pytest.mark.parametrize("lie", [wrong_id, wrong_place, no_entry])
def test_a_salvaged_entry_that_is_not_what_it_says_is_stored_and_flagged(
    database: Database,
    new_box: NewBox,
    take: Callable[..., Verdict],
    lie: Callable[[BoxStream], tuple[Event, str]],
) -> None:
    box = new_box()
    box.append_sales(1)
    life = next_life(box, 2)
    event, entry_id = lie(box)
    life.append(event, entry_id=entry_id)
    verdict = take(life, 0, 1)
    assert (verdict.code, verdict.stored, verdict.flagged) == (AckCode.OK, 2, 1)
    assert flags(database, life) == ["entry.salvage"]
    assert sold(database, box) == []


def test_a_salvaged_poison_sale_is_flagged_where_it_stands(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(1)
    box.bodies[0] = box.bodies[0].replace(b'"change_minor":', b'"change_minor":1')
    box.hashes[0] = entry_hash(box.stream_id, 0, box.prev_of(0), box.bodies[0])
    life = next_life(box, 2)
    salvage(life, box, [0])
    life.append_sales(1)
    assert take(life, 0, 2).flagged == 1
    assert flags(database, life) == ["ledger.unbalanced"]
    assert len(sold(database, box)) == 1


def test_books_that_are_made_anew_are_the_same(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(5)
    life = next_life(box, 2)
    salvage(life, box, [2, 3, 4])
    take(box, 0, 4)
    take(life, 0, 3)
    before = sold(database, box)
    with database.begin() as connection:
        for table in LedgerPoster.tables:
            statement = f"DELETE FROM {table} WHERE store_id = :s"  # noqa: S608
            connection.execute(text(statement), {"s": box.store_id})
        for stream in (life, box):
            written = Written(box.store_id, stream.stream_id.hex(), 0, stream.bodies)
            assert post_again(connection, POSTERS, written) == []
    assert sold(database, box) == before


def replacement(database: Database, old: BoxStream) -> BoxStream:
    """The box that took the old one's place."""
    name = (
        hashlib.sha256(old.dev.encode()).hexdigest()[:16].translate(str.maketrans("0189", "abcd"))
    )
    box = BoxStream(f"d-{name}", old.store_id, 50)
    enrol(database, box)
    set_status(database, old, "retiring")
    return box


@pytest.mark.parametrize("status", ["retiring", "revoked"])
def test_another_box_of_the_store_may_bring_the_tail_of_one_that_is_gone(
    database: Database, new_box: NewBox, take: Callable[..., Verdict], status: str
) -> None:
    old = new_box()
    old.append_sales(4)
    take(old, 0, 1)
    box = replacement(database, old)
    set_status(database, old, status)
    assert take(old, 2, 3, by=box.dev).code is AckCode.OK
    unheard = next_life(old, 2)
    assert take(unheard, 0, 0, by=box.dev).code is AckCode.OK
    assert len(sold(database, old)) == 4


def test_nobody_may_bring_what_a_box_in_service_brings_itself(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    old, stranger = new_box(), new_box()
    old.append_sales(1)
    box = replacement(database, old)
    assert take(old, 0, 0, by=stranger.dev).code is AckCode.REVOKED
    set_status(database, old, "active")
    assert take(old, 0, 0, by=box.dev).code is AckCode.REVOKED
    assert take(next_life(old, 2), 0, 0, by=stranger.dev).code is AckCode.REVOKED
    assert take(next_life(old, 2), 0, 0, by="d-zzzzzzzzzzzzzzzz").code is AckCode.REVOKED


class Courier:
    """A box that speaks HTTP."""

    def __init__(self, api: CloudApi, database: Database, box: BoxStream) -> None:
        secret = f"secret of {box.dev}"
        rows(
            database,
            "UPDATE device SET secret_hash = :h WHERE dev = :d RETURNING dev",
            h=sha256(secret.encode()),
            d=box.dev,
        )
        self.client = api.stranger()
        self.client.headers["Authorization"] = f"Bearer {box.dev}.{secret}"

    def bring(self, payload: bytes) -> httpx.Response:
        return self.client.post("/v1/journal/batches", content=payload)

    def stand(self, box: BoxStream) -> dict[str, Any]:
        answer = self.client.get(f"/v1/journal/streams/{box.stream_id.hex()}")
        found: dict[str, Any] = answer.raise_for_status().json()
        return found


def test_a_tail_is_salvaged_over_http_with_the_old_boxs_signature(
    api: CloudApi, database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    old = new_box()
    old.append_sales(5)
    take(old, 0, 1)
    courier = Courier(api, database, replacement(database, old))
    assert (courier.stand(old)["code"], courier.stand(old)["head"]) == ("ok", 1)
    ack = courier.bring(old.batch(4, 4)).json()
    assert (ack["code"], ack["head"], ack["hh"]) == ("gap", 1, old.hashes[1].hex())
    ack = courier.bring(old.batch(2, 4)).json()
    assert (ack["code"], ack["head"], ack["hh"]) == ("ok", 4, old.hashes[4].hex())
    assert ack["inc"].count("-") == 1
    assert courier.bring(old.batch(2, 4)).json()["code"] == "dup"
    assert len(sold(database, old)) == 5
    forged = old.batch(4, 4, sig="00" * 64)
    old.append_sales(1)
    assert courier.bring(forged).json()["code"] == "dup"
    assert courier.bring(old.batch(5, 5, sig="00" * 64)).json()["code"] == "bad"


def test_over_http_nothing_is_taken_that_the_broker_road_would_refuse(
    api: CloudApi, database: Database, new_box: NewBox
) -> None:
    box, other = new_box(), new_box()
    box.append_sales(2)
    other.append_sales(1)
    courier = Courier(api, database, box)
    assert courier.bring(other.batch(0, 0)).json()["code"] == "revoked"
    assert courier.stand(other)["code"] == "revoked"
    assert courier.stand(next_life(box, 9))["head"] == -1
    broken = courier.bring(b"\x01 no batch")
    assert (broken.status_code, broken.json()["code"]) == (422, "wire.compressed")
    assert courier.bring(b"\x01" * ((1 << 20) + 1)).status_code == 413
    box.bodies[1] = box.bodies[1].replace(b'"lane":1', b'"lane":2')
    assert courier.bring(box.batch(0, 1)).json()["code"] == "bad"
    nowhere = courier.client.get("/v1/journal/streams/17")
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "ingest.stream")


def test_over_http_only_boxes_that_may_upload_are_heard(
    api: CloudApi, admin: httpx.Client, database: Database, new_box: NewBox
) -> None:
    box = new_box()
    box.append_sales(1)
    courier = Courier(api, database, box)
    assert admin.post("/v1/journal/batches", content=box.batch(0, 0)).status_code == 401
    set_status(database, box, "revoked")
    assert courier.bring(box.batch(0, 0)).status_code == 403
    set_status(database, box, "retiring")
    assert courier.bring(box.batch(0, 0)).json()["code"] == "ok"


def test_another_sale_under_an_id_that_its_store_has_booked_is_flagged(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    """A tablet that goes on with a basket of before a restore; another store's id is its own."""
    box, other = new_box(), new_box()
    box.append_sales(2)
    take(box, 0, 1)
    life = next_life(box, 2, cause="restore")
    life.append(SaleCompleted(a_sale(500)), entry_id=box.id_at(1))
    other.append(SaleCompleted(a_sale(1)), entry_id=box.id_at(1))
    assert (take(life, 0, 1).flagged, take(other, 0, 0).flagged) == (1, 0)
    assert (flags(database, life), flags(database, other)) == (["entry.repeated"], [])
    assert sold(database, box) == ["1-000000", "1-000001"]
    assert sold(database, other) == ["1-000001"]


def test_another_sale_under_one_id_in_one_batch_is_flagged(
    database: Database, new_box: NewBox, take: Callable[..., Verdict]
) -> None:
    box = new_box()
    box.append_sales(1)
    life = next_life(box, 2)
    life.append(SaleCompleted(a_sale(500)), entry_id=box.id_at(0))
    salvage(life, box, [0])
    assert take(life, 0, 2).flagged == 1
    assert flags(database, life) == ["entry.repeated"]
