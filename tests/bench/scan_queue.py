"""The last key of a code -> the code in its lane's queue, two scanners typing at once.

The key events are the kernel's bytes through a pipe; from there on it is the product: reader,
key map, framing, routing by lane.
"""

from __future__ import annotations

import os
import queue
import select
import threading
import time
from pathlib import Path

from edge.clock import SystemClock
from edge.device.binding import Binding
from edge.device.binding_store import BindingStore
from edge.device.found import Found
from edge.device.framing import ScannerLayout
from edge.device.scanner import EvdevScanner
from edge.device.scanner_hub import HubParts, LaneScanner, ScannerHub
from tests.bench.figure import Figure, percentile, spread
from tests.fakes.discovery import FakeDiscovery
from tests.fakes.key_device import KeyDevice

SCANS = 400
KEY_PAUSE_S = 0.001
GOAL_MS = 5.0
_MODEL = "0c2e:0200"


def measure(folder: Path) -> Figure:
    """p99 over both lanes."""
    devices = {f"/dev/input/event{lane}": KeyDevice() for lane in (1, 2)}
    hub = _hub(folder, devices)
    queues: dict[int, queue.Queue[float]] = {1: queue.Queue(64), 2: queue.Queue(64)}
    ports = [LaneScanner(hub, lane) for lane in (1, 2)]
    for port, arrivals in zip(ports, queues.values(), strict=True):
        port.start(lambda _, arrivals=arrivals: arrivals.put(time.perf_counter()))
    while any(port.state().state != "ready" for port in ports):
        time.sleep(0.01)
    took: list[float] = []
    pairs = zip(devices.values(), queues.values(), strict=True)
    typists = [threading.Thread(target=_type, args=(*pair, took)) for pair in pairs]
    for typist in typists:
        typist.start()
    for typist in typists:
        typist.join()
    for port in ports:
        port.stop()
    return Figure(
        "scanner event -> code queued at its lane, two scanners at once, p99",
        "ms",
        percentile(took, 0.99),
        GOAL_MS,
        _wake_up_ms(),
        "a thread woken through a pipe, p99",
        spread(took, "ms"),
    )


def _type(device: KeyDevice, arrivals: queue.Queue[float], took: list[float]) -> None:
    for number in range(SCANS):
        for character in f"69{number:011}":
            device.type(character)
            time.sleep(KEY_PAUSE_S)
        began = time.perf_counter()
        device.type("\r")
        took.append(1000 * (arrivals.get(timeout=5) - began))


def _hub(folder: Path, devices: dict[str, KeyDevice]) -> ScannerHub:
    founds = tuple(
        Found(node, node, "keyboard", f"usb-{n}", model=_MODEL) for n, node in enumerate(devices, 1)
    )
    store = BindingStore(folder)
    store.save(
        tuple(Binding(f"scanner-{n}", n, "keyboard", f"usb-{n}", "", _MODEL) for n in (1, 2))
    )
    clock, layout = SystemClock(), ScannerLayout()
    return ScannerHub(
        HubParts(
            lanes=(1, 2),
            layout=layout,
            clock=clock,
            store=store,
            discovery=FakeDiscovery(founds),
            token=lambda: "7F3K",
            make=lambda _, place: EvdevScanner(
                place, layout, clock, lambda path: devices[path].open(path)
            ),
            facts=lambda _: None,
        )
    )


def _wake_up_ms() -> float:
    """What it costs to wake a thread that waits for a byte."""
    reader, writer = os.pipe()
    arrived: queue.Queue[float] = queue.Queue()

    def wait() -> None:
        for _ in range(SCANS):
            select.select([reader], [], [])
            os.read(reader, 1)
            arrived.put(time.perf_counter())

    thread = threading.Thread(target=wait)
    thread.start()
    took = []
    for _ in range(SCANS):
        time.sleep(KEY_PAUSE_S)
        began = time.perf_counter()
        os.write(writer, b"x")
        took.append(1000 * (arrived.get() - began))
    thread.join()
    os.close(reader)
    os.close(writer)
    return percentile(took, 0.99)
