"""A bad line on purpose: a TCP proxy that delays, slices, stalls, swallows, cuts and resets.

Each direction has toxics of its own, changed at any time from any thread.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self

from tests.lab.net import LOOPBACK

READ_BYTES = 65_536
POLL_S = 0.005
RESET_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Toxics:
    """What happens to the bytes of one direction; 0 and "" are off.

    `latency_ms` plus up to `jitter_ms` never reorders.  A share `stall_share` of the pieces waits
    another `stall_ms`, as a lost segment does.  While `is_held` bytes wait (a partition), while
    `is_swallowing` they vanish (half-open).  A reset comes once, after `reset_after_bytes` or when
    `cut_at` passes in one piece; with `is_cut_after` the far side still gets that.
    """

    latency_ms: float = 0
    jitter_ms: float = 0
    bytes_per_s: int = 0
    slice_bytes: int = 0
    stall_share: float = 0
    stall_ms: float = 0
    is_held: bool = False
    is_swallowing: bool = False
    reset_after_bytes: int = 0
    cut_at: bytes = b""
    is_cut_after: bool = False
    passed_bytes: int = 0


class FaultProxy:
    """Passes on to `target`, a loopback port or a Unix socket."""

    def __init__(self, target: int | Path, seed: int = 1) -> None:
        self.target = target
        self.port = 0
        self.up = Toxics()
        self.down = Toxics()
        self.connections = 0
        self.cuts = 0
        self.dice = random.Random(seed)  # noqa: S311 - faults are repeatable, not secret
        self._pairs: set[_Pair] = set()
        self._loop = asyncio.new_event_loop()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    def start(self) -> Self:
        """Listen on a free port, told by `port`."""
        self._thread.start()
        assert self._is_up.wait(5)
        return self

    def stop(self) -> None:
        """Reset what is open and end."""
        self.end_all("reset")
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def heal(self) -> None:
        """Take all toxics away; what was held goes on, what was swallowed is gone."""
        self.up, self.down = Toxics(), Toxics()

    def partition(self) -> None:
        """Hold everything, on new connections too, until `heal`."""
        self.up.is_held = self.down.is_held = True

    def swallow(self) -> None:
        """Leave every connection open and pass nothing on: neither side hears of it."""
        self.up.is_swallowing = self.down.is_swallowing = True

    def end_all(self, how: Literal["reset", "close"]) -> None:
        """End every connection on both sides, rudely (RST) or politely (FIN)."""

        def end() -> None:
            for pair in list(self._pairs):
                pair.end(is_rude=how == "reset")

        self._loop.call_soon_threadsafe(end)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, LOOPBACK, 0))
        self.port = server.sockets[0].getsockname()[1]
        self._is_up.set()
        self._loop.run_forever()
        server.close()
        for task in (tasks := asyncio.all_tasks(self._loop)):
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        pair = _Pair(self, [(reader, writer)])
        self._pairs.add(pair)
        with suppress(OSError, asyncio.CancelledError):
            if isinstance(self.target, Path):
                pair.sides.append(await asyncio.open_unix_connection(self.target))
            else:
                pair.sides.append(await asyncio.open_connection(LOOPBACK, self.target))
            near, far = pair.sides
            up, down = _Way(pair, near[0], far[1], True), _Way(pair, far[0], near[1], False)
            await asyncio.gather(up.read(), up.write(), down.read(), down.write())
        pair.end(is_rude=False)
        for _, late in pair.sides:  # it may have been ended while the far side was being dialled
            late.close()
        self._pairs.discard(pair)


@dataclass(eq=False, slots=True)
class _Pair:
    """One connection through the proxy: the near side, then the far one."""

    proxy: FaultProxy
    sides: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    is_ending: bool = False
    is_over: bool = False

    def end(self, *, is_rude: bool) -> None:
        if self.is_over:
            return
        self.is_ending = self.is_over = True
        self.proxy.cuts += is_rude
        for _, writer in self.sides:
            sock = writer.get_extra_info("socket")
            if is_rude and sock.family == socket.AF_INET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
            (writer.transport.abort if is_rude else writer.close)()


@dataclass(slots=True)
class _Way:
    """One direction of a pair: what was read waits in a queue until it is due."""

    pair: _Pair
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    is_up: bool
    queue: asyncio.Queue[tuple[float, bytes]] = field(default_factory=asyncio.Queue)

    @property
    def toxics(self) -> Toxics:
        return self.pair.proxy.up if self.is_up else self.pair.proxy.down

    async def read(self) -> None:
        data, now_s = b"x", asyncio.get_running_loop().time
        while data:
            data = b""
            with suppress(OSError):
                data = await self.reader.read(READ_BYTES)
            wait_ms = self.toxics.latency_ms + self.toxics.jitter_ms * self.pair.proxy.dice.random()
            self.queue.put_nowait((now_s() + wait_ms / 1000, data))

    async def write(self) -> None:
        data, now_s = b"x", asyncio.get_running_loop().time
        with suppress(OSError):
            while data:
                due_s, data = await self.queue.get()
                await asyncio.sleep(due_s - now_s())
                size = self.toxics.slice_bytes or len(data) or 1
                for start in range(0, len(data), size):
                    await self._pass_on(data[start : start + size])
            self.writer.write_eof()

    async def _pass_on(self, piece: bytes) -> None:
        while self.toxics.is_held and not self.pair.is_ending:  # noqa: ASYNC110 - set by other threads
            await asyncio.sleep(POLL_S)
        toxics = self.toxics
        if self.pair.is_ending or toxics.is_swallowing:
            return
        is_stalled = toxics.stall_share > self.pair.proxy.dice.random()
        pace_s = len(piece) / toxics.bytes_per_s if toxics.bytes_per_s else 0
        await asyncio.sleep(pace_s + is_stalled * toxics.stall_ms / 1000)
        is_cut = toxics.cut_at != b"" and toxics.cut_at in piece
        piece = b"" if is_cut and not toxics.is_cut_after else piece
        if toxics.reset_after_bytes:
            is_cut = is_cut or len(piece) >= toxics.reset_after_bytes
            piece = piece[: toxics.reset_after_bytes]
            toxics.reset_after_bytes -= len(piece)
        toxics.passed_bytes += len(piece)
        self.pair.is_ending = is_cut
        self.writer.write(piece)
        await self.writer.drain()
        if is_cut:
            toxics.cut_at, toxics.reset_after_bytes = b"", 0
            await asyncio.sleep(POLL_S)  # what was written has left by then
            self.pair.end(is_rude=True)
