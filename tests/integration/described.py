"""Requests made from an API's own description, and what is wrong with the answers.

Used for both sides. In short one request for each operation; FUZZ_EXAMPLES=n makes so many.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
TIMEOUT_S = 30
_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("application/x-ndjson")
def _lines(_context: Any, value: Any) -> bytes:
    """Entries of a journal, or what somebody takes for it."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def operations(description: dict[str, Any], endless: set[str]) -> list[Any]:
    """What there is to ask, without what never ends its answer."""
    found = schemathesis.openapi.from_dict(description).get_all_operations()
    return [each for each in (result.ok() for result in found) if each.path not in endless]


def cases_of(operation: Any) -> list[Any]:
    """Requests for an operation; the first that is made is the plainest, so in short the second."""
    cases: list[Any] = []

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES or 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def collect(case: Any) -> None:
        cases.append(case)

    collect()
    return cases if EXAMPLES else cases[-1:]


def faults_of(operation: Any, send: Callable[[Any], Any], who: str) -> Iterator[str]:
    """What was wrong with the answers that somebody got to an operation's requests."""
    for case in cases_of(operation):
        answer = send(case)
        try:
            case.validate_response(answer, checks=_CHECKS)
        except BaseExceptionGroup as group:
            yield _line(who, operation, group.exceptions[0])
        except AssertionError as fault:
            yield _line(who, operation, fault)


def _line(who: str, operation: Any, fault: BaseException) -> str:
    return f"{who} {operation.label}: {' '.join(str(fault).split())[:300]}"
