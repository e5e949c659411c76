"""Head office over HTTPS: takes a batch of any journal of this store, says where it stands."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from edge.tls import Trust, public_trust
from shared.kernel.errors import RefusedError, UnavailableError
from shared.wire.message import Ack, parse_message

if TYPE_CHECKING:
    from httpx import Client

_TIMEOUT_S, _CONNECT_TIMEOUT_S = 30.0, 5.0
_PATH = "/v1/journal/batches"


class Office(Protocol):
    """Where batches go."""

    def post(self, payload: bytes) -> Ack:
        """The cloud's acknowledgement of a batch.

        UnavailableError `salvage.unreachable` without one, RefusedError `salvage.refused` when
        the cloud takes nothing from this box.
        """
        ...


class HttpOffice:
    """The cloud's API, asked as a device."""

    def __init__(self, cloud_url: str, bearer: str, trust: Trust = public_trust) -> None:
        self._url = cloud_url.rstrip("/") + _PATH
        self._bearer = bearer
        self._trust = trust
        self._trusted: object = None
        self._client: Client | None = None

    def post(self, payload: bytes) -> Ack:
        """See `Office`."""
        from httpx import HTTPError, InvalidURL  # noqa: PLC0415 - see _connected

        try:
            answer = self._connected().post(self._url, content=payload)
        except (HTTPError, InvalidURL, RuntimeError) as error:
            raise UnavailableError("salvage.unreachable", url=self._url) from error
        if answer.status_code == HTTPStatus.OK:
            return parse_message(Ack, answer.content)
        if answer.status_code in {
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            HTTPStatus.UNPROCESSABLE_ENTITY,
        }:
            raise RefusedError("salvage.refused", url=self._url, status=answer.status_code)
        raise UnavailableError("salvage.unreachable", url=self._url)

    def close(self) -> None:
        """Close the connection; what is under way fails as unreachable."""
        if self._client is not None:
            self._client.close()

    def _connected(self) -> Client:
        """The client, made late: importing httpx would cost a tenth of the box's start."""
        trust = self._trust()
        if self._client is not None and trust is not self._trusted:
            self._client.close()  # head office's CA is being replaced
            self._client = None
        if self._client is None:
            from httpx import Client, Timeout  # noqa: PLC0415

            self._trusted = trust
            self._client = Client(
                verify=trust,
                headers={
                    "Authorization": self._bearer,
                    "Content-Type": "application/octet-stream",
                },
                timeout=Timeout(_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S),
            )
        return self._client
