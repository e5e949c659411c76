"""A box dies with the day open -> the new one in its place has sold, by the guided command.

Head office, broker, worker and both boxes are real. The minutes in which a person carries a box
and plugs it in are not counted; a person's taps on the till are a program's here.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from edge.identity import IDENTITY_FILE
from tests.bench.figure import Figure
from tests.demo.chain import BIN, Box, Chain
from tests.demo.opening import MANAGER, set_up_stores
from tests.demo.pack.sample import sample_pack
from tests.demo.state import load_or_create
from tests.demo.till_client import ScannerPort, TillClient
from tests.demo.uploads import catalogue_csv
from tests.lab.net import sleep_briefly

GOAL_S = 600.0
STORE = "1"


def measure(folder: Path) -> list[Figure]:
    """One swap: from the command to the receipt of the first sale."""
    chain = Chain(folder, load_or_create(folder, [(STORE, "store 1")]))
    new: Box | None = None
    try:
        chain.start_cloud()
        set_up_stores(chain)
        old = chain.boxes[0]
        began = time.perf_counter()
        chain.start_boxes()
        start_s = time.perf_counter() - began
        _publish(chain)
        _sell(chain, old, opens_day=True)
        while httpx.get(f"{old.url}/healthz").json()["unsynced"]:  # head office knows of the day
            sleep_briefly()
        old.process.kill()
        new = Box(folder / "box-new", old.store, old.locale, None)
        new.folder.mkdir()
        shutil.copyfile(old.folder / "edge.toml", new.folder / "edge.toml")
        began = time.perf_counter()
        ready_s = _swap(chain, new)
        _sell(chain, new)
        took_s = time.perf_counter() - began
    finally:
        if new is not None:
            new.process.kill()
        chain.stop()
    return [
        Figure(
            "a dead box's store: `tillbox-edge swap` -> the first sale at the new one",
            "s",
            took_s,
            GOAL_S,
            start_s,
            "a box's own start",
            f"{ready_s:.1f} s until it had identity, prices and the open day",
        )
    ]


def _publish(chain: Chain) -> None:
    hq = chain.console
    hq.import_csv("/v1/items/import", catalogue_csv(sample_pack()))
    hq.change_price(sample_pack().catalogue[0].ean13, 999)
    hq.wait_converged("active_rev", hq.publish("first"), len(chain.boxes))


def _swap(chain: Chain, new: Box) -> float:
    """Run the command; the box is started as soon as it knows who it is, as systemd would."""
    began = time.perf_counter()
    token = chain.console.claim(STORE)
    command = [BIN / "tillbox-edge", "swap", "--data", new.folder, "--cloud", chain.console_url]
    with subprocess.Popen([*command, "--token", token, "--start", "true"]) as guided:
        while not (new.folder / IDENTITY_FILE).exists():
            assert guided.poll() is None, "the swap ended early"
            sleep_briefly()
        new.start()
        assert guided.wait() == 0
    return time.perf_counter() - began


def _sell(chain: Chain, box: Box, *, opens_day: bool = False) -> None:
    till, scanner = TillClient(box.store.port), ScannerPort(box.store.scanner_port)
    try:
        till.sign_in(MANAGER, chain.state.manager_pin)
        till.follow()
        if opens_day:
            till.call(
                "POST", "/v1/day/open", {"business_date": datetime.now(UTC).date().isoformat()}
            )
        scanner.scan([sample_pack().catalogue[0].ean13])
        till.wait(lambda view: bool(view["basket"]["lines"]), "the scan")
        due = till.view["basket"]["due_minor"]
        assert till.command("tenders", {"kind": "cash", "amount_minor": due})["receipt_no"]
    finally:
        till.close()
        scanner.close()
