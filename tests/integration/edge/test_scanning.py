"""Two lanes of a whole box, a scanner on a serial line each: from the last byte to the screen."""

from __future__ import annotations

import os
import pty
import re
import threading
import time
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builders import a_gtin
from tests.integration.edge.boxes import CASHIER, CASHIER_PIN, DAY
from tests.integration.edge.running_box import RunningBox, a_running_box, until

SCANS = 20


@dataclass
class Plug:
    """A scanner's cable: a name that stays, as udev would make it, on a pseudo terminal."""

    link: Path
    host: int = -1
    device: int = -1

    def put_in(self) -> None:
        self.host, self.device = pty.openpty()
        tty.setraw(self.device)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(self.device))

    def pull_out(self) -> None:
        self.link.unlink(missing_ok=True)
        os.close(self.device)
        os.close(self.host)

    def write(self, text: str) -> None:
        os.write(self.host, text.encode())

    def scan(self, *codes: str) -> None:
        self.write("".join(f"{code}\r\n" for code in codes))


@dataclass
class Lanes:
    box: RunningBox
    plugs: dict[int, Plug]
    tokens: dict[int, str]


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lanes]:
    folder = tmp_path_factory.mktemp("scanning")
    plugs = {lane: Plug(folder / f"scanner-{lane}") for lane in (1, 2)}
    for plug in plugs.values():
        plug.put_in()
    scanner = f'kind = "serial"\n        path = "{folder}/scanner-{{lane}}"'
    box = a_running_box(folder / "box", scanner=scanner)
    people = {1: (), 2: (CASHIER, CASHIER_PIN)}
    tokens = {lane: box.sign_in(*people[lane], lane=lane) for lane in (2, 1)}
    box.post("/v1/day/open", {"business_date": DAY})
    yield Lanes(box, plugs, tokens)
    box.stop()
    for plug in plugs.values():
        plug.pull_out()


def test_two_scanners_at_full_speed_lose_nothing_and_keep_their_order(lanes: Lanes) -> None:
    screens = {lane: lanes.box.screen(lanes.tokens[lane], lane) for lane in (1, 2)}
    wanted = {
        1: [a_gtin(1 + n) for n in range(SCANS)],
        2: [a_gtin(SCANS - n) for n in range(SCANS)],
    }

    def scan_all(lane: int) -> None:
        for code in wanted[lane]:
            # As a slow line does it: the code in two pieces, the end by itself.
            for piece in (code[:5], code[5:], "\r\n"):
                lanes.plugs[lane].write(piece)
                time.sleep(0.025)

    scanning = [threading.Thread(target=scan_all, args=(lane,)) for lane in (1, 2)]
    began = time.monotonic()
    for each in scanning:
        each.start()
    for each in scanning:
        each.join()
    for lane, screen in screens.items():
        view = screen.wait(lambda shown: shown["scans"] >= SCANS)
        assert [line["gtin"] for line in view["basket"]["lines"]] == wanted[lane]
    assert time.monotonic() - began < 2.5
    metrics = lanes.box.call("GET", "/metrics").text
    measured = re.search(r"^tillbox_scan_queue_seconds_count (\S+)", metrics, re.MULTILINE)
    assert measured is not None
    assert float(measured[1]) == 2 * SCANS


def test_a_pulled_plug_is_told_at_the_lane_and_back_within_a_second(lanes: Lanes) -> None:
    screen = lanes.box.screen(lanes.tokens[2], 2)
    lines = len(screen.view["basket"]["lines"])
    plug = lanes.plugs[2]
    plug.write("69012")
    time.sleep(0.2)
    plug.pull_out()
    view = screen.wait(lambda shown: (shown["last_scan"] or {}).get("kind") == "lost")
    assert view["last_scan"]["code"] == "scanner.partial"
    until(lambda: lanes.box.get("/healthz") and _state(lanes, 2) == "absent")
    plug.put_in()
    began = time.monotonic()
    until(lambda: _state(lanes, 2) == "ready")
    assert time.monotonic() - began < 1.5
    plug.scan(a_gtin(3))
    view = screen.wait(lambda shown: shown["last_scan"]["kind"] in {"item", "repeat"})
    assert len(view["basket"]["lines"]) == lines
    assert not view["basket"]["unknown"]


def test_a_code_that_pairs_is_never_sold(lanes: Lanes) -> None:
    screen = lanes.box.screen(lanes.tokens[1], 1)
    lanes.plugs[1].scan("TBPAIR-1-7F3K")
    view = screen.wait(lambda shown: (shown["last_scan"] or {}).get("kind") == "pairing")
    assert not view["basket"]["unknown"]
    lanes.box.token = lanes.tokens[1]
    typed = lanes.box.call("POST", "/v1/lanes/1/scans", {"code": "TBPAIR-1-7F3K"})
    assert typed.json()["code"] == "scanner.pairing_code"
    refused = lanes.box.call("POST", "/v1/lanes/1/pairing")
    assert refused.json()["code"] == "scanner.pairing_off"
    lanes.box.token = lanes.tokens[2]
    assert lanes.box.call("POST", "/v1/lanes/2/pairing").status_code == 403


def _state(lanes: Lanes, lane: int) -> str:
    lanes.box.token = lanes.tokens[1]
    devices = lanes.box.get("/v1/devices")["devices"]
    return str(next(each["state"] for each in devices if each["id"] == f"scanner-{lane}"))


def test_a_scan_that_was_refused_is_told_at_the_lane(lanes: Lanes) -> None:
    screen = lanes.box.screen(lanes.tokens[1], 1)
    lanes.plugs[1].scan(a_gtin(1))
    view = screen.wait(lambda shown: (shown["last_scan"] or {}).get("kind") in {"item", "repeat"})
    lines = len(view["basket"]["lines"])
    lanes.box.token = lanes.tokens[1]
    lanes.box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 1})
    lanes.plugs[1].scan(a_gtin(1))
    view = screen.wait(lambda shown: shown["last_scan"]["kind"] == "refused")
    assert view["last_scan"]["code"] == "basket.tender_taken"
    assert len(view["basket"]["lines"]) == lines
