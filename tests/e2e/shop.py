"""A chain of two stores for the tests in a browser, opened once per worker."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from shared.kernel.money import CURRENCIES, quick_cash
from tests.demo.chain import CURRENCY, TIME_ZONE, Box, Chain, run_command
from tests.demo.opening import CASHIER, MANAGER, set_up_stores
from tests.demo.pack.codes import ean13_of
from tests.demo.pack.sample import NORTH, SOUTH, sample_pack
from tests.demo.state import DemoState, StoreState
from tests.demo.till_client import ScannerPort, View
from tests.demo.uploads import catalogue_csv, prices_csv
from tests.e2e.waiting import until
from tests.lab.net import free_port
from tests.lab.web_apps import PAGES

BUYER = "anna"
BUYER_PASSWORD = "a-buyer's-password"
NAMES = {MANAGER: "王芳", CASHIER: "李明"}


@dataclass(frozen=True)
class Good:
    """One item of the sample pack: its barcode, its name and today's prices in minor units."""

    code: str
    name: str
    price: int
    member: int | None = None


_NAME_OF = {row.product_id: row.name for row in sample_pack().catalogue}


def good(product_id: int, price: int, member: int | None = None) -> Good:
    """An item of the sample pack, with the prices that the pack's last change gave it."""
    return Good(ean13_of(product_id), _NAME_OF[product_id], price, member)


# At the northern store; the last two at the southern one.
OATS, SAUCE, BREAD = good(1001, 349), good(1002, 459), good(1009, 125)
NOODLES, RICE, MILK = good(1011, 79, 67), good(1005, 1299, 1099), good(1008, 135)
SOUTHERN_TEA, SOUTHERN_TOWEL = good(1003, 949, 799), good(1010, 299)
NOT_ON_SALE = ean13_of(9999)
BAD_CHECK_DIGIT = OATS.code[:-1] + str((int(OATS.code[-1]) + 1) % 10)


class Store:
    """One store: its box, the device port of its scanner, and what a manager may ask of it."""

    def __init__(self, box: Box, state: DemoState) -> None:
        self.box = box
        self.scanner = ScannerPort(box.store.scanner_port)
        self._http = httpx.Client(base_url=box.url, timeout=15)
        self._token = ""
        self.pins = {MANAGER: state.manager_pin, CASHIER: state.cashier_pin}

    @property
    def store_id(self) -> str:
        """Number of the store."""
        return self.box.store.store_id

    def scan(self, *goods: Good | str) -> None:
        """Scan items or bare codes at the device port."""
        self.scanner.scan([one if isinstance(one, str) else one.code for one in goods])

    def view(self) -> View:
        """The lane's view as it is now."""
        with self._http.stream("GET", "/v1/lanes/1/events") as answer:
            kind = ""
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:") and kind == "view":
                    view: View = json.loads(line[5:])
                    return view
        message = f"{self.box.url} sent no view"
        raise AssertionError(message)

    def make_ready(self, *, on_new_day: bool = False) -> None:
        """Leave the lane as in the morning: day open, basket empty, nobody signed in."""
        session = "/v1/lanes/1/session"
        signed_in = self.call("POST", session, {"operator": MANAGER, "pin": self.pins[MANAGER]})
        self._token = signed_in["token"]
        while (basket := self.view()["basket"])["tenders"]:
            self.call("POST", "/v1/lanes/1/undo")
        if self.view()["weighing"] is not None:
            self.call("DELETE", "/v1/lanes/1/weighing")
        if any(basket[part] for part in ("lines", "unknown", "member", "coupons")):
            self.call("POST", "/v1/lanes/1/void", {"reason": "test"})
        self.printer_fault(None)
        if on_new_day and self.view()["state"] != "day_closed":
            self.call("POST", "/v1/day/close")
            until(lambda: self.view()["state"] == "day_closed", "the screen to say so")
        if self.view()["state"] == "day_closed":
            self._open_day()
        # The slip of a closed day comes out by itself: not amid the papers that a test counts.
        until(lambda: not self.call("GET", "/healthz")["print_queue"], "all queued to be on paper")
        self.call("DELETE", session)

    def close(self) -> None:
        """Let go of the box."""
        self.scanner.close()
        self._http.close()

    def business_date(self) -> str:
        """The business date that is open."""
        date_text: str = self.view()["business_date"]
        return date_text

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request to the box, as the manager if `make_ready` is at work."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        answer = self._http.request(method, path, json=body, headers=headers)
        if answer.is_error:
            raise BoxError(answer)
        return answer.json() if answer.content else None

    def papers(self) -> list[str]:
        """The text of each paper printed since the box started."""
        found = self.call("GET", "/virtual/printer/papers")["papers"]
        return [paper["text"] for paper in found]

    def drawer_openings(self) -> int:
        """How often the drawer has opened since the box started."""
        opened: int = self.call("GET", "/virtual/drawer")["opened"]
        return opened

    def printer_fault(self, fault: str | None) -> None:
        """Break or mend the printer."""
        self.call("POST", "/virtual/printer/fault", {"fault": fault})

    def head_seq(self) -> int:
        """Number of the last journal entry."""
        head: int = self.call("GET", "/healthz")["head_seq"]
        return head

    def unsynced(self) -> int:
        """Number of journal entries that headquarters has not confirmed."""
        count: int = self.call("GET", "/healthz")["unsynced"]
        return count

    def _open_day(self) -> None:
        day = today()
        while True:
            try:
                self.call("POST", "/v1/day/open", {"business_date": day.isoformat()})
            except BoxError as error:
                if error.code != "day.already_closed":
                    raise
                day += timedelta(days=1)
            else:
                return


