"""Every endpoint says who may use it."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from cloud.access import PERMISSIONS, DeviceOnly, Public, Requires
from cloud.http.app import ROUTERS, describe
from cloud.http.console import console_router
from cloud.identity.role import ROLES

GUARDS = (Requires, Public, DeviceOnly)
RECEIPT = "/r/{store}/{day}/{no}/{code}"
PUBLIC_PATHS = {
    *("/healthz", "/metrics", "/v1/session", "/v1/enrol", "/v1/time", "/{path:path}"),
    *("/v1/sign-in", "/v1/password-reset", "/v1/password-reset/finish"),
    *("/v1/oidc/start", "/v1/oidc/callback"),
    *(f"/v1/pki/{name}" for name in ("chain-ca.pem", "device-ca.pem", "device.crl")),
    *("/r", RECEIPT, f"{RECEIPT}/proof.json"),
}


def routes() -> Iterator[APIRoute]:
    for router in (*ROUTERS, console_router()):
        for route in router.routes:
            assert isinstance(route, APIRoute)
            yield route


def guards_of(dependant: Dependant) -> list[object]:
    own = [dependant.call] if isinstance(dependant.call, GUARDS) else []
    return own + [guard for child in dependant.dependencies for guard in guards_of(child)]


def test_every_endpoint_has_exactly_one_guard() -> None:
    found = {
        f"{sorted(route.methods)} {route.path}": len(guards_of(route.dependant))
        for route in routes()
    }
    assert {name: count for name, count in found.items() if count != 1} == {}
    assert len(found) > 25


def test_only_these_endpoints_are_public() -> None:
    public = {route.path for route in routes() if isinstance(guards_of(route.dependant)[0], Public)}
    assert public == PUBLIC_PATHS


def test_endpoints_and_roles_name_permissions_that_exist() -> None:
    asked = {
        guard.permission
        for route in routes()
        for guard in guards_of(route.dependant)
        if isinstance(guard, Requires) and guard.permission is not None
    }
    assert asked == PERMISSIONS
    assert frozenset[str]().union(*ROLES.values()) == PERMISSIONS


def test_the_app_has_no_other_endpoints() -> None:
    assert len(describe().routes) == len(ROUTERS) + 1  # and /openapi.json
