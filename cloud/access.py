"""Who may do what: the permissions of the cloud, and the one dependency that asks for them.

Every endpoint names exactly one of `Requires(permission)`, `SIGNED_IN`, `PUBLIC` or
`DEVICE`; a test walks all routes and fails on one that does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from cloud.context import Context, Principal, context_of
from shared.kernel.errors import ForbiddenError, RefusedError
from shared.kernel.ids import DeviceId

ITEM_READ = "item.read"
ITEM_WRITE = "item.write"
PRICE_WRITE = "price.write"
STAFF_WRITE = "staff.write"
STORE_WRITE = "store.write"
CONFIG_WRITE = "config.write"
"""To set up tax rates, ways to pay and receipt texts."""
PUBLICATION_PUBLISH = "publication.publish"
RELEASE_APPROVE = "release.approve"
RELEASE_POLICY = "release.policy"
FLEET_READ = "fleet.read"
FLEET_ENROL = "fleet.enrol"
FLEET_COMMAND = "fleet.command"
"""To have boxes do something, and to read the logs that they hand in."""
FLEET_ALERT = "fleet.alert"
"""To answer alerts, change their rules, and keep maintenance windows and notes."""
SOFTWARE_PUBLISH = "software.publish"
"""To bring new software to the boxes, and to stop it."""
REPORT_READ = "report.read"
EXPORT_READ = "export.read"
WORK_READ = "work.read"
WORK_WRITE = "work.write"

PERMISSIONS = frozenset(
    {
        ITEM_READ,
        ITEM_WRITE,
        PRICE_WRITE,
        STAFF_WRITE,
        STORE_WRITE,
        CONFIG_WRITE,
        PUBLICATION_PUBLISH,
        RELEASE_APPROVE,
        RELEASE_POLICY,
        FLEET_READ,
        FLEET_ENROL,
        FLEET_COMMAND,
        FLEET_ALERT,
        SOFTWARE_PUBLISH,
        REPORT_READ,
        EXPORT_READ,
        WORK_READ,
        WORK_WRITE,
    }
)
SESSION_COOKIE = "tb_console"
CSRF_HEADER = "X-Tillbox"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Requires:
    """Dependency of an endpoint for people; gives the `Principal`.

    Raises RefusedError `session.required`, ForbiddenError `session.csrf` or
    `permission.missing`. `permission` None asks for any signed-in person.
    """

    permission: str | None = None

    def __call__(self, request: Request) -> Principal:
        """Admit the sender of a request, or raise."""
        token = session_token_of(request)
        principal = None if token is None else context_of(request).people.find(token)
        if principal is None:
            raise RefusedError("session.required")
        if self.permission is not None and self.permission not in principal.permissions:
            raise ForbiddenError("permission.missing", permission=self.permission)
        return principal


@dataclass(frozen=True, slots=True)
class Public:
    """Marks an endpoint that asks for nobody."""

    def __call__(self) -> None:
        """Admit everybody."""


@dataclass(frozen=True, slots=True)
class DeviceOnly:
    """Dependency of an endpoint for boxes: `Authorization: Bearer <dev>.<secret>`.

    `statuses` says which boxes are admitted. Raises RefusedError `device.required`, or
    ForbiddenError `device.unknown` for a wrong secret, an unknown box or one of another status.
    """

    statuses: frozenset[str] = frozenset({"active"})

    def __call__(self, request: Request) -> DeviceId:
        """Admit the sending box, or raise."""
        dev, _, secret = (_bearer(request) or "").partition(".")
        if not dev or not secret:
            raise RefusedError("device.required")
        if context_of(request).boxes.status_of(dev, secret) not in self.statuses:
            raise ForbiddenError("device.unknown", dev=dev[:40])
        return DeviceId(dev)


SIGNED_IN = Requires()
PUBLIC = Public()
DEVICE = DeviceOnly()
UPLOADER = DeviceOnly(frozenset({"active", "retiring"}))
"""A replaced box may still bring its journal's tail."""
AnyPrincipal = Annotated[Principal, Depends(SIGNED_IN)]
ContextDep = Annotated[Context, Depends(context_of)]


def session_token_of(request: Request) -> str | None:
    """The session token of a request: the header's, or the cookie's with the CSRF header.

    A browser sends the cookie by itself, also from a foreign page; no foreign page can add
    the header. Raises ForbiddenError `session.csrf` when it is missing.
    """
    token = _bearer(request)
    if token is not None:
        return token
    cookie = request.cookies.get(SESSION_COOKIE)
    if cookie and request.method not in SAFE_METHODS and request.headers.get(CSRF_HEADER) != "1":
        raise ForbiddenError("session.csrf", header=CSRF_HEADER)
    return cookie or None


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None
