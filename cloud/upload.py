"""Large request bodies: taken into a temporary file, then worked on outside the event loop."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import IO, TypeVar

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

MEMORY_BYTES = 4 << 20
UPLOAD_BYTES_MAX = 64 << 20

_Result = TypeVar("_Result")


async def with_upload(request: Request, work: Callable[[IO[bytes]], _Result]) -> _Result:
    """Call `work` with the whole body as a file; the server limits its size."""
    with SpooledTemporaryFile(max_size=MEMORY_BYTES) as file:
        async for chunk in request.stream():
            file.write(chunk)
        file.seek(0)
        return await run_in_threadpool(work, file)
