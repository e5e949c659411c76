"""A few kept-open HTTP connections for all light boxes of a process.

A general client spends more processor time on a request than the cloud that answers it, on the
same machine; what is parsed here is left to httptools, as in the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

from shared.kernel.errors import UnavailableError

CONNECTIONS = 16
TIMEOUT_S = 30.0
CHUNK_BYTES = 1 << 16
HTTP_PORT = 80

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(slots=True)
class Answer:
    """An answer as its parser tells it; the method names are httptools'."""

    status: int = 0
    body: bytes = b""
    is_whole: bool = False
    _parts: list[bytes] = field(default_factory=list)

    def on_body(self, data: bytes) -> None:
        """A part of the body."""
        self._parts.append(data)

    def on_message_complete(self) -> None:
        """Nothing more comes."""
        self.body = b"".join(self._parts)
        self.is_whole = True


class LightHttp:
    """Requests to one place; at most `CONNECTIONS` at a time, the others wait their turn."""

    def __init__(self, url: str) -> None:
        split = urlsplit(url)
        self._host, self._port = split.hostname or "", split.port or HTTP_PORT
        self._head = f"Host: {split.netloc}\r\nContent-Type: application/json\r\n"
        self._gate = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[Streams] = []

    async def post(self, path: str, body: bytes, bearer: str) -> Answer:
        """Send JSON; UnavailableError `object.unreachable`."""
        request = (
            f"POST {path} HTTP/1.1\r\n{self._head}Authorization: Bearer {bearer}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        async with self._gate:
            try:
                async with asyncio.timeout(TIMEOUT_S), self._connection() as streams:
                    return await _asked(streams, request)
            except (OSError, EOFError, TimeoutError, httptools.HttpParserError):
                raise UnavailableError("object.unreachable") from None

    def close(self) -> None:
        """Close what is open."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Streams]:
        """A connection that goes back to the others only after a whole answer."""
        while self._idle and self._idle[-1][0].at_eof():
            self._idle.pop()[1].close()
        streams = (
            self._idle.pop()
            if self._idle
            else await asyncio.open_connection(self._host, self._port)
        )
        try:
            yield streams
        except BaseException:
            streams[1].close()
            raise
        self._idle.append(streams)


async def _asked(streams: Streams, request: bytes) -> Answer:
    reader, writer = streams
    answer = Answer()
    parser = httptools.HttpResponseParser(answer)
    writer.write(request)
    while not answer.is_whole:
        data = await reader.read(CHUNK_BYTES)
        if not data:
            raise EOFError
        parser.feed_data(data)
    answer.status = parser.get_status_code()
    return answer
