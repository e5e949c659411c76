"""The training page's shelf sensors: sliders for shelves, fridges and doors."""

from __future__ import annotations

import json

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from edge.device.virtual_shelf import Slider, VirtualShelf
from shared.kernel.errors import MissingError

_VALUE_MAX = 100_000


class SliderBody(BaseModel):
    """Where to move a slider: grams, thousandths of a degree Celsius, or 0 and 1 for a door.

    `is_on` false takes the sensor's power away.
    """

    value: int = Field(ge=-_VALUE_MAX, le=_VALUE_MAX)
    is_on: bool = True


def add_shelf(router: APIRouter, shelf: VirtualShelf | None) -> None:
    """Routes below `/virtual` for the sensors of the store."""

    @router.get("/shelf")
    async def look() -> Response:
        """Where all sliders stand; none where the sensors are real."""
        sliders = () if shelf is None else shelf.sliders()
        return _json({"sliders": [_told(each) for each in sliders]})

    @router.post("/shelf/{name}")
    async def move(name: str, body: SliderBody) -> Response:
        """Move one, as goods and doors would."""
        if shelf is None or not shelf.move(name, body.value, is_on=body.is_on):
            raise MissingError("shelf.unknown", sensor=name[:40])
        return await look()


def _told(slider: Slider) -> dict[str, object]:
    return {
        "name": slider.name,
        "label": slider.label,
        "kind": slider.kind,
        "value": slider.value,
        "is_on": slider.is_on,
    }


def _json(value: dict[str, object]) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), media_type="application/json")
