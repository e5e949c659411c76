"""What support asks of a box: its newest log lines, redacted, and how it stands, in one file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from edge.ops.redact import redacted
from edge.tls import Trust, public_trust
from shared.kernel.canonical import sha256
from shared.kernel.errors import RefusedError, UnavailableError

PACK_BYTES_MAX = 512 * 1024
"""Compressed; what does not fit is left out, the oldest lines first."""
_GZIP = 16 + zlib.MAX_WBITS
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class LogParts:
    """Where lines and figures come from; `secrets` are texts that may not leave the store."""

    lines: Callable[[], Iterable[str]]
    standing: Callable[[], dict[str, Any]]
    secrets: Callable[[], Iterable[str]]


def pack(parts: LogParts, size_max: int = PACK_BYTES_MAX) -> bytes:
    """The file: gzip of JSON lines, the first one how the box stands."""
    standing = json.dumps(parts.standing(), default=repr)
    lines = redacted([standing, *parts.lines()], parts.secrets())
    head, rest = lines[0], lines[1:]
    while True:
        packed = _gzip("\n".join([head, *rest, ""]))
        if len(packed) <= size_max or not rest:
            return packed
        rest = rest[len(rest) // 2 + 1 :]


class LogOffice(Protocol):
    """Who takes the file."""

    def put(self, command_id: str, packed: bytes) -> str:
        """Hand it in for a command; its SHA-256 (hex).

        UnavailableError `command.upload` without an answer, RefusedError `command.upload_refused`.
        """
        ...


class HttpLogOffice:
    """Head office's API, asked as a device."""

    def __init__(self, cloud_url: str, bearer: str, trust: Trust = public_trust) -> None:
        self._url = cloud_url.rstrip("/") + "/v1/device/commands"
        self._bearer = bearer
        self._trust = trust

    def put(self, command_id: str, packed: bytes) -> str:
        """See LogOffice."""
        # Imported late: httpx would cost a tenth of the box's start.
        from httpx import HTTPError, InvalidURL, put  # noqa: PLC0415

        headers = {"Authorization": self._bearer, "Content-Type": "application/gzip"}
        try:
            answer = put(
                f"{self._url}/{command_id}/log",
                content=packed,
                headers=headers,
                timeout=_TIMEOUT_S,
                verify=self._trust(),
            )
        except (HTTPError, InvalidURL) as error:
            raise UnavailableError("command.upload") from error
        if answer.status_code == HTTPStatus.NO_CONTENT:
            return sha256(packed).hex()
        if answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RefusedError("command.upload_refused", status=answer.status_code)
        raise UnavailableError("command.upload")


def _gzip(text: str) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    return packer.compress(text.encode()) + packer.flush()
