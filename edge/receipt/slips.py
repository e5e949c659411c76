"""Slips that are no receipts: the closed day, and the page that tries a printer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge.device.escpos_profile import PrinterProfile
from shared.kernel.money import Currency, format_minor
from shared.sale.columns import rows, spread, wrap
from shared.sale.receipt import Align, LineKind, ReceiptLine
from shared.till.z_report import ZReport

_DEDUCTIONS = ("member_disc", "offer_disc", "store_coupon")
_TAKINGS = ("cash", "card")
_COUNTS = (
    "receipts",
    "lines",
    "voided_baskets",
    "voided_lines",
    "overrides",
    "no_sales",
    "reprints",
)
_TEST_CODE = "6901234567892"
_TEST_SAMPLES = (
    "￥12.50 € ¢ £",
    "①②③ ０１２ 〇",
    "「中文」（简繁體）",
    "àéîõü ñ ß Ø ł",
    "Ελλάδα Россия",
)
_RULER = "1234567890"


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A closed business day: `at_ms` (UTC) when and `operator` (id) by whom, 0 and "" if unknown.

    `code` is the day's check code, "" where there is none; `copy` above 0 marks a reprint.
    """

    report: ZReport
    at_ms: int = 0
    operator: str = ""
    code: str = ""
    copy: int = 0


@dataclass(frozen=True, slots=True)
class SlipHead:
    """What stands on top of a slip: local time and name as text ("" leaves them out)."""

    store_name: str
    currency: Currency
    at_text: str = ""
    operator_name: str = ""
    is_training: bool = False


Texts = Mapping[str, str]


def z_slip_lines(
    day: ClosedDay, head: SlipHead, texts: Texts, columns: int
) -> Iterator[ReceiptLine]:
    """The Z report of a day for the paper, the safe and the bookkeeper."""
    z = day.report
    yield from _title(head, texts, texts["slip.z.title"], columns)
    if day.copy:
        copy = texts["receipt.copy"].replace("{n}", str(day.copy))
        yield ReceiptLine(copy, Align.CENTER, bold=True, scale=2)
    yield from _row(texts["receipt.business_date"], z.business_date, columns)
    if head.at_text:
        yield from _row(texts["slip.z.closed"], head.at_text, columns)
    if head.operator_name:
        yield from _row(texts["slip.z.closed_by"], head.operator_name, columns)
    yield ReceiptLine("-" * columns)
    yield from _sums(z, head.currency, texts, columns)
    yield ReceiptLine("-" * columns)
    for name in _COUNTS:
        yield from _row(texts[f"till.z.{name}"], str(getattr(z, name)), columns)
    yield ReceiptLine("-" * columns)
    if day.code:
        yield from _row(texts["till.day.code"], day.code, columns)
    yield ReceiptLine("")
    yield ReceiptLine("")
    signature = f"{texts['slip.z.signature']} "
    yield ReceiptLine(spread(signature, "_" * (columns // 2), columns))


def _sums(z: ZReport, currency: Currency, texts: Texts, columns: int) -> Iterator[ReceiptLine]:
    yield from _row(texts["till.z.gross"], format_minor(z.gross_minor, currency), columns)
    for name in _DEDUCTIONS:
        amount_minor = getattr(z, f"{name}_minor")
        if amount_minor:
            text = format_minor(-amount_minor, currency)
            yield from _row(f"  {texts[f'till.z.{name}']}", text, columns)
    net = f"{currency.symbol}{format_minor(z.net_minor, currency)}"
    for row in rows(texts["till.z.net"], net, columns // 2):
        yield ReceiptLine(row, bold=True, scale=2)
    if z.mfr_coupon_minor:
        amount = format_minor(z.mfr_coupon_minor, currency)
        yield from _row(texts["till.z.mfr_coupon"], amount, columns)
    if z.rounding_minor:
        amount = format_minor(z.rounding_minor, currency)
        yield from _row(texts["till.z.rounding"], amount, columns)
    for name in _TAKINGS:
        amount = format_minor(getattr(z, f"{name}_minor"), currency)
        yield from _row(texts[f"till.z.{name}"], amount, columns)


def check_lines(
    name: str, head: SlipHead, texts: Texts, profile: PrinterProfile
) -> Iterator[ReceiptLine]:
    """A page that tries a printer: both edges, both sizes, all it should strike, codes, the cut.

    `name` tells which printer it is.
    """
    columns = profile.width_chars
    yield from _title(head, texts, texts["slip.test.title"], columns)
    yield from _row(name, head.at_text, columns)
    yield from _row(
        f"{profile.encoding} / {profile.cut}", f"{columns}/{profile.paper_dots}", columns
    )
    yield ReceiptLine((_RULER * columns)[:columns])
    for piece in wrap(texts["slip.test.edges"], columns):
        yield ReceiptLine(piece)
    for sample in _TEST_SAMPLES:
        yield ReceiptLine(spread(sample, "12.50", columns))
    total = f"{head.currency.symbol}12.50"
    yield ReceiptLine(spread(texts["receipt.total"], total, columns // 2), bold=True, scale=2)
    yield ReceiptLine(_TEST_CODE, Align.CENTER, kind=LineKind.BARCODE)
    yield ReceiptLine(name, Align.CENTER, kind=LineKind.QR)
    for piece in wrap(texts["slip.test.done"], columns):
        yield ReceiptLine(piece, Align.CENTER)


def _title(head: SlipHead, texts: Texts, title: str, columns: int) -> Iterator[ReceiptLine]:
    for piece in (*wrap(head.store_name, columns // 2), *wrap(title, columns // 2)):
        yield ReceiptLine(piece, Align.CENTER, bold=True, scale=2)
    if head.is_training:
        for piece in wrap(texts["receipt.training"], columns):
            yield ReceiptLine(piece, Align.CENTER, bold=True)


def _row(name: str, value: str, columns: int) -> Iterator[ReceiptLine]:
    for row in rows(name, value, columns):
        yield ReceiptLine(row)
