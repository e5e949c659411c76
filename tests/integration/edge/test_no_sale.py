"""The drawer without a sale: alone, approved, or not at all."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.edge.boxes import CASHIER, CASHIER_PIN, MANAGER, MANAGER_PIN
from tests.integration.edge.running_box import RunningBox, a_running_box, until


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    folder: Path = tmp_path_factory.mktemp("no-sale")
    running = a_running_box(folder)
    running.sign_in(CASHIER, CASHIER_PIN)
    yield running
    running.stop()


def ask(box: RunningBox, **more: str) -> tuple[int, str]:
    answer = box.call("POST", "/v1/lanes/1/drawer", {"reason": "change", **more})
    return answer.status_code, answer.json().get("code", "")


def test_a_cashier_opens_the_drawer_only_with_somebody_s_word(box: RunningBox) -> None:
    opened = box.get("/virtual/drawer")["opened"]
    assert ask(box) == (403, "approval.needed")
    assert ask(box, approver=CASHIER, pin=CASHIER_PIN) == (422, "approval.own")
    assert ask(box, approver=MANAGER, pin="0000") == (403, "approval.bad_pin")
    assert box.get("/virtual/drawer")["opened"] == opened
    assert ask(box, approver=MANAGER, pin=MANAGER_PIN) == (200, "")
    until(lambda: box.get("/virtual/drawer")["opened"] == opened + 1)


def test_a_no_sale_is_not_passed_off_as_a_sale(box: RunningBox) -> None:
    """The Z report counts each drawer that opens without one."""
    opened = box.get("/virtual/drawer")["opened"]
    word = {"approver": MANAGER, "pin": MANAGER_PIN}
    for reason in ("sale", " Sale "):
        assert ask(box, **word, reason=reason) == (422, "drawer.reason")
    assert box.get("/virtual/drawer")["opened"] == opened


def test_wrong_pins_of_an_approver_make_everybody_wait(box: RunningBox) -> None:
    answers = [ask(box, approver=MANAGER, pin="0000") for _ in range(4)]
    assert answers[-1] == (429, "session.locked_out")
    assert ask(box, approver=MANAGER, pin=MANAGER_PIN) == (429, "session.locked_out")


def test_the_journal_keeps_both_names(box: RunningBox) -> None:
    with closing(sqlite3.connect(f"file:{box.data / 'journal.db'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT body FROM entry WHERE type='drawer.opened'").fetchall()
    facts = [json.loads(body)["data"] for (body,) in rows]
    assert [(fact["reason"], fact["approved_by"]) for fact in facts] == [("change", MANAGER)]
