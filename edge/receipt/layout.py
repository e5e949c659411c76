"""From a journal entry to a receipt: the text for the screen, the bytes for the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.device.escpos import PrinterProfile, encode
from edge.texts import FALLBACK_LOCALE, Texts
from shared.kernel.money import Currency
from shared.sale.receipt import ReceiptHead, ReceiptLine, receipt_lines, receipt_text
from shared.sale.receipt_code import ReceiptLink, receipt_code
from shared.sale.transaction import RetailTransaction


@dataclass(frozen=True, slots=True)
class PrintedSale:
    """A sale and what its receipt says about it; `at_ms` UTC, `copy` above 0 for a reprint.

    `biz` is the business date and `hash` that of the sale's journal entry: what can be proved.
    """

    sale: RetailTransaction
    at_ms: int
    copy: int = 0
    biz: str = ""
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class ReceiptLayout:
    """How this store prints; `operator_name` gives the name for an operator's id.

    `language` is what offers are named in; `public_url` is where head office answers customers.
    """

    store_name: str
    zone: tzinfo
    currency: Currency
    texts: Texts
    profile: PrinterProfile
    operator_name: Callable[[str], str]
    is_training: bool = False
    language: str = FALLBACK_LOCALE
    store_id: str = ""
    public_url: str = ""

    def text(self, printed: PrintedSale) -> str:
        """The receipt as plain text."""
        return receipt_text(self._lines(printed), self.profile.width_chars)

    def payload(self, printed: PrintedSale) -> bytes:
        """The receipt as the printer's bytes, with the cut."""
        return encode(self._lines(printed), self.profile)

    def _lines(self, printed: PrintedSale) -> list[ReceiptLine]:
        at = datetime.fromtimestamp(printed.at_ms / 1000, tz=self.zone)
        head = ReceiptHead(
            store_name=self.store_name,
            at_text=at.strftime("%Y-%m-%d %H:%M"),
            operator_name=self.operator_name(printed.sale.operator),
            currency=self.currency,
            is_training=self.is_training,
            copy=printed.copy,
            link=self._link(printed),
            public_url=self.public_url,
        )
        return receipt_lines(printed.sale, head, self.texts, self.profile.width_chars)

    def _link(self, printed: PrintedSale) -> ReceiptLink | None:
        if not printed.hash:
            return None
        code = receipt_code(printed.hash)
        return ReceiptLink(self.store_id, printed.biz, printed.sale.receipt_no, code)


def zone_of(name: str) -> tzinfo:
    """The time zone with that IANA name; UTC where the machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
