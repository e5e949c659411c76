"""Head office in the lab: its command line on its own host, and its API as a program uses it."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.ansible.lab import CLOUD, Lab

ITEM, PRICE_MINOR = "6901234567892", 350
PIN = "271828"
_WAIT_S = 90
_ITEMS = (
    "ean13,name,department,category,brand,package_size,weighed,plu\n"
    f"{ITEM},Tea,Food,Drinks,Own,500 ML,0,\n"
)
_PRICES = (
    "store_id,ean13,effective_at,regular_price_cents,member_price_cents\n"
    f"chain,{ITEM},2020-01-01 00:00:00,{PRICE_MINOR},\n"
)


class Office:
    """What people at head office do in the story."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._http: httpx.Client | None = None

    def run(self, *arguments: str) -> str:
        """Run `tillbox-cloud` on its host, as its own user; what it printed."""
        program = ("/opt/tillbox/current/bin/tillbox-cloud", "--config=/etc/tillbox/cloud.toml")
        user = ("runuser", "--user=tillbox-cloud", "--")
        return self._lab.hosts[CLOUD].inside(*user, *program, *arguments)

    def query(self, sql: str) -> str:
        """Ask the database; the rows as text."""
        user = ("runuser", "--user=tillbox-cloud", "--")
        command = ("psql", "--dbname=tillbox", "--no-align", "--tuples-only", f"--command={sql}")
        return self._lab.hosts[CLOUD].inside(*user, *command).strip()

    def call(self, method: str, path: str, **options: Any) -> Any:
        """One request to the API; AssertionError with its problem document."""
        if self._http is None:
            self._http = self._connect()
        answer = self._http.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def token(self, name: str, role: str) -> str:
        """A program's way in."""
        return self.run("user", "token", name, "--role", role).split()[-1]

    def _connect(self) -> httpx.Client:
        token = self.token("lab", "admin")
        trust = ssl.create_default_context(cafile=str(self._lab.folder / "chain-ca.pem"))
        return httpx.Client(
            base_url=self.url,
            verify=trust,
            headers={"Authorization": f"Bearer {token}"},
            timeout=60,
        )

    @property
    def url(self) -> str:
        """The API as this machine reaches it."""
        return f"https://{self._lab.hosts[CLOUD].address}"

    def stock(self) -> None:
        """Give the chain something to sell."""
        text = {"headers": {"Content-Type": "text/csv"}}
        self.call("POST", "/v1/items/import", content=_ITEMS.encode(), **text)
        self.call("POST", "/v1/prices/import", content=_PRICES.encode(), **text)

    def publish(self) -> None:
        """Bring all drafts to every store at once."""
        self.run("release", "submit", "--waves=100", "--soak=0", "--approve", "--by=lab")

    def new_store(self, store_id: str) -> str:
        """Make a store with its manager; the claim for its box."""
        body = {"name": f"Store {store_id}", "time_zone": "Asia/Shanghai", "currency": "CNY"}
        body["address"] = f"10.98.255.{store_id}"
        made = self.call("POST", "/v1/stores/new", json={"store_id": store_id, **body})
        return str(made["token"])

    def wait(self, is_there: Callable[[], object], what: str, within_s: float = _WAIT_S) -> float:
        """Wait for it; the seconds that it took."""
        began = time.monotonic()
        while not is_there():
            assert time.monotonic() - began < within_s, f"{what}: not within {within_s:g} s"
            time.sleep(0.5)
        return time.monotonic() - began
