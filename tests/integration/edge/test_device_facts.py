"""Facts of devices reach the journal from a thread of their own."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tenacity.wait import wait_fixed

from edge.ids import Ids
from edge.journal.store import EntryDraft, Journal
from edge.ops import facts
from edge.ops.facts import WAITING_MAX, FactParts, FactWriter
from shared.journal.device_event import DeviceFaulted
from shared.journal.entry import JournalEntry
from shared.wire.codec import parse_body
from tests.integration.edge.boxes import DAY, a_clock, a_journal, open_day
from tests.integration.edge.running_box import until


def a_fault(device: str = "scanner-1", lane: int = 1) -> DeviceFaulted:
    return DeviceFaulted(device, "scanner", lane, "scanner.unplugged", "absent")


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = a_journal(tmp_path)
    yield journal
    journal.close()


def a_writer(journal: Journal) -> FactWriter:
    clock = a_clock()
    return FactWriter(FactParts(journal, clock, Ids(clock).entry_id, lambda: 7, wait_fixed(0.01)))


def written(journal: Journal) -> list[JournalEntry]:
    return [each for each in journal.read(0, 500, 1 << 20) if each.type == "device.faulted"]


def test_a_fact_outside_a_day_and_one_within_say_so(journal: Journal) -> None:
    writer = a_writer(journal)
    writer.put(a_fault(lane=0))
    writer.start()
    until(lambda: written(journal))
    open_day(journal)
    writer.put(a_fault())
    writer.stop()
    first, second = (parse_body(each.body) for each in written(journal))
    assert (first["biz"], first["till"], first["cat"]) == ("", "", 7)
    assert (second["biz"], second["till"], second["actor"]) == (DAY, "1", "")


def test_facts_stay_in_order_and_what_waits_is_written_at_the_stop(journal: Journal) -> None:
    writer = a_writer(journal)
    for number in range(20):
        writer.put(a_fault(f"scanner-{number}"))
    writer.start()
    writer.stop()
    writer.stop()
    devices = [parse_body(each.body)["data"]["device"] for each in written(journal)]
    assert devices == [f"scanner-{number}" for number in range(20)]


def test_a_full_disk_holds_facts_back_but_nobody_who_tells_them(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = [0]
    monkeypatch.setattr(facts, "free_bytes", lambda _: room[0])
    writer = a_writer(journal)
    writer.start()
    for number in range(WAITING_MAX + 5):
        writer.put(a_fault(f"scanner-{number}"))
    assert writer.depth() == WAITING_MAX
    assert written(journal) == []
    room[0] = 1 << 30
    until(lambda: writer.depth() == 0)
    writer.stop()
    kept = len(written(journal))
    assert WAITING_MAX <= kept <= WAITING_MAX + 1, "the newest were refused, the oldest kept"


def test_a_write_that_fails_is_tried_again_and_written_once(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, failures = journal.append, [sqlite3.OperationalError("no"), None]

    def unsure(draft: EntryDraft) -> JournalEntry:
        entry = append(draft)  # it is in the journal, but who asked does not learn of it
        error = failures.pop(0) if failures else None
        if error is not None:
            raise error
        return entry

    monkeypatch.setattr(journal, "append", unsure)
    writer = a_writer(journal)
    writer.start()
    writer.put(a_fault())
    until(lambda: not failures)
    writer.stop()
    assert len(written(journal)) == 1


def test_a_journal_that_is_busy_does_not_hold_up_who_tells_a_fact(journal: Journal) -> None:
    writer = a_writer(journal)
    writer.start()
    is_free = threading.Event()

    def hold() -> None:
        with journal.exclusive():
            is_free.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    writer.put(a_fault())
    assert written(journal) == []
    is_free.set()
    holder.join(10)
    writer.stop()
    assert len(written(journal)) == 1
