"""Lanes on a real file: one command at a time, each answered once, back after a kill."""

import asyncio
import json
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from edge.desk.desk import Desk
from edge.desk.migrations import MIGRATIONS
from edge.desk.state import Command, CommandResult, LaneState, Operator, Refresh, Turn
from edge.desk.store import DeskStore
from edge.sqlite import Writer
from shared.kernel.errors import CorruptError, MissingError, RefusedError, UnavailableError
from tests.builders import a_basket, an_item
from tests.integration.edge.running_box import until

ANN = Operator("1001", "Ann", "manager", ())


@dataclass(frozen=True, slots=True)
class Add(Command):
    """Put one more item into the basket."""

    number: int = 1


@dataclass(frozen=True, slots=True)
class Refuse(Command):
    """Is always refused."""


@dataclass(frozen=True, slots=True)
class Crash(Command):
    """Meets a programmer's error."""


@dataclass(frozen=True, slots=True)
class Hold(Command):
    """Keeps the lane busy until told."""


@dataclass
class Counter:
    """A desk with handlers that tests can see into."""

    desk: Desk
    file: Writer
    go_on: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    followed: list[str] = field(default_factory=list)

    def start(self, receipt_no: str | None = None) -> None:
        self.desk.start(
            {Add: self.add, Refuse: self.refuse, Crash: self.crash, Hold: self.hold},
            lambda state: {
                "seq": state.seq,
                "lines": len(state.basket.lines) if state.basket else 0,
            },
            lambda state: (state, receipt_no),
        )

    def add(self, state: LaneState, command: Add) -> Turn:
        basket = state.basket or a_basket()
        after = basket.with_item(an_item(command.number), "code")
        changed = replace(state, basket=after, before=state.basket, operator=ANN)
        return Turn(changed, after=(lambda: self.followed.append("after"),))

    def refuse(self, state: LaneState, command: Refuse) -> Turn:
        raise RefusedError("basket.empty")

    def crash(self, state: LaneState, command: Crash) -> Turn:
        raise ZeroDivisionError

    def hold(self, state: LaneState, command: Hold) -> Turn:
        self.entered.set()
        assert self.go_on.wait(10)
        return Turn(state)

    def view(self, lane: int = 1) -> dict[str, Any]:
        shown: dict[str, Any] = json.loads(self.desk.view(lane).payload)
        return shown

    def do(self, command: Command, key: str | None = None, lane: int = 1) -> CommandResult:
        return self.desk.put(lane, command, key).result(10)


def a_counter(folder: Path) -> Counter:
    file = Writer(folder / "desk.db", "NORMAL")
    file.open(MIGRATIONS)
    return Counter(Desk(DeskStore(file), (1, 2)), file)


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = a_counter(tmp_path)
    made.start()
    yield made
    made.go_on.set()
    made.desk.stop()
    made.file.close()


def test_a_command_changes_the_view_and_counts_on(counter: Counter) -> None:
    assert counter.view() == {"seq": 0, "lines": 0}
    assert counter.do(Add(1), "k1") == CommandResult(1)
    assert counter.do(Add(2), "k2") == CommandResult(2)
    assert counter.view() == {"seq": 2, "lines": 2}
    assert counter.view(2) == {"seq": 0, "lines": 0}


def test_a_repeat_gets_the_first_answer_and_changes_nothing(counter: Counter) -> None:
    first = counter.do(Add(1), "k1")
    counter.do(Add(2), "k2")
    assert counter.do(Add(1), "k1") == first
    assert counter.view() == {"seq": 2, "lines": 2}
    assert counter.do(Add(3), "k1", lane=2) == CommandResult(1)


def test_a_refusal_changes_nothing_and_may_be_tried_again(counter: Counter) -> None:
    for _ in range(2):
        with pytest.raises(RefusedError, match=r"basket\.empty"):
            counter.do(Refuse(), "k1")
    assert counter.view()["seq"] == 0


def test_a_fault_in_one_command_does_not_stop_the_lane(counter: Counter) -> None:
    with pytest.raises(CorruptError, match=r"lane\.fault"):
        counter.do(Crash())
    assert counter.do(Add(1)) == CommandResult(1)


def test_what_follows_runs_after_the_state_is_saved(counter: Counter) -> None:
    counter.do(Add(1))
    counter.do(Refresh())
    assert counter.followed == ["after"]


def test_a_lane_that_is_not_there_is_missing(counter: Counter) -> None:
    with pytest.raises(MissingError, match=r"lane\.unknown"):
        counter.desk.put(9, Add())


