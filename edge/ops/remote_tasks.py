"""What head office can ask of a box: test page, logs, restart, offline drill, self-test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from edge.ops.fault_book import SelfTestRow
from edge.ops.log_pack import LogOffice, LogParts, pack
from edge.ops.remote import RESTART, Outcome, Task
from shared.kernel.errors import RefusedError
from shared.wire.message import DesiredCommand

ANSWER_S = 60.0
DRILL_MINUTES_MAX = 60
CAUGHT_UP_S = 120.0
UPLOAD_TRIES, UPLOAD_PAUSE_S = 4, 5.0
_LOOK_S = 0.2
RESTARTS_HOURLY, DRILLS_HOURLY, TESTS_HOURLY, PAGES_HOURLY, LOGS_HOURLY = 3, 2, 6, 12, 12


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts since the box started: entries and sales written, and entries not acknowledged."""

    entries: int
    sales: int
    unsynced: int


@dataclass(frozen=True, slots=True)
class TaskParts:
    """What the tasks work with.

    `printers` are the ids of those that there are; `hold_line` keeps the box away from head office
    for so many seconds; `restart` has the service end, whose supervisor starts it again;
    `price_check` says in one line what an item costs here.
    """

    print_test_page: Callable[[str], Future[str]]
    printers: Callable[[], tuple[str, ...]]
    begin_self_test: Callable[[str], Future[SelfTestRow]]
    logs: LogParts
    office: LogOffice
    hold_line: Callable[[float], None]
    figures: Callable[[], Figures]
    mono_ms: Callable[[], int]
    is_quiet: Callable[[], bool]
    restart: Callable[[], None]
    price_check: Callable[[Mapping[str, str]], str]
    minute_s: float = 60.0


def tasks_of(parts: TaskParts) -> Mapping[str, Task]:
    """Each kind of command. Only a restart waits for open baskets: the others disturb nobody."""
    return {
        "test_page": Task(lambda command, _: _test_page(parts, command), hourly=PAGES_HOURLY),
        "collect_logs": Task(
            lambda command, stopping: _collect_logs(parts, command, stopping), hourly=LOGS_HOURLY
        ),
        RESTART: Task(lambda *_: _restart(parts), parts.is_quiet, RESTARTS_HOURLY),
        "offline_drill": Task(
            lambda command, stopping: _drill(parts, command, stopping), hourly=DRILLS_HOURLY
        ),
        "self_test": Task(lambda *_: _self_test(parts), hourly=TESTS_HOURLY),
        "price_check": Task(
            lambda command, _: Outcome("done", detail=parts.price_check(command.args))
        ),
    }


def _test_page(parts: TaskParts, command: DesiredCommand) -> Outcome:
    there = parts.printers()
    printer = command.args.get("printer") or (there[0] if there else "")
    if printer not in there:
        raise RefusedError("command.no_printer")
    outcome = parts.print_test_page(printer).result(ANSWER_S)
    if outcome == "printed":
        return Outcome("done", detail=f"printer={printer}")
    code = "command.print_unknown" if outcome == "unknown" else "command.not_printed"
    return Outcome("failed", code, f"printer={printer}")


def _collect_logs(
    parts: TaskParts, command: DesiredCommand, stopping: threading.Event
) -> Outcome | None:
    packed = pack(parts.logs)
    for attempt in range(UPLOAD_TRIES):
        try:
            name = parts.office.put(command.id, packed)
        except RefusedError:
            raise
        except Exception:
            if attempt == UPLOAD_TRIES - 1:
                raise
            if stopping.wait(UPLOAD_PAUSE_S):
                return None
        else:
            return Outcome("done", detail=f"bytes={len(packed)}", object=name)
    return None


def _restart(parts: TaskParts) -> None:
    parts.restart()


def _self_test(parts: TaskParts) -> Outcome:
    row = parts.begin_self_test("head office").result(ANSWER_S)
    failed = sorted(
        f"{name}:{result}" for name, result in row.results.items() if result != "passed"
    )
    said = f"tested={len(row.results)} failed={len(failed)}"
    if not failed:
        return Outcome("done", detail=said)
    return Outcome("failed", "command.self_test_failed", " ".join((said, *failed)))


def _drill(parts: TaskParts, command: DesiredCommand, stopping: threading.Event) -> Outcome | None:
    """Sell without head office for a while, then see how soon it has everything.

    Its score: sales and entries written meanwhile, the most that waited, how soon all was sent.
    """
    minutes = _minutes(command)
    before = parts.figures()
    parts.hold_line(minutes * parts.minute_s)
    try:
        if stopping.wait(minutes * parts.minute_s):
            return None
    finally:
        parts.hold_line(0)
    after = parts.figures()
    caught_up_ms = _caught_up(parts, stopping)
    said = (
        f"minutes={minutes} sales={after.sales - before.sales}"
        f" entries={after.entries - before.entries} waited={after.unsynced}"
    )
    if caught_up_ms is None:
        return Outcome("failed", "command.not_caught_up", said)
    return Outcome("done", detail=f"{said} caught_up_ms={caught_up_ms}")


def _minutes(command: DesiredCommand) -> int:
    said = command.args.get("minutes", "5")
    if not said.isdecimal() or not 1 <= int(said) <= DRILL_MINUTES_MAX:
        raise RefusedError("command.args")
    return int(said)


def _caught_up(parts: TaskParts, stopping: threading.Event) -> int | None:
    began_ms = parts.mono_ms()
    while parts.mono_ms() - began_ms < CAUGHT_UP_S * 1000:
        if parts.figures().unsynced <= 0:
            return parts.mono_ms() - began_ms
        if stopping.wait(_LOOK_S):
            return None
    return None
