"""A robot cashier: rings up one recorded receipt the way a person would.

It scans every code at the device port, gives prices by hand where the dated price does not give
the recorded amount (N-for-X deals), hands in coupons, takes the money, and checks what the box
says at each step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.item.barcode import member_card_code
from shared.kernel.quantity import ONE_MILLI
from tests.demo.pack.model import Receipt, ReceiptLine
from tests.demo.till_client import ScannerPort, TillClient, View

REPEAT_SCANS_MAX = 4
"""Up to here a cashier scans each piece; above, the quantity is typed."""
CARD_EVERY = 3
DEAL_REASON = "deal"


@dataclass(slots=True)
class EngineShare:
    """How many unit-priced lines the engine priced as recorded, gross and net, by itself."""

    lines: int = 0
    gross_right: int = 0
    net_right: int = 0
    overrides: int = 0


class RobotCashier:
    """Rings up receipts at one lane."""

    def __init__(self, till: TillClient, scanner: ScannerPort, zone: ZoneInfo) -> None:
        self.till = till
        self.scanner = scanner
        self.zone = zone
        self.share = EngineShare()
        self.interrupt: Callable[[], None] | None = None
        """Called once in the middle of the next basket: the demo pulls the plug there."""

    def at_ms(self, at: datetime) -> int:
        """UTC milliseconds of a store-local time."""
        return int(at.replace(tzinfo=self.zone).timestamp() * 1000)

    def ring_up(self, receipt: Receipt) -> View:
        """Sell one receipt; the view after payment."""
        self._set_clock(receipt)
        self._scan(receipt)
        self._type_quantities(receipt)
        for line in receipt.lines:
            self._correct(line)
        return self._pay(receipt)

    def _set_clock(self, receipt: Receipt) -> None:
        self.till.call("POST", "/virtual/clock", {"at_ms": self.at_ms(receipt.at)})

    def _scan(self, receipt: Receipt) -> None:
        codes = [member_card_code(str(receipt.member_id))]
        for line in receipt.lines:
            if not _is_bare(line):
                codes += [line.scan] * (1 if _is_typed(line) else line.quantity)
        if self.interrupt is not None and len(receipt.lines) > 1:
            half = len(codes) // 2
            self._scan_codes(codes[:half], receipt)
            interrupt, self.interrupt = self.interrupt, None
            interrupt()
            self.scanner.close()
            self._set_clock(receipt)
            self._scan_codes(codes[half:], receipt)
        else:
            self._scan_codes(codes, receipt)
        for line in receipt.lines:
            if _is_bare(line):
                self._weigh(line, receipt)
        wanted = {line.ean13 for line in receipt.lines}
        basket = self.till.view["basket"]
        found = {line["gtin"] for line in basket["lines"]}
        assert found == wanted, (receipt.basket_no, wanted ^ found, basket["unknown"])

    def _weigh(self, line: ReceiptLine, receipt: Receipt) -> None:
        """Weighed goods without a label of their own: the receipt knows what they weighed."""
        self._scan_codes([line.scan], receipt)
        self.till.command("weighing/by-hand", {"net_milli": line.quantity * ONE_MILLI})

    def _scan_codes(self, codes: list[str], receipt: Receipt) -> None:
        before = self.till.view["scans"]
        self.scanner.scan(codes)
        wanted = before + len(codes)
        self.till.wait(lambda view: view["scans"] >= wanted, f"scan {wanted} of {receipt}")

    def _type_quantities(self, receipt: Receipt) -> None:
        for line in receipt.lines:
            if _is_typed(line) and not _is_bare(line):
                shown = _line(self.till.view, line)
                body = {"qty_milli": line.quantity * ONE_MILLI}
                self.till.command(f"lines/{shown['n']}/quantity", body)

    def _correct(self, line: ReceiptLine) -> None:
        shown = _line(self.till.view, line)
        net_before_coupon = line.net_cents + line.store_coupon_cents
        is_gross_right = not shown["needs_price"] and shown["gross_minor"] == line.gross_cents
        is_net_right = is_gross_right and shown["net_minor"] == net_before_coupon
        if not line.weighed:
            self.share.lines += 1
            self.share.gross_right += is_gross_right
            self.share.net_right += is_net_right
        if not is_net_right:
            self.share.overrides += 1
            body = {
                "regular_minor": line.gross_cents,
                "member_minor": net_before_coupon if line.member_disc_cents else None,
                "reason": DEAL_REASON,
            }
            self.till.command(f"lines/{shown['n']}/override", body)
        if line.store_coupon_cents:
            body = {"amount_minor": line.store_coupon_cents, "reference": "store coupon"}
            self.till.command(f"lines/{shown['n']}/store-coupon", body)

    def _pay(self, receipt: Receipt) -> View:
        due = sum(line.net_cents for line in receipt.lines)
        basket = self.till.view["basket"]
        assert basket["due_minor"] == due, (receipt.basket_no, basket["due_minor"], due)
        coupons = sum(line.mfr_coupon_cents for line in receipt.lines)
        answer: dict[str, Any] = {}
        if coupons:
            answer = self._tender("manufacturer_coupon", coupons)
        if coupons < due or due == 0:
            answer = self._take_money(receipt, due - coupons)
        assert answer.get("receipt_no"), (receipt.basket_no, answer)
        return self.till.view

    def _take_money(self, receipt: Receipt, owed: int) -> dict[str, Any]:
        if receipt.basket_no % CARD_EVERY == 0 and owed:
            return self._tender("card", owed)
        notes = [amount for amount in self.till.view["quick_cash"] if amount >= owed] or [owed]
        return self._tender("cash", notes[receipt.basket_no % len(notes)])

    def _tender(self, kind: str, amount: int) -> dict[str, Any]:
        body = {"kind": kind, "amount_minor": amount}
        answer: dict[str, Any] = self.till.command("tenders", body)
        return answer


def _is_typed(line: ReceiptLine) -> bool:
    """Many pieces are typed; so are weighed ones, whose every scan is a pack of its own."""
    return line.quantity > (1 if line.weighed else REPEAT_SCANS_MAX)


def _is_bare(line: ReceiptLine) -> bool:
    """Weighed goods that were sold without a label."""
    return line.weighed and line.scan == line.ean13


def _line(view: View, line: ReceiptLine) -> dict[str, Any]:
    for shown in view["basket"]["lines"]:
        if shown["gtin"] == line.ean13:
            found: dict[str, Any] = shown
            return found
    raise AssertionError(f"{line.ean13} is not on the screen")
