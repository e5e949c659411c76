"""One LISTEN connection for all open consoles of this process.

PostgreSQL tells what was committed; each console has a bounded queue.  A console that cannot keep
up is cut off: its browser connects again and asks for the whole state, which a queue with holes
could never give back.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import orjson
import structlog

from cloud.db import Database
from shared.kernel.errors import RetailError

CHANNEL = "tillbox_live"
PUBLICATIONS = "tillbox_publication"
RELEASES = "tillbox_release"
WAITING_MAX = 256
POLL_S = 0.2
"""Also how long a box's changes are gathered: a box in a hurry is shown five times a second."""
ALL_BOXES = ""
BOXES_TOLD_MAX = 50
"""When more boxes than these move at once, consoles are told to ask for what they show."""
CUT_EVERY_S = 3.0
RETRY_S = 1.0
BEAT_S = 10.0

_log = structlog.get_logger("cloud.live")

Event = tuple[str, dict[str, Any]]
BoxEvents = Callable[[str], Iterable[Event] | None]
"""The events that show how a box (its device id), or every box (""), stands now.

None for more than a console can be told: it asks for the page that it shows instead.
"""


class Listener:
    """One console's queue; lives on the loop that made it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_MAX)
        self._is_cut = False

    def put(self, chunk: bytes | None) -> None:
        """Hand over from any thread; None ends the stream."""
        try:
            self._loop.call_soon_threadsafe(self._take, chunk)
        except RuntimeError:  # the loop has closed: nobody reads any more
            self._is_cut = True

    async def chunks(self, now_ms: Callable[[], int]) -> AsyncIterator[bytes]:
        """Everything that was put, and a beat whenever nothing was for a while."""
        yield encode("beat", {"t": now_ms()})
        while not (self._is_cut and self._waiting.empty()):
            try:
                chunk = await asyncio.wait_for(self._waiting.get(), BEAT_S)
            except TimeoutError:
                chunk = encode("beat", {"t": now_ms()})
            if chunk is None:
                return
            yield chunk

    def _take(self, chunk: bytes | None) -> None:
        if self._is_cut:
            return
        if chunk is None or self._waiting.full():
            self._is_cut = True
            while self._waiting.full():
                self._waiting.get_nowait()
            chunk = None
        self._waiting.put_nowait(chunk)


class LiveHub:
    """Hears of commits and tells the listeners.  `start` and `stop` once each."""

    def __init__(self, database: Database, box_events: BoxEvents) -> None:
        self._database = database
        self._box_events = box_events
        self._listeners: set[Listener] = set()
        self._moved: set[str] = set()
        self._cut_at = -CUT_EVERY_S
        self._shown_at = 0.0
        self._guard = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="live-hub", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End every stream, then the thread."""
        self._stopping.set()
        self._cut_everyone()
        if self._thread.is_alive():
            self._thread.join(timeout=POLL_S + RETRY_S + 1)

    def join(self) -> Listener:
        """A new listener, on the running loop; give it back with `leave`."""
        listener = Listener()
        with self._guard:
            self._listeners.add(listener)
        if self._stopping.is_set():
            listener.put(None)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        with self._guard:
            self._listeners.discard(listener)

    def _everyone(self) -> list[Listener]:
        with self._guard:
            return list(self._listeners)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                for notice in self._database.listen(CHANNEL, PUBLICATIONS, RELEASES, poll_s=POLL_S):
                    if self._stopping.is_set():
                        return
                    self._take(notice)
            except RetailError as error:
                _log.warning("live.waiting", because=str(error))
            except Exception:  # noqa: BLE001 - outermost loop of the hub: log and go on
                _log.exception("live.failed")
            self._cut_everyone()
            self._stopping.wait(RETRY_S)

    def _take(self, notice: tuple[str, str] | None) -> None:
        if notice is not None and notice[0] == PUBLICATIONS:
            self._moved.add(ALL_BOXES)
        elif notice is not None and notice[0] == RELEASES:
            self._tell([("release", orjson.loads(notice[1]))])
        elif notice is not None:
            told = orjson.loads(notice[1])
            self._moved.add(told["dev"])
            self._tell(("sale", sale) for sale in told.get("sales", ()))
        now_s = time.monotonic()
        if self._moved and now_s - self._shown_at >= POLL_S:
            self._shown_at = now_s
            self._show_moved()

    def _show_moved(self) -> None:
        if not self._everyone():
            self._moved.clear()
            return
        moved = (ALL_BOXES,) if ALL_BOXES in self._moved else tuple(self._moved)
        events = None if len(moved) > BOXES_TOLD_MAX else self._events_of(moved)
        if events is not None:
            self._moved.clear()
            self._tell(events)
        elif time.monotonic() - self._cut_at >= CUT_EVERY_S:
            self._moved.clear()
            self._cut_at = time.monotonic()
            self._cut_everyone()

    def _events_of(self, moved: Iterable[str]) -> list[Event] | None:
        found: list[Event] = []
        for dev in moved:
            events = self._box_events(dev)
            if events is None:
                return None
            found += events
        return found if len(found) <= WAITING_MAX // 2 else None

    def _tell(self, events: Iterable[Event]) -> None:
        listeners = self._everyone()
        for name, data in events if listeners else ():
            chunk = encode(name, data)
            for listener in listeners:
                listener.put(chunk)

    def _cut_everyone(self) -> None:
        """Make every console connect again and ask for the whole state."""
        for listener in self._everyone():
            listener.put(None)


def encode(name: str, data: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data))
