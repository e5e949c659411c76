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
USER_READ = "user.read"
USER_WRITE = "user.write"
"""To say who may sign in, as what, and what each role may do."""
AUDIT_READ = "audit.read"
MEMBER_READ = "member.read"
"""To find members and see what names nobody: their last digits, consents, how many sales."""
MEMBER_SEE_PERSONAL = "member.see_personal"
"""To see who a member is."""
MEMBER_CHANGE = "member.change"
MEMBER_EXPORT = "member.export"
"""To carry away all of a member's data, for the member."""
MEMBER_ERASE = "member.erase"

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
        USER_READ,
        USER_WRITE,
        AUDIT_READ,
        MEMBER_READ,
        MEMBER_SEE_PERSONAL,
        MEMBER_CHANGE,
        MEMBER_EXPORT,
        MEMBER_ERASE,
    }
)
FRESH_MS = 10 * 60_000
"""How long a proof of who one is holds for what `Requires(fresh=True)` guards."""
SESSION_COOKIE = "tb_console"
CSRF_HEADER = "X-Tillbox"
ACTIVE_HEADER = "X-Tillbox-Active"
"""The console sends it while somebody is at it."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Requires:
    """Dependency of an endpoint for people; gives the `Principal`.

    `permission` None asks for any signed-in person. `scoped` says that the endpoint shows a
    person of an area the stores of that area only: no other endpoint lets such a person in, and
    a `{store_id}` in its path is looked at here.
    `fresh` asks for a proof of who one is, not older than `FRESH_MS`.

    Raises RefusedError `session.required`; ForbiddenError `session.csrf`, `session.enrol_totp`,
    `permission.missing`, `permission.whole_chain` or `session.confirm`.
    """

    permission: str | None = None
    scoped: bool = False
    fresh: bool = False

    def __call__(self, request: Request) -> Principal:
        """Admit the sender of a request, or raise."""
        token = session_token_of(request)
        context = context_of(request)
        is_used = _is_used(request)
        principal = None if token is None else context.people.find(token, is_used=is_used)
        if principal is None:
            raise RefusedError("session.required")
        request.state.principal = principal
        request.state.is_known = True
        request.state.permission = self.permission or ""
        if self.permission is not None:
            self._judge(principal, self.permission, request.path_params.get("store_id"))
        # A machine proves who it is with each request; it has no password to ask for.
        age_ms = context.clock.now_ms() - principal.confirmed_at_ms
        if self.fresh and principal.how != "machine" and age_ms > FRESH_MS:
            raise ForbiddenError("session.confirm")
        return principal

    def _judge(self, principal: Principal, permission: str, store_id: str | None) -> None:
        if principal.must_enrol:
            raise ForbiddenError("session.enrol_totp")
        if permission not in principal.permissions:
            raise ForbiddenError("permission.missing", permission=permission)
        if principal.stores is not None and not self.scoped:
            raise ForbiddenError("permission.whole_chain")
        if store_id is not None and not principal.sees(store_id):
            raise ForbiddenError("permission.whole_chain")


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
        request.state.is_known = True
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


def _is_used(request: Request) -> bool:
    """Whether a person asks: a console that looks by itself keeps nobody signed in."""
    return ACTIVE_HEADER in request.headers or _bearer(request) is not None


def _bearer(request: Request) -> str | None:
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None
