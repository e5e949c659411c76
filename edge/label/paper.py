"""Labels on the receipt printer's paper: name, price, barcode, a cut after each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from edge.label.store import DueLabel
from edge.texts import Texts
from shared.kernel.money import Currency, format_minor
from shared.sale.columns import rows, wrap
from shared.sale.receipt import Align, LineKind, ReceiptLine

NAME_ROWS_MAX = 2


def label_lines(
    label: DueLabel, currency: Currency, texts: Texts, columns: int
) -> Iterator[ReceiptLine]:
    """One label. The member price stands below the price, the package size beside it."""
    for piece in islice(wrap(label.name, columns), NAME_ROWS_MAX):
        yield ReceiptLine(piece, bold=True)
    price_minor = label.change.new_minor
    if price_minor is None:
        yield ReceiptLine(texts["label.take_away"], bold=True, scale=2)
    else:
        price = f"{currency.symbol}{format_minor(price_minor, currency)}"
        for row in rows("", price, columns // 2):
            yield ReceiptLine(row, bold=True, scale=2)
    member_minor = label.change.member_minor
    if member_minor is not None and price_minor is not None:
        member = f"{currency.symbol}{format_minor(member_minor, currency)}"
        for row in rows(texts["label.member"], member, columns):
            yield ReceiptLine(row, bold=True)
    if label.size:
        yield ReceiptLine(label.size)
    yield ReceiptLine(label.gtin, Align.CENTER, kind=LineKind.BARCODE)
