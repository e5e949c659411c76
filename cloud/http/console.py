"""The built console: static files, and its page for every other address outside the API."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Depends, Response
from fastapi.responses import FileResponse, HTMLResponse

from cloud.access import PUBLIC
from shared.kernel.errors import MissingError

STATIC_FOLDER = Path(__file__).parent / "static"
API_PREFIXES = ("v1/", "assets/")
FOR_EVER = "public, max-age=31536000, immutable"
REVALIDATE = "no-cache"
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Tillbox</title>
<h1>The console is not built</h1>
<p>The API runs. Run <code>make setup</code> in the source tree, or install a released wheel.</p>
"""


def console_router(folder: Path = STATIC_FOLDER) -> APIRouter:
    """The last router: takes whatever GET no room took."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(PUBLIC)])
    root = folder.resolve()

    @router.get("/{path:path}")
    def page(path: str) -> Response:
        found = (root / path).resolve()
        if path and found.is_file() and found.is_relative_to(root):
            cache = FOR_EVER if path.startswith("assets/") else REVALIDATE
            return FileResponse(found, headers={"Cache-Control": cache})
        if path == "v1" or path.startswith(API_PREFIXES):
            raise MissingError("http.404", path=f"/{path[:200]}")
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, status_code=503)
        return FileResponse(index, headers={"Cache-Control": REVALIDATE})

    return router
