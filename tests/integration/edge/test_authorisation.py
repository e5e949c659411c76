"""Every endpoint of the box with every role of the store, from the routes themselves.

The real app answers; each endpoint's own function is taken out, so that whoever is let in gets
204, or 422 for having sent nothing. Grants are read from the roles' data, not from the judge.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import Counter
from itertools import product
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from fastapi import FastAPI, Response

from edge.access import DISPLAY_VIEW, LOCKED_VIEW, PUBLIC, SIGNED_IN, Actor, Requires
from edge.desk.state import Operator
from shared.staff.role import BUILT_IN, Grant, Role, nobody
from tests.integration.edge.test_routes import TRAINING, an_app, effective

LET_IN = {204, 422}
STRANGER, LOCKED, DISPLAY, ELSEWHERE = "stranger", "locked", "display", "cashier of lane 2"
ROLES: dict[str, Role] = {**BUILT_IN, "unknown": nobody("unknown")}
KEY = "the-display's-key"


def actor_of(token: str) -> Actor | None:
    """Whose token it is: a role's, at lane 1."""
    if token == LOCKED:
        return Actor(1, None)
    lane, name = (2, "cashier") if token == ELSEWHERE else (1, token)
    role = ROLES.get(name)
    return None if role is None else Actor(lane, Operator("7", "Li", name, ()), role)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The box's app with its guards and without what they guard."""
    made = an_app(tmp_path_factory.mktemp("box"), TRAINING)
    made.state.gate = SimpleNamespace(actor=actor_of)
    made.state.customer = SimpleNamespace(lane_of=lambda key: 1 if key == KEY else None)
    asked = SimpleNamespace(find=lambda *_: None, ask=lambda *_: "1")
    made.state.staff = SimpleNamespace(approvals=asked)
    for route in routes(made):
        is_async = inspect.iscoroutinefunction(route.dependant.call)
        route.dependant.call = _let_in_async if is_async else _let_in
    return made


def _let_in(**_: object) -> Response:
    return Response(status_code=204)


async def _let_in_async(**_: object) -> Response:
    return Response(status_code=204)


def routes(app: FastAPI) -> list[Any]:
    return [each for part in app.routes for each in effective(part)]


async def asked(app: FastAPI, method: str, path: str, who: str) -> tuple[int, str]:
    """Status and error code of an empty request."""
    token = "" if who in {STRANGER, DISPLAY} else who
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": f"key={KEY}".encode() if who == DISPLAY else b"",
        "root_path": "",
        "headers": [(b"host", b"box"), (b"authorization", f"Bearer {token}".encode())],
        "client": ("127.0.0.1", 1),
        "server": ("box", 80),
        "scheme": "http",
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], str(orjson.loads(body)["code"]) if body else ""


def expected(guard: Requires, who: str, path: str) -> str:
    """The code of the refusal that the declared guard promises, "" for being let in."""
    if guard.permission in {PUBLIC, LOCKED_VIEW}:
        return ""
    if guard.permission == DISPLAY_VIEW:
        return "" if who == DISPLAY else "display.key"
    actor = actor_of(who)
    if actor is None or actor.operator is None:
        return "session.required"
    if actor.lane != 1 and "{lane}" in path:
        return "session.other_lane"
    return "" if guard.permission == SIGNED_IN else _refusal(guard, actor.role)


def _refusal(guard: Requires, role: Role) -> str:
    grant = role.grants.get(guard.permission, Grant.DENIED)
    if grant is Grant.APPROVAL and not guard.is_measured:
        return "approval.needed"
    return "permission.missing" if grant is Grant.DENIED else ""


def test_every_endpoint_lets_in_exactly_whom_it_declares(app: FastAPI) -> None:
    wrong: list[str] = []
    met: Counter[str] = Counter()

    async def try_all() -> None:
        for route in routes(app):
            (guard,) = [
                each.call
                for each in route.dependant.dependencies
                if isinstance(each.call, Requires)
            ]
            path = re.sub(r"\{[^}]*\}", "1", route.path)
            everybody = (STRANGER, LOCKED, DISPLAY, ELSEWHERE, *ROLES)
            for method, who in product(sorted(route.methods), everybody):
                status, code = await asked(app, method, path, who)
                refusal = expected(guard, who, route.path)
                met[refusal] += 1
                is_right = status in LET_IN if refusal == "" else code == refusal
                if not is_right:
                    wrong.append(f"{who}: {method} {route.path} {status} {code}, not {refusal}")

    asyncio.run(try_all())
    assert wrong == []
    assert met[""] > 200
    assert min(met["session.required"], met["session.other_lane"]) > 20
    assert met["permission.missing"] > 5
    assert met["approval.needed"] > 1
