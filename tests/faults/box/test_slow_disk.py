"""A disk that takes five seconds for one sync: the cashier waits for the sale, nobody else."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.builders import a_gtin
from tests.faults.box.kernel import meddling, needs_strace
from tests.integration.edge.boxes import DAY
from tests.integration.edge.running_box import RunningBox, a_running_box

DELAY_S = 5.0
PROMPT_S = 1.5


@pytest.fixture
def box(tmp_path: Path) -> Iterator[RunningBox]:
    running = a_running_box(tmp_path)
    running.sign_in()
    running.post("/v1/day/open", {"business_date": DAY})
    yield running
    running.stop()


@needs_strace
def test_one_slow_sync_holds_up_one_sale_and_books_it_once(box: RunningBox) -> None:
    screen = box.screen(box.token)
    other = box.screen(lane=2)
    box.post("/v1/lanes/1/scans", {"code": a_gtin(3)})
    screen.wait(lambda shown: shown["basket"]["lines"])
    box.post("/v1/lanes/1/tenders", {"kind": "card", "amount_minor": 100})
    tender, key = {"kind": "cash", "amount_minor": 200}, {"Idempotency-Key": "slow-sale"}
    wal = box.data / "journal.db-wal"
    delay = f"fdatasync:delay_enter={int(DELAY_S * 1_000_000)}:when=1"
    with meddling(box.process.pid, wal, delay), ThreadPoolExecutor(2) as tablet:
        began = time.monotonic()
        paid = [tablet.submit(box.post, "/v1/lanes/1/tenders", tender, **key) for _ in range(2)]
        statuses = len(other.statuses)
        for _ in range(3):
            asked = time.monotonic()
            assert box.get("/healthz")["state"] == "ok"
            assert time.monotonic() - asked < PROMPT_S
            time.sleep(DELAY_S / 5)
        assert not any(each.done() for each in paid)
        assert len(other.statuses) > statuses
        answers = [each.result() for each in paid]
        assert time.monotonic() - began >= DELAY_S
    assert answers[0] == answers[1]
    assert answers[0]["receipt_no"] == "1-000001"
    assert box.get("/v1/day")["receipts"] == 1
    assert screen.wait(lambda shown: shown["done"])["done"]["receipt_no"] == "1-000001"
