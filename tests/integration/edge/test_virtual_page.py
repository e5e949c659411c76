"""The training page in a real browser, on devices that are driven as in a shop."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Page, expect

from edge.clock import SystemClock
from edge.device.escpos import PrinterProfile, encode
from edge.device.ports import PrintJob
from edge.device.virtual_api import SampleCode, TrainingDesk, virtual_router
from edge.device.wiring import Devices, build_devices
from edge.settings import parse_settings
from shared.sale.receipt import Align, LineKind, ReceiptLine
from tests.integration.edge.running_box import until
from tests.lab.net import LOOPBACK, free_port

SETTINGS: dict[str, Any] = {
    "box": {"training": True, "lanes": 2},
    "scanner": {"kind": "virtual"},
    "printer": {"kind": "virtual", "port": 0},
    "scale": {"kind": "virtual"},
    "display": {"kind": "virtual"},
    "shelf": {"kind": "virtual", "port": 0},
}
SENSORS = """
[[sensor]]
name = "jam"
kind = "weight"
label = "Jam, left shelf"
gtin = "6901234567892"
"""
RECEIPT = [
    ReceiptLine("收银盒 <343>", Align.CENTER, bold=True, scale=2),
    ReceiptLine("可口可乐 330ml".ljust(30) + "10.50"),
    ReceiptLine("6901234567892", Align.CENTER, kind=LineKind.BARCODE),
]


@dataclass
class Training:
    url: str
    devices: Devices
    codes: list[tuple[int, str]] = field(default_factory=list)
    clock: list[int | None] = field(default_factory=list)

    def print(self) -> None:
        payload = encode(RECEIPT, PrinterProfile())
        assert self.devices.printers.of(1).port.print(PrintJob("job", payload)) == "printed"


@pytest.fixture
def training(repository: Path, tmp_path: Path) -> Iterator[Training]:
    (tmp_path / "sensors.toml").write_text(SENSORS)
    devices = build_devices(parse_settings(tmp_path, SETTINGS), SystemClock())
    assert devices.virtual is not None
    port = free_port()
    bench = Training(f"http://{LOOPBACK}:{port}/virtual", devices)
    devices.start(lambda lane, code: bench.codes.append((lane, code)))
    texts = json.loads((repository / "shared" / "i18n" / "en.json").read_text(encoding="utf-8"))
    words = {key: text for key, text in texts.items() if key.startswith("virtual.")}
    app = FastAPI()
    desk = TrainingDesk(
        set_clock=bench.clock.append,
        samples=lambda: [SampleCode("6901234567892", "可口可乐 330ml")],
        texts=words,
    )
    app.include_router(virtual_router(devices.virtual, desk))
    config = uvicorn.Config(app, host=LOOPBACK, port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        pass
    yield bench
    server.should_exit = True
    thread.join()
    devices.stop()


def test_a_trainee_scans_sees_the_paper_and_the_drawer(training: Training, page: Page) -> None:
    page.goto(training.url)
    expect(page.get_by_role("heading", name="Training devices")).to_be_visible()
    page.get_by_label("Barcode", exact=True).fill("4006381333931")
    page.keyboard.press("Enter")
    page.get_by_label("Lane").select_option("2")
    page.get_by_role("button", name="可口可乐").click()
    expect(page.locator("#log li")).to_have_count(2)
    assert training.codes == [(1, "4006381333931"), (2, "6901234567892")]

    training.print()
    paper = page.locator(".paper")
    expect(paper).to_contain_text("收银盒 <343>")
    expect(paper.locator("img.picture").first).to_be_attached()
    row = paper.locator(".row").nth(1).bounding_box()
    box = paper.bounding_box()
    assert row is not None
    assert box is not None
    assert row["width"] <= box["width"]

    assert training.devices.printers.of(1).drawer.open()
    expect(page.locator("#drawer-state")).to_have_text("Open")
    page.get_by_role("button", name="Push it shut").click()
    expect(page.locator("#drawer-state")).to_have_text("Closed")


def test_a_trainee_loads_the_scale_and_reads_the_customers_display(
    training: Training, page: Page
) -> None:
    training.devices.counter.displays[1].show(("Rice  12.99", "TOTAL 12.99"))
    page.goto(training.url)
    page.get_by_label("What lies on the pan").fill("1235")
    expect(page.locator("#scale-shown")).to_have_text("1.235")
    expect(page.locator("#scale-state")).to_have_text("stable")
    page.get_by_role("button", name="Tare on the scale").click()
    expect(page.locator("#scale-shown")).to_have_text("0.000")
    page.get_by_role("button", name="Shake").click()
    expect(page.locator("#scale-state")).to_have_text("moving")
    expect(page.locator("#vfd-1")).to_have_text("TOTAL 12.99")
    page.get_by_label("Lane").select_option("2")
    expect(page.locator("#scale-state")).to_have_text("stable")
    expect(page.locator("#vfd-0")).to_have_text("\u00a0")


def test_the_page_runs_nothing_but_its_own_files(training: Training, page: Page) -> None:
    answer = page.goto(training.url)
    assert answer is not None
    policy = answer.header_value("content-security-policy") or ""
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    outside = "".join(httpx.get(training.url).text.split("<script src=")[0])
    assert "<script" not in outside


def test_faults_of_the_printer_are_brought_about_and_cleared(
    training: Training, page: Page
) -> None:
    page.goto(training.url)
    with page.expect_response("**/printer/fault*"):
        page.get_by_label("Fault").select_option("paper_out")
    job = PrintJob("job", encode(RECEIPT, PrinterProfile()))
    assert training.devices.printers.of(1).port.print(job) == "not_printed"
    with page.expect_response("**/printer/fault*"):
        page.get_by_label("Fault").select_option("")
    assert training.devices.printers.of(1).port.print(job) == "printed"


def test_programs_use_the_same_routes(training: Training) -> None:
    with httpx.Client(base_url=training.url) as client:
        assert client.post("/scanner/2", json={"code": " 42 "}).json() == {"lane": 2, "code": "42"}
        assert client.post("/clock", json={"at_ms": 1_502_090_400_000}).is_success
        assert client.post("/clock", json={"at_ms": None}).is_success
        assert client.post("/printer/fault", json={"fault": "on_fire"}).status_code == 422
        training.print()
        training.print()
        papers = client.get("/printer/papers", params={"after": 1}).json()["papers"]
        assert [paper["n"] for paper in papers] == [2]
        assert papers[0]["text"].splitlines()[0].strip() == "收银盒 <343>"
        assert "&lt;343&gt;" in papers[0]["html"]
        assert client.get("/drawer").json() == {"opened": 0, "is_open": False}
        assert client.post("/drawer", json={"is_open": True}).is_success
        assert client.get("/drawer", params={"printer": "printer-1"}).json()["is_open"]
        assert client.get("/page/..%2Fescpos.py").status_code in {404, 422}
    assert training.codes == [(2, "42")]
    assert training.clock == [1_502_090_400_000, None]


def test_a_shelf_is_emptied_by_its_slider(training: Training, page: Page) -> None:
    [jam] = training.devices.shelves.sensors
    page.goto(training.url)
    slider = page.get_by_label("Jam, left shelf")
    slider.fill("1250")
    expect(page.locator("#shelf output")).to_have_text("1.25 kg")
    until(lambda: getattr(jam.reading(), "grams", None) == 1250)
    page.get_by_role("button", name="Take its power").click()
    expect(page.locator("#shelf output")).to_have_text("Off")
    until(lambda: jam.state().state == "absent")
    assert httpx.post(f"{training.url}/shelf/jam", json={"value": 500}).is_success
    until(lambda: getattr(jam.reading(), "grams", None) == 500)
