"""What time it is, signed: a box without NTP asks before it switches prices.

Open to everybody, as a box whose clock is wrong cannot trust a certificate, and must not send its
secret over a line that it does not trust. The answer is bound to the question, and its tag keeps
the signature from meaning anything else.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from cloud.access import PUBLIC, ContextDep
from cloud.answer import json_answer
from shared.kernel.trusted_time import NONCE_BYTES, time_statement

router = APIRouter(prefix="/v1", tags=["boxes"], dependencies=[Depends(PUBLIC)])
NONCE_PATTERN = f"^[0-9a-f]{{{NONCE_BYTES * 2}}}$"


class TimeQuestion(BaseModel):
    """A number (hex, 16 bytes) that was never used before."""

    nonce: Annotated[str, Field(pattern=NONCE_PATTERN)]


class TimeAnswer(BaseModel):
    """The time, UTC ms, and head office's signature (hex, Ed25519) over tag, nonce and time."""

    nonce: str
    t: int
    sig: str


@router.post("/time", response_model=TimeAnswer)
async def tell_time(body: TimeQuestion, context: ContextDep) -> Response:
    """Say, signed, what time it is."""
    now_ms = context.clock.now_ms()
    signature = context.hq_key.sign(time_statement(bytes.fromhex(body.nonce), now_ms))
    return json_answer({"nonce": body.nonce, "t": now_ms, "sig": signature.hex()})
