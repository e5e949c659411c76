"""A conversation over a file descriptor that does not block: sockets, terminals, `/dev/usb/lp0`.

A stalled printer takes nothing and says nothing; every wait here ends by itself.
"""

from __future__ import annotations

import errno
import os
import select
import time
from collections.abc import Callable
from contextlib import suppress

from edge.device.ports import PrinterCondition
from edge.device.transport import CHUNK, LineError, line_error

_TURN_S = 0.02
_GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
_LATER = frozenset({errno.EAGAIN, errno.EINTR})


class DescriptorConversation:
    """Conversation over `descriptor`; `let_go` closes it.

    `waiting` gives how many bytes the driver holds that the printer has not taken.  `condition`
    asks the port's wires.  `is_stream`: a read that gives nothing is the end.
    """

    def __init__(
        self,
        descriptor: int,
        let_go: Callable[[], None],
        waiting: Callable[[], int] = lambda: 0,
        condition: Callable[[], PrinterCondition | None] = lambda: None,
        *,
        is_stream: bool = False,
    ) -> None:
        self._descriptor = descriptor
        self._let_go = let_go
        self._waiting = waiting
        self.port_condition = condition
        self._poll = select.poll()
        self._is_stream = is_stream

    def send(self, data: bytes, stall_s: float) -> None:
        """Hand over all of `data`, and wait until the driver holds none of it."""
        taken, view = 0, memoryview(data)
        moved_s = time.monotonic()
        while taken < len(data):
            count = self._write(view[taken : taken + CHUNK], taken)
            taken += count
            moved_s = self._moved(moved_s, stall_s, taken, is_moved=count > 0)
        held = len(data)
        while (rest := self._held(taken)) > 0:
            moved_s = self._moved(moved_s, stall_s, taken, is_moved=rest < held)
            held = rest
            time.sleep(_TURN_S)

    def receive(self, within_s: float) -> bytes:
        """What has come in."""
        until_s = time.monotonic() + within_s
        while True:
            events = self._events(select.POLLIN, max(until_s - time.monotonic(), 0))
            data = self._read() if events else b""
            # A terminal may be called ready and give nothing; a socket that gives nothing is over.
            if not data and events and (self._is_stream or events & _GONE):
                raise LineError("printer.unreachable", is_absent=True)
            if data or time.monotonic() >= until_s:
                return data
            time.sleep(_TURN_S if events else 0)

    def close(self) -> None:
        """Let it go."""
        with suppress(OSError):
            self._let_go()

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, CHUNK)
        except OSError as error:
            if error.errno in _LATER:
                return b""
            raise line_error(error) from error

    def _write(self, data: memoryview, taken: int) -> int:
        if not self._is_ready(select.POLLOUT, _TURN_S):
            return 0
        try:
            return os.write(self._descriptor, data)
        except OSError as error:
            if error.errno in _LATER:
                time.sleep(_TURN_S)
                return 0
            raise line_error(error, taken) from error

    def _held(self, taken: int) -> int:
        """What the driver still has; a driver that only says "not yet" counts as one byte."""
        try:
            rest = self._waiting()
        except OSError as error:
            raise line_error(error, taken) from error
        return rest or (0 if self._is_ready(select.POLLOUT, 0) else 1)

    def _moved(self, moved_s: float, stall_s: float, taken: int, *, is_moved: bool) -> float:
        now_s = time.monotonic()
        if is_moved:
            return now_s
        if now_s - moved_s > stall_s:
            raise LineError("printer.stalled", taken=taken)
        return moved_s

    def _is_ready(self, event: int, within_s: float) -> bool:
        """Whether to read or write now; true as well when that will tell what is wrong."""
        return bool(self._events(event, within_s))

    def _events(self, event: int, within_s: float) -> int:
        self._poll.register(self._descriptor, event)
        found = self._poll.poll(within_s * 1000)
        return found[0][1] if found else 0
