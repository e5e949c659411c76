"""The app: all rooms' routers, one form of errors, the console."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import APIRouter, FastAPI

import cloud.backup.api
import cloud.certificate.api
import cloud.export.api
import cloud.fleet.api
import cloud.fleet.care_api
import cloud.fleet.certificate_api
import cloud.fleet.opening_api
import cloud.fleet.remote_api
import cloud.fleet.till_pages_api
import cloud.http.health
import cloud.http.price_check
import cloud.http.time
import cloud.identity.account_api
import cloud.identity.api
import cloud.identity.audit_api
import cloud.identity.oidc_api
import cloud.identity.people_api
import cloud.ingest.api
import cloud.intake.api
import cloud.item.api
import cloud.live.api
import cloud.member.api
import cloud.offer.api
import cloud.picture.api
import cloud.place.api
import cloud.place.role_api
import cloud.place.setting_api
import cloud.price.api
import cloud.publication.api
import cloud.receipt.api
import cloud.release.api
import cloud.report.api
import cloud.shelf.api
import cloud.software.api
import cloud.staff.api
import cloud.work.api
from cloud.backup.boxes import BOX_BYTES_MAX
from cloud.certificate.checker import CertificateChecker
from cloud.context import Context
from cloud.fleet.kept_standing import recall
from cloud.http import problems
from cloud.http.console import STATIC_FOLDER, console_router
from cloud.http.described import DescribedApp
from cloud.http.middleware import AnswerHeaders, BodyLimit, OwnPagesOnly, RequestCounter
from cloud.http.refusals import RefusalLimit
from cloud.http.trail import AuditTrail
from cloud.live.hub import LiveHub
from cloud.offer.file import FILE_BYTES_MAX
from cloud.picture.remake import PICTURE_BYTES_MAX
from cloud.upload import UPLOAD_BYTES_MAX
from shared.kernel.refusals import Refusals

BODY_BYTES_MAX = 1 << 20
UPLOADS = {
    "/v1/pictures": PICTURE_BYTES_MAX,
    "/v1/pictures/logo": PICTURE_BYTES_MAX,
    "/v1/items/import": UPLOAD_BYTES_MAX,
    "/v1/prices/import": UPLOAD_BYTES_MAX,
    "/v1/imports/items": UPLOAD_BYTES_MAX,
    "/v1/imports/prices": UPLOAD_BYTES_MAX,
    "/v1/offers/import": FILE_BYTES_MAX,
    "/v1/device/backup": BOX_BYTES_MAX,
}
ROUTERS: tuple[APIRouter, ...] = (
    cloud.identity.api.router,
    cloud.identity.account_api.router,
    cloud.identity.oidc_api.router,
    cloud.identity.people_api.router,
    cloud.identity.audit_api.router,
    cloud.item.api.router,
    cloud.price.api.router,
    cloud.intake.api.router,
    cloud.offer.api.router,
    cloud.staff.api.router,
    cloud.member.api.router,
    cloud.publication.api.router,
    cloud.release.api.router,
    cloud.picture.api.router,
    cloud.place.api.router,
    cloud.place.setting_api.router,
    cloud.place.role_api.router,
    cloud.fleet.api.router,
    cloud.fleet.care_api.router,
    cloud.fleet.certificate_api.router,
    cloud.fleet.opening_api.router,
    cloud.fleet.remote_api.router,
    cloud.fleet.till_pages_api.router,
    cloud.ingest.api.router,
    cloud.backup.api.router,
    cloud.report.api.router,
    cloud.receipt.api.router,
    cloud.certificate.api.router,
    cloud.export.api.router,
    cloud.work.api.router,
    cloud.shelf.api.router,
    cloud.software.api.router,
    cloud.live.api.router,
    cloud.http.health.router,
    cloud.http.time.router,
    cloud.http.price_check.router,
)


Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def create_app(context: Context, live_hub: LiveHub, *, static: Path = STATIC_FOLDER) -> FastAPI:
    """Put the rooms together; nothing is opened before the app starts."""
    app = describe(lifespan=_lifespan)
    app.state.context = context
    app.state.live_hub = live_hub
    app.state.certificates = CertificateChecker(context.database, context.hq_key, context.clock)
    app.state.receipt_limits = cloud.receipt.api.new_limits()
    problems.install(app)
    app.include_router(console_router(static))
    app.add_middleware(AuditTrail, database=context.database, clock=context.clock)
    app.add_middleware(BodyLimit, limit=BODY_BYTES_MAX, limits=UPLOADS)
    app.add_middleware(OwnPagesOnly)
    app.add_middleware(RefusalLimit, refusals=Refusals(), mono_ms=context.clock.mono_ms)
    app.add_middleware(AnswerHeaders, is_https=context.settings.is_https())
    app.add_middleware(RequestCounter)
    return app


def describe(lifespan: Lifespan | None = None) -> FastAPI:
    """The app with its routes only: enough for its description."""
    app = DescribedApp(
        title="Tillbox cloud",
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        responses={"default": {"model": problems.Problem, "description": "Any error"}},
    )
    for router in ROUTERS:
        app.include_router(router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await to_thread.run_sync(recall, app.state.context)
    app.state.live_hub.start()
    app.state.certificates.start()
    try:
        yield
    finally:
        app.state.certificates.stop()
        app.state.live_hub.stop()
        app.state.context.people.close()
        app.state.context.database.close()