def test_a_full_queue_refuses_at_once(counter: Counter) -> None:
    held = counter.desk.put(1, Hold())
    assert counter.entered.wait(10)
    waiting = [counter.desk.put(1, Add()) for _ in range(64)]
    with pytest.raises(UnavailableError, match=r"lane\.busy"):
        counter.desk.put(1, Add()).result(10)
    assert counter.do(Add(), lane=2) == CommandResult(1)
    counter.go_on.set()
    assert held.result(10) == CommandResult(1)
    assert waiting[-1].result(10) == CommandResult(65)


def test_a_scanner_that_reads_without_end_leaves_room_for_taps(counter: Counter) -> None:
    counter.desk.put(1, Hold())
    assert counter.entered.wait(10)
    put: list[Future[CommandResult]] = []

    def read_without_end() -> None:
        for _ in range(100):
            put.append(counter.desk.put(1, Add(), wait=True))  # noqa: PERF401 - counted while it grows

    reading = threading.Thread(target=read_without_end)
    reading.start()
    until(lambda: len(put) == 16)
    tapped = counter.desk.put(1, Add())
    assert not tapped.done()
    counter.go_on.set()
    tapped.result(10)
    reading.join(10)
    assert put[-1].result(10)


def test_pins_are_the_revisions_of_open_baskets(counter: Counter) -> None:
    assert counter.desk.pins() == set()
    counter.do(Add(1))
    assert counter.desk.pins() == {7}


def test_basket_screen_and_answers_come_back(tmp_path: Path) -> None:
    first = a_counter(tmp_path)
    first.start()
    answer = first.do(Add(1), "k1")
    first.do(Add(2), "k2")
    before = first.desk.state(1)
    # No orderly end: what counts is what each command left behind.
    again = a_counter(tmp_path)
    again.start()
    assert again.desk.state(1) == before
    assert again.view() == {"seq": 2, "lines": 2}
    assert again.do(Add(1), "k1") == answer
    for each in (first, again):
        each.desk.stop()
        each.file.close()


def test_a_sale_that_was_cut_off_answers_its_repeated_command(tmp_path: Path) -> None:
    first = a_counter(tmp_path)
    first.start()
    first.do(Add(1))
    DeskStore(first.file).mark_pending(1, "tender-key")
    first.desk.stop()
    first.file.close()
    again = a_counter(tmp_path)
    again.start(receipt_no="1-000001")
    assert again.do(Add(1), "tender-key") == CommandResult(1, "1-000001")
    again.desk.stop()
    again.file.close()


def test_a_basket_that_older_software_left_open_is_still_open(tmp_path: Path) -> None:
    file = Writer(tmp_path / "desk.db", "NORMAL")
    file.open(MIGRATIONS)
    store = DeskStore(file)
    state = LaneState(1, seq=5, basket=a_basket(an_item(), member="2479"))
    store.save(state, None, CommandResult(5))
    left = json.loads(file.rows("SELECT state FROM lane")[0][0])
    del left["basket"]["coupons"]
    for name in ("tags", "tax_bp", "is_promotable", "floor_minor", "uom"):
        del left["basket"]["lines"][0]["item"][name]
    with file.transaction() as connection:
        connection.execute("UPDATE lane SET state=?", (json.dumps(left).encode(),))
    assert store.load(1) == (state, None)
    file.close()


def test_a_damaged_state_is_named(tmp_path: Path) -> None:
    made = a_counter(tmp_path)
    with made.file.transaction() as connection:
        connection.execute("INSERT INTO lane(lane, seq, state) VALUES(1, 0, x'7b')")
    with pytest.raises(CorruptError, match=r"desk\.state"):
        made.start()
    made.file.close()


def test_old_answers_are_forgotten(counter: Counter) -> None:
    waiting = [counter.desk.put(1, Refresh(), f"k{number}", wait=True) for number in range(300)]
    waiting[-1].result(10)
    (count,) = counter.file.rows("SELECT count(*) FROM result")[0]
    assert count == 256


def test_a_screen_gets_the_view_at_once_and_then_only_the_newest(counter: Counter) -> None:
    async def watch() -> list[int]:
        feed = counter.desk.subscribe(1)
        seen = []
        first = await feed.next(5)
        assert first is not None
        seen.append(first.seq)
        for number in range(5):
            await asyncio.wrap_future(counter.desk.put(1, Add(number)))
        latest = await feed.next(5)
        assert latest is not None
        seen.append(latest.seq)
        assert await feed.next(0.05) is None
        counter.desk.unsubscribe(1, feed)
        await asyncio.wrap_future(counter.desk.put(1, Add()))
        assert await feed.next(0.05) is None
        return seen

    assert asyncio.run(watch()) == [0, 5]


def test_a_screen_whose_loop_is_gone_harms_nobody(counter: Counter) -> None:
    async def subscribe() -> None:
        counter.desk.subscribe(1)

    asyncio.run(subscribe())
    assert counter.do(Add(1)) == CommandResult(1)
