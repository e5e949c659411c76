"""Every endpoint of head office with every role, from the routes themselves.

The real app answers; each endpoint's own function is taken out, so that whoever is let in gets
204, or 422 for having sent nothing.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from collections import Counter
from collections.abc import Iterator
from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import orjson
import pytest
from fastapi import FastAPI, Response

from cloud.access import DeviceOnly, Public, Requires
from cloud.context import Context, Principal
from cloud.http import problems
from cloud.http.app import describe
from cloud.identity.role import BUILT_IN
from cloud.identity.service import Identity
from cloud.settings import Settings
from tests.unit.cloud.http.test_access import guards_of

NOW_MS = 10**12
LET_IN = {204, 422}
BODIES = {"/v1/catalog/fetch": b'{"manifest": "%s", "have_rev": 0}' % (b"0" * 64)}
"""Where the guard reads the body too."""
STRANGER, BOX = "a stranger", "a box"
BEARER_OF_BOX = "d-box.its-secret"
PEOPLE: dict[str, Principal] = {
    name: Principal(
        name=name,
        display_name=name,
        role=name,
        permissions=role.permissions,
        stores=frozenset({"x"}) if role.is_scoped else None,
        confirmed_at_ms=NOW_MS,
    )
    for name, role in BUILT_IN.items()
}
EVERYTHING = PEOPLE["admin"].permissions
PEOPLE |= {
    "no permission": Principal("n", "", "own", frozenset(), confirmed_at_ms=NOW_MS),
    "another area": Principal("a", "", "own", EVERYTHING, frozenset({"y"}), NOW_MS),
    "not confirmed": Principal("s", "", "admin", EVERYTHING, confirmed_at_ms=0),
    "not enrolled": Principal("u", "", "admin", frozenset(), None, NOW_MS, must_enrol=True),
}


class Doorkeeper(Identity):
    """Knows the people of this test by their names."""

    def __init__(self) -> None:
        self.service = cast("Any", None)
        self.parts = cast("Any", None)

    def find(self, token: str, *, is_used: bool = True) -> Principal | None:
        return PEOPLE.get(token.replace("+", " "))


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The app with its guards and without what they guard."""
    made = describe()
    problems.install(made)
    nothing = cast("Any", None)
    boxes = SimpleNamespace(
        status_of=lambda dev, secret: "active" if f"{dev}.{secret}" == BEARER_OF_BOX else None
    )
    made.state.context = Context(
        settings=Settings(),
        database=nothing,
        clock=cast("Any", SimpleNamespace(now_ms=lambda: NOW_MS)),
        objects=nothing,
        hq_key=nothing,
        people=Doorkeeper(),
        boxes=boxes,
        **{
            name: nothing
            for name in Context.__slots__
            if name not in {"settings", "database", "clock", "objects", "hq_key", "people", "boxes"}
        },
    )
    for route in routes(made):
        is_async = inspect.iscoroutinefunction(route.dependant.call)
        route.dependant.call = _let_in_async if is_async else _let_in
    return made


def _let_in(**_: object) -> Response:
    return Response(status_code=204)


async def _let_in_async(**_: object) -> Response:
    return Response(status_code=204)


def routes(app: FastAPI) -> Iterator[Any]:
    for part in app.routes:
        if hasattr(part, "effective_candidates"):
            yield from part.effective_candidates()


async def asked(app: FastAPI, method: str, path: str, bearer: str) -> tuple[int, str]:
    """Status and error code of a request that is empty where it can be."""
    headers = [(b"authorization", f"Bearer {bearer}".encode())] if bearer else []
    if path in BODIES:
        headers.append((b"content-type", b"application/json"))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODIES.get(path, b""), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], str(orjson.loads(body)["code"]) if body else ""


def expected(guard: object, who: str, path: str) -> tuple[set[int], str]:
    """What the declared guard promises: the statuses, and the code of a refusal."""
    if isinstance(guard, Public):
        return LET_IN, ""
    if isinstance(guard, DeviceOnly):
        if who == BOX:
            return LET_IN, ""
        return ({401}, "device.required") if who == STRANGER else ({401, 403}, "")
    assert isinstance(guard, Requires)
    principal = PEOPLE.get(who)
    if principal is None:
        return {401}, "session.required"
    refusal = "" if guard.permission is None else _refusal(guard, principal, path)
    if not refusal and guard.fresh and principal.confirmed_at_ms == 0:
        refusal = "session.confirm"
    return ({403}, refusal) if refusal else (LET_IN, "")


def _refusal(guard: Requires, principal: Principal, path: str) -> str:
    if principal.must_enrol:
        return "session.enrol_totp"
    if guard.permission not in principal.permissions:
        return "permission.missing"
    if principal.stores is None:
        return ""
    is_seen = "{store_id}" not in path or principal.sees("x")
    return "" if guard.scoped and is_seen else "permission.whole_chain"


def test_every_endpoint_lets_in_exactly_whom_it_declares(app: FastAPI) -> None:
    wrong: list[str] = []
    met: Counter[str] = Counter()

    async def try_all() -> None:
        for route in routes(app):
            (guard,) = guards_of(route.dependant)
            path = re.sub(r"\{[^}]*\}", "x", route.path)
            for method, who in product(sorted(route.methods), (STRANGER, BOX, *PEOPLE)):
                if path in BODIES and who == BOX:
                    continue  # its guard is its endpoint, and would answer
                bearer = {STRANGER: "", BOX: BEARER_OF_BOX}.get(who, who.replace(" ", "+"))
                status, code = await asked(app, method, path, bearer)
                statuses, refusal = expected(guard, who, route.path)
                met["in" if status in LET_IN else "out"] += 1
                if status not in statuses or (refusal and code != refusal):
                    wrong.append(f"{who}: {method} {route.path} {status} {code}, not {statuses}")

    asyncio.run(try_all())
    assert wrong == []
    assert met["in"] > 500
    assert met["out"] > 1000


def test_what_changes_users_or_roles_asks_for_a_fresh_proof(app: FastAPI) -> None:
    guards = {
        f"{method} {route.path}": guards_of(route.dependant)[0]
        for route in routes(app)
        for method in route.methods
    }
    loose = [
        name
        for name, guard in guards.items()
        if isinstance(guard, Requires) and guard.permission == "user.write" and not guard.fresh
    ]
    assert loose == []
    assert sum(isinstance(guard, Requires) and guard.fresh for guard in guards.values()) >= 8
