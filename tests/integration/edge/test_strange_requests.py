"""Whatever is sent to the box's address, it answers, and sells on.

Bytes that no browser sends, and requests made from the box's own description: in short one for each
operation by a manager; `make fuzz` makes many, as every role.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests

from edge.http.openapi import description
from tests.integration.described import EXAMPLES, TIMEOUT_S, faults_of, operations
from tests.integration.edge.boxes import (
    CASHIER,
    CASHIER_PIN,
    DAY,
    MANAGER,
    MANAGER_PIN,
    staff_record,
)
from tests.integration.edge.running_box import RunningBox, a_running_box
from tests.integration.fuzz import requests as strange_requests
from tests.integration.fuzz import status_of

COUNT = 150
ENDLESS = {"/v1/lanes/{lane}/events", "/v1/lanes/{lane}/display/events"}
SENIOR, SENIOR_PIN = "1003", "3003"
NOBODY = ""
PINS = {MANAGER: MANAGER_PIN, SENIOR: SENIOR_PIN, CASHIER: CASHIER_PIN}
WHO = (*PINS, NOBODY) if EXAMPLES else (MANAGER,)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBox]:
    senior = staff_record(SENIOR, "senior_cashier", SENIOR_PIN)
    running = a_running_box(tmp_path_factory.mktemp("strange"), senior)
    running.sign_in()
    running.post("/v1/day/open", {"business_date": DAY})
    yield running
    running.stop()


@pytest.mark.parametrize(("seed", "is_signed_in"), [(1, False), (2, True), (3, True)])
def test_strange_requests_are_answered(box: RunningBox, seed: int, *, is_signed_in: bool) -> None:
    paths = [each for each in box.get("/openapi.json")["paths"] if not each.endswith("/events")]
    bearer = box.token if is_signed_in else ""
    for request in strange_requests(paths, seed, COUNT, bearer):
        assert status_of(box.url, request) < 500, request[:400]
    assert box.get("/healthz")["state"] == "ok"


class Caller:
    """Somebody at lane 1; whom a request has signed out comes back."""

    def __init__(self, box: RunningBox, who: str) -> None:
        self._box = box
        self._who = who
        self._session = requests.Session()
        self._sign_in()

    def send(self, case: Any) -> requests.Response:
        if "lane" in case.path_parameters:
            case.path_parameters["lane"] = 1  # of another lane they hear only that it is another
        answer = self._sent(case)
        if answer.status_code == requests.codes.unauthorized and self._who:
            self._sign_in()
            answer = self._sent(case)
        return answer

    def close(self) -> None:
        self._session.close()

    def _sent(self, case: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._box.token}"} if self._who else {}
        answer: requests.Response = case.call(
            base_url=self._box.url,
            headers=headers,
            session=self._session,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
        return answer

    def _sign_in(self) -> None:
        if self._who:
            self._box.sign_in(self._who, PINS[self._who])


def test_no_request_breaks_the_box_and_each_answer_is_as_described(box: RunningBox) -> None:
    faults: list[str] = []
    asked = operations(description(), ENDLESS)
    for who in WHO:
        caller = Caller(box, who)
        for operation in asked:
            faults += list(faults_of(operation, caller.send, who or "nobody"))[:3]
        caller.close()
    assert faults == []
    assert len(asked) > 50
    assert box.get("/healthz")["state"] == "ok"


def test_a_planted_or_ended_session_lets_nobody_in(box: RunningBox) -> None:
    session, probe = "/v1/lanes/2/session", "/v1/lanes/2/approvals/none"

    def answer(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.delete(box.url + probe, headers=headers).status_code

    planted = {"Cookie": "tb_session=planted"}
    given = {"operator": MANAGER, "pin": MANAGER_PIN}
    signed_in = httpx.post(box.url + session, json=given, headers=planted)
    token = signed_in.json()["token"]
    cookies = signed_in.headers.get_list("set-cookie")
    assert all("httponly" in each.lower() and "samesite=strict" in each.lower() for each in cookies)
    assert f"tb_session={token}" in "".join(cookies)
    assert (answer("planted"), answer(token)) == (401, 204)
    ended = {"Authorization": f"Bearer {token}"}
    httpx.delete(box.url + session, headers=ended).raise_for_status()
    assert answer(token) == 401
