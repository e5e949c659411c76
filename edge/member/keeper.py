"""One thread that keeps the list of members fresh, and brings who joined here to head office."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge.member.office import Office, is_for_good
from edge.member.register import tell_of
from edge.member.store import MemberStore
from shared.kernel.clock import Clock
from shared.kernel.errors import RetailError

ASK_EVERY_S = 300.0
RETRY_S = 30.0
AWAY_S = 15.0
"""How soon to look again while there is no line."""
PIECES_MAX = 1000
_JOIN_S = 5.0
_log = structlog.get_logger("member")


@dataclass(frozen=True, slots=True)
class KeeperParts:
    """`jitter` gives uniform numbers in [0, 1); boxes that start together do not ask together."""

    store: MemberStore
    office: Office
    clock: Clock
    jitter: Callable[[], float]
    is_online: Callable[[], bool]


class MemberKeeper:
    """The thread; see the module."""

    def __init__(self, parts: KeeperParts) -> None:
        self._parts = parts
        self._wake = threading.Event()
        self._is_stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="members", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the request in hand."""
        self._is_stopping = True
        self._wake.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(_JOIN_S)

    def wake(self) -> None:
        """Somebody joined: do not wait for the next turn."""
        self._wake.set()

    def connected(self) -> None:
        """There is a line again: hurry only with what cannot wait, as all boxes may be back now."""
        if self._parts.store.chain() is None or self._parts.store.waiting():
            self._wake.set()

    def step(self) -> None:
        """Bring who waits, then ask what is new. Raises as `Office`.

        Whatever cannot be brought now, who was erased is heard of.
        """
        late = self._bring()
        self._ask()
        if late is not None:
            raise late

    def _ask(self) -> None:
        for _ in range(PIECES_MAX):
            chain = self._parts.store.chain()
            place = ("", "") if chain is None else (chain.epoch, chain.place)
            feed = self._parts.office.feed(*place)
            self._parts.store.take(feed, self._parts.clock.now_ms())
            if not feed.has_more or self._is_stopping:
                return

    def _bring(self) -> RetailError | None:
        """Why some still wait; None when nobody does."""
        for each in self._parts.store.waiting():
            try:
                known = self._parts.office.bring(each.member, each.sealed)
            except RetailError as error:
                if not is_for_good(error):
                    return error
                # It will never be taken: kept, it would stand in the way of all that come after.
                _log.error("member.not_taken", member=each.member, code=error.code)
                self._parts.store.brought(each.member, None)
            else:
                self._parts.store.brought(each.member, known)
        return None

    def _run(self) -> None:
        while not self._is_stopping:
            wait_s = AWAY_S
            if self._parts.is_online():
                wait_s = self._try()
            self._wake.wait(wait_s * (0.5 + self._parts.jitter()))
            self._wake.clear()

    def _try(self) -> float:
        try:
            self.step()
        except RetailError as error:
            tell_of(error)
        except Exception:  # noqa: BLE001 - outermost loop: without this thread nobody who joined is heard of
            _log.exception("member.crashed")
        else:
            return ASK_EVERY_S
        return RETRY_S
