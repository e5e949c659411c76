"""Whether the API can work, and its counters."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from cloud.access import PUBLIC, ContextDep
from cloud.answer import json_answer

router = APIRouter(tags=["health"], dependencies=[Depends(PUBLIC)])


class Health(BaseModel):
    """The API works: its database answers."""

    status: str


@router.get("/healthz", response_model=Health)
def health(context: ContextDep) -> Response:
    """200 when the database answers, 503 with the reason otherwise."""
    context.database.ping()
    return json_answer({"status": "ok"})


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics() -> Response:
    """Prometheus counters of this process."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
