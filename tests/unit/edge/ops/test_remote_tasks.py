"""What head office can ask of a box, with each thing that may go wrong."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge.ops.fault_book import SelfTestRow
from edge.ops.log_pack import LogParts
from edge.ops.remote import Outcome
from edge.ops.remote_tasks import Figures, TaskParts, tasks_of
from shared.kernel.errors import RefusedError, UnavailableError
from shared.wire.message import DesiredCommand
from tests.unit.edge.ops.packs import unpacked

MONO_STEP_MS = 1_000


@dataclass
class Store:
    """A store whose parts do what they are told."""

    printed: str = "printed"
    results: dict[str, str] = field(default_factory=lambda: {"box:disk": "passed"})
    figures: list[Figures] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    failures: int = 0
    handed_in: list[bytes] = field(default_factory=list)
    mono_ms: int = 0

    def put(self, command_id: str, packed: bytes) -> str:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("command.upload")
        self.handed_in.append(packed)
        return command_id

    def run(
        self, kind: str, stopping: threading.Event | None = None, **args: str
    ) -> Outcome | None:
        def tick() -> int:
            self.mono_ms += MONO_STEP_MS
            return self.mono_ms

        def figures() -> Figures:
            return self.figures.pop(0) if len(self.figures) > 1 else self.figures[0]

        parts = TaskParts(
            print_test_page=lambda _: done(self.printed),
            printers=lambda: ("printer-1",) if self.printed else (),
            begin_self_test=lambda by: done(SelfTestRow(0, self.results, by)),
            logs=LogParts(lambda: ['{"event":"ready"}'], dict, lambda: ()),
            office=self,
            hold_line=self.held.append,
            figures=figures,
            mono_ms=tick,
            is_quiet=lambda: True,
            restart=lambda: None,
            price_check=str,
            minute_s=0.0,
        )
        command = DesiredCommand("a1", kind, 0, args)
        return tasks_of(parts)[kind].run(command, stopping or threading.Event())


def done(value: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(value)
    return future


@pytest.mark.parametrize(
    ("printed", "state", "code"),
    [
        ("printed", "done", ""),
        ("not_printed", "failed", "command.not_printed"),
        ("unknown", "failed", "command.print_unknown"),
    ],
)
def test_a_test_page_says_whether_it_came_out(printed: str, state: str, code: str) -> None:
    outcome = Store(printed).run("test_page")
    assert outcome is not None
    assert (outcome.state, outcome.code, outcome.detail) == (state, code, "printer=printer-1")


def test_a_printer_that_is_not_there_is_refused() -> None:
    with pytest.raises(RefusedError, match="no_printer"):
        Store().run("test_page", printer="printer-9")
    with pytest.raises(RefusedError, match="no_printer"):
        Store("").run("test_page")


def test_a_self_test_names_what_failed() -> None:
    store = Store(results={"box:disk": "passed", "printer-1": "printer.paper_out"})
    outcome = store.run("self_test")
    assert outcome is not None
    assert (outcome.state, outcome.code) == ("failed", "command.self_test_failed")
    assert outcome.detail == "tested=2 failed=1 printer-1:printer.paper_out"


def test_logs_are_handed_in_again_when_the_line_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.ops.remote_tasks.UPLOAD_PAUSE_S", 0.0)
    store = Store(failures=3)
    outcome = store.run("collect_logs")
    assert outcome is not None
    assert (outcome.state, outcome.object) == ("done", "a1")
    assert unpacked(store.handed_in[0])[-1] == {"event": "ready"}
    with pytest.raises(UnavailableError):
        Store(failures=9).run("collect_logs")


def test_a_drill_tells_what_was_sold_and_how_soon_all_had_arrived() -> None:
    waiting = [Figures(10, 2, 0), Figures(25, 7, 15), Figures(25, 7, 9), Figures(25, 7, 0)]
    store = Store(figures=waiting)
    outcome = store.run("offline_drill", minutes="5")
    assert outcome is not None
    assert outcome.state == "done"
    assert outcome.detail.startswith("minutes=5 sales=5 entries=15 waited=15 caught_up_ms=")
    assert store.held == [0.0, 0]


def test_a_drill_after_which_nothing_arrives_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.ops.remote_tasks._LOOK_S", 0.0)
    outcome = Store(figures=[Figures(10, 0, 3)]).run("offline_drill", minutes="1")
    assert outcome is not None
    assert (outcome.state, outcome.code) == ("failed", "command.not_caught_up")


@pytest.mark.parametrize("minutes", ["0", "61", "-1", "x", "", "1e1"])
def test_a_drill_of_a_senseless_length_is_refused_and_the_line_stays(minutes: str) -> None:
    store = Store(figures=[Figures(0, 0, 0)])
    with pytest.raises(RefusedError, match=r"command\.args"):
        store.run("offline_drill", minutes=minutes)
    assert store.held == []


def test_a_box_that_is_switched_off_in_a_drill_lets_its_line_go() -> None:
    store, stopping = Store(figures=[Figures(0, 0, 0)]), threading.Event()
    stopping.set()
    assert store.run("offline_drill", stopping, minutes="1") is None
    assert store.held == [0.0, 0]
