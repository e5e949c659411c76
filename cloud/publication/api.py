"""Publications over HTTP."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse, StreamingResponse

from cloud.access import DEVICE, FLEET_READ, ITEM_READ, PUBLICATION_PUBLISH, ContextDep, Requires
from cloud.answer import json_answer
from cloud.context import Context, Principal
from cloud.publication import queries, schemas, service
from cloud.publication.serve import Fetch, PieceCache, Shelf
from cloud.publication.service import Publish, Publisher
from shared.kernel.ids import DeviceId

router = APIRouter(prefix="/v1", tags=["publications"])
READ = [Depends(Requires(ITEM_READ))]
OBJECT_TYPE = "application/octet-stream"
FOR_EVER = {"Cache-Control": "private, max-age=31536000, immutable"}
_CACHE = PieceCache()
"""One per process: a name stands for the same bytes everywhere."""


@router.get("/publications/draft", response_model=schemas.Draft, dependencies=READ)
def draft(context: ContextDep) -> Response:
    """Everything that waits for a publication."""
    return json_answer(queries.draft(context.database, context.draft_sample))


@router.get("/publications", response_model=schemas.Publications, dependencies=READ)
def publications(context: ContextDep) -> Response:
    """The newest publications first."""
    return json_answer({"publications": queries.publications(context.database)})


@router.post("/publications", status_code=201, response_model=schemas.Published)
def publish(
    body: schemas.PublishRequest,
    context: ContextDep,
    principal: Annotated[Principal, Depends(Requires(PUBLICATION_PUBLISH))],
) -> Response:
    """Publish every draft as one revision; the boxes are told at once."""
    publisher = Publisher(context.database, context.objects, context.hq_key, context.sources)
    command = Publish(principal.name, context.clock.now_ms(), body.note)
    return json_answer(asdict(service.publish(publisher, command)), status=201)


@router.get(
    "/convergence",
    response_model=schemas.Convergence,
    dependencies=[Depends(Requires(FLEET_READ))],
)
def convergence(context: ContextDep) -> Response:
    """How far every store is: stored, activated, shown by its tills."""
    return json_answer(queries.convergence(context.database, context.clock.now_ms()))


@router.post("/catalog/fetch", response_class=Response)
def fetch(
    body: schemas.FetchRequest, context: ContextDep, dev: Annotated[DeviceId, Depends(DEVICE)]
) -> Response:
    """Everything that a box needs to come to a revision, in one answer; see shared/wire/frames."""
    wanted = Fetch(body.manifest, body.have_rev, body.have_inc, takes_urls=body.take == "urls")
    return StreamingResponse(_shelf(context).answer(dev, wanted), media_type=OBJECT_TYPE)


@router.get("/objects/{sha256}", dependencies=[Depends(DEVICE)])
def published_object(sha256: str, context: ContextDep) -> Response:
    """An object that a manifest or a desired document names; for boxes."""
    small = _shelf(context).small(sha256)
    if small is not None:
        return Response(small, media_type=OBJECT_TYPE, headers=FOR_EVER)
    path = context.objects.path(sha256)
    if path is not None:
        return FileResponse(path, media_type=OBJECT_TYPE, headers=FOR_EVER)
    headers = {**FOR_EVER, "Content-Length": str(context.objects.size(sha256))}
    chunks = context.objects.chunks(sha256)
    return StreamingResponse(chunks, media_type=OBJECT_TYPE, headers=headers)


def _shelf(context: Context) -> Shelf:
    return Shelf(context.database, context.objects, _CACHE)
