"""Does what head office asks, each thing at most once, and tells the result until it is known.

Commands stand in the desired document until head office has their results, so one that comes twice,
or again after a restart, is found in the book and only its result is sent anew. A command that was
begun when the box went down is not tried again: nobody knows how far it came.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import structlog

from edge.ops.command_book import HOURLY_MAX, CommandBook, Done
from shared.kernel.errors import RefusedError, RetailError
from shared.wire.message import CommandResult, DesiredCommand, DesiredState

LOOK_EVERY_S = 5.0
TELL_EVERY_MS = 60_000
DETAIL_MAX = 256
RESTART = "restart"
_JOIN_S = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command; see CommandResult."""

    state: str
    code: str = ""
    detail: str = ""
    object: str = ""


Run = Callable[[DesiredCommand, threading.Event], Outcome | None]
"""Does it; the event ends what takes long. None: the result comes with the next start."""


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of command; `may_begin` says whether now is the time, else it is asked again.

    At most `hourly` of the kind are done in an hour. Commands are not signed: whoever has the
    broker may ask for restarts without end, and the store has to sell.
    """

    run: Run
    may_begin: Callable[[], bool] = lambda: True
    hourly: int = HOURLY_MAX


@dataclass(frozen=True, slots=True)
class RemoteParts:
    """What it works with; `now_ms` the time that is trusted most, `tell` False without a line."""

    book: CommandBook
    tasks: Mapping[str, Task]
    now_ms: Callable[[], int]
    mono_ms: Callable[[], int]
    tell: Callable[[CommandResult], bool]


class Remote:
    """The thread that does commands, one after the other."""

    def __init__(self, parts: RemoteParts) -> None:
        self._parts = parts
        self._wanted: tuple[DesiredCommand, ...] | None = None
        self._is_news = False
        self._told_at_ms: dict[str, int] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Give what was under way when the box went down its result, then listen."""
        self._stopping.clear()
        self._settle_begun()
        self._thread = threading.Thread(target=self._run, name="remote", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End what takes long; it gets its result with the next start."""
        self._stopping.set()
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def desire(self, state: DesiredState) -> None:
        """Take what head office wants now; returns at once."""
        self._wanted, self._is_news = state.commands, True
        self._wake.set()

    def turn(self) -> None:
        """Do what is to be done, and tell what is to be told."""
        wanted, is_news, self._is_news = self._wanted, self._is_news, False
        for command in wanted or ():
            if self._stopping.is_set():
                return
            self._consider(command)
        standing = {command.id for command in wanted or ()}
        for done in self._parts.book.untold():
            self._report(done, is_standing=wanted is None or done.id in standing, is_news=is_news)

    def _settle_begun(self) -> None:
        now_ms = self._parts.now_ms()
        for row in self._parts.book.begun():
            is_restart = row.kind == RESTART
            state, code = ("done", "") if is_restart else ("failed", "command.interrupted")
            self._parts.book.finish(replace(row, state=state, at_ms=now_ms, code=code))

    def _consider(self, command: DesiredCommand) -> None:
        parts = self._parts
        if parts.book.find(command.id) is not None:
            return
        task, now_ms = parts.tasks.get(command.kind), parts.now_ms()
        if not parts.book.has_room("", HOURLY_MAX, now_ms):
            return
        if now_ms > command.not_after:
            self._begin(command, lambda *_: Outcome("expired", "command.expired"))
        elif task is None:
            self._begin(command, lambda *_: Outcome("refused", "command.unknown_kind"))
        elif parts.book.has_room(command.kind, task.hourly, now_ms) and task.may_begin():
            self._begin(command, task.run)

    def _begin(self, command: DesiredCommand, run: Run) -> None:
        book, now_ms = self._parts.book, self._parts.now_ms
        if not book.begin(command, now_ms()):
            return
        _log.info("command.begun", id=command.id, kind=command.kind)
        outcome = self._outcome(command, run)
        if outcome is None:
            return
        detail = "".join(each if each.isprintable() else " " for each in outcome.detail)
        done = Done(
            command.id,
            command.kind,
            outcome.state,
            now_ms(),
            outcome.code,
            detail[:DETAIL_MAX],
            outcome.object,
        )
        book.finish(done)
        _log.info("command.ended", id=done.id, kind=done.kind, state=done.state, code=done.code)

    def _outcome(self, command: DesiredCommand, run: Run) -> Outcome | None:
        try:
            return run(command, self._stopping)
        except RetailError as error:
            state = "refused" if isinstance(error, RefusedError) else "failed"
            return Outcome(state, error.code)
        except Exception:  # noqa: BLE001 - a task's defect is that command's result
            _log.exception("command.failed", kind=command.kind)
            return Outcome("failed", "command.crashed")

    def _report(self, done: Done, *, is_standing: bool, is_news: bool) -> None:
        """Send a result until head office wants its command no more.

        A document may have been under way before the first result: it takes a second one.
        """
        parts, now_ms = self._parts, self._parts.mono_ms()
        if not is_standing and done.told > 1:
            parts.book.known(done.id, parts.now_ms())
            self._told_at_ms.pop(done.id, None)
            return
        last_ms = self._told_at_ms.get(done.id)
        if last_ms is not None and not is_news and now_ms - last_ms < TELL_EVERY_MS:
            return
        if parts.tell(done.result):
            self._told_at_ms[done.id] = now_ms
            parts.book.told(done)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except Exception:  # noqa: BLE001 - outermost loop: a full disk must not end all commands
                _log.exception("remote.turn_failed")
            self._wake.wait(LOOK_EVERY_S)
            self._wake.clear()
