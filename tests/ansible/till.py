"""One sale at a till, as a tablet makes it: `python -m tests.ansible.till PORT PIN CODE MINOR`.

Runs in the network of a box.  Prints what the box's health says afterwards, as JSON.
"""

from __future__ import annotations

import sys
import time
import uuid
from typing import Any

import httpx

OPERATOR = "1001"
READY_S = 90


class Till:
    """Lane 1 of the box on this machine."""

    def __init__(self, port: int) -> None:
        # The certificate is the box's own; who connects is on the same machine.
        self._http = httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=False, timeout=30)  # noqa: S501

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """One command with a key of its own; AssertionError with what the box said."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = self._http.post(path, json=body, headers=key)
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def health(self) -> dict[str, Any]:
        """What the box says of itself."""
        found: dict[str, Any] = self._http.get("/healthz").json()
        return found

    def sign_in(self, pin: str) -> None:
        """Sign in once the box has its staff and prices."""
        until = time.monotonic() + READY_S
        while True:
            try:
                token = self.post("/v1/lanes/1/session", {"operator": OPERATOR, "pin": pin})
                break
            except (AssertionError, httpx.HTTPError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
        self._http.headers["Authorization"] = f"Bearer {token['token']}"


def sell(port: int, pin: str, code: str, minor: int) -> str:
    """Open the day if nobody did, scan, take cash; the answer to the last command."""
    till = Till(port)
    till.sign_in(pin)
    opened = till._http.post(  # noqa: SLF001
        "/v1/day/open",
        json={"business_date": time.strftime("%Y-%m-%d")},
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )
    assert opened.is_success or opened.status_code in {409, 422}, opened.text
    till.post("/v1/lanes/1/scans", {"code": code})
    till.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": minor})
    return httpx.Response(200, json=till.health()).text


if __name__ == "__main__":
    sys.stdout.write(sell(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
