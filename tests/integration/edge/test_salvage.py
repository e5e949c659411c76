"""Copies of a dead box's entries: taken in whole or not at all, and brought to head office once."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from edge.copy.forward import Forwarder, ForwardParts
from edge.copy.keys import KnownKeys
from edge.copy.office import HttpOffice
from edge.copy.service import Intake, Offered, OwnJournal, Wanted, missing
from edge.copy.store import SALVAGE_FILE, SalvageStore
from edge.identity import PreviousStream
from shared.journal.carbon import Carbon
from shared.kernel.errors import CorruptError, RefusedError, UnavailableError
from shared.wire.message import Ack, AckCode
from tests.fakes.box_stream import BoxStream
from tests.fakes.office import FakeOffice, OfficeServer, a_carbon, lines_of
from tests.lab.cloud_api import SettableClock

OWN = "0a" * 16
OWN_HASHES = {seq: bytes([seq]) * 32 for seq in range(4)}


@dataclass
class NewBox:
    """What stands in the dead box's place."""

    folder: Path
    old: BoxStream
    office: FakeOffice
    acked: int
    clock: SettableClock = field(default_factory=SettableClock)
    adopted: list[Carbon] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = SalvageStore(self.folder / SALVAGE_FILE)
        self.store.open()
        own = OwnJournal(lambda: OWN, lambda: 1, OWN_HASHES.get)
        key = self.old.journal_pub.hex()
        self.woken = 0
        self.intake = Intake(self.store, own, KnownKeys([key]), self.wake)
        head = self.old.hashes[self.acked].hex() if self.acked >= 0 else ""
        self.intake.know([PreviousStream(self.stream, self.acked, head, key, self.old.dev)])
        self.forwarder = Forwarder(
            self.store,
            ForwardParts(self.office, self.clock, lambda failures: 1000 * failures, self.adopt),
        )

    @property
    def stream(self) -> str:
        return self.old.stream_id.hex()

    def adopt(self, carbon: Carbon) -> None:
        self.adopted.append(carbon)

    def wake(self) -> None:
        self.woken += 1

    def take(self, first: int, last: int) -> int:
        return self.intake.take_in(
            lines_of([a_carbon(self.old, n) for n in range(first, last + 1)])
        )

    def wanted(self, first: int, last: int) -> tuple[tuple[int, int], ...]:
        return self.asked(first, last).ranges

    def asked(self, first: int, last: int) -> Wanted:
        (answer,) = self.intake.wanted([Offered(self.stream, first, last, self.old.hashes[last])])
        return answer

    def drain(self) -> None:
        while self.forwarder.turn() == 0:
            pass


@pytest.fixture(scope="module")
def old() -> BoxStream:
    box = BoxStream("d-aaaaaaaaaaaaaaaa", "s1")
    box.append_sales(500)
    return box


@pytest.fixture
def box(tmp_path: Path, old: BoxStream) -> Iterator[NewBox]:
    office = FakeOffice()
    office.know(old, 10)
    made = NewBox(tmp_path, old, office, acked=9)
    yield made
    made.store.close()


def test_what_the_cloud_lacks_is_wanted_once(box: NewBox) -> None:
    assert box.wanted(10, 20) == ((10, 20),)
    assert box.asked(0, 9) == Wanted(box.stream, 9, ())
    box.take(12, 14)
    assert box.wanted(10, 20) == ((10, 11), (15, 20))


def test_a_number_alone_proves_nothing(box: NewBox) -> None:
    """An old image gives its numbers again: another entry 9 is not the one that arrived."""
    (answer,) = box.intake.wanted([Offered(box.stream, 8, 9, b"x" * 32)])
    assert answer == Wanted(box.stream, -1, ((8, 9),))
    (answer,) = box.intake.wanted([Offered(OWN, 0, 1, b"x" * 32)])
    assert answer == Wanted(OWN, -1, ((0, 1),))


def test_of_its_own_journal_a_box_wants_only_what_it_has_lost(box: NewBox) -> None:
    offers = [Offered(OWN, 0, 1, OWN_HASHES[1]), Offered(OWN, 0, 3, OWN_HASHES[3])]
    assert box.intake.wanted(offers) == [Wanted(OWN, 1, ()), Wanted(OWN, 1, ())]
    (answer,) = box.intake.wanted([Offered(OWN, 2, 5, b"x" * 32)])
    assert answer.ranges == ((2, 5),)


def test_missing_ranges_are_what_lies_between() -> None:
    assert missing(1, 6, []) == ((1, 6),)
    assert missing(1, 6, [1, 2, 6]) == ((3, 5),)
    assert missing(1, 6, [2, 4]) == ((1, 1), (3, 3), (5, 6))
    assert missing(1, 2, [1, 2]) == ()


def test_everything_arrives_once_with_its_old_signature(box: NewBox) -> None:
    assert box.take(10, 499) == 490
    assert box.take(10, 499) == 0
    assert box.woken == 1
    box.drain()
    assert box.office.head(box.old) == 499
    assert box.office.streams[box.stream].bodies == box.old.bodies
    (progress,) = box.forwarder.progress()
    assert (progress.state, progress.entries, progress.handed_sales) == ("done", 0, 490)
    assert box.asked(10, 499) == Wanted(box.stream, 499, ())
    assert box.asked(10, 300) == Wanted(box.stream, 300, ())
    assert box.take(10, 499) == 0


