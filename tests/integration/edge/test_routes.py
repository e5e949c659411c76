"""Every route of the box states its permission, and answers say what keeps foreign code out."""

from __future__ import annotations

import asyncio
import gzip
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from edge.access import DISPLAY_VIEW, LOCKED_VIEW, PUBLIC, SIGNED_IN, Requires
from edge.box import Box
from edge.identity import save_identity
from edge.journal.signer import KEY_FILE, load_or_create
from edge.settings import parse_settings
from shared.staff import permission
from tests.integration.edge.boxes import an_identity

TRAINING = {
    "box": {"training": True, "port": 0},
    "scanner": {"kind": "virtual"},
    "printer": {"kind": "virtual", "port": 0},
    "clock": {"kind": "virtual"},
}
PERMISSIONS = {
    *permission.PERMISSIONS,
}
EXPECTED = {
    "GET /v1/lanes": PUBLIC,
    "POST /v1/lanes/{lane}/session": PUBLIC,
    "DELETE /v1/lanes/{lane}/session": SIGNED_IN,
    "POST /v1/lanes/{lane}/session/badge": PUBLIC,
    "POST /v1/lanes/{lane}/session/unlock": PUBLIC,
    "POST /v1/lanes/{lane}/approvals/{number}": SIGNED_IN,
    "DELETE /v1/lanes/{lane}/approvals/{number}": SIGNED_IN,
    "GET /v1/lanes/{lane}/events": LOCKED_VIEW,
    "POST /v1/lanes/{lane}/shown": LOCKED_VIEW,
    "POST /v1/lanes/{lane}/scans": "sale.operate",
    "POST /v1/lanes/{lane}/lines/{n}/quantity": "sale.operate",
    "DELETE /v1/lanes/{lane}/lines/{n}": "sale.operate",
    "POST /v1/lanes/{lane}/lines/{n}/override": "sale.override",
    "POST /v1/lanes/{lane}/lines/{n}/store-coupon": "sale.coupon",
    "POST /v1/lanes/{lane}/coupons": "sale.operate",
    "DELETE /v1/lanes/{lane}/coupons": "sale.operate",
    "GET /v1/lanes/{lane}/offers": "sale.operate",
    "POST /v1/lanes/{lane}/unknown/{n}/dismiss": "sale.operate",
    "POST /v1/lanes/{lane}/undo": "sale.operate",
    "POST /v1/lanes/{lane}/tenders": "sale.operate",
    "POST /v1/lanes/{lane}/void": "basket.void",
    "POST /v1/lanes/{lane}/reprint": "receipt.reprint",
    "POST /v1/lanes/{lane}/drawer": "drawer.no_sale",
    "POST /v1/lanes/{lane}/member": "sale.operate",
    "DELETE /v1/lanes/{lane}/member": "sale.operate",
    "POST /v1/lanes/{lane}/member/join": "sale.operate",
    "POST /v1/lanes/{lane}/weighing": "sale.operate",
    "POST /v1/lanes/{lane}/weighing/by-hand": "sale.override",
    "POST /v1/lanes/{lane}/weighing/tare": "sale.operate",
    "DELETE /v1/lanes/{lane}/weighing": "sale.operate",
    "POST /v1/devices/scale/{lane}/zero": "device.setup",
    "POST /v1/devices/printer/{printer_id}/test": "device.setup",
    "POST /v1/lanes/{lane}/display": "sale.operate",
    "GET /v1/lanes/{lane}/display/events": DISPLAY_VIEW,
    "POST /v1/day/open": "day.close",
    "POST /v1/day/close": "day.close",
    "GET /v1/day": "device.read",
    "GET /v1/day/certificate": "device.read",
    "GET /v1/day/{date}/z": "device.read",
    "GET /v1/items": "sale.operate",
    "GET /v1/receipts": "sale.operate",
    "GET /v1/receipts/{receipt_no}": "sale.operate",
    "GET /v1/lanes/{lane}/carbons": SIGNED_IN,
    "POST /v1/salvage/wanted": SIGNED_IN,
    "POST /v1/salvage": SIGNED_IN,
    "POST /v1/lanes/{lane}/pairing": "device.setup",
    "GET /v1/lanes/{lane}/pairing": "device.setup",
    "DELETE /v1/lanes/{lane}/pairing": "device.setup",
    "GET /v1/devices": "device.read",
    "GET /v1/devices.csv": "device.read",
    "POST /v1/devices/self-test": "device.setup",
    "POST /v1/devices/self-test/seen": "device.read",
    "POST /v1/lanes/{lane}/age": "sale.operate",
    "GET /v1/pictures/{name}": "sale.operate",
    "GET /v1/price-check": "sale.operate",
    "GET /v1/labels": "stock.count",
    "POST /v1/labels/print": "stock.count",
    "POST /v1/labels/sheet": "stock.count",
    "GET /v1/shelves": "stock.count",
    "POST /v1/shelves/{sensor}/count": "stock.count",
    "POST /v1/shelves/tasks/{n}/dismiss": "stock.count",
    "GET /healthz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /{path:path}": PUBLIC,
}


