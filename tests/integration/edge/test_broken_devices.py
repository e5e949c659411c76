"""One broken device stalls no other, and none of them the event loop.

A whole box with a printer that accepts and never reads, a scanner that pours out rubbish, a scale
that sends noise, a display and a broker that are not there: the other lane sells as if alone.
"""

from __future__ import annotations

import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import httpx
import pytest

from edge.device.virtual_printer import PrinterFault
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import DAY
from tests.integration.edge.running_box import RunningBox, Screen, a_running_box, until
from tests.lab.net import LOOPBACK, free_port

SENSORS = Path(__file__).resolve().parents[3] / "firmware-config" / "sensors.example.toml"
SCANS = 30
LAG_S, LAG_MAX_S = "0.1", "0.5"
SHARE = 0.9
"""So many of the loop's beats come within `LAG_S`, all of them within `LAG_MAX_S`."""
HEALTH_S = 0.5
SCAN_S = 0.5
"""Bounds for a machine that does other things too; a lane alone needs a tenth of them."""


@dataclass
class Nuisance:
    """A peer on a port of its own that behaves badly towards everybody who connects."""

    behave: Callable[[socket.socket], None]
    listening: socket.socket = field(init=False)
    held: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listening = socket.create_server((LOOPBACK, 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.listening.getsockname()[1])

    def close(self) -> None:
        for each in (self.listening, *self.held):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                self.held.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            self.behave(connection)


def never_reads(_: socket.socket) -> None:
    """The connection stands; nothing is ever taken from it."""


def noise(connection: socket.socket) -> None:
    chance = random.Random(5)  # noqa: S311
    while True:
        connection.sendall(chance.randbytes(64))
        time.sleep(0.005)


@dataclass
class Store:
    """The box, and the rubbish that is poured into its first lane's scanner."""

    box: RunningBox
    poured: list[int] = field(default_factory=list)

    def pour(self, until_told: threading.Event) -> None:
        port = self.box.get("/virtual/page-data")["ports"]["1"]
        chance = random.Random(7)  # noqa: S311
        with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=10) as scanner:
            while not until_told.is_set():
                scanner.sendall(chance.randbytes(4096).replace(b"\n", b"?").replace(b"\r", b"?"))
                self.poured.append(4096)
                time.sleep(0.01)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with ExitStack() as stack:
        printer, scale = Nuisance(never_reads), Nuisance(noise)
        stack.callback(printer.close)
        stack.callback(scale.close)

        def spoil(data: Path) -> None:
            (data / "sensors.toml").write_bytes(SENSORS.read_bytes())
            path = data / "edge.toml"
            good = path.read_text(encoding="utf-8").replace("[printer]", "[printer_2]\nlanes = [2]")
            path.write_text(
                good
                + f"""
                [printer]
                kind = "network"
                host = "{LOOPBACK}"
                port = {printer.port}
                lanes = [1]
                failover = false
                [scale]
                kind = "toledo8217"
                path = "socket://{LOOPBACK}:{scale.port}"
                lanes = [1]
                [display]
                kind = "epson"
                path = "/dev/tillbox/display-that-is-not-there"
                lanes = [1]
                [shelf]
                kind = "mqtt"
                port = {free_port()}
                """,
                encoding="utf-8",
            )

        box = a_running_box(tmp_path, prepare=spoil)
        stack.callback(box.stop)
        told = threading.Event()
        store = Store(box)
        pouring = threading.Thread(target=store.pour, args=(told,), daemon=True)
        pouring.start()
        stack.callback(pouring.join, 10)
        stack.callback(told.set)
        yield store


def test_a_lane_sells_beside_broken_devices_as_if_it_were_alone(store: Store) -> None:
    box = store.box
    box.sign_in(lane=1)
    box.post("/v1/day/open", {"business_date": DAY})
    box.scan(a_gtin(1), lane=2)  # before anybody has signed in: it must not be sold later
    box.sign_in(lane=2)
    screen = box.screen(box.token, lane=2)
    states = {"printer-1", "scale-1", "display-1", "shelf:broker"}
    until(lambda: states <= troubled(box), within_s=30)
    before = lags(box)
    scans, health = measured(box, screen.view["scans"])
    beats = {bound: count - before[bound] for bound, count in lags(box).items()}
    answer = box.post("/v1/lanes/2/tenders", {"kind": "cash", "amount_minor": 1_000_000})
    assert answer["receipt_no"]
    until(lambda: box.get("/virtual/drawer")["opened"] == 1)
    box.papers(1)
    assert store.poured, "the scanner of lane 1 poured all the while"
    assert max(scans) < SCAN_S
    assert max(health) < HEALTH_S
    assert beats["+Inf"] > SCANS / 2, "the loop beat all the while"
    assert beats[LAG_S] >= SHARE * beats["+Inf"], beats
    assert beats[LAG_MAX_S] == beats["+Inf"], beats


