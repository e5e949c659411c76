"""What nobody sends by mistake, and what only a machine thinks of.

Hostile texts, odd bodies and odd paths; then requests made from the API's own description. `make
fuzz EXAMPLES=50` makes many more of those, and sends each one as every role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import requests
import schemathesis

from cloud.db import Database
from cloud.http.openapi import description
from cloud.identity.people import Machine, put_machine
from cloud.identity.role import ROLES
from tests.integration.described import EXAMPLES, TIMEOUT_S, faults_of, operations
from tests.lab.cloud_api import CloudApi

ENDLESS = {"/v1/events"}
PROBE = "x' OR 1=1; DROP TABLE app_user; --\"{{7*7}}${7*7}<script>alert(1)</script>\u202e\\"
PROBE += "\r\nSet-Cookie: tb_console=planted"


def gets() -> list[tuple[str, list[str]]]:
    """Every GET that answers at once: its path, and the names of its texts in the query."""
    found = []
    for path, methods in description()["paths"].items():
        operation = methods.get("get")
        if operation is None or path in ENDLESS:
            continue
        asked: list[dict[str, Any]] = operation.get("parameters", [])
        texts = [
            each["name"]
            for each in asked
            if each["in"] == "query" and each["schema"].get("type") == "string"
        ]
        found.append((path, texts))
    return found


def test_hostile_texts_are_texts(admin: httpx.Client) -> None:
    wrong = []
    for path, texts in gets():
        address = re.sub(r"\{[^}]*\}", quote(PROBE, safe="").replace("\\", r"\\"), path)
        answer = admin.get(address, params=dict.fromkeys(texts, PROBE))
        is_page = "text/html" in answer.headers.get("content-type", "")
        if answer.status_code >= 500 or "planted" in answer.headers.get("set-cookie", ""):
            wrong.append(f"{path} {answer.status_code}")
        if is_page and "<script>alert" in answer.text:
            wrong.append(f"{path} says a script")
    assert wrong == []
    assert admin.get("/v1/users").json()["users"] != []  # the table is still there


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"user": "\\u0000", "password": "x"}',
        b'{"user": "\\ud800", "password": "x"}',
        b'{"user": "a", "password": "x", "code": 1e999}',
        b"\xff\xfe{}",
        b'{"user": "a", "user": "b", "password": "x"}',
    ],
)
def test_odd_bodies_are_refused_and_break_nothing(api: CloudApi, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.stranger().post("/v1/session", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    ["/v1/%00", "/v1/items/%ff%fe", "/%2e%2e/%2e%2e/etc/passwd", "/v1//items", "/v1/" + "a" * 9000],
)
def test_odd_paths_lead_nowhere(api: CloudApi, path: str) -> None:
    answer = api.stranger().get(path)
    assert answer.status_code < 500
    assert "root:" not in answer.text


def test_a_token_in_an_odd_form_is_no_token(api: CloudApi) -> None:
    stranger = api.stranger()
    for value in ("Bearer", "Basic YTpi", "Bearer x y", "bearer " + "z" * 5000):
        assert stranger.get("/v1/session", headers={"Authorization": value}).status_code == 401


class Crowd:
    """One machine per role; a token that a request has ended is made anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[str, str] = {}
        self._session = requests.Session()

    def send(self, api: CloudApi, role: str, case: Any) -> requests.Response:
        answer = self._sent(api, case, role)
        if answer.status_code == requests.codes.unauthorized:
            self._tokens.pop(role, None)
            answer = self._sent(api, case, role)
        return answer

    def _sent(self, api: CloudApi, case: Any, role: str) -> requests.Response:
        if role not in self._tokens:
            machine = Machine(f"fuzz-{role.replace('_', '-')}", role, 30)
            self._tokens[role] = put_machine(self._database, api.clock, machine, by="test")
        headers = {"Authorization": f"Bearer {self._tokens[role]}"}
        answer = case.call(
            base_url=api.url,
            headers=headers,
            session=self._session,
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
        assert isinstance(answer, schemathesis.Response)
        return answer

    def close(self) -> None:
        self._session.close()


@pytest.fixture(scope="module")
def crowd(database: Database) -> Iterator[Crowd]:
    opened = Crowd(database)
    yield opened
    opened.close()


def test_no_request_breaks_the_api_and_each_answer_is_as_described(
    api: CloudApi, crowd: Crowd
) -> None:
    """In short by who may do everything; who may do what is tried in `test_authorisation`."""
    faults: list[str] = []
    asked = operations(description(), ENDLESS)
    for operation, role in product(asked, ROLES if EXAMPLES else ("admin",)):
        faults += list(faults_of(operation, partial(crowd.send, api, role), role))[:3]
    assert faults == []
    assert len(asked) > 150