class BoxError(RuntimeError):
    """The box refused."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.status_code} {answer.text}")
        self.code = str(answer.json().get("code", ""))


class Shop:
    """The chain, its two stores and the people at headquarters."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.is_dark = False
        """Headquarters has no power."""
        self.north, self.south = (Store(box, chain.state) for box in chain.boxes)

    @property
    def stores(self) -> tuple[Store, Store]:
        """North, then south."""
        return self.north, self.south

    def price(self, of: Good) -> int:
        """What headquarters asks for an item at the northern store."""
        query = {"q": of.code, "store": self.north.store_id}
        found = self.chain.console.call("GET", "/v1/items", params=query)["items"]
        price: int = found[0]["regular_minor"]
        return price

    def close(self) -> None:
        """Stop everything."""
        for store in self.stores:
            store.close()
        self.chain.stop()

    def heads(self) -> dict[str, int]:
        """Number of the last journal entry of each box."""
        return {store.store_id: store.head_seq() for store in self.stores}

    def recent_sales(self) -> list[dict[str, Any]]:
        """The newest sales that headquarters has."""
        sales: list[dict[str, Any]] = self.chain.console.call("GET", "/v1/reports/live")["recent"]
        return sales

    def bring_cloud_back(self) -> None:
        """Give headquarters its power again; harmless when it has it."""
        if self.is_dark:
            self.chain.revive_cloud()
            self.is_dark = False

    def wait_synced(self) -> None:
        """Wait until headquarters has every entry."""
        self.chain.console.wait_synced(self.heads)


def today() -> date:
    """The stores' calendar day."""
    return datetime.now(UTC).astimezone(ZoneInfo(TIME_ZONE)).date()


def missing_pages() -> list[str]:
    """Built web apps that are not there, or that a build is writing just now."""
    return [str(folder) for folder in PAGES if not _is_whole(folder)]


def _is_whole(folder: Path) -> bool:
    index = folder / "index.html"
    if not index.is_file():
        return False
    named = re.findall(r'(?:src|href)="/?(assets/[^"]+)"', index.read_text("utf-8"))
    return bool(named) and all((folder / name).is_file() for name in named)


def open_shop(folder: Path) -> Shop:
    """Start a chain whose boxes sell the sample pack, with a day open everywhere."""
    chain = Chain(folder, _state(), "zh-CN")
    chain.shelves.gtin = OATS.code
    try:
        return _stocked(chain)
    except BaseException:
        chain.stop()
        raise


def _state() -> DemoState:
    # Each worker has a chain of its own, so no port is one that a person could guess.
    stores = [
        StoreState(str(number), f"Tillbox 超市 {number} 店", free_port(), free_port())
        for number in (NORTH, SOUTH)
    ]
    return DemoState(
        console_port=free_port(),
        worker_port=free_port(),
        device_port=free_port(),
        internal_port=free_port(),
        shelf_port=free_port(),
        stores=stores,
    )


def _stocked(chain: Chain) -> Shop:
    chain.start_cloud()
    add_user = ("user", "add", BUYER, "--role", "buyer", "--password-stdin")
    run_command("tillbox-cloud", *add_user, env=chain._cloud_env(), stdin=BUYER_PASSWORD)
    set_up_stores(chain)
    pack, hq = sample_pack(), chain.console
    hq.import_csv("/v1/items/import", catalogue_csv(pack))
    hq.import_csv("/v1/prices/import", prices_csv(pack))
    chain.start_boxes()
    rev = hq.publish("catalogue and prices")
    hq.wait_converged("active_rev", rev, len(chain.boxes))
    shop = Shop(chain)
    for store in shop.stores:
        store.make_ready()
    return shop


def round_note(due: int) -> int:
    """The smallest round amount above `due` that a till offers as quick cash."""
    return next(note for note in quick_cash(due, CURRENCIES[CURRENCY]) if note > due)


def receipt_words(text: str) -> list[str]:
    """The words of a receipt, on paper or on a screen, free of how each lays them out."""
    # The virtual printer says what it drew; a screen shows the code in words only.
    return re.sub(r"\[qr [^\]]*\]", "", text.replace("[barcode ", "[")).split()
