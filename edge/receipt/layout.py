"""From a journal entry to a receipt or slip: text for the screen, bytes for the paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from edge.device.escpos import NO_ARTWORK, Artwork, encode
from edge.device.escpos_profile import PrinterProfile
from edge.receipt.slips import ClosedDay, SlipHead, check_lines, z_slip_lines
from edge.texts import FALLBACK_LOCALE, Texts
from shared.config.settings import ReceiptTexts, in_language
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


def _no_texts(_at_ms: int) -> ReceiptTexts:
    return ReceiptTexts()


def _no_artwork(_profile: PrinterProfile) -> Artwork:
    return NO_ARTWORK


@dataclass(frozen=True, slots=True)
class ReceiptLayout:
    """How this store prints; `operator_name` gives the name for an operator's id.

    `language` is what offers are named in; `public_url` is where head office answers customers.
    `profile` is the printer's, where no other one is named; `artwork` gives the pictures for one.
    `texts_at` gives head office's own lines for receipts of an instant (UTC ms).
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
    artwork: Callable[[PrinterProfile], Artwork] = _no_artwork
    texts_at: Callable[[int], ReceiptTexts] = _no_texts

    def text(self, printed: PrintedSale) -> str:
        """The receipt as plain text."""
        columns = self.profile.width_chars
        return receipt_text(self._lines(printed, columns), columns)

    def payload(self, printed: PrintedSale, profile: PrinterProfile | None = None) -> bytes:
        """The receipt as the bytes of the printer that prints it, with the cut."""
        profile = profile or self.profile
        lines = self._lines(printed, profile.width_chars)
        return encode(lines, profile, self.artwork(profile))

    def z_slip(self, day: ClosedDay, profile: PrinterProfile | None = None) -> bytes:
        """The Z report of a closed day as the printer's bytes, with the cut."""
        profile = profile or self.profile
        operator_name = self.operator_name(day.operator) if day.operator else ""
        head = self._slip_head(day.at_ms, operator_name)
        lines = z_slip_lines(day, head, self.texts, profile.width_chars)
        return encode(lines, profile, self.artwork(profile))

    def test_page(self, name: str, at_ms: int, profile: PrinterProfile | None = None) -> bytes:
        """A page that tries the printer `name`, as its bytes, with the cut; `at_ms` UTC."""
        profile = profile or self.profile
        lines = check_lines(name, self._slip_head(at_ms), self.texts, profile)
        return encode(lines, profile, self.artwork(profile))

    def _slip_head(self, at_ms: int, operator_name: str = "") -> SlipHead:
        at_text = self._at_text(at_ms) if at_ms else ""
        return SlipHead(
            self.store_name, self.currency, at_text, operator_name, is_training=self.is_training
        )

    def _at_text(self, at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, tz=self.zone).strftime("%Y-%m-%d %H:%M")

    def _lines(self, printed: PrintedSale, columns: int) -> list[ReceiptLine]:
        own = self.texts_at(printed.at_ms)
        header, returns, footer = (
            in_language(lines, self.language) for lines in (own.header, own.returns, own.footer)
        )
        head = ReceiptHead(
            store_name=self.store_name,
            at_text=self._at_text(printed.at_ms),
            operator_name=self.operator_name(printed.sale.operator),
            currency=self.currency,
            is_training=self.is_training,
            copy=printed.copy,
            link=self._link(printed),
            public_url=self.public_url,
            header=header,
            footer=(*returns, *footer),
        )
        return receipt_lines(printed.sale, head, self.texts, columns)

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
