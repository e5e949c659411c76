"""The training page's scale and customer display: load the pan, read the rows."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from edge.device.virtual_display import VirtualDisplay
from edge.device.virtual_scale import Pan, VirtualScale
from edge.device.wiring_scale import Counter
from shared.kernel.errors import MissingError

_LOAD_MILLI_MAX = 99_999


class LoadBody(BaseModel):
    """What to lay on the pan instead of what lies there, in thousandths of a kilogram.

    `is_shaken` keeps it from settling.
    """

    load_milli: int = Field(ge=-_LOAD_MILLI_MAX, le=_LOAD_MILLI_MAX)
    is_shaken: bool = False


def add_counter(router: APIRouter, counter: Counter) -> None:
    """Routes below `/virtual` for what stands between cashier and customer."""

    @router.post("/scale/{lane}")
    def load(lane: int, body: LoadBody) -> Response:
        """Lay something on a lane's scale."""
        scale = _scale(counter, lane)
        scale.load(body.load_milli, is_shaken=body.is_shaken)
        return _json(_pan(scale.pan()))

    @router.post("/scale/{lane}/tare")
    def tare(lane: int) -> Response:
        """Press the scale's own tare key; with an empty pan it ends the tare."""
        scale = _scale(counter, lane)
        scale.tare()
        return _json(_pan(scale.pan()))

    @router.get("/counter/{lane}")
    async def look(lane: int) -> Response:
        """How a lane's scale stands and what its customer display shows; null for none."""
        scale = counter.virtual_scales.get(lane)
        display = counter.virtual_displays.get(lane)
        return _json(
            {
                "scale": None if scale is None else _pan(scale.pan()),
                "display": None if display is None else _rows(display),
            }
        )


def _scale(counter: Counter, lane: int) -> VirtualScale:
    scale = counter.virtual_scales.get(lane)
    if scale is None:
        raise MissingError("scale.none", lane=lane)
    return scale


def _pan(pan: Pan) -> dict[str, Any]:
    return {
        "load_milli": pan.load_milli,
        "shown_milli": pan.shown_milli,
        "tare_milli": pan.tare_milli,
        "is_moving": pan.is_moving,
        "is_over": pan.is_over,
    }


def _rows(display: VirtualDisplay) -> list[str]:
    return list(display.rows())


def _json(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), media_type="application/json")
