"""What an item costs in a store, by head office's copy and by the store's own, side by side.

Stands above the rooms: the records are publication's, the way to a box is the fleet's.
"""

from __future__ import annotations

from secrets import token_hex
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, Field

from cloud.access import ITEM_READ, ContextDep, Requires
from cloud.answer import json_answer
from cloud.context import Context, Principal
from cloud.fleet import remote
from cloud.publication.price_check import Asked, Checked, price_check
from shared.kernel.errors import MissingError
from shared.kernel.quantity import ONE_MILLI
from shared.sale.price_check import AT_MS_MAX, CODE_MAX, QTY_MILLI_MAX, PriceCheck, read_brief

router = APIRouter(prefix="/v1", tags=["prices"])
Reader = Annotated[Principal, Depends(Requires(ITEM_READ))]
StoreId = Annotated[str, Path(max_length=32)]
KIND = "price_check"
WITHIN_MINUTES = 1
ID_BYTES = 16
WAITS, NO_BOX, NOT_ASKED = "price_check.waits", "price_check.no_box", "price_check.not_asked"
GTIN_PATTERN = "^[0-9]+$"


class BoxQuestion(BaseModel):
    """How much (thousandths) of which item, when (UTC ms; None for now)."""

    gtin: str = Field(min_length=1, max_length=CODE_MAX, pattern=GTIN_PATTERN)
    qty: int = Field(default=ONE_MILLI, ge=1, le=QTY_MILLI_MAX)
    at: int | None = Field(default=None, ge=0, le=AT_MS_MAX)


class BoxAsked(BaseModel):
    """By which id the answer can be had, and for which instant (UTC ms) it will be."""

    asked: str
    at_ms: int


class Proof(BaseModel):
    """Both answers; `equal` is None while there are not two. Each `because` is a code."""

    equal: bool | None
    cloud: PriceCheck | None
    because: str | None
    box: PriceCheck | None
    box_at_ms: int | None
    box_because: str | None


@router.post("/stores/{store_id}/price-check", status_code=202, response_model=BoxAsked)
def ask_box(store_id: StoreId, body: BoxQuestion, context: ContextDep, reader: Reader) -> Response:
    """Ask the store's box what it would charge; it has a minute to answer."""
    at_ms = context.clock.now_ms() if body.at is None else body.at
    found = price_check(context.database, Asked(store_id, body.gtin, at_ms, body.qty))
    if not found.dev:
        raise MissingError("box.unknown", dev="")
    args = {"gtin": body.gtin, "qty": str(body.qty), "at": str(at_ms)}
    order = remote.Ask([found.dev], KIND, args, reader.name, KIND, WITHIN_MINUTES)
    now_ms = context.clock.now_ms()
    [asked] = remote.ask(context.database, order, now_ms, lambda: token_hex(ID_BYTES))
    return json_answer({"asked": asked, "at_ms": at_ms}, status=202)


def _question(
    store_id: StoreId,
    context: ContextDep,
    gtin: Annotated[str, Query(min_length=1, max_length=CODE_MAX, pattern=GTIN_PATTERN)],
    qty: Annotated[int, Query(ge=1, le=QTY_MILLI_MAX)] = ONE_MILLI,
    at: Annotated[int | None, Query(ge=0, le=AT_MS_MAX)] = None,
) -> Asked:
    return Asked(store_id, gtin, context.clock.now_ms() if at is None else at, qty)


@router.get("/stores/{store_id}/price-check", response_model=Proof)
def proof(
    context: ContextDep,
    _: Reader,
    question: Annotated[Asked, Depends(_question)],
    asked: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """What an amount (thousandths) of an item costs in a store at an instant (UTC ms; now).

    Head office answers by the revision that the store's box sells by. With `asked` (see the POST)
    the box's own answer stands beside it.
    """
    found = price_check(context.database, question)
    answer = found.answer.fields() if found.answer else None
    said = {"equal": None, "cloud": answer, "because": found.because}
    return json_answer(said | _box_side(context, found, asked))


def _box_side(context: Context, found: Checked, asked: str) -> dict[str, Any]:
    nothing: dict[str, Any] = {"box": None, "box_at_ms": None, "box_because": NOT_ASKED}
    if not asked:
        return nothing
    told = remote.command(context.database, found.dev, asked) if found.dev else None
    if told is None or told["kind"] != KIND:
        return nothing
    if told["state"] == "waiting":
        is_late = context.clock.now_ms() > told["not_after_ms"]
        return nothing | {"box_because": NO_BOX if is_late else WAITS}
    if told["state"] != "done" or found.answer is None:
        return nothing | {"box_because": told["code"] or NO_BOX}
    box = read_brief(told["detail"], found.answer)
    return {
        "equal": box == found.answer,
        "box": box.fields(),
        "box_at_ms": told["done_at_ms"],
        "box_because": None,
    }
