"""The desk: all lanes of the store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

from edge.desk.feed import Feed, ViewSink
from edge.desk.lane import Lane
from edge.desk.state import Command, CommandResult, Handler, LaneState, Presenter, Refresh, View
from edge.desk.store import DeskStore
from shared.kernel.errors import MissingError

Recover = Callable[[LaneState], tuple[LaneState, str | None]]
"""Brings a saved lane up to what the journal knows; gives the receipt number it found there."""


class Desk:
    """Starts the lanes with what was saved and carries commands to them."""

    def __init__(self, store: DeskStore, lanes: Sequence[int]) -> None:
        self._store = store
        self._numbers = tuple(lanes)
        self._lanes: dict[int, Lane] = {}

    def start(
        self, handlers: Mapping[type[Command], Handler], present: Presenter, recover: Recover
    ) -> None:
        """Bring every lane back as it was; a sale that the journal has is not open any more."""
        for number in self._numbers:
            state, pending_key = self._store.load(number)
            state, receipt_no = recover(state)
            key = pending_key if receipt_no is not None else None
            self._store.save(state, key, CommandResult(state.seq, receipt_no))
            self._lanes[number] = Lane(state, self._store, handlers, present)
        for lane in self._lanes.values():
            lane.start()

    def stop(self) -> None:
        """Let each lane finish what it has in hand."""
        for lane in self._lanes.values():
            lane.stop()

    @property
    def numbers(self) -> tuple[int, ...]:
        """Lane numbers."""
        return self._numbers

    def put(
        self, lane: int, command: Command, key: str | None = None, *, wait: bool = False
    ) -> Future[CommandResult]:
        """Queue a command at a lane; MissingError `lane.unknown`.

        With `wait` a full queue holds the caller back for some seconds (a scanner's thread),
        without it the future fails at once with `lane.busy`.
        """
        return self._lane(lane).put(command, key, wait=wait)

    def refresh(self) -> None:
        """Show every lane again."""
        for lane in self._lanes.values():
            lane.put(Refresh(), None, wait=False)

    def state(self, lane: int) -> LaneState:
        """A lane's state as of now."""
        return self._lane(lane).state

    def view(self, lane: int) -> View:
        """What a lane shows now."""
        return self._lane(lane).view

    def pins(self) -> set[int]:
        """Catalogue revisions that open baskets were priced with, and that undo may need."""
        baskets = [
            basket
            for lane in self._lanes.values()
            for basket in (lane.state.basket, lane.state.before)
            if basket is not None
        ]
        return {basket.revision for basket in baskets} - {0}

    def subscribe(self, lane: int) -> Feed:
        """A feed of a lane's views, for the running event loop."""
        feed = Feed(asyncio.get_running_loop())
        self._lane(lane).attach(feed)
        return feed

    def watch(self, lane: int, sink: ViewSink) -> None:
        """Let somebody outside the event loop follow a lane's views from now on."""
        self._lane(lane).attach(sink)

    def unsubscribe(self, lane: int, feed: Feed) -> None:
        """End a feed."""
        self._lane(lane).detach(feed)

    def _lane(self, number: int) -> Lane:
        try:
            return self._lanes[number]
        except KeyError:
            raise MissingError("lane.unknown", lane=number) from None
