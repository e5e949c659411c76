"""From a lane's thread to the event loop: the newest view wins, nobody waits for a slow screen."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Protocol

from edge.desk.state import View


class ViewSink(Protocol):
    """Whoever follows a lane's views."""

    def offer(self, view: View) -> None:
        """Take a view, at once and from any thread; a newer one makes it worthless."""


class Feed:
    """One screen's view of a lane. `offer` may be called from any thread, the rest in the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._changed = asyncio.Event()
        self._latest: View | None = None

    def offer(self, view: View) -> None:
        """Hand over a view; an older one that was not taken yet is dropped."""
        self._latest = view
        # The loop may be closed while a lane still works off its queue at the end.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._changed.set)

    async def next(self, timeout_s: float) -> View | None:
        """The newest view that was not taken yet; None when there was none in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return None
        self._changed.clear()
        return self._latest