def test_an_answer_that_was_lost_makes_no_second_entry(box: NewBox) -> None:
    box.take(10, 14)
    box.office.lose_answers = 1
    assert box.forwarder.turn() == 1000
    assert box.forwarder.progress()[0].state == "offline"
    box.clock.at_ms += 1000
    box.drain()
    assert box.office.streams[box.stream].bodies == box.old.bodies[:15]
    assert box.forwarder.progress()[0].state == "done"


def test_pauses_grow_while_head_office_is_away(box: NewBox) -> None:
    box.take(10, 14)
    waits = []
    for _ in range(3):
        box.office.answers = [UnavailableError("salvage.unreachable", url="x")]
        waits.append(box.forwarder.turn())
        box.clock.at_ms += waits[-1] or 0
    assert waits == [1000, 2000, 3000]
    before = box.office.posts
    assert box.forwarder.turn() == 0
    assert box.office.posts == before + 1


def test_a_turn_before_its_time_sends_nothing(box: NewBox) -> None:
    box.take(10, 14)
    box.office.answers = [UnavailableError("salvage.unreachable", url="x")]
    box.forwarder.turn()
    posts = box.office.posts
    assert box.forwarder.turn() == 1000
    assert box.office.posts == posts
    assert box.forwarder.progress()[0].state == "offline"


def test_a_busy_office_is_left_alone_as_long_as_it_says(box: NewBox) -> None:
    box.take(10, 14)
    box.office.answers = [Ack(box.stream, AckCode.BUSY, -1, "", -1, "", "1", 1, retry_ms=7000)]
    assert box.forwarder.turn() == 7000
    box.clock.at_ms += 7000
    box.drain()
    assert box.office.head(box.old) == 14


def test_a_gap_is_named_and_closed_by_another_page(box: NewBox) -> None:
    box.take(10, 12)
    box.take(15, 19)
    while box.forwarder.progress() == [] or box.forwarder.progress()[0].state != "gap":
        box.forwarder.turn()
    (progress,) = box.forwarder.progress()
    assert (progress.gap, progress.entries) == ((13, 14), 5)
    assert box.office.head(box.old) == 12
    box.take(13, 14)
    box.forwarder.hurry()
    box.drain()
    assert box.office.head(box.old) == 19
    assert box.forwarder.progress()[0].state == "done"


def test_sales_behind_a_gap_that_nobody_closes_arrive_after_a_day(box: NewBox) -> None:
    box.take(15, 19)
    wait_ms = box.forwarder.turn()
    assert wait_ms == 15 * 60_000
    box.clock.at_ms += 23 * 60 * 60_000
    box.forwarder.turn()
    assert box.adopted == []
    box.clock.at_ms += 60 * 60_000
    box.forwarder.turn()
    assert [carbon.seq for carbon in box.adopted] == [15, 16, 17, 18, 19]
    assert box.forwarder.progress()[0].state == "done"
    assert box.office.head(box.old) == 9
    box.take(10, 14)
    box.drain()
    assert box.office.head(box.old) == 14


def test_what_waits_survives_a_restart(box: NewBox, tmp_path: Path) -> None:
    box.take(10, 14)
    box.store.close()
    again = NewBox(tmp_path, box.old, box.office, acked=9)
    again.drain()
    assert box.office.head(box.old) == 14
    again.store.close()


def test_a_cloud_that_stands_further_than_was_known_moves_the_mark(box: NewBox) -> None:
    box.office.know(box.old, 13)
    box.take(10, 14)
    box.drain()
    assert box.office.head(box.old) == 14
    assert box.wanted(10, 14) == ()


def test_a_forked_tail_goes_into_the_boxes_own_journal(box: NewBox) -> None:
    box.take(10, 14)
    other = BoxStream(box.old.dev, "s1")
    other.append_sales(10)
    for _ in range(3):
        other.append_body(b'{"another":"history"}')
    box.office.know(other, 13)
    box.drain()
    assert [carbon.seq for carbon in box.adopted] == [10, 11, 12, 13, 14]
    assert box.forwarder.progress()[0].state == "done"
    assert box.office.head(box.old) == 12
    assert box.asked(10, 14) == Wanted(box.stream, 14, ())


def test_a_foreign_hash_in_an_ok_is_a_fork_too(box: NewBox) -> None:
    box.take(10, 14)
    box.office.answers = [Ack(box.stream, AckCode.OK, 14, "00" * 32, -1, "", "1", 1)]
    box.drain()
    assert len(box.adopted) == 5


