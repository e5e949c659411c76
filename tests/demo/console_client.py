"""HQ's side of the demo: the cloud's public HTTP API, as a script at HQ would use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

CONVERGENCE_POLL_S = 0.05


class ApiError(RuntimeError):
    """The API refused; the text is its problem document."""


class ConsoleClient:
    """A signed-in client of the cloud's API. Thread-safe, as httpx clients are."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.Client(base_url=base_url, timeout=60)

    def sign_in(self, user: str, password: str) -> None:
        """Get a session token."""
        answer = self.call("POST", "/v1/session", json={"user": user, "password": password})
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One request; ApiError unless it succeeds."""
        answer = self._http.request(method, path, **options)
        if not answer.is_success:
            raise ApiError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json() if answer.content else None

    def put_store(self, store_id: str, name: str, time_zone: str, currency: str) -> None:
        """Create or change a store."""
        body = {"name": name, "time_zone": time_zone, "currency": currency}
        self.call("PUT", f"/v1/stores/{store_id}", json=body)

    def claim(self, store_id: str) -> str:
        """A token that lets one new box join a store."""
        token: str = self.call("POST", "/v1/claims", json={"store_id": store_id})["token"]
        return token

    def put_operator(self, operator: str, body: dict[str, Any]) -> None:
        """Create or change a cashier or manager."""
        self.call("PUT", f"/v1/staff/{operator}", json=body)

    def import_csv(self, path: str, content: bytes) -> Any:
        """Upload a CSV file."""
        return self.call("POST", path, content=content, headers={"Content-Type": "text/csv"})

    def publish(self, note: str) -> int:
        """Publish all drafts; the new revision."""
        rev: int = self.call("POST", "/v1/publications", json={"note": note})["rev"]
        return rev

    def change_price(self, gtin: str, regular_minor: int) -> None:
        """Set a price in all stores from now on, as a draft."""
        body = {"gtin": gtin, "regular_minor": regular_minor, "member_minor": None}
        self.call("POST", "/v1/prices", json={**body, "store_ids": None, "confirm_large": True})

    def change_chain_price(self, gtin: str, regular_minor: int) -> None:
        """Set the chain's price from now on, one row for all stores, as a draft."""
        body = {"gtin": gtin, "regular_minor": regular_minor, "store_ids": ["chain"]}
        self.call("POST", "/v1/prices", json={**body, "confirm_large": True})

    def convergence(self) -> list[dict[str, Any]]:
        """One row per store: target, stored, active, shown."""
        rows: list[dict[str, Any]] = self.call("GET", "/v1/convergence")["stores"]
        return rows

    def wait_converged(self, column: str, rev: int, stores: int, timeout_s: float = 30) -> float:
        """Wait until `column` reached `rev` in all stores; the seconds it took."""
        return self._wait(
            lambda: sum((row[column] or 0) >= rev for row in self.convergence()) >= stores,
            f"{column} of all stores to reach revision {rev}",
            timeout_s,
        )

    def wait_synced(self, heads: Callable[[], dict[str, int]], timeout_s: float = 60) -> float:
        """Wait until the cloud has every box's journal up to its head."""
        return self._wait(lambda: self.heads() == heads(), "all journals to arrive", timeout_s)

    def heads(self) -> dict[str, int]:
        """Last journal number that the cloud has, by store."""
        # A store whose box was replaced has two: the newest comes first.
        return {box["store_id"]: box["head_seq"] for box in reversed(self._boxes())}

    def daily_close(self, first: str, last: str) -> list[dict[str, Any]]:
        """HQ's own daily close of every store."""
        query = {"from": first, "to": last}
        rows: list[dict[str, Any]] = self.call("GET", "/v1/reports/daily-close", params=query)[
            "rows"
        ]
        return rows

    def _boxes(self) -> list[dict[str, Any]]:
        answer = self.call("GET", "/v1/fleet/boxes")
        boxes: list[dict[str, Any]] = answer["boxes"] if isinstance(answer, dict) else answer
        return boxes

    def _wait(self, is_there: Callable[[], bool], what: str, timeout_s: float) -> float:
        began = time.monotonic()
        while not is_there():
            if time.monotonic() - began > timeout_s:
                raise ApiError(f"gave up waiting for {what} after {timeout_s:g} s")
            time.sleep(CONVERGENCE_POLL_S)
        return time.monotonic() - began
