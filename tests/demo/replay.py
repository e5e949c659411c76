"""Replay a store's recorded weeks: open the day, ring up each receipt, close the day."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from tests.demo.chain import TIME_ZONE, Box
from tests.demo.opening import MANAGER
from tests.demo.pack.model import Receipt
from tests.demo.robot import EngineShare, RobotCashier
from tests.demo.state import DemoState
from tests.demo.till_client import ScannerPort, TillClient


@dataclass(slots=True)
class StoreReplay:
    """What one store's replay gave: the box's own Z per day and the engine's share."""

    store_id: str
    z: dict[str, dict[str, Any]] = field(default_factory=dict)
    share: EngineShare = field(default_factory=EngineShare)
    receipts: int = 0


class StoreRunner:
    """Sells one store's receipts at lane 1 of its box."""

    def __init__(self, box: Box, state: DemoState) -> None:
        self.box = box
        self.till = TillClient(box.store.port)
        self.scanner = ScannerPort(box.store.scanner_port)
        self.robot = RobotCashier(self.till, self.scanner, ZoneInfo(TIME_ZONE))
        self._pin = state.manager_pin
        self.result = StoreReplay(box.store.store_id, share=self.robot.share)

    def open(self) -> None:
        """Sign on and follow the lane's view. The manager may give prices by hand."""
        self.till.sign_in(MANAGER, self._pin)
        self.till.follow(show=True)

    def close(self) -> None:
        """Leave the lane."""
        self.scanner.close()
        self.till.close()

    def replay(self, receipts: list[Receipt], on_receipt: Callable[[], None]) -> StoreReplay:
        """Sell all receipts in order of time."""
        for day, of_day in _by_day(receipts):
            self.open_day(day)
            for receipt in of_day:
                self.robot.ring_up(receipt)
                self.result.receipts += 1
                on_receipt()
            self.result.z[day.isoformat()] = self.close_day(day)
        return self.result

    def open_day(self, day: date) -> None:
        """Begin a business day at midnight, so that late-night receipts lie in it."""
        self.set_clock(datetime.combine(day, time.min))
        self.till.call("POST", "/v1/day/open", {"business_date": day.isoformat()})

    def close_day(self, day: date) -> dict[str, Any]:
        """Close the day; the box's own Z report."""
        z: dict[str, Any] = self.till.call("POST", "/v1/day/close", {})
        assert z["business_date"] == day.isoformat()
        return z

    def set_clock(self, at: datetime | None) -> None:
        """Set the box's training clock; None returns it to the machine's."""
        at_ms = None if at is None else self.robot.at_ms(at)
        self.till.call("POST", "/virtual/clock", {"at_ms": at_ms})


def _by_day(receipts: list[Receipt]) -> Iterator[tuple[date, Iterator[Receipt]]]:
    in_time = sorted(receipts, key=lambda receipt: receipt.basket_no)
    return itertools.groupby(in_time, key=lambda receipt: receipt.at.date())