def test_the_troubles_stand_in_the_journal_and_on_the_page(store: Store) -> None:
    box = store.box
    box.sign_in()
    until(lambda: {"printer-1", "scale-1"} <= troubled(box), within_s=30)
    until(lambda: faults(box) >= {"printer-1", "scale-1"})
    text = box.call("GET", "/v1/devices.csv").text
    assert "printer-1,printer" in text
    results = {each["name"]: each for each in box.post("/v1/devices/self-test")["results"]}
    assert results["box:disk"]["result"] == "passed"
    assert results["scale-1"]["result"] != "passed"
    assert results["printer-2"]["result"] == "passed"


def troubled(box: RunningBox) -> set[str]:
    return {each["id"] for each in box.get("/v1/devices")["devices"] if each["fault"]}


def faults(box: RunningBox) -> set[str]:
    """Devices whose trouble has become a fact."""
    return {each["id"] for each in box.get("/v1/devices")["devices"] if each["history"]}


def measured(box: RunningBox, scans_before: int) -> tuple[list[float], list[float]]:
    """Seconds from each scan to the screen, and those that a health check took meanwhile."""
    screen, scans, health = box.screens[-1], [], []
    port = box.get("/virtual/page-data")["ports"]["2"]
    with socket.create_connection((LOOPBACK, port), timeout=10) as scanner, httpx.Client() as probe:
        for number in range(1, SCANS + 1):
            began = time.perf_counter()
            scanner.sendall(f"{a_gtin(1 + number % 9)}\r\n".encode())
            screen.wait(lambda view, n=number: view["scans"] >= scans_before + n)  # type: ignore[misc]
            scans.append(time.perf_counter() - began)
            began = time.perf_counter()
            probe.get(f"{box.url}/healthz", timeout=10).raise_for_status()
            health.append(time.perf_counter() - began)
            time.sleep(0.08)
    return scans, health


def lags(box: RunningBox) -> dict[str, float]:
    """How many beats of the event loop came at most so late, in seconds, by its own count."""
    pattern = r'^tillbox_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$'
    found = re.findall(pattern, box.call("GET", "/metrics").text, re.MULTILINE)
    return {bound: float(count) for bound, count in found}


HOURS = 24
STEP_MS = 20 * 60_000
SALE_EVERY = 8


def test_a_day_of_random_faults_leaves_the_lanes_responsive(tmp_path: Path) -> None:
    def two_printers(data: Path) -> None:
        path = data / "edge.toml"
        good = path.read_text(encoding="utf-8").replace("[printer]", "[printer_2]\nlanes = [2]")
        more = '\n[printer]\nkind = "virtual"\nport = 0\nlanes = [1]\n[scale]\nkind = "virtual"\n'
        path.write_text(good + more, encoding="utf-8")

    box = a_running_box(tmp_path, prepare=two_printers)
    try:
        box.sign_in(lane=1)
        box.post("/v1/day/open", {"business_date": DAY})
        screen = box.screen(box.token, lane=1)
        took = list(hours_of_harm(box, screen))
        sold = len(took) // SALE_EVERY
        for name in ("printer-1", "printer-2"):
            box.post(f"/virtual/printer/fault?printer={name}", {"fault": None})
        assert max(took) < SCAN_S, f"a scan took {max(took):.3f} s"
        assert box.get("/v1/day")["receipts"] == sold
    finally:
        box.stop()


def hours_of_harm(box: RunningBox, screen: Screen) -> Iterator[float]:
    """Yield the seconds that a scan took after each new fault, selling now and then."""
    chance = random.Random(11)  # noqa: S311
    port = box.get("/virtual/page-data")["ports"]["1"]
    with (
        socket.create_connection((LOOPBACK, port), timeout=10) as scanner,
        httpx.Client(base_url=f"{box.url}/virtual", timeout=10) as hands,
    ):
        for number in range(HOURS * 3_600_000 // STEP_MS):
            hands.post("/clock", json={"at_ms": OPENED_AT_MS + number * STEP_MS})
            do_harm(hands, chance)
            before = screen.view["scans"]
            began = time.perf_counter()
            scanner.sendall(f"{a_gtin(1)}\r\n".encode())
            screen.wait(lambda view, n=before: view["scans"] > n)  # type: ignore[misc]
            yield time.perf_counter() - began
            if (number + 1) % SALE_EVERY == 0:
                box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 1_000_000})


def do_harm(hands: httpx.Client, chance: random.Random) -> None:
    """Break or mend one device or another."""
    match chance.randrange(4):
        case 0 | 1:
            printer = chance.choice(["printer-1", "printer-2"])
            fault = chance.choice([None, *get_args(PrinterFault)])
            answer = hands.post(f"/printer/fault?printer={printer}", json={"fault": fault})
        case 2:
            answer = hands.post("/drawer", json={"is_open": chance.choice([True, False])})
        case _:
            load = chance.choice([-500, 0, 1_500, 99_000])
            is_shaken = chance.choice([True, False])
            answer = hands.post("/scale/1", json={"load_milli": load, "is_shaken": is_shaken})
    answer.raise_for_status()
