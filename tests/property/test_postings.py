"""Double entry: whatever is sold, the postings of a sale add up to nought."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ledger.body import figures_of, read_sale
from cloud.ledger.post import SALES, SaleFigures, postings_of
from shared.journal.event import SaleCompleted
from shared.kernel.canonical import canonical_bytes
from shared.kernel.errors import RefusedError
from shared.kernel.rounding import ROUNDING_MINOR_MAX
from shared.sale.settle import settle
from shared.sale.tender import Tender, TenderKind
from shared.sale.transaction import RetailTransaction, SoldLine, SoldModifier, totals_of
from shared.wire.codec import event_data
from tests.property.strategies import ROUNDINGS


@st.composite
def sales(draw: st.DrawFn) -> RetailTransaction:
    lines = tuple(draw(lines_of(n)) for n in range(1, draw(st.integers(1, 6)) + 1))
    due = sum(line.net_minor for line in lines)
    tenders, left = [], due
    rule = draw(ROUNDINGS)
    for kind in (TenderKind.MANUFACTURER_COUPON, TenderKind.CARD):
        amount = draw(st.integers(0, left))
        if amount:
            tenders.append(Tender(kind, amount))
            left -= amount
    owed = rule.rounded(left)
    tenders.append(Tender(TenderKind.CASH, owed + draw(st.integers(0, 5_000))))
    settlement = settle(due, tuple(tenders), owed - left)
    return RetailTransaction(
        "1-000001",
        1,
        "2041",
        0,
        0,
        7,
        None,
        lines,
        settlement.tenders,
        settlement.change_minor,
        totals_of(lines, settlement),
    )


@st.composite
def lines_of(draw: st.DrawFn, number: int) -> SoldLine:
    gross = draw(st.integers(0, 99_999_999))
    member = draw(st.integers(0, gross))
    offer = draw(st.integers(0, gross - member))
    coupon = draw(st.integers(0, gross - member - offer))
    given = (("member_price", member), ("offer", offer), ("store_coupon", coupon))
    modifiers = tuple(SoldModifier(kind, -amount, "test") for kind, amount in given if amount)
    net = gross - member - offer - coupon
    return SoldLine(
        n=number,
        gtin="0400000000017",
        name="Milk",
        code="0400000000017",
        qty_milli=1_000,
        is_weighed=False,
        unit_minor=gross,
        gross_minor=gross,
        net_minor=net,
        modifiers=modifiers,
    )


def read(sale: RetailTransaction) -> SaleFigures:
    """Through the bytes of the journal, as ingest does."""
    return figures_of(read_sale(msgspec.Raw(canonical_bytes(event_data(SaleCompleted(sale))))))


@given(sales())
def test_postings_of_any_sale_add_up_to_nought(sale: RetailTransaction) -> None:
    postings = postings_of(read(sale))
    assert sum(amount for _, amount in postings) == 0
    assert all(amount for _, amount in postings)
    assert len({account for account, _ in postings}) == len(postings)


@given(sales())
def test_the_books_recompute_exactly_what_the_box_recorded(sale: RetailTransaction) -> None:
    figures, totals = read(sale), sale.totals
    assert figures.net_minor == totals.net_minor
    assert figures.offer_disc_minor == totals.offer_disc_minor
    assert figures.tender_minor == figures.cash_minor + figures.card_minor
    assert figures.rounding_minor == totals.rounding_minor
    assert dict(postings_of(figures)).get(SALES, 0) == -totals.gross_minor


@given(sales(), st.integers(1, 10_000))
def test_a_sale_whose_lines_contradict_its_totals_is_refused(
    sale: RetailTransaction, off: int
) -> None:
    data = event_data(SaleCompleted(sale))
    data["sale"]["totals"]["net_minor"] += off
    with pytest.raises(RefusedError, match=r"ledger\.totals"):
        figures_of(read_sale(msgspec.Raw(canonical_bytes(data))))


@given(sales(), st.integers(1, 10_000))
def test_a_sale_that_was_not_paid_in_full_is_unbalanced(sale: RetailTransaction, off: int) -> None:
    data = event_data(SaleCompleted(sale))
    data["sale"]["change_minor"] += off
    figures = figures_of(read_sale(msgspec.Raw(canonical_bytes(data))))
    with pytest.raises(RefusedError, match=r"ledger\.unbalanced"):
        postings_of(figures)


@given(sales(), st.sampled_from([-ROUNDING_MINOR_MAX - 1, ROUNDING_MINOR_MAX + 1, 10**6]))
def test_money_that_rounding_cannot_have_made_is_refused(sale: RetailTransaction, far: int) -> None:
    data = event_data(SaleCompleted(sale))
    data["sale"]["totals"]["rounding_minor"] = far
    with pytest.raises(RefusedError, match=r"ledger\.sale"):
        read_sale(msgspec.Raw(canonical_bytes(data)))


@pytest.mark.parametrize(
    "data",
    [b"{}", b"[]", b"null", b'{"sale":{}}', b'{"sale":{"receipt_no":7}}', b'{"sale":"\xff"}'],
)
def test_what_is_no_sale_is_refused(data: bytes) -> None:
    with pytest.raises(RefusedError, match=r"ledger\.sale"):
        read_sale(msgspec.Raw(data))
