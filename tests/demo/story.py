"""The story that `make demo` tells: import, publish, sell through an outage, close, re-price."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.demo.chain import Chain
from tests.demo.checks import Results, check_close, check_share
from tests.demo.opening import set_up_stores
from tests.demo.pack.model import DemoPack
from tests.demo.replay import StoreReplay, StoreRunner
from tests.demo.shelves import SHELF, grams_of
from tests.demo.till_client import TillClient
from tests.demo.uploads import catalogue_csv, most_sold, prices_csv

OUTAGE_FROM, OUTAGE_TO = 0.35, 0.55
"""Shares of the receipts at which HQ loses and regains its power."""
PLUG_AT = 0.7
PROOFS = (
    ("every entry, signature and archived segment verified", ("verify", "--archive")),
    ("the books made anew from the journals are the same", ("rebuild", "--check")),
    ("a database restored from the archive alone is the same", ("drill",)),
)
"""What is proved, and the command that proves it."""
END_TO_END_S = 90.0
PRINT_TIMEOUT_S = 10.0
PRINT_POLL_S = 0.02


class Story:
    """Tells the story on a chain and writes down what it proved."""

    def __init__(self, chain: Chain, pack: DemoPack, console: Console) -> None:
        self.chain = chain
        self.pack = pack
        self.console = console
        self.results = Results()
        self.runners: list[StoreRunner] = []
        self.printed_before_cut = 0
        self.cuts = 0

    def tell(self) -> Results:
        """The whole story; the results, right or wrong."""
        began = time.monotonic()
        self.chain.shelves.gtin = self._piece_good()
        with self._step("stores, boxes and staff"):
            set_up_stores(self.chain)
        self._import_and_publish()
        self.runners = [StoreRunner(box, self.chain.state) for box in self.chain.boxes]
        for runner in self.runners:
            runner.open()
        replays = self._replay()
        self._check_arrival(replays)
        self.results.at_most("the whole pack, end to end", END_TO_END_S, time.monotonic() - began)
        self._change_price()
        with self._step("a shelf is emptied that the book calls full"):
            self._phantom_stock()
        self._prove()
        for runner in self.runners:
            runner.set_clock(None)
            runner.close()
        return self.results

    def _import_and_publish(self) -> None:
        hq, count = self.chain.console, len(self.chain.boxes)
        with self._step(f"import {len(self.pack.catalogue):,} items"):
            hq.import_csv("/v1/items/import", catalogue_csv(self.pack))
        with self._step(f"import {len(self.pack.price_events):,} dated prices"):
            hq.import_csv("/v1/prices/import", prices_csv(self.pack))
        with self._step(f"publish, and {count} boxes activate"):
            self.chain.start_boxes()
            rev = hq.publish("catalogue and prices")
            hq.wait_converged("active_rev", rev, count)

    def _replay(self) -> list[StoreReplay]:
        by_store = {
            runner.result.store_id: [
                r for r in self.pack.receipts if str(r.store_id) == runner.result.store_id
            ]
            for runner in self.runners
        }
        total = sum(len(receipts) for receipts in by_store.values())
        with self._bar(total, "receipts replayed, scan by scan") as advance:
            director = _Director(self.chain, total, self._power_cut_of_a_box)
            with ThreadPoolExecutor(len(self.runners)) as pool:

                def on_receipt() -> None:
                    advance()
                    director.on_receipt()

                futures = [
                    pool.submit(runner.replay, by_store[runner.result.store_id], on_receipt)
                    for runner in self.runners
                ]
                replays = []
                for future in as_completed(futures):
                    director.is_over = director.is_over or future.exception() is not None
                    replays.append(future.result())
            director.finish()
        self.results.holds(
            "receipts sold while HQ was without power", is_so=director.sold_in_outage > 0
        )
        return replays

    def _power_cut_of_a_box(self) -> None:
        """Arrange that the busiest store's box is killed in the middle of its next basket."""
        sales = Counter(str(receipt.store_id) for receipt in self.pack.receipts)
        runner = max(self.runners, key=lambda each: sales[each.result.store_id])

        def pull_the_plug() -> None:
            self.cuts += 1
            before = runner.till.view["basket"]
            # The virtual printer lives in the box's process and counts its papers anew.
            self.printed_before_cut = _papers(runner)
            runner.box.process.kill()
            began = time.monotonic()
            runner.box.start()
            runner.box.wait()
            ready_s = time.monotonic() - began
            after = runner.till.wait(lambda view: view.get("basket") == before, "the same basket")
            same = after["basket"] == before and after["state"] == "selling"
            self.results.holds("basket and screen after SIGKILL of a box in mid-basket", is_so=same)
            self.results.at_most(
                "that box ready to sell again, while the others sell on", 10.0, ready_s
            )

        runner.robot.interrupt = pull_the_plug

    def _check_arrival(self, replays: list[StoreReplay]) -> None:
        with self._step("journals arrive at HQ"):
            self.chain.console.wait_synced(self._box_heads)
        days = sorted(close.date.isoformat() for close in self.pack.expected_daily_close)
        rows = self.chain.console.daily_close(days[0], days[-1])
        box_z = {(r.store_id, day): z for r in replays for day, z in r.z.items()}
        check_close(self.results, list(self.pack.expected_daily_close), rows, box_z)
        check_share(self.results, [replay.share for replay in replays])
        self.results.equal("boxes killed in the middle of a basket", 1, self.cuts)
        overrides = sum(replay.share.overrides for replay in replays)
        recorded = sum(z["overrides"] for z in box_z.values())
        self.results.equal("prices given by hand, all recorded as overrides", overrides, recorded)
        sold = sum(replay.receipts for replay in replays)
        self.results.equal("receipts sold, each once", len(self.pack.receipts), sold)
        printed = self.printed_before_cut + sum(_papers(runner) for runner in self.runners)
        on_paper = len(self.pack.receipts) + len(box_z)
        self.results.equal("receipts and closed days on paper, each once", on_paper, printed)

    def _prove(self) -> None:
        """What an auditor would run: every hash and signature, the books, the archive alone."""
        days = len(self.pack.expected_daily_close)
        with self._step("archive, verify, rebuild, restore drill"):
            self.chain.cloud_proves("archive", "run", "--now")
            for what, arguments in PROOFS:
                is_so = self.chain.cloud_proves(*arguments)
                self.results.holds(what, is_so=is_so)
        signed = self.chain.certified_days(days)
        self.results.equal("store-days certified by the box and countersigned", days, signed)

    def _box_heads(self) -> dict[str, int]:
        return {
            runner.result.store_id: runner.till.call("GET", "/healthz")["head_seq"]
            for runner in self.runners
        }

    def _change_price(self) -> None:
        gtin = most_sold(self.pack)
        count = len(self.chain.boxes)
        hq = self.chain.console
        hq.change_price(gtin, 123)
        began = time.monotonic()
        rev = hq.publish("one price changed in the console")
        hq.wait_converged("active_rev", rev, count)
        self.results.at_most(
            "one price: published -> active on all boxes", 1.0, time.monotonic() - began
        )
        hq.wait_converged("shown_rev", rev, count)
        shown = sum(
            any(
                c["gtin"] == gtin and c["new_minor"] == 123
                for c in runner.till.view["price_changes"]
            )
            for runner in self.runners
        )
        self.results.equal("tills that show the new price without a reload", count, shown)

    def _piece_good(self) -> str:
        """An item that is sold by the piece."""
        return next(row.ean13 for row in self.pack.catalogue if not row.weighed)

    def _phantom_stock(self) -> None:
        """Count twelve, empty the shelf unsold; the till and headquarters must tell."""
        till, hq = self.runners[0].till, self.chain.console
        move, count = f"/virtual/shelf/{SHELF}", f"/v1/shelves/{SHELF}/count"
        till.call("POST", move, {"value": grams_of(12)})
        _until(lambda: _shelf(till)["qty_milli"] == 12_000)
        till.call("POST", count, {"qty_milli": 12_000})
        till.call("POST", move, {"value": grams_of(0)})
        _until(lambda: till.call("GET", "/v1/shelves")["tasks"])
        _until(lambda: hq.call("GET", "/v1/shelves")["standing"])
        [told] = hq.call("GET", "/v1/shelves")["standing"] or [{}]
        found = (told.get("book_milli"), told.get("shelf_milli"))
        what = "shelf emptied unsold: told at the till and at head office (book, shelf)"
        self.results.equal(what, (12_000, 0), found)
        till.call("POST", count, {"qty_milli": 0})
        _until(lambda: not hq.call("GET", "/v1/shelves")["standing"])
        tasks = till.call("GET", "/v1/shelves")["tasks"]
        self.results.equal("its task, once somebody has counted", 0, len(tasks))

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        began = time.monotonic()
        with self.console.status(title):
            yield
        self.console.print(f"  [green]✓[/] {title} [dim]{time.monotonic() - began:.1f} s[/]")

    @contextmanager
    def _bar(self, total: int, title: str) -> Iterator[Callable[[], None]]:
        columns = (
            TextColumn("  [bold]{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(title, total=total)
            yield lambda: progress.advance(task)


class _Director:
    """Cuts HQ's power while stores sell, and brings it back; asks for a box's power cut later."""

    def __init__(self, chain: Chain, total: int, on_plug: Callable[[], None]) -> None:
        self._chain = chain
        self._at = {int(total * OUTAGE_FROM): self._cut, int(total * OUTAGE_TO): self._revive}
        self._at[int(total * PLUG_AT)] = on_plug
        self._count = 0
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._failure: BaseException | None = None
        self.is_dark = False
        self.is_over = False
        """One store failed: the others need not sell on."""
        self.sold_in_outage = 0

    def on_receipt(self) -> None:
        """Called after each receipt, from any store's thread."""
        if self.is_over:
            raise CancelledError
        with self._lock:
            self._count += 1
            self.sold_in_outage += self.is_dark
            act = self._at.get(self._count)
        if act is not None:
            act()

    def finish(self) -> None:
        """Wait for what was started; raise what went wrong there."""
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure

    def _cut(self) -> None:
        self._chain.kill_cloud()
        self.is_dark = True

    def _revive(self) -> None:
        self.is_dark = False
        thread = threading.Thread(target=self._revive_now)
        self._threads.append(thread)
        thread.start()

    def _revive_now(self) -> None:
        try:
            self._chain.revive_cloud()
        except BaseException as error:  # noqa: BLE001 - told by finish() in the main thread
            self._failure = error


def _shelf(till: TillClient) -> dict[str, Any]:
    sensors: list[dict[str, Any]] = till.call("GET", "/v1/shelves")["sensors"]
    return next(each for each in sensors if each["name"] == SHELF)


def _until(is_there: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait; what is missing afterwards shows in the table."""
    until_s = time.monotonic() + within_s
    while not is_there() and time.monotonic() < until_s:
        time.sleep(0.2)


def _papers(runner: StoreRunner) -> int:
    """How many papers came out of a box's printer since its process started.

    Waits for what is still to be printed: a receipt that is cut off at the printer is never
    printed again by itself, because nobody can know whether it came out.
    """
    deadline = time.monotonic() + PRINT_TIMEOUT_S
    while runner.till.call("GET", "/healthz")["print_queue"] and time.monotonic() < deadline:
        time.sleep(PRINT_POLL_S)
    papers = runner.till.call("GET", "/virtual/printer/papers?after=0")["papers"]
    return max((paper["n"] for paper in papers), default=0)
