"""What guards learn of sales."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from cloud.release.signal import Counts, Sold, signals_of
from shared.journal.event import SaleCompleted
from shared.kernel.canonical import canonical_bytes
from shared.sale.transaction import RetailTransaction, SoldLine, SoldOverride
from shared.wire.codec import event_data
from tests.fakes.box_stream import a_sale

MINUTE = 60_000


@dataclass(slots=True)
class Entry:
    at: int
    data: msgspec.Raw


def entry(sale: RetailTransaction, at: int = 5 * MINUTE) -> Entry:
    return Entry(at, msgspec.Raw(canonical_bytes(event_data(SaleCompleted(sale)))))


def a_small_sale(*lines: SoldLine, revision: int = 7) -> RetailTransaction:
    sale = a_sale(1, is_member=False)
    totals = replace(sale.totals, net_minor=sum(line.net_minor for line in lines))
    return replace(sale, lines=lines, totals=totals, revision=revision)


LINE = replace(a_sale(1, is_member=False).lines[0], net_minor=110, tax_bp=1_000, qty_milli=2_000)
FREE = replace(LINE, net_minor=0)
BY_HAND = replace(FREE, override=SoldOverride(100, "damaged", "2041"))


def test_sales_are_added_up_by_minute_and_revision() -> None:
    found = signals_of(
        [
            entry(a_small_sale(LINE, FREE, BY_HAND)),
            entry(a_small_sale(LINE), at=5 * MINUTE + 59_999),
            entry(a_small_sale(LINE, revision=8)),
        ]
    )
    first = found.counts[5, 7]
    assert (first.sales, first.lines, first.zero_lines, first.overridden_lines) == (2, 4, 1, 1)
    assert first.net_minor == 220
    assert found.counts[5, 8].sales == 1
    assert found.sold[5, 7, LINE.gtin] == Sold(lines=3, qty_milli=6_000, net_minor=200)


def test_a_sale_that_pays_out_is_a_refund() -> None:
    back = replace(LINE, net_minor=-110)
    assert signals_of([entry(a_small_sale(back))]).counts[5, 7].refunds == 1


def test_what_cannot_be_read_is_left_to_the_books() -> None:
    assert signals_of([Entry(1, msgspec.Raw(b'{"sale": 1}'))]).counts == {}
    assert Counts().sales == 0