def an_app(folder: Path, document: dict[str, Any] | None = None) -> FastAPI:
    save_identity(folder, an_identity())
    load_or_create(folder / KEY_FILE)
    return Box(parse_settings(folder, document or {"box": {"port": 0}})).app()


def permissions_of(app: FastAPI) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for route in (each for part in app.routes for each in effective(part)):
        (method,) = route.methods
        calls = [each.call for each in route.dependant.dependencies]
        stated = [call.permission for call in calls if isinstance(call, Requires)]
        found[f"{method} {route.path}"] = stated
    return found


def effective(part: Any) -> list[Any]:
    """FastAPI's routes as they are served, with what their routers add."""
    if isinstance(part, APIRoute):
        return [part]
    return part.effective_candidates() if hasattr(part, "effective_candidates") else []


def test_every_route_states_exactly_one_permission(tmp_path: Path) -> None:
    found = permissions_of(an_app(tmp_path, TRAINING))
    assert {route: stated for route, stated in found.items() if len(stated) != 1} == {}
    others = {PUBLIC, SIGNED_IN, LOCKED_VIEW, DISPLAY_VIEW}
    assert {stated[0] for stated in found.values()} - others <= PERMISSIONS


def test_the_permissions_are_the_agreed_ones(tmp_path: Path) -> None:
    found = permissions_of(an_app(tmp_path))
    assert {route: stated[0] for route, stated in found.items()} == EXPECTED


def test_a_selling_box_has_no_training_routes(tmp_path: Path) -> None:
    assert [route for route in permissions_of(an_app(tmp_path)) if "virtual" in route] == []
    assert [
        route for route in permissions_of(an_app(tmp_path, TRAINING)) if "/virtual" in route
    ] != []


def get(app: FastAPI, path: str, **how: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://box") as client:
            return await client.request(how.pop("method", "GET"), path, **how)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/", "/v1/lanes/1/nothing", "/openapi.json"])
def test_headers_keep_foreign_code_out(tmp_path: Path, path: str) -> None:
    headers = get(an_app(tmp_path), path).headers
    policy = headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_without_web_assets_the_page_says_so(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.state.static = tmp_path / "nothing"
    answer = get(app, "/")
    assert (answer.status_code, "not built" in answer.text) == (503, True)


def test_built_assets_are_served_and_nothing_beside_them(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.state.static = tmp_path / "static"
    (tmp_path / "static" / "assets").mkdir(parents=True)
    (tmp_path / "static" / "index.html").write_text("the till", encoding="utf-8")
    (tmp_path / "static" / "assets" / "a.js").write_text("1", encoding="utf-8")
    assert get(app, "/").text == "the till"
    assert get(app, "/lane/1").text == "the till"
    script = get(app, "/assets/a.js")
    assert "immutable" in script.headers["Cache-Control"]
    assert get(app, "/assets/b.js").status_code == 404
    assert get(app, "/..%2fidentity.json").text == "the till"
    assert "secret" not in get(app, "/%2e%2e/identity.json").text


def test_a_compressed_file_is_served_to_those_who_take_it(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.state.static = static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    for name in ("index.html", "assets/a.js"):
        (static / name).write_text(name, encoding="utf-8")
        (static / f"{name}.gz").write_bytes(gzip.compress(f"packed {name}".encode()))
    for path, name in (("/lane/1", "index.html"), ("/assets/a.js", "assets/a.js")):
        packed = get(app, path, headers={"Accept-Encoding": "br, gzip"})
        assert packed.text == f"packed {name}"
        assert packed.headers["Content-Encoding"] == "gzip"
        plain = get(app, path, headers={"Accept-Encoding": "identity"})
        assert plain.text == name
        assert "Content-Encoding" not in plain.headers
        for answer in (packed, plain):
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert answer.headers["Content-Type"] == plain.headers["Content-Type"]
            assert answer.headers["Cache-Control"] == plain.headers["Cache-Control"]
        assert packed.headers["ETag"] != plain.headers["ETag"]


def test_an_error_is_a_problem_document(tmp_path: Path) -> None:
    answer = get(an_app(tmp_path), "/v1/day")
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (401, "session.required")
    assert set(problem) == {"type", "title", "status", "code", "params", "detail"}


def test_a_body_above_the_limit_is_refused(tmp_path: Path) -> None:
    body = {"operator": "1", "pin": "1" * 100_000}
    answer = get(an_app(tmp_path), "/v1/lanes/1/session", method="POST", json=body)
    assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


def test_a_body_that_does_not_fit_names_the_field(tmp_path: Path) -> None:
    answer = get(an_app(tmp_path), "/v1/lanes/1/session", method="POST", json={"operator": "1"})
    assert (answer.status_code, answer.json()["params"]["field"]) == (422, "pin")
