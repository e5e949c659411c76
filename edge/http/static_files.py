"""The till app: built files, and one page for every address that is none of the API's."""

from __future__ import annotations

import asyncio
from mimetypes import guess_type
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

from edge.access import PUBLIC, Actor, Requires
from shared.wire.encoding import GZIP, takes_gzip

STATIC = Path(__file__).parent / "static"
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_ASK_AGAIN = {"Cache-Control": "no-cache"}
API_FOLDERS = ("v1", "virtual", "healthz", "metrics", "openapi.json", "docs")
_NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>Tillbox</title>"
    "<h1>Web assets not built</h1><p>The box works, but its till page was not built:"
    " run <code>make setup</code>, or install the released wheel.</p>"
)

router = APIRouter(include_in_schema=False)


@router.get("/{path:path}")
async def page(
    request: Request, path: str, _: Annotated[Actor, Depends(Requires(PUBLIC))]
) -> Response:
    """A built file; else the app's page, whose own router knows the rest."""
    if path.split("/", 1)[0] in API_FOLDERS:
        raise HTTPException(404)
    folder: Path = getattr(request.app.state, "static", STATIC)
    found = await asyncio.to_thread(_find, folder, path)
    if found is not None:
        headers = _FOR_EVER if path.startswith("assets/") else _ASK_AGAIN
        return await _file(request, found, headers)
    if path.startswith("assets/"):
        raise HTTPException(404)
    name = "display.html" if path.startswith("display/") else "index.html"
    index = await asyncio.to_thread(_find, folder, name)
    if index is None:
        return HTMLResponse(_NOT_BUILT, 503, headers=_ASK_AGAIN)
    return await _file(request, index, _ASK_AGAIN)


async def _file(request: Request, found: Path, headers: dict[str, str]) -> Response:
    """A file, or the compressed one that the build put beside it."""
    headers = {**headers, "Vary": "Accept-Encoding"}
    packed = found.with_name(f"{found.name}.gz")
    is_wanted = takes_gzip(request.headers.get("Accept-Encoding", ""))
    if is_wanted and await asyncio.to_thread(packed.is_file):
        headers["Content-Encoding"] = GZIP
        return FileResponse(packed, headers=headers, media_type=guess_type(found.name)[0])
    return FileResponse(found, headers=headers)


def _find(folder: Path, path: str) -> Path | None:
    try:
        target = (folder / path).resolve()
        is_inside = target.is_relative_to(folder.resolve())
        return target if path and is_inside and target.is_file() else None
    except (OSError, ValueError):  # no file has such a name: too long, or with a NUL
        return None
