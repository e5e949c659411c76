"""Pictures over HTTP: taken in by who may change goods, given out to whoever may look at them."""

from __future__ import annotations

import base64
from typing import IO, Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from cloud.access import CONFIG_WRITE, ITEM_READ, ITEM_WRITE, ContextDep, Requires
from cloud.answer import json_answer
from cloud.archive.objects import missing
from cloud.picture import remake, schemas
from cloud.upload import with_upload

router = APIRouter(prefix="/v1/pictures", tags=["pictures"])
PREFIX = "sha256:"
BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp")
        }
    }
}
HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Name = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.post("", response_model=schemas.ItemPicture, openapi_extra=BODY)
async def upload(
    request: Request, context: ContextDep, _: Annotated[object, Depends(Requires(ITEM_WRITE))]
) -> Response:
    """Keep a picture of goods, made anew; the same picture twice is kept once."""

    def keep(file: IO[bytes]) -> dict[str, Any]:
        made = remake.item_picture(file)
        name = context.objects.put(made.data)
        size = {"width": made.width, "height": made.height, "bytes": len(made.data)}
        return {"image": PREFIX + name, **size}

    return json_answer(await with_upload(request, keep))


@router.post("/logo", response_model=schemas.Logo, openapi_extra=BODY)
async def make_logo(
    request: Request, _: Annotated[object, Depends(Requires(CONFIG_WRITE))]
) -> Response:
    """A picture in black and white as receipts print it; keeps nothing."""

    def make(file: IO[bytes]) -> dict[str, Any]:
        made = remake.logo(file)
        png = base64.b64encode(made.data).decode()
        return {"png": png, "width": made.width, "height": made.height}

    return json_answer(await with_upload(request, make))


@router.get("/{name}", response_class=Response, dependencies=[Depends(Requires(ITEM_READ))])
def picture(name: Name, context: ContextDep) -> Response:
    """A picture by its SHA-256; what is no picture is not given out here."""
    if context.objects.size(name) > remake.KEPT_BYTES_MAX:
        raise missing(name)
    data = b"".join(context.objects.chunks(name))
    if not remake.is_kept(data):
        raise missing(name)
    return Response(data, media_type=remake.MEDIA_TYPE, headers=HEADERS)
