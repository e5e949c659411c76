"""Head office signs the till pages' certificate: `POST /v1/device/till-certificate`."""

from __future__ import annotations

import json

from edge.identity import Identity
from edge.tls import Trust
from shared.kernel.errors import CorruptError, UnavailableError

ANSWER_BYTES_MAX = 64 * 1024
_TIMEOUT_S = 10.0
_OK = 200


class HqSigners:
    """See `edge.https.service.Signers`; `trust` is what its HTTPS is checked against."""

    def __init__(self, identity: Identity, trust: Trust) -> None:
        self._url = f"{identity.cloud_url.rstrip('/')}/v1/device/till-certificate"
        self._bearer = f"Bearer {identity.dev}.{identity.secret}"
        self._trust = trust

    def certify(self, request: str, addresses: list[str]) -> str:
        """Ask; UnavailableError `https.unreachable` or `https.refused`, CorruptError for nonsense.

        The box sells on with the certificate that it has.
        """
        from httpx import Client, HTTPError, InvalidURL  # noqa: PLC0415 - as in edge.sync.fetch

        asked = {"csr": request, "addresses": addresses}
        try:
            with Client(verify=self._trust(), timeout=_TIMEOUT_S) as client:
                answer = client.post(self._url, json=asked, headers={"Authorization": self._bearer})
        except (HTTPError, InvalidURL, RuntimeError) as error:
            raise UnavailableError("https.unreachable") from error
        if answer.status_code != _OK:
            raise UnavailableError("https.refused", status=answer.status_code)
        try:
            return str(json.loads(answer.content[:ANSWER_BYTES_MAX])["certificate"])
        except (ValueError, KeyError, TypeError):
            raise CorruptError("https.refused", status=answer.status_code) from None