@pytest.mark.parametrize(("code", "state"), [(AckCode.REVOKED, "refused"), (AckCode.BAD, "bad")])
def test_a_refusal_keeps_everything(box: NewBox, code: AckCode, state: str) -> None:
    box.take(10, 14)
    box.office.answers = [Ack(box.stream, code, -1, "", -1, "", "1", 1)]
    wait_ms = box.forwarder.turn()
    assert wait_ms is not None
    assert wait_ms >= 15 * 60_000
    (progress,) = box.forwarder.progress()
    assert (progress.state, progress.entries) == (state, 5)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"body": b'{"type":"sale.completed"}'}, "carbon.hash"),
        ({"sig": bytes(64)}, "carbon.signature"),
    ],
)
def test_one_bad_copy_and_none_is_taken(box: NewBox, changed: dict[str, bytes], code: str) -> None:
    carbons = [a_carbon(box.old, n) for n in range(10, 15)]
    carbons[3] = replace(carbons[3], **changed)  # type: ignore[arg-type]
    with pytest.raises(CorruptError) as refused:
        box.intake.take_in(lines_of(carbons))
    assert (refused.value.code, refused.value.params["seq"]) == (code, 13)
    assert box.wanted(10, 14) == ((10, 14),)


def test_another_stores_box_is_refused(box: NewBox) -> None:
    stranger = BoxStream("d-cccccccccccccccc", "s9")
    stranger.append_sales(2)
    with pytest.raises(CorruptError, match=r"carbon\.signature"):
        box.intake.take_in(lines_of([a_carbon(stranger, 0)]))


def test_copies_that_do_not_follow_each_other_are_refused(box: NewBox) -> None:
    other = BoxStream(box.old.dev, "s1")
    other.append_sales(12)
    other.append_body(b'{"another":"history"}')
    with pytest.raises(CorruptError, match=r"carbon\.chain"):
        box.intake.take_in(lines_of([a_carbon(other, 12), a_carbon(box.old, 13)]))


def test_two_different_copies_of_an_entry_do_not_both_stand(box: NewBox) -> None:
    other = BoxStream(box.old.dev, "s1")
    other.append_sales(12)
    other.append_body(b'{"another":"history"}')
    box.take(12, 13)
    with pytest.raises(CorruptError, match=r"salvage\.fork"):
        box.intake.take_in(lines_of([a_carbon(other, 12)]))


@pytest.mark.parametrize("lines", [b"", b"\n\n", b"{}\n", b"\xff"])
def test_what_is_no_copy_is_refused(box: NewBox, lines: bytes) -> None:
    with pytest.raises(RefusedError, match=r"carbon\.line"):
        box.intake.take_in(lines)


def test_the_file_is_guarded_against_change_and_early_removal(box: NewBox, tmp_path: Path) -> None:
    box.take(10, 14)
    with sqlite3.connect(tmp_path / SALVAGE_FILE) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute("UPDATE carbon SET body=x''")
        with pytest.raises(sqlite3.IntegrityError, match="does not have"):
            connection.execute("DELETE FROM carbon WHERE seq=12")
    connection.close()


def test_it_works_over_http(box: NewBox) -> None:
    server = OfficeServer(box.office, "d-new.secret")
    office = HttpOffice(server.url, "Bearer d-new.secret")
    wrong = HttpOffice(server.url, "Bearer d-new.other")
    nowhere = HttpOffice("http://127.0.0.1:9", "Bearer d-new.secret")
    try:
        box.take(10, 14)
        with pytest.raises(UnavailableError):
            forwarder_of(box, nowhere)._send(box.store.held()[0])
        with pytest.raises(RefusedError, match=r"salvage\.refused"):
            forwarder_of(box, wrong)._send(box.store.held()[0])
        server.fail_next = 1
        with pytest.raises(UnavailableError):
            forwarder_of(box, office)._send(box.store.held()[0])
        forwarder_of(box, office).turn()
        assert box.office.head(box.old) == 14
    finally:
        for each in (office, wrong, nowhere):
            each.close()
        server.stop()


def test_older_lives_are_compared_at_start_and_when_the_cloud_has_changed(box: NewBox) -> None:
    looked: list[str] = []

    def look(_: object) -> bool:
        looked.append("back")
        if len(looked) == 1:
            raise UnavailableError("salvage.unreachable", url="x")
        return len(looked) != 3

    parts = ForwardParts(box.office, box.clock, lambda n: 1000 * n, box.adopt, look)
    forwarder = Forwarder(box.store, parts)
    assert forwarder.turn() == 1000
    assert forwarder.turn() == 1000
    assert len(looked) == 1
    box.clock.at_ms += 1000
    assert forwarder.turn() is None
    assert forwarder.turn() is None
    assert len(looked) == 2
    forwarder.look_back()
    assert forwarder.turn() == 15 * 60_000  # one of them waits behind a gap
    box.clock.at_ms += 15 * 60_000
    assert forwarder.turn() is None
    assert len(looked) == 4


def forwarder_of(box: NewBox, office: HttpOffice) -> Forwarder:
    return Forwarder(box.store, ForwardParts(office, box.clock, lambda _: 1, box.adopt))


def test_its_thread_sends_what_comes_in_and_ends(box: NewBox) -> None:
    arrived = threading.Event()
    box.forwarder.start()
    try:
        box.office.after_post = arrived.set
        box.take(10, 14)
        box.forwarder.hurry()
        assert arrived.wait(10)
    finally:
        box.forwarder.stop()
    assert box.office.head(box.old) == 14
