"""Journals over HTTP, for boxes that bring what another road has lost."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool

from cloud.access import UPLOADER, ContextDep
from cloud.answer import json_answer
from shared.kernel.ids import DeviceId
from shared.wire.message import Ack

router = APIRouter(prefix="/v1/journal", tags=["journal"])
Uploader = Annotated[DeviceId, Depends(UPLOADER)]


@router.post("/batches", response_model=Ack)
async def take_batch(request: Request, dev: Uploader, context: ContextDep) -> Response:
    """Take in a batch of this box's journal, or of one that it replaced.

    The body is what a box sends to the broker; the answer is what it hears there.
    """
    payload = await request.body()
    ack = await run_in_threadpool(context.journals.take, dev, payload)
    return json_answer(asdict(ack))


@router.get("/streams/{stream}", response_model=Ack)
def stand(stream: str, dev: Uploader, context: ContextDep) -> Response:
    """Where a stream stands: the number and hash of the last entry that is stored."""
    return json_answer(asdict(context.journals.stand(dev, stream)))
