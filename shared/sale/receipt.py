"""The receipt as text: searchable, readable aloud, the same at the till, on paper and at HQ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.kernel.money import Currency, format_minor
from shared.kernel.quantity import ONE_MILLI, format_milli, format_weight
from shared.price.tax import tax_sums
from shared.sale.columns import clip, rows, spread, text_columns, wrap
from shared.sale.line_price import OFFER
from shared.sale.receipt_code import ReceiptLink, asking_place, receipt_url
from shared.sale.transaction import RetailTransaction, SoldLine

MEMBER_DIGITS_SHOWN = 4
BP_PER_PERCENT = 100


class Align(StrEnum):
    """Where a line stands on the paper."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


class LineKind(StrEnum):
    """Text, or a code that the printer draws itself."""

    TEXT = "text"
    BARCODE = "barcode"
    QR = "qr"


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line; `scale` 2 prints double width and height, so it has half the columns."""

    text: str
    align: Align = Align.LEFT
    bold: bool = False
    scale: int = 1
    kind: LineKind = LineKind.TEXT


@dataclass(frozen=True, slots=True)
class ReceiptHead:
    """What stands around the lines. `at_text` is local time; `copy` above 0 marks a reprint.

    `link` names the receipt for whoever wants it proved, at head office's address `public_url`
    ("" where there is none).
    """

    store_name: str
    at_text: str
    operator_name: str
    currency: Currency
    is_training: bool = False
    copy: int = 0
    link: ReceiptLink | None = None
    public_url: str = ""
    header: tuple[str, ...] = ()
    """What stands under the store's name, such as its address."""
    footer: tuple[str, ...] = ()
    """What stands above the thanks, such as how goods may be brought back."""


Texts = Mapping[str, str]
"""Catalogue texts by key (`receipt.*`), in the language of the receipt."""


def receipt_lines(
    sale: RetailTransaction, head: ReceiptHead, texts: Texts, columns: int
) -> list[ReceiptLine]:
    """Lay out a sale for paper with that many columns (48 for 80 mm, 32 for 58 mm)."""
    return [
        *_top(sale, head, texts, columns),
        *_goods(sale, head, texts, columns),
        *_sums(sale, head, texts, columns),
        *_bottom(sale, head, texts, columns),
    ]


def receipt_text(lines: list[ReceiptLine], columns: int) -> str:
    """The receipt as plain text, for preview and archive; a QR code stands beside its words."""
    shown = (line for line in lines if line.kind is not LineKind.QR)
    return "\n".join(_as_plain(line, columns) for line in shown)


