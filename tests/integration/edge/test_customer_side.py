"""A box with a scale and customer displays: what is weighed, and what the customer sees of it."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shared.item.barcode import member_card_code
from tests.builders import a_gtin
from tests.integration.edge.boxes import WEIGHED_NUMBER
from tests.integration.edge.running_box import RunningBox, a_weighing_box, until


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    running = a_weighing_box(tmp_path_factory.mktemp("counter"))
    yield running
    running.stop()


def events(box: RunningBox, path: str, wanted: str, is_it: Any) -> dict[str, Any]:
    """The first event of that name that fits."""
    headers = {"Authorization": f"Bearer {box.token}"}
    name = ""
    with httpx.stream("GET", box.url + path, headers=headers, timeout=10) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: ") and name == wanted:
                found: dict[str, Any] = json.loads(line[6:])
                if is_it(found):
                    return found
    raise AssertionError(wanted)


def test_weighed_goods_are_sold_and_the_customer_sees_each_step(box: RunningBox) -> None:
    link = box.post("/v1/lanes/1/display")["path"]
    page, _, key = link.partition("#")
    assert page == "/display/1"
    look = f"/v1/lanes/1/display/events?key={key}"
    box.scan(member_card_code("2479"), a_gtin(WEIGHED_NUMBER))
    till, lane = "/v1/lanes/1/events", "/v1/lanes/1"
    assert events(box, till, "view", lambda view: view["weighing"])["pay_blocked_by"] == "weighing"
    refused = box.call("POST", f"{lane}/weighing")
    assert refused.json()["code"] == "scale.empty"
    box.post("/virtual/scale/1", {"load_milli": 520})
    events(box, till, "scale", lambda scale: scale["condition"] == "stable")
    box.post(f"{lane}/weighing/tare", {"tare_milli": 20})
    scale = events(box, till, "scale", lambda scale: scale["net_milli"] == 500)
    assert (scale["amount_minor"], scale["unit"]) == (500, "kg")
    seen = events(box, look, "scale", lambda scale: scale["net_milli"] == 500)
    assert seen["amount_minor"] == 500
    box.post(f"{lane}/weighing")
    view = events(box, look, "view", lambda view: view["lines"])
    assert [(line["name"], line["qty_milli"], line["unit"]) for line in view["lines"]] == [
        ("Bananas", 500, "kg")
    ]
    assert "2479" not in json.dumps(view)
    until(lambda: box.get("/virtual/counter/1")["display"][0] == "Bananas 0.500kg 5.00")
    box.post(f"{lane}/tenders", {"kind": "cash", "amount_minor": 1000})
    done = events(box, look, "view", lambda view: view["phase"] == "done")["done"]
    assert (done["due_minor"], done["tendered_minor"], done["change_minor"]) == (500, 1000, 500)
    until(lambda: "5.00" in box.get("/virtual/counter/1")["display"][1])
    text = until(lambda: box.papers(1))[0]["text"]
    assert "0.500kg x 10.00" in text
    assert "Tare 0.020kg" in text


def test_a_display_sees_its_own_lane_only_and_needs_its_key(box: RunningBox) -> None:
    key = box.post("/v1/lanes/1/display")["path"].partition("#")[2]
    box.token, token = "", box.token
    for path, code in (
        ("/v1/lanes/1/display/events?key=guess", "display.key"),
        ("/v1/lanes/1/display/events", "display.key"),
        (f"/v1/lanes/2/display/events?key={key}", "session.other_lane"),
    ):
        answer = box.call("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert box.call("POST", "/v1/lanes/1/display").status_code == 401
    assert box.call("POST", "/v1/lanes/1/scans", {"code": "1"}, key=key).status_code == 401
    box.token = token


def test_the_scale_is_zeroed_from_the_till(box: RunningBox) -> None:
    box.post("/virtual/scale/1", {"load_milli": 0})
    events(box, "/v1/lanes/1/events", "scale", lambda scale: scale["condition"] == "ready")
    until(lambda: box.post("/v1/devices/scale/1/zero") == {"zeroed": True})
    assert box.call("POST", "/v1/devices/scale/2/zero").json()["code"] == "session.other_lane"
