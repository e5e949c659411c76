"""What the box asks head office of members: over HTTPS, as the box that it is."""

from __future__ import annotations

from typing import Any

from edge.identity import Identity
from edge.tls import Trust
from shared.kernel.errors import MissingError, RefusedError, UnavailableError
from shared.member.feed import Feed, KnownMember, read_feed, read_member

_TIMEOUT_S, _ASK_TIMEOUT_S, _CONNECT_TIMEOUT_S = 20.0, 4.0, 3.0
_OK, _NOT_FOUND, _BAD, _FAILED = 200, 404, 400, 500
_OFTEN = "member.asked_often"


class Office:
    """Head office's register, as far as a box may ask it.

    Raises UnavailableError `member.office_away`, CorruptError `member.feed`.
    """

    def __init__(self, identity: Identity, trust: Trust) -> None:
        self._url = f"{identity.cloud_url.rstrip('/')}/v1/device/members"
        self._headers = {"Authorization": f"Bearer {identity.dev}.{identity.secret}"}
        self._trust = trust

    def feed(self, epoch: str, place: str) -> Feed:
        """The next piece of whom this box is to know."""
        return read_feed(self._post("", {"epoch": epoch, "cursor": place}, _TIMEOUT_S))

    def ask(self, *, phone_slow: str = "", card: str = "") -> KnownMember:
        """Somebody whom this box does not know; MissingError `member.unknown`.

        A customer waits for it: it gives up soon.
        """
        asked = {"phone_slow": phone_slow, "card": card}
        return read_member(self._post("/find", asked, _ASK_TIMEOUT_S).get("member"))

    def bring(self, member: str, sealed: bytes) -> KnownMember:
        """Bring somebody who joined here; RefusedError or MissingError where that is for good."""
        told = {"member": member, "sealed": sealed.hex()}
        return read_member(self._post("/join", told, _TIMEOUT_S).get("member"))

    def _post(self, path: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        from httpx import Client, HTTPError, InvalidURL, Timeout  # noqa: PLC0415 - see edge.sync.fetch

        timeout = Timeout(timeout_s, connect=_CONNECT_TIMEOUT_S)
        try:
            with Client(verify=self._trust(), timeout=timeout) as client:
                response = client.post(self._url + path, json=body, headers=self._headers)
            answer = response.json()
        except (HTTPError, InvalidURL, OSError, ValueError) as error:
            raise UnavailableError("member.office_away") from error
        status = response.status_code
        if status == _OK and isinstance(answer, dict):
            return answer
        code = str(answer.get("code", "")) if isinstance(answer, dict) else ""
        if status == _NOT_FOUND and code.startswith("member."):
            raise MissingError(code)
        if _BAD <= status < _FAILED and code.startswith("member."):
            raise RefusedError(code)
        raise UnavailableError("member.office_away")


def is_for_good(error: Exception) -> bool:
    """Whether head office will never take what was brought."""
    return isinstance(error, RefusedError | MissingError) and error.code != _OFTEN
