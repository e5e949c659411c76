"""A person at a till: `python -m tests.ansible.till PORT sell PIN CODE MINOR | close PIN | health`.

Runs in the network of a box.  Prints what the box's health says afterwards, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from datetime import date, timedelta
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

    def open_day(self) -> None:
        """Open the business day, unless it is open; the next one where today's is closed."""
        today = date.today()  # noqa: DTZ011 - as the shop's wall has it
        for day in (today, today + timedelta(days=1)):
            if self.health()["business_date"] is not None:
                return
            try:
                self.post("/v1/day/open", {"business_date": day.isoformat()})
            except AssertionError as refused:
                if "day.already_closed" not in str(refused):
                    raise

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


def main(port: int, command: str, *given: str) -> str:
    """Do it; the box's health afterwards, as JSON."""
    till = Till(port)
    if command == "sell":
        pin, code, minor = given
        till.sign_in(pin)
        till.open_day()
        till.post("/v1/lanes/1/scans", {"code": code})
        till.post("/v1/lanes/1/tenders", {"kind": "cash", "amount_minor": int(minor)})
    elif command == "close":
        till.sign_in(given[0])
        till.post("/v1/day/close", {})
    return json.dumps(till.health())


if __name__ == "__main__":
    sys.stdout.write(main(int(sys.argv[1]), *sys.argv[2:]))
