"""The built console: static files, and its page for every other address outside the API."""

from __future__ import annotations

from mimetypes import guess_type
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from fastapi.responses import FileResponse, HTMLResponse

from cloud.access import PUBLIC
from shared.kernel.errors import MissingError
from shared.wire.encoding import GZIP, takes_gzip

STATIC_FOLDER = Path(__file__).parent / "static"
API_PREFIXES = ("v1/", "assets/")
FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tillbox</title>
<h1>The console is not built</h1>
<p>The API runs. Run <code>make setup</code> in the source tree, or install a released wheel.</p>
"""

Accept = Annotated[str, Header()]


def console_router(folder: Path = STATIC_FOLDER) -> APIRouter:
    """The last router: takes whatever GET no room took."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(PUBLIC)])
    root = folder.resolve()

    @router.get("/{path:path}")
    def page(path: str, accept_encoding: Accept = "") -> Response:
        found = _inside(root, path)
        if found is not None:
            cache = FOR_EVER if path.startswith("assets/") else REVALIDATE
            return _file(found, cache, accept_encoding)
        if path == "v1" or path.startswith(API_PREFIXES):
            raise MissingError("http.404", path=f"/{path[:200]}")
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, status_code=503)
        return _file(index, REVALIDATE, accept_encoding)

    return router


def _inside(root: Path, path: str) -> Path | None:
    try:
        found = (root / path).resolve()
        return found if path and found.is_relative_to(root) and found.is_file() else None
    except (OSError, ValueError):  # no file has such a name: too long, or with a NUL
        return None


def _file(found: Path, cache: str, accept_encoding: str) -> Response:
    """A file, or the compressed one that the build put beside it."""
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    packed = found.with_name(f"{found.name}.gz")
    if takes_gzip(accept_encoding) and packed.is_file():
        headers["Content-Encoding"] = GZIP
        return FileResponse(packed, headers=headers, media_type=guess_type(found.name)[0])
    return FileResponse(found, headers=headers)
