"""One lane: a worker thread that takes commands from a bounded queue, one at a time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import structlog

from edge.desk.feed import ViewSink
from edge.desk.metrics import COMMAND_FAILURES, COMMAND_SECONDS, QUEUE_DEPTH
from edge.desk.state import (
    Command,
    CommandResult,
    Handler,
    LaneState,
    Presenter,
    Refresh,
    Turn,
    View,
)
from edge.desk.store import DeskStore
from shared.kernel.errors import CorruptError, RetailError, UnavailableError

QUEUE_MAX = 64
HELD_MAX = 16
"""So many of them may be a scanner's: one that reads without end leaves room for people's taps."""
_PUT_TIMEOUT_S = 5.0
_log = structlog.get_logger("desk")


@dataclass(frozen=True, slots=True)
class Submission:
    """A command on its way; `arrived_s` is `time.perf_counter` at its arrival."""

    command: Command
    key: str | None
    future: Future[CommandResult]
    arrived_s: float = field(default_factory=time.perf_counter)


class Lane:
    """Owns a lane's state: only its thread changes it."""

    def __init__(
        self,
        state: LaneState,
        store: DeskStore,
        handlers: Mapping[type[Command], Handler],
        present: Presenter,
    ) -> None:
        self._state = state
        self._store = store
        self._handlers = handlers
        self._present = present
        self._queue: queue.Queue[Submission | None] = queue.Queue(QUEUE_MAX)
        self._held = threading.Semaphore(HELD_MAX)
        self._feeds: tuple[ViewSink, ...] = ()
        self._feeds_lock = threading.Lock()
        self._view = View(0, b"{}")
        self._depth = QUEUE_DEPTH.labels(str(state.lane))
        self._thread = threading.Thread(target=self._run, name=f"lane-{state.lane}", daemon=True)

    def start(self) -> None:
        """Show the saved state, then take commands."""
        self._view = self._viewed(self._state)
        self._thread.start()

    def stop(self) -> None:
        """Finish the command in hand and those before it in the queue."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    @property
    def state(self) -> LaneState:
        """The lane's state as of now."""
        return self._state

    @property
    def view(self) -> View:
        """What the lane shows now."""
        return self._view

    def put(self, command: Command, key: str | None, *, wait: bool) -> Future[CommandResult]:
        """Queue a command. A full queue refuses (`lane.busy`), or with `wait` holds the caller."""
        submission = Submission(command, key, Future())
        try:
            if wait:
                self._hold(submission)
            self._queue.put(submission, block=wait, timeout=_PUT_TIMEOUT_S if wait else None)
        except queue.Full:
            COMMAND_FAILURES.labels(type(command).__name__, "lane.busy").inc()
            submission.future.set_exception(UnavailableError("lane.busy", lane=self._state.lane))
        self._depth.set(self._queue.qsize())
        return submission.future

    def _hold(self, submission: Submission) -> None:
        """Wait for one of the places that there are for scanners; queue.Full where none comes."""
        if not self._held.acquire(timeout=_PUT_TIMEOUT_S):
            raise queue.Full
        submission.future.add_done_callback(lambda _: self._held.release())

    def attach(self, feed: ViewSink) -> None:
        """Let a screen follow; it gets the present view at once."""
        with self._feeds_lock:
            self._feeds = (*self._feeds, feed)
        feed.offer(self._view)

    def detach(self, feed: ViewSink) -> None:
        """The screen is gone."""
        with self._feeds_lock:
            self._feeds = tuple(each for each in self._feeds if each is not feed)

    def _run(self) -> None:
        while (submission := self._queue.get()) is not None:
            name = type(submission.command).__name__
            try:
                submission.future.set_result(self._take(submission))
            except RetailError as error:
                COMMAND_FAILURES.labels(name, error.code).inc()
                _log.info("refused", lane=self._state.lane, command=name, code=error.code)
                submission.future.set_exception(error)
            except Exception:  # noqa: BLE001 - see below
                # The outermost loop: whatever one command meets, the lane takes the next one.
                COMMAND_FAILURES.labels(name, "lane.fault").inc()
                _log.exception("fault", lane=self._state.lane, command=name)
                submission.future.set_exception(CorruptError("lane.fault", command=name))
            self._depth.set(self._queue.qsize())

    def _take(self, submission: Submission) -> CommandResult:
        command, key, lane = submission.command, submission.key, self._state.lane
        if key is not None:
            first = self._store.result(lane, key)
            if first is not None:
                return first
            if command.writes_sale:
                self._store.mark_pending(lane, key)
        turn = self._turn(command)
        state = replace(turn.state, seq=self._state.seq + 1)
        result = CommandResult(state.seq, turn.receipt_no)
        # What was paid of a basket stands nowhere else; a finished sale is in the journal.
        is_part_paid = command.writes_sale and turn.receipt_no is None
        self._store.save(state, key, result, is_synced=is_part_paid)
        self._state = state
        self._push(self._viewed(state))
        name = type(command).__name__
        COMMAND_SECONDS.labels(name).observe(time.perf_counter() - submission.arrived_s)
        for follow_up in turn.after:
            follow_up()
        return result

    def _turn(self, command: Command) -> Turn:
        if isinstance(command, Refresh):
            return Turn(self._state)
        return self._handlers[type(command)](self._state, command)

    def _viewed(self, state: LaneState) -> View:
        shown: dict[str, Any] = self._present(state)
        return View(state.seq, orjson.dumps(shown))

    def _push(self, view: View) -> None:
        with self._feeds_lock:
            self._view = view
            feeds = self._feeds
        for feed in feeds:
            feed.offer(view)
