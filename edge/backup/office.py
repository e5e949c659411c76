"""Head office over HTTPS: whom to seal for, and where a sealed backup goes."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from edge.backup.unpack import file_chunks
from edge.tls import Trust
from shared.kernel.errors import RefusedError, UnavailableError

if TYPE_CHECKING:
    from httpx import Response

_CONNECT_S, _KEYS_S, _WRITE_S = 5.0, 30.0, 120.0
_KEYS_PATH, _PUT_PATH = "/v1/device/backup-keys", "/v1/device/backup"
_FAILED = 500


class BackupOffice(Protocol):
    """Where backups go beside the stick."""

    def keys(self) -> bytes:
        """The signed list of keys; UnavailableError `backup.unreachable`."""
        ...

    def put(self, file: Path) -> None:
        """Hand a sealed file in; RefusedError `backup.refused`, UnavailableError as above."""
        ...


class HttpBackupOffice:
    """The cloud's API, asked as a device."""

    def __init__(self, cloud_url: str, bearer: str, stick: str, trust: Trust) -> None:
        """`stick` tells how the backups on the stick fare: ok, off, or a code."""
        self._trust = trust
        self._url = cloud_url.rstrip("/")
        self._headers = {"Authorization": bearer}
        self._stick = stick

    def keys(self) -> bytes:
        """See `BackupOffice`."""
        from httpx import HTTPError, InvalidURL, get  # noqa: PLC0415 - a tenth of the box's start

        try:
            answer = get(
                self._url + _KEYS_PATH, headers=self._headers, timeout=_KEYS_S, verify=self._trust()
            )
        except (HTTPError, InvalidURL) as error:
            raise UnavailableError("backup.unreachable", url=self._url) from error
        return self._checked(answer).content

    def put(self, file: Path) -> None:
        """See `BackupOffice`; streamed from the disk."""
        from httpx import HTTPError, InvalidURL, Timeout, put  # noqa: PLC0415 - the same

        headers = self._headers | {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(file.stat().st_size),
        }
        timeout = Timeout(_WRITE_S, connect=_CONNECT_S)
        try:
            answer = put(
                self._url + _PUT_PATH,
                params={"stick": self._stick},
                content=file_chunks(file),
                headers=headers,
                timeout=timeout,
                verify=self._trust(),
            )
        except (HTTPError, InvalidURL) as error:
            raise UnavailableError("backup.unreachable", url=self._url) from error
        self._checked(answer)

    def _checked(self, answer: Response) -> Response:
        if answer.status_code >= _FAILED or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            raise UnavailableError("backup.unreachable", url=self._url)
        if not answer.is_success:
            raise RefusedError("backup.refused", url=self._url, status=answer.status_code)
        return answer
