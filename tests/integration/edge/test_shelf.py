"""The shelf room on real files: the book, tasks, cold places, and what a restart keeps."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.clock import SystemClock
from edge.desk.migrations import MIGRATIONS
from edge.device.shelf_sensor import ShelfLine, ShelfSensor
from edge.device.shelf_setup import SensorSetup
from edge.ids import Ids
from edge.shelf.api import ShelfRoom
from edge.shelf.ledger import ShelfLedger
from edge.shelf.service import ShelfParts, ShelfRoomService
from edge.shelf.store import ShelfStore
from edge.sqlite import Writer
from shared.journal.device_event import StockCounted
from shared.journal.life import LifeCause
from shared.kernel.errors import MissingError, RefusedError
from shared.stock.book import book_after
from shared.stock.cold_chain import ColdRule
from shared.stock.shelf import ShelfRule
from shared.wire.codec import parse_body, parse_event
from tests.builders import a_gtin
from tests.integration.edge.boxes import DAY, MANAGER, a_draft, a_journal, a_sale_draft, open_day
from tests.lab.cloud_api import SettableClock

IDS = Ids(SystemClock())
JAM = a_gtin(1)
RULE = ShelfRule(piece_g=500, tare_g=200, hold_ms=5_000, threshold_milli=3_000, debounce_ms=60_000)
COLD_RULE = ColdRule(0, 7_000, patience_ms=600_000, door_grace_ms=300_000)
SETUPS = (
    SensorSetup("jam", "weight", "Jam, left", 600_000, gtin=JAM, shelf=RULE),
    SensorSetup("fridge", "temperature", "Fridge", 3_600_000, cold=COLD_RULE, door="fridge-door"),
    SensorSetup("fridge-door", "door", "Fridge door", 600_000),
)
SHELF_TYPES = ("stock.", "shelf.", "cold_chain.")


class Store:
    """A journal, a desk file and the room over them; time goes on by hand."""

    setups = SETUPS

    def __init__(self, folder: Path) -> None:
        self.clock = SettableClock()
        self.journal = a_journal(folder)
        self._folder = folder
        self._seq = 0
        self.begin()

    def begin(self) -> None:
        self.desk = Writer(self._folder / "desk.db", "NORMAL")
        self.desk.open(MIGRATIONS)
        sensors = [ShelfSensor(each, self.clock) for each in self.setups]
        self.line = ShelfLine(None, sensors, self.clock)
        for sensor in sensors:
            sensor.line_up(is_up=True)
        store = ShelfStore(self.desk)
        ledger = ShelfLedger(self.journal, store, lambda: 7)
        self.service = ShelfRoomService(
            ShelfParts(sensors, store, ledger, self.clock, IDS.entry_id)
        )
        self.service.open()
        self.room = ShelfRoom(self.service, store, str, lambda: self.line.unknown)

    def restart(self) -> None:
        self.desk.close()
        self.begin()

    def end(self) -> None:
        self.desk.close()
        self.journal.close()

    def say(self, name: str, **values: Any) -> None:
        self._seq += 1
        told = {"v": 1, "seq": self._seq, "raw": self._seq, **values}
        self.line.deliver(f"tb/s/{name}/state", json.dumps(told).encode())

    def look(self, seconds: int, step_s: int = 10) -> None:
        """Let so much time pass, looking now and then."""
        for _ in range(seconds // step_s):
            self.clock.at_ms += step_s * 1000
            self.service.look()

    def sell(self, times: int = 1) -> None:
        for _ in range(times):
            self.journal.append(a_sale_draft(self.journal))

    def facts(self) -> list[dict[str, Any]]:
        entries = self.journal.read(0, 10_000, 1 << 30)
        return [parse_body(e.body) for e in entries if e.type.startswith(SHELF_TYPES)]

    def told(self) -> list[str]:
        return [each["type"] for each in self.facts()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = Store(tmp_path)
    open_day(found.journal)
    yield found
    found.end()


def shelf_with(store: Store, pieces: int) -> None:
    store.say("jam", grams=200 + 500 * pieces)


def counted(store: Store, pieces: int, on_shelf: int) -> None:
    shelf_with(store, on_shelf)
    store.look(20)
    store.service.count(sensor="jam", qty_milli=pieces * 1000, by=MANAGER)


def test_the_book_says_twelve_and_the_shelf_is_empty(store: Store) -> None:
    counted(store, 12, 12)
    shelf_with(store, 0)
    store.look(60)
    assert store.service.open_tasks() == ()
    store.look(30)
    [task] = store.service.open_tasks()
    assert (task.sensor, task.book_milli, task.shelf_milli) == ("jam", 12_000, 0)
    assert store.service.status()["tasks"] == 1
    fact = store.facts()[-1]
    assert fact["type"] == "shelf.differed"
    assert fact["data"] == {"sensor": "jam", "gtin": JAM, "book_milli": 12_000, "shelf_milli": 0}
    assert (fact["biz"], fact["actor"]) == (DAY, "")


def test_goods_that_were_sold_are_not_missing(store: Store) -> None:
    counted(store, 12, 12)
    store.sell(3)  # two pieces each
    shelf_with(store, 6)
    store.look(300)
    assert store.service.quantities("jam") == (6_000, 6_000)
    assert store.service.open_tasks() == ()


def test_an_item_that_nobody_counted_has_no_book_and_no_task(store: Store) -> None:
    store.sell()
    shelf_with(store, 12)
    store.look(300)
    assert store.service.quantities("jam") == (12_000, None)
    assert store.service.open_tasks() == ()


def test_a_count_settles_the_task_and_says_who(store: Store) -> None:
    counted(store, 12, 12)
    shelf_with(store, 0)
    store.look(120)
    store.service.count(sensor="jam", qty_milli=0, by=MANAGER)
    assert store.service.open_tasks() == ()
    assert store.told() == ["stock.counted", "shelf.differed", "stock.counted", "shelf.settled"]
    last_count, settled = store.facts()[-2:]
    assert last_count["data"] == {"gtin": JAM, "qty_milli": 0, "reason": "task", "sensor": "jam"}
    assert (settled["data"]["how"], settled["actor"]) == ("counted", MANAGER)
    store.look(600)
    assert len(store.told()) == 4


def test_a_task_goes_by_itself_when_the_goods_are_back(store: Store) -> None:
    counted(store, 12, 12)
    shelf_with(store, 2)
    store.look(120)
    shelf_with(store, 12)
    store.look(120)
    assert store.service.open_tasks() == ()
    assert store.facts()[-1]["data"]["how"] == "agrees"


def test_a_dismissed_difference_is_no_news_until_it_grows(store: Store) -> None:
    counted(store, 12, 12)
    shelf_with(store, 8)
    store.look(120)
    [task] = store.service.open_tasks()
    store.service.dismiss(task_no=task.n, reason="Promotion table", by=MANAGER)
    store.look(600)
    store.restart()
    shelf_with(store, 8)
    store.look(600)
    assert store.service.open_tasks() == ()
    shelf_with(store, 5)
    store.look(120)
    assert len(store.service.open_tasks()) == 1


def test_a_restart_keeps_book_and_task_and_tells_nothing_twice(store: Store) -> None:
    counted(store, 12, 12)
    store.sell()
    shelf_with(store, 0)
    store.look(120)
    before = store.service.open_tasks()
    store.restart()
    assert store.service.open_tasks() == before
    assert store.service.book_milli(JAM) == 10_000
    shelf_with(store, 0)
    store.look(600)
    assert store.told().count("shelf.differed") == 1
    shelf_with(store, 10)
    store.look(120)
    assert store.told()[-1] == "shelf.settled"


def test_a_silent_sensor_makes_no_task(store: Store) -> None:
    counted(store, 12, 12)
    shelf_with(store, 0)
    store.look(40)
    store.line.deliver("tb/s/jam/online", b"0", is_retained=True)
    store.look(600)
    assert store.service.open_tasks() == ()


def test_a_fact_that_the_disk_had_no_room_for_is_told_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr("edge.shelf.ledger.free_bytes", lambda _: 0)
        store.service.count(sensor="jam", qty_milli=5_000, by=MANAGER)
        store.look(30)
        assert store.told() == []
        store.restart()
    store.look(10)
    assert store.told() == ["stock.counted"]
    store.look(30)
    assert store.told() == ["stock.counted"]
    assert store.service.book_milli(JAM) == 5_000


def test_the_book_goes_on_in_a_new_life_of_the_journal(store: Store) -> None:
    counted(store, 12, 12)
    store.sell()
    assert store.journal.begin_life(LifeCause.RESTORE, store.clock.at_ms)
    store.sell()
    store.look(10)
    assert store.service.book_milli(JAM) == 8_000


@settings(max_examples=12, deadline=None)
@given(st.lists(st.sampled_from(["count", "other", "sell", "look", "restart"]), max_size=25))
def test_the_book_equals_a_recount_of_the_whole_journal(steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        open_day(store.journal)
        for n, step in enumerate(steps):
            if step == "count":
                store.journal.append(a_draft(StockCounted(JAM, n * 1000, "count"), till=""))
            elif step == "other":
                store.journal.append(a_draft(StockCounted(a_gtin(2), 7, "count"), till=""))
            elif step == "sell":
                store.sell()
            elif step == "look":
                store.look(10)
            else:
                store.restart()
        store.look(10)
        book: dict[str, int] = {}
        for entry in store.journal.read(0, 1000, 1 << 24):
            body = parse_body(entry.body)
            book = book_after(book, parse_event(body["type"], body["data"]))
        assert {gtin: store.service.book_milli(gtin) for gtin in book} == book
        store.end()


def test_a_warm_fridge_is_told_with_when_it_began(store: Store) -> None:
    store.say("fridge", celsius=4.0)
    store.look(60)
    store.say("fridge", celsius=9.5)
    store.look(580)
    assert store.service.status()["warm"] == 0
    store.look(60)
    assert store.service.status() == {"sensors": 3, "tasks": 0, "warm": 1, "unseen": 1, "silent": 0}
    fact = store.facts()[-1]
    assert fact["type"] == "cold_chain.broken"
    assert fact["data"]["celsius_milli"] == 9_500
    assert fact["data"]["limit_milli"] == 7_000
    assert fact["at"] - fact["data"]["since_at_ms"] == 600_000


def test_an_open_door_gives_the_fridge_more_time(store: Store) -> None:
    store.say("fridge-door", open=True)
    store.say("fridge", celsius=9.5)
    store.look(30)
    store.say("fridge-door", open=False)
    store.look(800)
    assert store.told() == []
    store.look(100)
    assert store.told() == ["cold_chain.broken"]


def test_a_warm_place_that_somebody_knows_of_stays_until_it_is_cold(store: Store) -> None:
    store.say("fridge", celsius=9.5)
    store.look(620)
    [task] = store.service.open_tasks()
    store.service.dismiss(task_no=task.n, reason="Goods moved", by=MANAGER)
    assert store.service.status()["unseen"] == 0
    store.restart()
    store.say("fridge", celsius=9.5)
    store.look(900)
    assert store.told() == ["cold_chain.broken"]
    store.say("fridge", celsius=4.0)
    store.look(150)
    assert store.told() == ["cold_chain.broken", "cold_chain.restored"]
    restored = store.facts()[-1]["data"]
    assert (restored["worst_milli"], restored["celsius_milli"]) == (9_500, 4_000)
    assert restored["for_ms"] > 1_500_000
    assert store.service.open_tasks() == ()
    assert store.room.page().done[0].reason == "Goods moved"


def test_a_fridge_that_nobody_hears_is_an_alarm(store: Store) -> None:
    store.say("fridge", celsius=4.0)
    store.look(10)
    assert store.service.status()["silent"] == 0
    store.line.deliver("tb/s/fridge/online", b"0", is_retained=True)
    store.look(80)
    assert store.service.status()["silent"] == 1
    store.say("fridge", celsius=4.0)
    store.look(10)
    assert store.service.status()["silent"] == 0


def test_what_makes_no_sense_is_refused(store: Store) -> None:
    count, dismiss = store.service.count, store.service.dismiss
    with pytest.raises(MissingError, match=r"shelf\.unknown"):
        count(sensor="fridge", qty_milli=0, by=MANAGER)
    for qty_milli in (-1_000, 500, 10_000_000):
        with pytest.raises(RefusedError, match=r"shelf\.quantity"):
            count(sensor="jam", qty_milli=qty_milli, by=MANAGER)
    for reason in ("", "  ", "x" * 201):
        with pytest.raises(RefusedError, match=r"shelf\.reason"):
            dismiss(task_no=1, reason=reason, by=MANAGER)
    with pytest.raises(MissingError, match=r"shelf\.task_unknown"):
        dismiss(task_no=1, reason="why", by=MANAGER)


def test_a_task_is_settled_once(store: Store) -> None:
    counted(store, 12, 12)
    shelf_with(store, 0)
    store.look(120)
    [task] = store.service.open_tasks()
    store.service.dismiss(task_no=task.n, reason="Sold out", by=MANAGER)
    with pytest.raises(RefusedError, match=r"shelf\.task_done"):
        store.service.dismiss(task_no=task.n, reason="Again", by=MANAGER)


def test_the_page_shows_sensors_tasks_and_strangers(store: Store) -> None:
    counted(store, 12, 12)
    store.say("fridge", celsius=4.2)
    store.say("new-one", grams=1)
    shelf_with(store, 0)
    store.look(120)
    page = store.room.page()
    jam, fridge, door = page.sensors
    assert (jam.state, jam.qty_milli, jam.book_milli, jam.is_pieces) == ("ready", 0, 12_000, True)
    assert (fridge.celsius_milli, fridge.max_milli) == (4_200, 7_000)
    assert (door.state, door.is_open) == ("connecting", None)
    assert [(each.label, each.kind, each.item) for each in page.tasks] == [
        ("Jam, left", "differs", JAM)
    ]
    assert page.unknown == ["new-one"]


def test_the_thread_looks_by_itself_and_ends(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.service.start()
    store.service.start()
    store.service.stop()
    store.service.stop()
    store.end()
    assert store.service._thread is None


def refuse_writes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(ShelfStore, name, full)


def test_a_full_disk_hides_no_warm_fridge_and_the_task_comes_once_there_is_room(
    store: Store,
) -> None:
    store.say("fridge", celsius=12.0)
    with pytest.MonkeyPatch.context() as disk:
        refuse_writes(disk, "keep_book")
        refuse_writes(disk, "open_task")
        store.sell()
        store.look(900)
        assert store.service.open_tasks() == ()
        assert (store.service.status()["warm"], store.service.status()["unseen"]) == (1, 1)
    store.look(10)
    [task] = store.service.open_tasks()
    assert (task.sensor, store.service.status()["warm"]) == ("fridge", 1)
    assert "cold_chain.broken" in store.told()


def test_an_empty_shelf_is_told_once_there_is_room_for_the_task(store: Store) -> None:
    counted(store, 12, 12)
    shelf_with(store, 0)
    with pytest.MonkeyPatch.context() as disk:
        refuse_writes(disk, "open_task")
        store.look(120)
        assert store.service.open_tasks() == ()
    store.look(120)
    assert [each.sensor for each in store.service.open_tasks()] == ["jam"]


def test_what_the_disk_did_not_take_is_still_in_the_book_after_a_restart(store: Store) -> None:
    counted(store, 12, 12)
    with pytest.MonkeyPatch.context() as disk:
        refuse_writes(disk, "keep_book")
        store.sell()  # two pieces
        store.look(10)
    store.sell()
    store.look(10)
    assert store.service.book_milli(JAM) == 8_000
    store.restart()
    store.look(10)
    assert store.service.book_milli(JAM) == 8_000


def test_the_alarm_of_a_place_whose_sensor_was_taken_away_can_be_ended(store: Store) -> None:
    store.say("fridge", celsius=12.0)
    store.look(900)
    [task] = store.service.open_tasks()
    store.setups = SETUPS[:1]
    store.restart()
    assert store.service.status()["warm"] == 1
    store.service.dismiss(task_no=task.n, reason="Fridge was scrapped", by=MANAGER)
    assert store.service.open_tasks() == ()
    assert store.service.status()["warm"] == 0
