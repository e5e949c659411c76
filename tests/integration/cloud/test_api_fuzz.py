"""The API against requests made from its own description, valid and nearly so, with every role.

`make fuzz EXAMPLES=200` makes many more of them, and sends each one as every role.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cloud.db import Database
from cloud.http.openapi import description
from cloud.identity.people import Machine, put_machine
from cloud.identity.role import ROLES
from tests.lab.cloud_api import CloudApi

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
ENDLESS = {"/v1/events"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
TIMEOUT_S = 30


class Crowd:
    """One machine per role; a token that a request has ended is made anew."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[str, str] = {}
        self._session = requests.Session()
        self.turn = 0

    def send(self, api: CloudApi, case: Any, role: str) -> requests.Response:
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


def operations() -> list[Any]:
    found = schemathesis.openapi.from_dict(description()).get_all_operations()
    return [each for each in (result.ok() for result in found) if each.path not in ENDLESS]


def test_no_request_breaks_the_api_and_each_answer_is_as_described(
    api: CloudApi, crowd: Crowd
) -> None:
    faults: list[str] = []
    asked = operations()
    for number, operation in enumerate(asked):
        roles = ["admin", list(ROLES)[number % len(ROLES)]]
        faults += tried(api, crowd, operation, list(ROLES) if EXAMPLES else roles)
    assert faults == []
    assert len(asked) > 150


def tried(api: CloudApi, crowd: Crowd, operation: Any, roles: list[str]) -> list[str]:
    """What was wrong with the answers of one operation."""
    faults: list[str] = []
    turns = deque(roles)

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES or 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def run(case: Any) -> None:
        turns.rotate()
        for role in roles if EXAMPLES else [turns[0]]:
            answer = crowd.send(api, case, role)
            try:
                case.validate_response(answer, checks=CHECKS)
            except BaseExceptionGroup as group:
                faults.append(_line(role, operation, group.exceptions[0]))
            except AssertionError as fault:
                faults.append(_line(role, operation, fault))

    run()
    return faults[:3]


def _line(role: str, operation: Any, fault: BaseException) -> str:
    return f"{role} {operation.label}: {' '.join(str(fault).split())[:300]}"
