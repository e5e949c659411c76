"""The queue of one console."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cloud.db import Database
from cloud.live import hub
from cloud.live.api import LOOK_MS, while_admitted
from cloud.live.hub import ALL_BOXES, BOXES_TOLD_MAX, WAITING_MAX, Listener, LiveHub, encode


def test_a_reader_gets_everything_in_order_after_a_first_beat() -> None:
    async def read() -> list[bytes]:
        listener = Listener()
        for n in range(3):
            listener.put(encode("sale", {"n": n}))
        listener.put(None)
        return [chunk async for chunk in listener.chunks(lambda: 42)]

    assert asyncio.run(read()) == [
        b'event: beat\ndata: {"t":42}\n\n',
        *(b'event: sale\ndata: {"n":%d}\n\n' % n for n in range(3)),
    ]


def test_a_reader_whose_session_has_ended_hears_soon_no_more() -> None:
    now_ms = 0
    asked: list[int] = []

    def is_admitted() -> bool:
        asked.append(now_ms)
        return now_ms < 2 * LOOK_MS

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal now_ms
        for _ in range(9):
            yield b"%d" % now_ms
            now_ms += LOOK_MS // 3

    async def read() -> list[bytes]:
        return [each async for each in while_admitted(chunks(), is_admitted, lambda: now_ms)]

    assert asyncio.run(read())[-1] == b"%d" % (2 * LOOK_MS - LOOK_MS // 3)
    assert asked == [LOOK_MS, 2 * LOOK_MS], "not with every chunk"


def test_a_reader_that_cannot_keep_up_is_cut_off_within_bounds() -> None:
    async def read() -> list[bytes]:
        listener = Listener()
        for n in range(3 * WAITING_MAX):
            listener.put(encode("sale", {"n": n}))
        await asyncio.sleep(0)
        return [chunk async for chunk in listener.chunks(lambda: 0)]

    chunks = asyncio.run(asyncio.wait_for(read(), 5))
    assert len(chunks) <= WAITING_MAX + 1


def test_silence_is_filled_with_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "BEAT_S", 0.01)

    async def read() -> list[bytes]:
        chunks = Listener().chunks(lambda: 7)
        return [await anext(chunks) for _ in range(3)]

    assert asyncio.run(read()) == [encode("beat", {"t": 7})] * 3


def test_a_listener_of_a_closed_loop_is_harmless() -> None:
    async def make() -> Listener:
        return Listener()

    listener = asyncio.run(make())
    listener.put(encode("sale", {}))


def test_of_many_boxes_at_once_a_console_is_told_to_ask_again_and_nobody_reads_them() -> None:
    asked: list[str] = []

    def events(dev: str) -> None:
        asked.append(dev)

    async def read() -> list[bytes]:
        live = LiveHub(Database("postgresql://nowhere/none"), events)
        listener = live.join()
        live._moved = {f"d-{n}" for n in range(BOXES_TOLD_MAX + 1)}
        live._show_moved()
        live._moved = {ALL_BOXES}
        live._show_moved()  # so soon after, it waits
        assert live._moved == {ALL_BOXES}
        return [chunk async for chunk in listener.chunks(lambda: 0)]

    assert asyncio.run(asyncio.wait_for(read(), 5)) == [encode("beat", {"t": 0})]
    assert asked == [ALL_BOXES]
