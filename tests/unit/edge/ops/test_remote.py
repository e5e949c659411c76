"""Commands are done at most once, whatever comes twice, is lost, or dies in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.desk.migrations import MIGRATIONS
from edge.ops.command_book import HOURLY_MAX, CommandBook
from edge.ops.remote import RESTART, Outcome, Remote, RemoteParts, Task
from edge.sqlite import Writer
from shared.kernel.errors import RefusedError
from shared.wire.message import CommandResult, DesiredCommand, DesiredState

NOW_MS = 1_795_000_000_000


class Machine:
    """A box that counts what it does; its line can be down."""

    def __init__(self, path: Path) -> None:
        self.now_ms = NOW_MS
        self.done: list[str] = []
        self.told: list[CommandResult] = []
        self.is_up = True
        self.is_quiet = True
        self.file = Writer(path / "desk.db", "NORMAL")
        self.remote = self.started()

    def started(self) -> Remote:
        self.file.open(MIGRATIONS)
        self.book = CommandBook(self.file)
        tasks = {
            "beep": Task(self._run(lambda: Outcome("done", detail="n=1\x00\n2"))),
            "break": Task(self._run(self._break)),
            "refuse": Task(self._run(self._refuse)),
            "wait": Task(self._run(lambda: Outcome("done")), lambda: self.is_quiet),
            "rare": Task(self._run(lambda: Outcome("done")), hourly=3),
            RESTART: Task(self._run(lambda: None)),
        }
        parts = RemoteParts(self.book, tasks, lambda: self.now_ms, lambda: self.now_ms, self._tell)
        self.remote = Remote(parts)
        self.remote._settle_begun()
        return self.remote

    def restart(self) -> None:
        self.file.close()
        self.started()

    def desire(self, *commands: DesiredCommand, gen: int = 1) -> None:
        self.remote.desire(DesiredState(gen, "inc", commands=commands))
        self.remote.turn()

    def _run(self, work: Callable[[], Outcome | None]) -> Callable[..., Outcome | None]:
        def run(command: DesiredCommand, _: threading.Event) -> Outcome | None:
            self.done.append(command.id)
            return work()

        return run

    def _tell(self, result: CommandResult) -> bool:
        if self.is_up:
            self.told.append(result)
        return self.is_up

    def _break(self) -> Outcome:
        message = "out of order"
        raise OSError(message)

    def _refuse(self) -> Outcome:
        raise RefusedError("command.args")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path)
    yield made
    made.file.close()


def a_command(kind: str = "beep", name: str = "a1", minutes: int = 10) -> DesiredCommand:
    return DesiredCommand(name, kind, NOW_MS + minutes * 60_000)


def test_a_command_is_done_once_however_often_it_comes(box: Machine) -> None:
    for _ in range(3):
        box.desire(a_command())
    box.restart()
    box.desire(a_command())
    assert box.done == ["a1"]
    assert {result.state for result in box.told} == {"done"}
    assert box.told[0].detail == "n=1  2"


def test_a_result_is_told_until_the_command_is_wanted_no_more(box: Machine) -> None:
    box.is_up = False
    box.desire(a_command())
    assert box.told == []
    box.is_up = True
    box.remote.turn()
    box.desire(a_command())
    box.desire(gen=2)
    assert [result.id for result in box.told] == ["a1", "a1"]
    box.now_ms += 10**9
    box.desire(gen=3)
    assert len(box.told) == 2
    assert box.book.untold() == []


def test_a_result_that_was_sent_once_only_is_sent_again_though_unwanted(box: Machine) -> None:
    """The document without it may have been made before the result arrived."""
    box.desire(a_command())
    box.desire(gen=2)
    assert len(box.told) == 2


def test_what_was_begun_when_the_box_died_is_not_done_again(box: Machine) -> None:
    assert box.book.begin(a_command(), NOW_MS)
    box.restart()
    box.desire(a_command())
    assert box.done == []
    assert (box.told[0].state, box.told[0].code) == ("failed", "command.interrupted")


def test_a_restart_is_done_once_the_box_is_back(box: Machine) -> None:
    box.desire(a_command(RESTART))
    assert box.told == []
    box.restart()
    box.desire(a_command(RESTART))
    assert (box.done, box.told[0].state) == (["a1"], "done")


def test_an_old_command_is_let_expire(box: Machine) -> None:
    box.desire(a_command(minutes=-1))
    assert (box.done, box.told[0].state, box.told[0].code) == ([], "expired", "command.expired")


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        ("fly", "refused", "command.unknown_kind"),
        ("refuse", "refused", "command.args"),
        ("break", "failed", "command.crashed"),
    ],
)
def test_what_cannot_be_done_says_so(box: Machine, kind: str, state: str, code: str) -> None:
    box.desire(a_command(kind))
    box.desire(a_command(kind))
    assert (box.told[0].state, box.told[0].code) == (state, code)
    assert len(box.done) <= 1


def test_a_command_waits_for_a_quiet_moment_and_expires_without_one(box: Machine) -> None:
    box.is_quiet = False
    box.desire(a_command("wait"), a_command("wait", "b2", minutes=1))
    assert box.done == []
    box.now_ms += 2 * 60_000
    box.remote.turn()
    assert [(result.id, result.state) for result in box.told] == [("b2", "expired")]
    box.is_quiet = True
    box.remote.turn()
    assert box.done == ["a1"]


def test_old_commands_are_forgotten_but_never_those_that_head_office_may_ask_for(
    box: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.ops.command_book.KEPT_MAX", 2)
    for number in range(4):
        box.desire(a_command(name=f"c{number}"))
        box.desire(gen=2)
        box.desire(gen=3)
    assert box.book.find("c0") is not None
    box.now_ms += 200 * 86_400_000
    box.book.known("c3", box.now_ms)
    assert [box.book.find(f"c{n}") is None for n in range(4)] == [True, True, False, False]


def test_a_box_restarts_a_few_times_in_an_hour_whoever_asks(box: Machine) -> None:
    for number in range(9):
        box.desire(a_command("rare", f"r{number}", minutes=600))
        box.restart()
    assert box.done == ["r0", "r1", "r2"]
    box.now_ms += 61 * 60_000
    box.desire(a_command("rare", "r9", minutes=600), a_command(name="a1", minutes=600))
    assert box.done[3:] == ["r9", "a1"]


def test_a_flood_of_commands_fills_no_disk(box: Machine) -> None:
    flood = [a_command("fly" if n % 2 else "beep", f"f{n}") for n in range(HOURLY_MAX + 20)]
    box.desire(*flood)
    assert sum(box.book.find(each.id) is not None for each in flood) == HOURLY_MAX
    box.now_ms += 61 * 60_000
    box.desire(a_command(name="a1", minutes=600))
    assert box.done[-1] == "a1"
