"""Light boxes over several processes: one event loop each, one line of counts per second."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess

from cloud.clock import SystemClock, random_bytes
from cloud.lightbox.crowd import CrowdProcess, CrowdSettings, Seen
from cloud.lightbox.service import Crowd

TELL_EVERY_S = 1.0
JOIN_S = 20.0
_CHANCES = 1 << 32


@dataclass(slots=True)
class CrowdProcesses:
    """Runs a crowd; `seen` sums what all processes have told so far."""

    crowd: Crowd
    settings: CrowdSettings
    count: int
    _children: list[tuple[BaseProcess, Pipe]]
    _newest: dict[int, Seen]

    def seen(self) -> Seen:
        """The newest counts of all processes together; those of ended ones stay."""
        for number, (_, pipe) in enumerate(self._children):
            while _has_news(pipe):
                self._newest[number] = pipe.recv()
        counts: Counter[str] = Counter()
        for seen in self._newest.values():
            counts.update(seen.counts)
        return Seen(sum(seen.connected for seen in self._newest.values()), dict(counts))

    def pids(self) -> list[int]:
        """Their process ids, for measurements."""
        return [child.pid for child, _ in self._children if child.pid is not None]

    def spoil(self, revision: int) -> None:
        """See `CrowdProcess.spoil`; of all processes, within a second."""
        for _, pipe in self._children:
            pipe.send(revision)

    def is_alive(self) -> bool:
        """Whether every process still runs."""
        return all(child.is_alive() for child, _ in self._children)


@contextmanager
def running(crowd: Crowd, settings: CrowdSettings, processes: int) -> Iterator[CrowdProcesses]:
    """Start the processes; they end with the block."""
    spawn = get_context("spawn")
    children: list[tuple[BaseProcess, Pipe]] = []
    for part in range(processes):
        ours, theirs = spawn.Pipe()
        numbers = range(1 + part, crowd.count + 1, processes)
        child = spawn.Process(target=_run, args=(crowd, numbers, settings, theirs), daemon=True)
        child.start()
        theirs.close()
        children.append((child, ours))
    try:
        yield CrowdProcesses(crowd, settings, processes, children, {})
    finally:
        for started, _ in children:
            started.terminate()
        for started, _ in children:
            started.join(JOIN_S)


def _has_news(pipe: Pipe) -> bool:
    try:
        return pipe.poll()
    except (BrokenPipeError, EOFError):
        return False


def _run(crowd: Crowd, numbers: Sequence[int], settings: CrowdSettings, told: Pipe) -> None:
    # Ctrl-C is for whoever started us; they end us in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    boxes = [crowd.box(number) for number in numbers]
    process = CrowdProcess(boxes, settings, SystemClock(), _jitter)
    asyncio.run(_run_until_told(process, told))


async def _run_until_told(process: CrowdProcess, pipe: Pipe) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    telling = asyncio.create_task(_tell_for_ever(process, pipe))
    try:
        await process.run(stop)
    finally:
        telling.cancel()


async def _tell_for_ever(process: CrowdProcess, pipe: Pipe) -> None:
    while True:
        pipe.send(process.seen())
        while pipe.poll():
            process.spoil(pipe.recv())
        await asyncio.sleep(TELL_EVERY_S)


def _jitter() -> float:
    return int.from_bytes(random_bytes(4), "big") / _CHANCES
