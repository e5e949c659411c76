"""A box holds off who is refused too often; the till that is signed in sells on."""

from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from edge.http.problems import problem
from edge.http.refusals import RefusalLimit
from shared.kernel.refusals import BURST


async def till(request: Request) -> Response:
    if request.headers.get("authorization") != "Bearer good":
        return Response(status_code=401)
    request.state.is_known = True
    return Response(status_code=200)


def client_at(app: Starlette, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://box")


def test_a_tablet_that_guesses_waits_and_the_signed_in_one_does_not() -> None:
    asyncio.run(guess_and_sell())


async def guess_and_sell() -> None:
    app = Starlette(routes=[Route("/", till)])
    app.add_middleware(RefusalLimit, mono_ms=lambda: 0, refusal=lambda error: problem(error, "en"))
    good = {"Authorization": "Bearer good"}
    async with client_at(app, "192.168.1.9") as tablet, client_at(app, "127.0.0.1") as box:
        assert (await tablet.get("/", headers=good)).status_code == 200
        answers = [(await tablet.get("/")).status_code for _ in range(BURST + 2)]
        assert answers == [401] * (BURST + 1) + [429]
        assert (await tablet.get("/", headers=good)).status_code == 200
        assert (await box.get("/")).status_code == 401
        held_off = await tablet.get("/")
        assert held_off.json()["params"] == {"wait_s": 1}
