"""What a role may do only with somebody's word: asked for, given by PIN or badge, and kept."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from shared.config.dated import body_of
from shared.kernel.wall_clock import instant_ms
from shared.publication.revision import Record, RecordKind
from shared.staff.badge import badge_hash
from tests.builders import a_gtin
from tests.integration.edge.boxes import (
    CASHIER,
    CASHIER_PIN,
    DAY,
    MANAGER,
    MANAGER_PIN,
    staff_record,
)
from tests.integration.edge.running_box import RunningBox, a_running_box, until

SENIOR, SENIOR_PIN = "1003", "3003"
DEPUTY, DEPUTY_PIN, DEPUTY_BADGE = "1004", "4004", "TBS-DEPUTY-BADGE"
NEWCOMER, NEWCOMER_PIN = "1005", "5005"
LEAVER, LEAVER_PIN = "1006", "6006"
LEAVES_ON = "2026-11-23"
STORE_ZONE = ZoneInfo("America/New_York")
CLERK, CLERK_PIN = "1007", "7007"
CLERK_ROLE = {
    "grants": dict.fromkeys(
        ("sale.operate", "sale.override", "sale.coupon", "basket.void"), "allowed"
    ),
    "ceilings": {
        "sale.override": {"basket_minor": 100, "day_minor": 150},
        "sale.coupon": {"day_minor": 50},
    },
}
# May vouch for prices up to a half, with the badge alone.
DEPUTY_ROLE = {
    "grants": {"sale.operate": "allowed", "sale.override": "allowed", "drawer.no_sale": "allowed"},
    "approves": ["sale.override", "drawer.no_sale"],
    "ceilings": {"sale.override": {"off_bp": 5000}},
    "badge": "alone",
}


def with_body(record: Record, **more: Any) -> Record:
    assert record.body is not None
    return Record(record.kind, record.key, record.body | more)


def people() -> list[Record]:
    badge = badge_hash(DEPUTY_BADGE, bytes(16))
    return [
        Record(RecordKind.CONFIG, "role/deputy@c", body_of([("", DEPUTY_ROLE)])),
        Record(RecordKind.CONFIG, "role/clerk@c", body_of([("", CLERK_ROLE)])),
        staff_record(CLERK, "clerk", CLERK_PIN),
        staff_record(SENIOR, "senior_cashier", SENIOR_PIN),
        with_body(
            staff_record(DEPUTY, "deputy", DEPUTY_PIN),
            badge={"key": badge.key, "hash": badge.hash},
        ),
        with_body(staff_record(NEWCOMER, "cashier", NEWCOMER_PIN), is_first_pin=True),
        with_body(staff_record(LEAVER, "cashier", LEAVER_PIN), valid_to=LEAVES_ON),
    ]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    folder: Path = tmp_path_factory.mktemp("approvals")
    running = a_running_box(folder, *people())
    running.sign_in()
    running.post("/v1/day/open", {"business_date": DAY})
    yield running
    running.stop()


class Till:
    """A till page that asks, shows the dialog, and asks again with the number."""

    def __init__(self, box: RunningBox, operator: str, pin: str) -> None:
        self.box = box
        box.sign_in(operator, pin)

    def ask(self, path: str, body: Any, number: str = "") -> httpx.Response:
        headers = {"Approval": number} if number else {}
        return self.box.call("POST", f"/v1/lanes/1/{path}", body, **headers)

    def asked(self, path: str, body: Any) -> dict[str, Any]:
        answer = self.ask(path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "approval.needed"), answer.text
        params: dict[str, Any] = answer.json()["params"]
        return params

    def vouch(self, number: str, approver: str, pin: str) -> tuple[int, str]:
        answer = self.ask(f"approvals/{number}", {"approver": approver, "pin": pin})
        return answer.status_code, answer.json().get("code", "")

    def override(self, line: int, minor: int) -> tuple[str, Any]:
        return f"lines/{line}/override", {"regular_minor": minor, "reason": "deal"}


def sold_lines(box: RunningBox, *numbers: int) -> list[int]:
    """Scan items into lane 1; the numbers of their lines."""
    box.scan(*map(a_gtin, numbers))
    wanted = {a_gtin(number) for number in numbers}

    def lines(view: dict[str, Any]) -> dict[str, int]:
        return {each["gtin"]: each["n"] for each in view["basket"]["lines"]}

    view = box.screen(box.token).wait(lambda view: wanted <= set(lines(view)))
    return [lines(view)[a_gtin(number)] for number in numbers]


DRAWER = ("drawer", {"reason": "change"})


@pytest.fixture
def cashier(box: RunningBox) -> Till:
    return Till(box, CASHIER, CASHIER_PIN)


def opened(box: RunningBox) -> int:
    count: int = box.get("/virtual/drawer")["opened"]
    return count


def facts(box: RunningBox, type_: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(f"file:{box.data / 'journal.db'}?mode=ro", uri=True)) as database:
        rows = database.execute("SELECT body FROM entry WHERE type=?", (type_,)).fetchall()
    return [json.loads(body)["data"] for (body,) in rows]


def test_a_cashier_opens_the_drawer_with_a_manager_s_pin(box: RunningBox, cashier: Till) -> None:
    before = opened(box)
    number = cashier.asked(*DRAWER)["approval"]
    assert cashier.vouch(number, CASHIER, CASHIER_PIN) == (422, "approval.own")
    assert cashier.vouch(number, MANAGER, "0000") == (403, "approval.bad_pin")
    assert cashier.vouch(number, SENIOR, SENIOR_PIN) == (403, "approval.not_allowed")
    assert cashier.ask(*DRAWER, number).json()["code"] == "approval.needed", "nobody vouched"
    number = cashier.asked(*DRAWER)["approval"]
    assert opened(box) == before
    assert cashier.vouch(number, MANAGER, MANAGER_PIN) == (200, "")
    assert cashier.ask(*DRAWER, number).status_code == 200
    until(lambda: opened(box) == before + 1)
    fact = facts(box, "drawer.opened")[-1]
    assert (fact["reason"], fact["approved_by"]) == ("change", MANAGER)
    given = facts(box, "approval.given")[-1]
    assert (given["operator"], given["approver"], given["how"]) == (CASHIER, MANAGER, "pin")


def test_a_word_is_good_for_one_request_only(box: RunningBox, cashier: Till) -> None:
    number = cashier.asked(*DRAWER)["approval"]
    cashier.vouch(number, MANAGER, MANAGER_PIN)
    other = cashier.ask("drawer", {"reason": "pickup"}, number)
    assert other.json()["code"] == "approval.needed", "another reason is another request"
    number = cashier.asked(*DRAWER)["approval"]
    cashier.vouch(number, MANAGER, MANAGER_PIN)
    assert cashier.ask(*DRAWER, number).status_code == 200
    assert cashier.ask(*DRAWER, number).json()["code"] == "approval.needed", "another key"


def test_a_lost_answer_is_asked_for_again_with_the_same_key(box: RunningBox, cashier: Till) -> None:
    number = cashier.asked(*DRAWER)["approval"]
    cashier.vouch(number, MANAGER, MANAGER_PIN)
    before = opened(box)
    headers = {"Approval": number, "Idempotency-Key": f"lost-{number}"}
    answers = [box.call("POST", "/v1/lanes/1/drawer", DRAWER[1], **headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    until(lambda: opened(box) == before + 1)


def test_nobody_vouches_for_a_request_that_was_given_up(cashier: Till) -> None:
    number = cashier.asked(*DRAWER)["approval"]
    cashier.box.call("DELETE", f"/v1/lanes/1/approvals/{number}").raise_for_status()
    assert cashier.vouch(number, MANAGER, MANAGER_PIN) == (404, "approval.gone")
    assert cashier.vouch("made-up", MANAGER, MANAGER_PIN) == (404, "approval.gone")


def test_a_no_sale_is_not_passed_off_as_a_sale(box: RunningBox) -> None:
    """The Z report counts each drawer that opens without one."""
    till, before = Till(box, MANAGER, MANAGER_PIN), opened(box)
    for reason in ("sale", " Sale "):
        assert till.ask("drawer", {"reason": reason}).json()["code"] == "drawer.reason"
    assert opened(box) == before


def test_a_price_by_hand_is_asked_for_above_the_ceiling_and_up_to_the_approver_s(
    box: RunningBox,
) -> None:
    """Item 4 is 4.00: a senior cashier takes off a tenth, the deputy vouches for a half."""
    till = Till(box, SENIOR, SENIOR_PIN)
    box.scan(a_gtin(4))
    screen = box.screen(box.token)
    line = screen.wait(lambda view: view["basket"]["lines"])["basket"]["lines"][0]["n"]
    assert till.ask(*till.override(line, 360)).status_code == 200
    asked = till.asked(*till.override(line, 200))
    assert (asked["over"], asked["limit"], asked["off_bp"]) == ("off_bp", 1000, 5000)
    assert asked["amount_minor"] == 200
    assert till.vouch(asked["approval"], DEPUTY, DEPUTY_PIN) == (200, "")
    assert till.ask(*till.override(line, 200), asked["approval"]).status_code == 200
    asked = till.asked(*till.override(line, 199))
    assert till.vouch(asked["approval"], DEPUTY, DEPUTY_PIN) == (403, "approval.ceiling")
    assert till.vouch(asked["approval"], MANAGER, MANAGER_PIN) == (200, "")
    assert till.ask(*till.override(line, 199), asked["approval"]).status_code == 200
    till.ask("tenders", {"kind": "cash", "amount_minor": 199})
    sale = facts(box, "sale.completed")[-1]["sale"]
    assert sale["operator"] == SENIOR
    assert sale["lines"][0]["override"]["approved_by"] == MANAGER


def test_after_three_no_sales_a_day_a_senior_cashier_asks(box: RunningBox) -> None:
    till = Till(box, SENIOR, SENIOR_PIN)
    for _ in range(3):
        assert till.ask(*DRAWER).status_code == 200
    asked = till.asked(*DRAWER)
    assert (asked["over"], asked["limit"], asked["times"]) == ("times", 3, 4)


def test_a_price_by_hand_is_not_split_over_lines_nor_over_sales(box: RunningBox) -> None:
    """Alone 1.00 in one sale and 1.50 in a day; items 1 to 3 are at 1.00, 2.00 and 3.00."""
    till = Till(box, CLERK, CLERK_PIN)
    first, second = sold_lines(box, 3, 2)
    assert till.ask(*till.override(first, 220)).status_code == 200  # 0.80 off
    asked = till.asked(*till.override(second, 170))
    assert (asked["over"], asked["limit"]) == ("basket_minor", 100)
    assert (asked["amount_minor"], asked["basket_minor"], asked["day_minor"]) == (30, 110, 110)
    assert till.vouch(asked["approval"], MANAGER, MANAGER_PIN) == (200, "")
    assert till.ask(*till.override(second, 170), asked["approval"]).status_code == 200
    fact = facts(box, "approval.given")[-1]
    assert (fact["basket_minor"], fact["day_minor"]) == (110, 110)
    till.ask("tenders", {"kind": "cash", "amount_minor": 390}).raise_for_status()
    (line,) = sold_lines(box, 3)
    asked = till.asked(*till.override(line, 229))  # 0.71 and the 0.80 of before
    assert (asked["over"], asked["day_minor"]) == ("day_minor", 151), "what M. vouched for is hers"
    assert till.ask(*till.override(line, 230)).status_code == 200
    till.ask("tenders", {"kind": "cash", "amount_minor": 230}).raise_for_status()


def test_coupons_count_together_until_the_basket_is_given_up(box: RunningBox) -> None:
    till, given_up = Till(box, CLERK, CLERK_PIN), {"reason": "customer_left"}
    for together in (False, True):
        first, second = sold_lines(box, 2, 3)

        def coupon(line: int, minor: int) -> tuple[str, Any]:
            body = {"amount_minor": minor, "reference": f"c-{minor}"}
            return f"lines/{line}/store-coupon", body

        assert till.ask(*coupon(first, 30)).status_code == 200
        asked = till.asked(*coupon(second, 30))
        assert (asked["over"], asked["limit"], asked["day_minor"]) == ("day_minor", 50, 60)
        if together:
            assert till.vouch(asked["approval"], MANAGER, MANAGER_PIN) == (200, "")
            assert till.ask(*coupon(second, 30), asked["approval"]).status_code == 200
        till.ask("void", given_up).raise_for_status()


def test_a_badge_vouches_at_the_lane_s_scanner(box: RunningBox, cashier: Till) -> None:
    screen = box.screen(box.token)
    number = cashier.asked(*DRAWER)["approval"]
    screen.wait(lambda view: view["approval"] and view["approval"]["number"] == number)
    box.scan(DEPUTY_BADGE)
    view = screen.wait(lambda view: view["approval"] and view["approval"]["approver"])
    assert view["approval"]["approver"] == DEPUTY
    assert view["basket"]["unknown"] == [], "a badge is no goods"
    assert cashier.ask(*DRAWER, number).status_code == 200
    assert facts(box, "approval.given")[-1]["how"] == "badge"
    assert DEPUTY_BADGE not in (box.data.parent / "box.log").read_text(encoding="utf-8")


def test_a_badge_signs_in_only_on_a_screen_that_knows_a_pin(box: RunningBox) -> None:
    box.sign_in(DEPUTY, DEPUTY_PIN)
    box.call("DELETE", "/v1/lanes/1/session").raise_for_status()
    with httpx.Client(base_url=box.url) as browser:
        session = "/v1/lanes/1/session"
        box.token = ""
        screen = box.screen()

        def shown() -> int:
            past = screen.view["badge"]["number"] if screen.view["badge"] else 0
            box.scan(DEPUTY_BADGE)
            view = screen.wait(lambda view: view["badge"] and view["badge"]["number"] > past)
            assert (view["badge"]["operator"], view["badge"]["needs_pin"]) == (DEPUTY, False)
            return int(view["badge"]["number"])

        stranger = browser.post(f"{session}/badge", json={"number": shown()})
        assert (stranger.status_code, stranger.json()["code"]) == (403, "badge.screen")
        browser.post(session, json={"operator": DEPUTY, "pin": DEPUTY_PIN}).raise_for_status()
        browser.delete(session).raise_for_status()
        number = shown()
        assert browser.post(f"{session}/badge", json={"number": number}).status_code == 200
        again = browser.post(f"{session}/badge", json={"number": number})
        assert again.json()["code"] == "badge.gone"


def test_a_first_pin_is_changed_before_anything_else(box: RunningBox) -> None:
    session = "/v1/lanes/1/session"

    def tried(pin: str, **more: str) -> tuple[int, str]:
        answer = box.call("POST", session, {"operator": NEWCOMER, "pin": pin, **more})
        return answer.status_code, answer.json().get("code", "")

    assert tried(NEWCOMER_PIN) == (403, "session.pin_first")
    assert tried(NEWCOMER_PIN, new_pin="1234") == (422, "pin.weak")
    assert tried(NEWCOMER_PIN, new_pin="8042") == (200, "")
    assert tried(NEWCOMER_PIN) == (401, "session.bad_pin")
    assert tried("8042") == (200, "")
    fact = facts(box, "operator.pin_changed")[-1]
    assert fact["operator"] == NEWCOMER
    assert "8042" not in json.dumps(fact)


def test_who_is_not_employed_any_more_may_do_nothing_at_once(box: RunningBox) -> None:
    clock = "/virtual/clock"
    box.post(clock, {"at_ms": instant_ms(f"{LEAVES_ON}T12:00", STORE_ZONE)})
    till = Till(box, LEAVER, LEAVER_PIN)
    assert till.ask("scans", {"code": a_gtin(3)}).status_code == 200
    box.post(clock, {"at_ms": instant_ms("2026-11-24T00:01", STORE_ZONE)})
    refused = till.ask("scans", {"code": a_gtin(3)})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission.missing")
    box.post(clock, {"at_ms": None})


def test_wrong_pins_make_wait_where_they_were_typed_over_a_restart_until_somebody_helps(
    box: RunningBox, cashier: Till
) -> None:
    number = cashier.asked(*DRAWER)["approval"]
    answers = [cashier.vouch(number, DEPUTY, "0000") for _ in range(4)]
    assert answers[-1] == (429, "session.locked_out")
    session = "/v1/lanes/1/session"
    right, wrong = ({"operator": DEPUTY, "pin": pin} for pin in (DEPUTY_PIN, "0000"))
    for _ in range(3):
        assert box.call("POST", session, wrong).json()["code"] == "session.bad_pin"
    box.process.stop(15)
    box.start()
    assert cashier.vouch(cashier.asked(*DRAWER)["approval"], DEPUTY, DEPUTY_PIN) == answers[-1]
    assert box.call("POST", session, right).json()["code"] == "session.locked_out"
    other = box.call("POST", "/v1/lanes/2/session", right)
    assert other.status_code == 200, "another till, where nobody guessed"
    unlock = f"{session}/unlock"
    helper = {"operator": DEPUTY, "approver": MANAGER}
    refused = box.call("POST", unlock, helper | {"pin": "0000"})
    assert (refused.status_code, refused.json()["code"]) == (403, "approval.bad_pin")
    assert box.call("POST", unlock, helper | {"pin": MANAGER_PIN}).status_code == 204
    assert facts(box, "approval.given")[-1]["permission"] == "staff.unlock"
    assert box.call("POST", session, right).status_code == 200
