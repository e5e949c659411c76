"""A whole box as its own process: HTTP in, paper out, killed and back."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge.__main__ import main
from edge.journal.reader import verify_file
from shared.item.barcode import member_card_code
from shared.price.condition import ForMember
from shared.price.offer import Level, Limits, Offer
from shared.price.reward import AmountOff
from shared.sale.receipt_code import parse_receipt_url
from tests.builders import OPENED_AT_MS, a_gtin
from tests.integration.edge.boxes import (
    CASHIER,
    CASHIER_PIN,
    DAY,
    MANAGER,
    offer_record,
    prepare_data,
)
from tests.integration.edge.running_box import RunningBox, a_running_box, until
from tests.lab.net import LOOPBACK


@pytest.fixture(scope="module")
def shared_box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    running = a_running_box(tmp_path_factory.mktemp("box"))
    running.sign_in()
    running.post("/v1/day/open", {"business_date": DAY})
    yield running
    running.stop()
    assert verify_file(running.data / "journal.db")[0] > 3


@pytest.fixture
def box(shared_box: RunningBox) -> RunningBox:
    shared_box.sign_in()
    return shared_box


@pytest.fixture
def own_box(tmp_path: Path) -> Iterator[RunningBox]:
    running = a_running_box(tmp_path)
    yield running
    running.stop()


def test_a_sale_from_the_scanner_to_the_paper_and_the_drawer(box: RunningBox) -> None:
    box.post("/virtual/clock", {"at_ms": OPENED_AT_MS})
    screen = box.screen(box.token)
    papers = len(box.get("/virtual/printer/papers")["papers"])
    drawer = box.get("/virtual/drawer")["opened"]
    box.scan(a_gtin(3), a_gtin(3), a_gtin(4))
    view = screen.wait(lambda shown: len(shown["basket"]["lines"]) == 2)
    assert view["basket"]["due_minor"] == 1000
    assert view["last_scan"]["name"] == "Item 4"
    answer = box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 2000})
    done = screen.wait(lambda shown: shown["done"])["done"]
    assert (done["change_minor"], done["receipt_no"]) == (1000, answer["receipt_no"])
    paper = box.papers(papers + 1)[-1]
    assert answer["receipt_no"] in paper["text"]
    assert "10.00" in paper["text"]
    address = re.search(r"\[qr (\S+/r/343/\S+)\]", paper["text"])
    assert address is not None
    link = parse_receipt_url(address[1])
    assert link is not None
    assert link.receipt_no == answer["receipt_no"]
    assert f" {link.code}\n" in done["receipt_text"] + "\n"
    assert link.code in paper["text"].replace(address[1], "")
    screen.wait(lambda shown: shown["done"]["print"] == "printed")
    until(lambda: box.get("/virtual/drawer")["opened"] == drawer + 1)
    box.post("/virtual/clock", {"at_ms": None})


def test_card_prints_but_opens_no_drawer(box: RunningBox) -> None:
    screen = box.screen(box.token)
    drawer = box.get("/virtual/drawer")["opened"]
    box.scan(a_gtin(5))
    screen.wait(lambda shown: shown["basket"]["lines"])
    box.post("/v1/lanes/1/tenders", {"kind": "card", "amount_minor": 500})
    screen.wait(lambda shown: shown["done"] and shown["done"]["print"] == "printed")
    assert box.get("/virtual/drawer")["opened"] == drawer


def test_a_printer_without_paper_never_blocks_a_sale(box: RunningBox) -> None:
    screen = box.screen(box.token)
    box.post("/virtual/printer/fault", {"fault": "paper_out"})
    box.scan(a_gtin(5))
    screen.wait(lambda shown: shown["basket"]["lines"])
    answer = box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 500})
    receipt_no = answer["receipt_no"]
    screen.wait(lambda shown: shown["done"] and shown["done"]["receipt_no"] == receipt_no)
    until(lambda: screen.statuses[-1]["printer"]["queued"] == 1)
    assert screen.view["done"]["print"] in {"queued", "printing"}
    box.post("/v1/lanes/1/reprint", {"receipt_no": receipt_no})
    papers = len(box.get("/virtual/printer/papers")["papers"])
    box.post("/virtual/printer/fault", {"fault": None})
    screen.wait(lambda shown: shown["done"]["print"] == "printed")
    until(lambda: screen.statuses[-1]["printer"]["queued"] == 0)
    (paper,) = box.papers(papers + 1)[papers:]
    assert receipt_no in paper["text"]
    assert "COPY" not in paper["text"]
    assert box.get(f"/v1/receipts/{receipt_no}")["copies"] == 0
    box.post("/v1/lanes/1/reprint", {"receipt_no": receipt_no})
    copy = box.papers(papers + 2)[-1]["text"]
    assert "COPY" in copy
    proved = re.compile(r"\[qr \S+\]").findall(paper["text"])
    assert proved == re.compile(r"\[qr \S+\]").findall(copy) != []


def test_receipts_wait_for_paper_over_a_kill(box: RunningBox) -> None:
    screen = box.screen(box.token)
    box.post("/virtual/printer/fault", {"fault": "paper_out"})
    until(lambda: screen.statuses[-1]["printer"]["state"] == "paper_out")
    numbers = []
    for item in (3, 4):
        box.post("/v1/lanes/1/scans", {"code": a_gtin(item)})
        paid = box.post("/v1/lanes/1/tenders", {"kind": "card", "amount_minor": item * 100})
        numbers.append(paid["receipt_no"])
    until(lambda: screen.statuses[-1]["printer"]["queued"] == 2)
    box.process.kill()
    box.start()
    papers = [paper["text"] for paper in box.papers(2)]
    assert [number in text for number, text in zip(numbers, papers, strict=True)] == [True, True]
    again = box.screen(box.token)
    again.wait(lambda shown: shown["done"]["print"] == "printed")


def test_a_repeated_tender_is_one_sale(box: RunningBox) -> None:
    screen = box.screen(box.token)
    before = box.get("/v1/day")["receipts"]
    box.scan(a_gtin(2))
    screen.wait(lambda shown: shown["basket"]["lines"])
    body, key = {"kind": "cash", "amount_minor": 200}, {"Idempotency-Key": "tender-again"}
    first = box.post("/v1/lanes/1/tenders", body, **key)
    assert box.post("/v1/lanes/1/tenders", body, **key) == first
    assert box.get("/v1/day")["receipts"] == before + 1


def test_a_command_without_a_key_is_refused(box: RunningBox) -> None:
    answer = httpx.post(
        f"{box.url}/v1/lanes/1/undo", headers={"Authorization": f"Bearer {box.token}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "request.idempotency_key")


def test_half_an_emoji_and_a_nul_are_no_fault(box: RunningBox) -> None:
    def post(path: str, body: dict[str, str]) -> int:
        box.keys += 1
        headers = {
            "Authorization": f"Bearer {box.token}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"raw-{box.keys}",
        }
        sent = json.dumps(body).encode("ascii")
        url = f"{box.url}/v1/lanes/1/{path}"
        return httpx.post(url, content=sent, headers=headers).status_code

    assert post("scans", {"code": "\ud83d\0x"}) == 200
    shown = box.screen(box.token).wait(lambda view: view["basket"]["unknown"])
    (listed,) = shown["basket"]["unknown"]
    assert listed["code"] == "?x"
    assert post(f"unknown/{listed['n']}/dismiss", {"reason": "a\ud83d\0b"}) == 200
    assert post("void", {"reason": "\0"}) == 422
    assert post("void", {"reason": "\udc00"}) == 200


def test_typed_codes_search_and_receipts(box: RunningBox) -> None:
    box.post("/v1/lanes/1/scans", {"code": a_gtin(7)})
    (found,) = box.get("/v1/items?q=item%207&limit=1")
    assert (found["gtin"], found["price_minor"], found["member_minor"]) == (a_gtin(7), 700, 690)
    answer = box.post("/v1/lanes/1/tenders", {"kind": "card", "amount_minor": 700})
    newest = box.get("/v1/receipts?lane=1&limit=1")
    assert [each["receipt_no"] for each in newest] == [answer["receipt_no"]]
    receipt = box.get(f"/v1/receipts/{answer['receipt_no']}")
    assert (receipt["total_minor"], receipt["copies"]) == (700, 0)
    assert "Item 7" in receipt["text"]
    assert box.call("GET", "/v1/receipts/1-999999").json()["code"] == "receipt.unknown"


def test_a_cashier_may_sell_but_not_override_or_close(box: RunningBox) -> None:
    box.sign_in(CASHIER, CASHIER_PIN)
    box.post("/v1/lanes/1/scans", {"code": a_gtin(1)})
    body = {"regular_minor": 1, "member_minor": None, "reason": "nice"}
    refused = box.call("POST", "/v1/lanes/1/lines/1/override", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "approval.needed")
    refused = box.call("POST", "/v1/day/close", {})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission.missing")
    other = box.call("POST", "/v1/lanes/2/scans", {"code": a_gtin(1)})
    assert (other.status_code, other.json()["code"]) == (403, "session.other_lane")
    box.post("/v1/lanes/1/void", {"reason": "test over"})


def test_another_operators_session_ends_when_a_lane_changes_hands(box: RunningBox) -> None:
    manager = box.token
    box.sign_in(CASHIER, CASHIER_PIN)
    refused = box.call("POST", "/v1/lanes/1/undo", {}, Authorization=f"Bearer {manager}")
    assert (refused.status_code, refused.json()["code"]) == (401, "session.required")


def test_a_wrong_pin_is_refused_and_then_has_to_wait(box: RunningBox) -> None:
    body = {"operator": CASHIER, "pin": "0000"}
    codes = [box.call("POST", "/v1/lanes/2/session", body).json()["code"] for _ in range(4)]
    assert codes == ["session.bad_pin"] * 3 + ["session.locked_out"]
    answer = box.call("POST", "/v1/lanes/2/session", body)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0


def test_a_screen_without_a_session_is_locked(box: RunningBox) -> None:
    box.post("/v1/lanes/1/scans", {"code": a_gtin(1)})
    assert box.screen(box.token).view["basket"]["lines"] != []
    stranger = box.screen(None).view
    assert (stranger["state"], stranger["basket"]["lines"]) == ("locked", [])
    box.post("/v1/lanes/1/void", {"reason": "test over"})


def test_a_stream_that_was_cut_off_comes_back_with_the_whole_view(box: RunningBox) -> None:
    first = box.screen(box.token)
    first.close()
    box.post("/v1/lanes/1/scans", {"code": a_gtin(1)})
    again = box.screen(box.token)
    assert again.views[0]["seq"] > first.view["seq"]
    assert len(again.views[0]["basket"]["lines"]) == 1
    box.post("/v1/lanes/1/void", {"reason": "test over"})


def test_two_screens_of_a_lane_show_the_same(box: RunningBox) -> None:
    one, two = box.screen(box.token), box.screen(box.token)
    answer = box.post("/v1/lanes/1/scans", {"code": a_gtin(1)})
    for screen in (one, two):
        screen.wait(lambda shown: shown["seq"] >= answer["seq"])
    assert one.view == two.view
    box.post("/v1/lanes/1/void", {"reason": "test over"})


def test_the_heartbeat_tells_how_things_are(box: RunningBox) -> None:
    screen = box.screen(box.token)
    until(lambda: len(screen.statuses) >= 3, 10)
    status = screen.statuses[-1]
    assert status["cloud"]["state"] == "never"
    assert status["cloud"]["unsynced"] == box.get("/healthz")["head_seq"] + 1
    assert (status["printer"]["state"], status["scanner"]["state"]) == ("ok", "ok")
    assert status["training"] is True


def test_lanes_and_operators_are_public(box: RunningBox) -> None:
    lanes = httpx.get(f"{box.url}/v1/lanes").json()
    assert lanes["store"]["currency_symbol"] == "$"
    assert lanes["store"]["time_zone"] == "America/New_York"
    assert [each["lane"] for each in lanes["lanes"]] == [1, 2]
    assert {each["id"] for each in lanes["operators"]} == {MANAGER, CASHIER}
    assert "pin" not in json.dumps(lanes)


def test_a_till_tells_what_it_shows(box: RunningBox) -> None:
    assert box.call("POST", "/v1/lanes/1/shown", {"revision": 1}).status_code == 204
    assert box.call("POST", "/v1/lanes/1/shown", {"revision": -1}).status_code == 422


def test_metrics_are_there_for_prometheus(box: RunningBox) -> None:
    text = httpx.get(f"{box.url}/metrics").text
    for name in ("tillbox_command_seconds_bucket", "tillbox_unsynced_entries", "tillbox_scans"):
        assert name in text


def test_the_till_page_is_served(box: RunningBox) -> None:
    answer = httpx.get(box.url)
    assert answer.status_code in {200, 503}
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def train(box: RunningBox, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    code = main(["train-sale", "--json", "--data", str(box.data)])
    return code, json.loads(capsys.readouterr().out)["results"]


def trained(box: RunningBox, capsys: pytest.CaptureFixture[str]) -> None:
    """A sale that only tries the box: on paper and in the journal, and counted nowhere."""
    box.post("/virtual/printer/fault", {"fault": "paper_out"})
    failed = {"sale": "passed", "printer-1": "printer.paper_out"}
    assert train(box, capsys) == (1, failed)
    assert not (box.data / "trained.json").exists(), "somebody has to come back for the paper"
    box.post("/virtual/printer/fault", {"fault": None})
    until(lambda: box.get("/v1/devices")["devices"][0]["state"] != "failed")
    assert train(box, capsys) == (0, {"sale": "passed", "printer-1": "passed"})
    assert (box.data / "trained.json").exists()
    receipt, page = box.papers(2)
    assert receipt["text"].count("*** TRAINING") == 2
    assert "[qr " not in receipt["text"], "head office vouches for no receipt of nothing"
    assert "1.00" in receipt["text"]
    assert "PRINTER TEST" in page["text"]
    assert box.get("/v1/receipts?lane=1") == []
    assert main(["train-sale", "--first", "--data", str(box.data)]) == 0
    assert "sold already" in capsys.readouterr().out


def test_the_day_closes_with_a_z_report(
    own_box: RunningBox, capsys: pytest.CaptureFixture[str]
) -> None:
    box = own_box
    box.sign_in()
    assert box.call("POST", "/v1/lanes/1/scans", {"code": a_gtin(1)}).json()["code"] == "day.closed"
    assert box.call("POST", "/v1/day/open", {"business_date": "8.7.17"}).status_code == 422
    box.post("/v1/day/open", {"business_date": DAY})
    trained(box, capsys)
    box.post("/v1/lanes/1/scans", {"code": a_gtin(1)})
    refused = box.call("POST", "/v1/day/close", {})
    assert refused.json()["code"] == "day.baskets_open"
    assert train(box, capsys) == (1, {"sale": "training.busy"})
    box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 100})
    key = {"Idempotency-Key": "close"}
    assert box.get("/v1/day/certificate") is None
    report = box.post("/v1/day/close", **key)
    slip = box.get("/v1/day/certificate")
    receipt, z_slip = box.papers(4)[2:]
    assert DAY in z_slip["text"]
    assert slip["code"] in z_slip["text"]
    assert slip.pop("code") not in receipt["text"]
    assert slip == {name: report[name] for name in ("business_date", "receipts", "net_minor")}
    assert (report["receipts"], report["net_minor"], report["business_date"]) == (1, 100, DAY)
    assert box.post("/v1/day/close", **key) == report
    assert len(box.papers(4)) == 4, "a repeated close prints no second slip"
    box.process.kill()
    box.start()
    assert box.post("/v1/day/close", **key) == report
    assert box.get(f"/v1/day/{DAY}/z") == report
    again = box.call("POST", "/v1/day/open", {"business_date": DAY})
    assert again.json()["code"] == "day.already_closed"
    box.post("/v1/day/open", {"business_date": "2017-08-08"})
    assert box.call("DELETE", "/v1/lanes/1/session").status_code == 204
    assert box.call("GET", "/v1/day").status_code == 401


def test_a_box_killed_in_a_basket_comes_back_by_itself(own_box: RunningBox) -> None:
    box = own_box
    token = box.sign_in()
    box.post("/v1/day/open", {"business_date": DAY})
    screen = box.screen(token)
    box.scan(a_gtin(3), a_gtin(4), "12345")
    before = screen.wait(lambda shown: shown["basket"]["unknown"])
    box.process.kill()
    box.start()
    after = box.screen(token).view
    assert after == before
    box.post(f"/v1/lanes/1/unknown/{after['basket']['unknown'][0]['n']}/dismiss", {"reason": "x"})
    answer = box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 700})
    assert answer["receipt_no"] == "1-000001"
    box.process.kill()
    box.start()
    done = box.screen(token).view
    assert done["state"] == "done"
    assert done["done"]["receipt_no"] == "1-000001"
    box.stop()
    verify_file(box.data / "journal.db")


@pytest.fixture
def limited_box(tmp_path: Path) -> Iterator[RunningBox]:
    """A box with an offer of 3.00 off that each member may use once."""
    names = {"en": "Once each", "zh-CN": "每人一次", "zh-TW": "每人一次"}
    once = Offer(
        "once",
        Level.BASKET,
        AmountOff(300),
        when=(ForMember(),),
        limits=Limits(per_member=1),
        names=names,
    )
    running = a_running_box(tmp_path, offer_record(once))
    yield running
    running.stop()


def test_a_member_who_used_an_offer_up_stays_so_over_a_kill(limited_box: RunningBox) -> None:
    box = limited_box
    box.sign_in()
    box.post("/v1/day/open", {"business_date": DAY})

    def due(member: str) -> int:
        for code in (member_card_code(member), a_gtin(10)):
            box.post("/v1/lanes/1/scans", {"code": code})
        return box.screen(box.token).view["basket"]["due_minor"]  # type: ignore[no-any-return]

    assert due("2479") == 690
    box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 690})
    box.process.kill()
    box.start()
    assert due("2479") == 990
    (idle,) = box.get("/v1/lanes/1/offers")["idle"]
    assert (idle["code"], idle["params"]) == ("member_uses", {"limit": 1})
    box.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": 990})
    assert due("2480") == 690


def test_a_box_ends_cleanly_with_a_screen_open(own_box: RunningBox) -> None:
    screen = own_box.screen(own_box.sign_in())
    os.kill(own_box.process.pid, signal.SIGTERM)
    until(lambda: own_box.process.returncode is not None, 15)
    assert own_box.process.returncode == 0
    assert not (own_box.data / "journal.db-wal").exists()
    screen.close()


def run_to_end(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        prepare_data(tmp_path, port=taken.getsockname()[1])
        ended = run_to_end("run", "--data", tmp_path)
    assert ended.returncode == 1
    assert ended.stderr.strip().startswith("tillbox-edge: ")
    assert "in use" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_a_running_box_tells_its_status_and_keeps_a_second_one_out(box: RunningBox) -> None:
    told = run_to_end("status", "--data", box.data)
    assert (told.returncode, "head_seq" in told.stdout) == (0, True)
    settings = box.data / "edge.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace(str(box.port), "0"), encoding="utf-8")
    second = run_to_end("run", "--data", box.data)
    settings.write_text(text, encoding="utf-8")
    assert second.returncode == 1
    assert "Another process uses the journal" in second.stderr
