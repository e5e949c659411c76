"""Publications over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from cloud.access import DEVICE, FLEET_READ, ITEM_READ, ContextDep, DeviceOnly, Requires
from cloud.answer import CsvAnswer, json_answer
from cloud.context import Context
from cloud.publication import matrix, queries, schemas
from cloud.publication.matrix import MatrixQuery
from cloud.publication.serve import Fetch, PieceCache, Shelf

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


@router.get(
    "/convergence",
    response_model=schemas.Convergence,
    dependencies=[Depends(Requires(FLEET_READ))],
)
def convergence(context: ContextDep) -> Response:
    """How far every store is: stored, activated, shown by its tills."""
    return json_answer(queries.convergence(context.database, context.clock.now_ms()))


@router.get(
    "/convergence/summary",
    response_model=schemas.ConvergenceSummary,
    dependencies=[Depends(Requires(FLEET_READ))],
)
def convergence_summary(context: ContextDep) -> Response:
    """How many stores have arrived."""
    return json_answer(matrix.summary(context.database, context.clock.now_ms()))


@router.get(
    "/convergence/matrix",
    response_model=schemas.Matrix,
    dependencies=[Depends(Requires(FLEET_READ))],
)
def convergence_matrix(
    context: ContextDep, asked: Annotated[schemas.MatrixFilter, Query()]
) -> Response:
    """How far stores are with catalogue, prices, promotions, settings and software."""
    return json_answer(matrix.matrix(context.database, _query(asked), context.clock.now_ms()))


@router.get(
    "/convergence/matrix.csv",
    response_class=CsvAnswer,
    dependencies=[Depends(Requires(FLEET_READ))],
)
def convergence_csv(
    context: ContextDep, asked: Annotated[schemas.MatrixFilter, Query()]
) -> Response:
    """The same of all stores of the filter as a table."""
    rows = matrix.csv_rows(context.database, _query(asked), context.clock.now_ms())
    return CsvAnswer.of_rows(matrix.CSV_COLUMNS, rows, "convergence.csv")


class CatalogFetch(DeviceOnly):
    """Admits a box and answers it in one go: so many ask at once that each turn counts."""

    # It also takes the body, and gives the answer.
    def __call__(  # type: ignore[override]
        self, request: Request, body: schemas.FetchRequest, context: ContextDep
    ) -> Response:
        """Everything that a box needs to come to a revision."""
        dev = super().__call__(request)
        asked = Fetch(body.manifest, body.have_rev, body.have_inc, takes_urls=body.take == "urls")
        answer = _shelf(context).answer(dev, asked)
        if isinstance(answer, bytes):
            return Response(answer, media_type=OBJECT_TYPE)
        return StreamingResponse(answer, media_type=OBJECT_TYPE)


@router.post("/catalog/fetch", response_class=Response)
async def fetch(answer: Annotated[Response, Depends(CatalogFetch())]) -> Response:
    """Everything that a box needs to come to a revision, in one answer; see shared/wire/frames."""
    return answer


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


def _query(asked: schemas.MatrixFilter) -> MatrixQuery:
    return MatrixQuery(asked.state, asked.kind, asked.group, asked.q, asked.page, asked.size)


def _shelf(context: Context) -> Shelf:
    return Shelf(context.database, context.objects, _CACHE)