def _as_plain(line: ReceiptLine, columns: int) -> str:
    text = f"[{line.text}]" if line.kind is LineKind.BARCODE else line.text
    room = max(0, columns - text_columns(text))
    if line.align is Align.CENTER:
        return " " * (room // 2) + text
    return " " * room + text if line.align is Align.RIGHT else text


def _top(
    sale: RetailTransaction, head: ReceiptHead, texts: Texts, columns: int
) -> Iterator[ReceiptLine]:
    for piece in wrap(head.store_name, columns // 2):
        yield ReceiptLine(piece, Align.CENTER, bold=True, scale=2)
    yield from _centred(head.header, columns)
    if head.is_training:
        yield from _training(texts, columns)
    if head.copy:
        copy = texts["receipt.copy"].replace("{n}", str(head.copy))
        yield ReceiptLine(copy, Align.CENTER, bold=True, scale=2)
    number = f"{texts['receipt.number']} {sale.receipt_no}"
    for row in rows(number, head.at_text, columns):
        yield ReceiptLine(row)
    lane = f"{texts['receipt.lane']} {sale.lane}"
    operator = f"{texts['receipt.operator']} {head.operator_name}"
    for row in rows(lane, operator, columns):
        yield ReceiptLine(row)
    yield ReceiptLine("-" * columns)


def _goods(
    sale: RetailTransaction, head: ReceiptHead, texts: Texts, columns: int
) -> Iterator[ReceiptLine]:
    names = {offer.id: offer.name for offer in sale.offers}
    for line in sale.lines:
        for piece in wrap(line.name, columns):
            yield ReceiptLine(piece)
        amount = format_minor(line.gross_minor, head.currency)
        for row in rows(_quantity(line, head, texts), amount, columns):
            yield ReceiptLine(row)
        for note in _weight_notes(line, texts):
            yield ReceiptLine(clip(note, columns))
        for modifier in line.modifiers:
            name = names.get(modifier.reference) if modifier.kind == OFFER else None
            name = name or texts[f"modifier.{modifier.kind}"]
            yield from _amount(f"  {name}", modifier.amount_minor, head, columns)
    yield ReceiptLine("-" * columns)


def _quantity(line: SoldLine, head: ReceiptHead, texts: Texts) -> str:
    mark = texts["receipt.price_override"] if line.override is not None else ""
    weighed, quantity = line.weighed, format_milli(line.qty_milli)
    if weighed is not None:
        quantity = format_weight(line.qty_milli, weighed.unit)
    if line.unit_minor is None or line.override is not None:
        return f"  {line.gtin} x{quantity} {mark}".rstrip()
    unit = format_minor(line.unit_minor, head.currency)
    if line.qty_milli == ONE_MILLI and weighed is None:
        return f"  {line.gtin}"
    return f"  {line.gtin} {quantity} x {unit}"


def _weight_notes(line: SoldLine, texts: Texts) -> Iterator[str]:
    """What was taken off for the container, and that a weight was keyed in."""
    weighed = line.weighed
    if weighed is not None and weighed.tare_milli:
        yield f"  {texts['receipt.tare']} {format_weight(weighed.tare_milli, weighed.unit)}"
    if weighed is not None and weighed.source == "manual":
        yield f"  {texts['receipt.weight_manual']}"


def _amount(name: str, amount_minor: int, head: ReceiptHead, columns: int) -> Iterator[ReceiptLine]:
    """A name with its amount: a long name takes rows of its own rather than lose its end."""
    for row in rows(name, format_minor(amount_minor, head.currency), columns):
        yield ReceiptLine(row)


def _sums(
    sale: RetailTransaction, head: ReceiptHead, texts: Texts, columns: int
) -> Iterator[ReceiptLine]:
    totals, money = sale.totals, head.currency
    count = texts["receipt.count"].replace("{n}", str(totals.units))
    if totals.gross_minor != totals.net_minor:
        yield ReceiptLine(
            spread(texts["receipt.gross"], format_minor(totals.gross_minor, money), columns)
        )
        for name, saved_minor in _savings(sale, texts):
            yield from _amount(f"  {name}", saved_minor, head, columns)
        saved_minor = totals.net_minor - totals.gross_minor
        yield from _amount(texts["receipt.saved"], saved_minor, head, columns)
    due = f"{money.symbol}{format_minor(totals.net_minor, money)}"
    yield ReceiptLine(spread(texts["receipt.total"], due, columns // 2), bold=True, scale=2)
    yield ReceiptLine(count)
    if totals.rounding_minor:
        yield from _amount(texts["receipt.rounding"], totals.rounding_minor, head, columns)
    for tender in sale.tenders:
        amount = format_minor(tender.amount_minor, money)
        yield ReceiptLine(spread(texts[f"tender.{tender.kind}"], amount, columns))
    if sale.change_minor:
        change = format_minor(sale.change_minor, money)
        yield ReceiptLine(spread(texts["receipt.change"], change, columns), bold=True)
    for rate, tax_minor in _taxes(sale):
        name = texts["receipt.tax"].replace("{rate}", rate)
        yield from _amount(name, tax_minor, head, columns)
    if sale.member is not None:
        yield ReceiptLine(f"{texts['receipt.member']} {_masked(sale.member)}")


def _savings(sale: RetailTransaction, texts: Texts) -> Iterator[tuple[str, int]]:
    """What each offer saved over the whole receipt, beside member prices and store coupons.

    Without offers the sum says it all.
    """
    if not sale.offers:
        return
    totals = sale.totals
    if totals.member_disc_minor:
        yield texts["modifier.member_price"], -totals.member_disc_minor
    for offer in sale.offers:
        yield offer.name, offer.amount_minor
    if totals.store_coupon_minor:
        yield texts["modifier.store_coupon"], -totals.store_coupon_minor


def _taxes(sale: RetailTransaction) -> Iterator[tuple[str, int]]:
    """Rate in percent and the tax in the lines of that rate; a rate of nought gets no row."""
    taxed = [line for line in sale.lines if line.tax_bp]
    for tax in tax_sums((line.tax_bp, line.net_minor, line.tax_minor) for line in taxed):
        whole, part = divmod(tax.tax_bp, BP_PER_PERCENT)
        rate = f"{whole}.{part:02}".rstrip("0") if part else str(whole)
        yield rate, tax.tax_minor


def _bottom(
    sale: RetailTransaction, head: ReceiptHead, texts: Texts, columns: int
) -> Iterator[ReceiptLine]:
    yield ReceiptLine("")
    yield ReceiptLine(sale.receipt_no, Align.CENTER, kind=LineKind.BARCODE)
    yield from _centred((*head.footer, texts["receipt.thanks"]), columns)
    yield from _proof(head, texts, columns)
    if head.is_training:
        yield from _training(texts, columns)


def _centred(lines: tuple[str, ...], columns: int) -> Iterator[ReceiptLine]:
    for line in lines:
        for piece in wrap(line, columns):
            yield ReceiptLine(piece, Align.CENTER)


def _proof(head: ReceiptHead, texts: Texts, columns: int) -> Iterator[ReceiptLine]:
    """How the customer can have the receipt checked, now or in years."""
    link = head.link
    if link is None:
        return
    if head.public_url:
        yield ReceiptLine(receipt_url(head.public_url, link), Align.CENTER, kind=LineKind.QR)
    for piece in wrap(f"{texts['receipt.code']} {link.code}", columns):
        yield ReceiptLine(piece, Align.CENTER)
    if not head.public_url:
        return
    # For those who cannot scan: where to ask, and what else is asked for there.
    for piece in wrap(asking_place(head.public_url), columns):
        yield ReceiptLine(piece, Align.CENTER)
    store = f"{texts['receipt.store']} {link.store_id}"
    day = f"{texts['receipt.business_date']} {link.business_date}"
    for row in rows(store, day, columns):
        yield ReceiptLine(row)


def _training(texts: Texts, columns: int) -> Iterator[ReceiptLine]:
    for piece in wrap(texts["receipt.training"], columns):
        yield ReceiptLine(piece, Align.CENTER, bold=True)


def _masked(member: str) -> str:
    """The last digits, at most half of all: enough for the customer, nothing for a finder."""
    shown = min(MEMBER_DIGITS_SHOWN, len(member) // 2)
    return f"***{member[len(member) - shown :]}"
