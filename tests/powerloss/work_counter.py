"""Customers at one lane, as the tablet in front of them sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.sale.commands import ScanCode, TakeTender, VoidBasket
from shared.journal.event import DayOpened
from shared.sale.tender import TenderKind
from tests.builders import a_gtin
from tests.integration.edge.boxes import DAY, a_draft
from tests.powerloss.campaign import Crash, Cut, files_in
from tests.powerloss.counter import Counter, a_catalogue_beside, a_counter
from tests.powerloss.workloads import promise

CASH, CARD = TenderKind.CASH, TenderKind.CARD


def serve(folder: Path, setting: str) -> None:
    """Four customers: cash, card and cash, one who leaves, cash."""
    del setting
    replica = a_catalogue_beside(folder.parent)
    with a_counter(folder, replica, promise) as counter:
        tablet = _Tablet(counter)
        tablet.scan(3, 4)
        tablet.pay(CASH, 700)
        tablet.scan(5, 6, 7)
        tablet.pay(CARD, 1000)
        tablet.pay(CASH, 800)
        tablet.scan(8)
        tablet.leave()
        tablet.scan(9, 10)
        tablet.pay(CASH, 2000)
        counter.wait_printed()


class _Tablet:
    """Gives each command a key of its own and remembers what it was told."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._sent = 0

    def scan(self, *items: int) -> None:
        for item in items:
            self._counter.do(ScanCode(a_gtin(item)), self._next_key())
            basket = self._counter.state.basket
            assert basket is not None
            promise(basket=basket.id, codes=[line.code for line in basket.lines])

    def pay(self, kind: TenderKind, amount_minor: int) -> None:
        basket = self._counter.state.basket
        assert basket is not None
        key = self._next_key()
        promise(sending=key, of=basket.id, tender=[kind.value, amount_minor])
        result = self._counter.do(TakeTender(kind, amount_minor), key)
        promise(answered=key, of=basket.id, receipt=result.receipt_no)
        self._counter.wait_printed()

    def leave(self) -> None:
        basket = self._counter.state.basket
        assert basket is not None
        self._counter.do(VoidBasket("left", "1001"), self._next_key())
        promise(voided=basket.id)

    def _next_key(self) -> str:
        self._sent += 1
        return f"key-{self._sent}"


def opened(folder: Path) -> Crash:
    """A folder in which a day is open and Ann has the lane."""
    data = folder / "opened"
    with a_counter(data, a_catalogue_beside(folder), lambda **_: None) as counter:
        counter.journal.append(a_draft(DayOpened(DAY), till=""))
    return Crash(Cut(0, "keep"), files_in(data), ())


WORKS: dict[str, Callable[[Path, str], None]] = {"serve": serve}
